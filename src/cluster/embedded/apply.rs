//! `PATCH` with `application/apply-patch+yaml`: server-side apply, which is the store's; here is its HTTP.

use axum::response::Response;
use http::StatusCode;

use super::read::key_of;
use super::write::{Call, addressed, commit, shown, validate_fields};
use super::{Host, World, answer, body};
use crate::twin::store::{ApiError, Applier, Part};

/// The media type of an applied configuration. JSON is YAML, and most clients send it.
pub(super) const MEDIA: &str = "application/apply-patch+yaml";

/// 201 when the object is new, 200 otherwise.
pub(super) fn apply<H: Host>(world: &World<H>, call: &Call<'_>) -> Result<Response, ApiError> {
    if call.params.field_manager.is_empty() {
        return Err(ApiError::invalid(
            "PatchOptions.meta.k8s.io \"\" is invalid: fieldManager: Required value: is required for apply patch",
        ));
    }
    let part = call.part();
    if part == Part::Scale {
        return Err(ApiError::unsupported_media_type(
            "application/json-patch+json, application/merge-patch+json",
        ));
    }
    let config = addressed(call, body::yaml(call.body)?)?;
    let warnings = if part == Part::Main { validate_fields(call, &config)? } else { vec![] };
    let who = Applier { manager: call.params.field_manager.clone(), force: call.params.force };
    let key = key_of(call.target);
    let (object, is_new) = commit(world, call, |store, now| store.apply(now, &key, part, config, &who))?;
    let answered =
        if is_new { answer::json(StatusCode::CREATED, &object) } else { shown(key.kind, part, &object) };
    Ok(answer::warn(answered, &warnings))
}
