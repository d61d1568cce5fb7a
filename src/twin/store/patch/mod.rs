//! Patches: what a `PATCH` request does to an object, before the server has its say.
//!
//! Three types, one file each: [`merge`] (RFC 7386), [`json`] (RFC 6902) and [`strategic`], the merge of Kubernetes
//! that knows which lists are really maps. Server-side apply needs owners and is `apply`'s. Nothing here knows about kinds;
//! that a custom resource takes no strategic patch is the store's rule.

mod json;
mod merge;
mod strategic;
#[cfg(test)]
mod tests;

use serde_json::Value;

use super::error::ApiError;

/// A patch and its type.
#[derive(Debug, Clone, PartialEq)]
pub enum Patch {
    /// `application/merge-patch+json`.
    Merge(Value),
    /// `application/json-patch+json`.
    Json(Value),
    /// `application/strategic-merge-patch+json`.
    Strategic(Value),
}

impl Patch {
    /// The object after the patch.
    ///
    /// # Errors
    /// 422 when a JSON patch names what is not there, 400 when it is not a patch at all.
    pub fn apply(&self, object: &Value) -> Result<Value, ApiError> {
        let mut object = object.clone();
        match self {
            Patch::Merge(patch) if patch.is_object() => merge::apply(&mut object, patch),
            Patch::Strategic(patch) if patch.is_object() => strategic::apply(&mut object, patch)?,
            Patch::Merge(_) | Patch::Strategic(_) => {
                return Err(ApiError::bad_request("a patch of this type must be a JSON object"));
            }
            Patch::Json(patch) => json::apply(&mut object, patch)?,
        }
        Ok(object)
    }
}
