//! HTTP answers: objects, Statuses, warnings.

use axum::body::Body;
use axum::response::Response;
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use serde_json::{Value, json};

use super::target::Target;
use crate::twin::store::{ApiError, Key};

/// JSON with a status code.
pub(super) fn json(code: StatusCode, value: &impl Serialize) -> Response {
    let bytes = serde_json::to_vec(value).expect("JSON values have string keys and no other way to fail");
    with_type(code, "application/json", bytes)
}

/// 200 with plain text, as health checks answer.
pub(super) fn text(text: &'static str) -> Response {
    with_type(StatusCode::OK, "text/plain; charset=utf-8", text)
}

/// Any body with its media type; a type that no header can carry becomes bytes.
pub(super) fn with_type(code: StatusCode, content_type: &str, body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = code;
    let content_type = HeaderValue::from_str(content_type)
        .unwrap_or_else(|_| HeaderValue::from_static("application/octet-stream"));
    response.headers_mut().insert(header::CONTENT_TYPE, content_type);
    response
}

/// A refusal as a `Status`.
pub(in crate::cluster) fn refusal(error: &ApiError) -> Response {
    let code = StatusCode::from_u16(error.code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    json(code, &error.to_status())
}

/// The `Status` of a deletion that is complete.
pub(super) fn deleted(key: &Key, object: &Value) -> Value {
    let info = key.kind.info();
    let mut details = json!({"name": &*key.name, "kind": info.plural, "uid": object["metadata"]["uid"]});
    if !info.group.is_empty() {
        details["group"] = json!(info.group);
    }
    json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details})
}

/// Adds `Warning: 299` headers, which `kubectl` prints. At most ten, as there.
pub(super) fn warn(mut response: Response, warnings: &[String]) -> Response {
    for warning in warnings.iter().take(10) {
        let text = warning.replace('\\', "\\\\").replace('"', "\\\"");
        if let Ok(value) = HeaderValue::from_str(&format!("299 - \"{text}\"")) {
            response.headers_mut().append(header::WARNING, value);
        }
    }
    response
}

/// 404 for a path nobody serves.
pub(super) fn no_such_path() -> ApiError {
    let message = "the server could not find the requested resource".to_owned();
    ApiError { code: 404, reason: "NotFound", message }
}

/// 405.
pub(super) fn method_not_allowed() -> ApiError {
    let message = "the server does not allow this method on the requested resource".to_owned();
    ApiError { code: 405, reason: "MethodNotAllowed", message }
}

/// 406: answers are JSON.
pub(super) fn not_acceptable() -> ApiError {
    let message = "only the following media types are accepted: application/json".to_owned();
    ApiError { code: 406, reason: "NotAcceptable", message }
}

/// 501: a pod here is a model of a server and not a process.
pub(super) fn nobody_inside(target: &Target) -> ApiError {
    let name = target.name.as_deref().unwrap_or_default();
    let message = format!(
        "pod {name:?} is emulated: it has no log, and nothing runs inside that could be entered or connected to"
    );
    ApiError { code: 501, reason: "NotImplemented", message }
}

/// 410.
pub(super) fn expired(message: String) -> ApiError {
    ApiError { code: 410, reason: "Expired", message }
}
