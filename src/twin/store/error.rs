//! What an API server answers when it refuses.

use serde_json::{Value, json};

use super::object::Key;

/// A refusal, as a Kubernetes `Status` would carry it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ApiError {
    /// The HTTP status code.
    pub code: u16,
    /// The machine-readable reason, `NotFound` for instance.
    pub reason: &'static str,
    /// The sentence a person reads.
    pub message: String,
}

impl ApiError {
    /// 404.
    #[must_use]
    pub fn not_found(key: &Key) -> ApiError {
        ApiError {
            code: 404,
            reason: "NotFound",
            message: format!("{} \"{}\" not found", key.kind.info().resource(), key.name),
        }
    }

    /// 409, on creation.
    #[must_use]
    pub fn already_exists(key: &Key) -> ApiError {
        let message = format!("{} \"{}\" already exists", key.kind.info().resource(), key.name);
        ApiError { code: 409, reason: "AlreadyExists", message }
    }

    /// 409, on a stale write.
    #[must_use]
    pub fn conflict(key: &Key) -> ApiError {
        let message = format!(
            "Operation cannot be fulfilled on {} \"{}\": the object has been modified; please apply your changes to the latest version and try again",
            key.kind.info().resource(),
            key.name
        );
        ApiError { code: 409, reason: "Conflict", message }
    }

    /// 400.
    #[must_use]
    pub fn bad_request(message: impl Into<String>) -> ApiError {
        ApiError { code: 400, reason: "BadRequest", message: message.into() }
    }

    /// 400, because a Kubernetes object is a JSON object with `metadata`.
    pub(super) fn no_object() -> ApiError {
        ApiError::bad_request("the object provided is unrecognized: it must be a JSON object with metadata")
    }

    /// 403.
    #[must_use]
    pub fn forbidden(key: &Key, why: &str) -> ApiError {
        let message = format!("{} \"{}\" is forbidden: {why}", key.kind.info().resource(), key.name);
        ApiError { code: 403, reason: "Forbidden", message }
    }

    /// 409, when a write or a deletion names another object than the one that is there.
    #[must_use]
    pub fn precondition(key: &Key, why: &str) -> ApiError {
        let message = format!(
            "Operation cannot be fulfilled on {} \"{}\": Precondition failed: {why}",
            key.kind.info().resource(),
            key.name
        );
        ApiError { code: 409, reason: "Conflict", message }
    }

    /// 415.
    #[must_use]
    pub fn unsupported_media_type(accepted: &str) -> ApiError {
        let message = format!(
            "the body of the request was in an unknown format - accepted media types include: {accepted}"
        );
        ApiError { code: 415, reason: "UnsupportedMediaType", message }
    }

    /// 422.
    #[must_use]
    pub fn invalid(message: impl Into<String>) -> ApiError {
        ApiError { code: 422, reason: "Invalid", message: message.into() }
    }

    /// The `Status` object sent over the wire.
    #[must_use]
    pub fn to_status(&self) -> Value {
        json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": self.message, "reason": self.reason, "code": self.code,
        })
    }
}
