//! Patches: merge (RFC 7386), JSON (RFC 6902) and the strategic merge of Kubernetes.

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
            // A strategic merge of maps is a merge; lists with merge keys come with the strategic patch proper.
            Patch::Merge(patch) | Patch::Strategic(patch) => merge(&mut object, patch),
            Patch::Json(_) => return Err(ApiError::bad_request("JSON patches are not served yet")),
        }
        Ok(object)
    }
}

fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(fields) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(serde_json::Map::new());
    }
    let map = target.as_object_mut().expect("made an object above");
    for (key, value) in fields {
        if value.is_null() {
            map.remove(key);
        } else {
            merge(map.entry(key.clone()).or_insert(Value::Null), value);
        }
    }
}
