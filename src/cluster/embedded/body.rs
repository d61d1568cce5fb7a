//! From a request's body to an object: JSON, YAML or protobuf, by its media type.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, header};
use serde_json::Value;

use super::protobuf;
use crate::diag::Source;
use crate::twin::store::ApiError;
use crate::yaml;

/// The media type without its parameters. Only parameters are no media type, and not none.
pub(super) fn media_type(headers: &HeaderMap) -> &str {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    match value.split(';').next().unwrap_or_default().trim() {
        "" => value.trim(),
        media => media,
    }
}

/// Reads an object. The readers bound the depth.
pub(super) fn parse(headers: &HeaderMap, body: &Bytes) -> Result<Value, ApiError> {
    match media_type(headers) {
        "" | "application/json" => json(body),
        "application/yaml" => yaml(body),
        protobuf::MEDIA => protobuf::read(body),
        _ => Err(ApiError::unsupported_media_type(
            "application/json, application/yaml, application/vnd.kubernetes.protobuf",
        )),
    }
}

fn json(body: &Bytes) -> Result<Value, ApiError> {
    serde_json::from_slice(body).map_err(|error| unrecognized(&error.to_string()))
}

/// Reads one YAML document as manifests are read, or JSON.
pub(super) fn yaml(body: &Bytes) -> Result<Value, ApiError> {
    if let Ok(value) = serde_json::from_slice(body) {
        return Ok(value);
    }
    let text = std::str::from_utf8(body).map_err(|error| unrecognized(&error.to_string()))?;
    let source = Arc::new(Source { name: "body".to_owned(), text: text.to_owned() });
    let (documents, diagnostics) = yaml::documents(&source);
    match (documents.as_slice(), diagnostics.as_slice()) {
        ([document], []) => Ok(document.to_json()),
        (_, [first, ..]) => Err(unrecognized(&first.title)),
        (documents, []) => Err(unrecognized(&format!("{} documents instead of one", documents.len()))),
    }
}

fn unrecognized(why: &str) -> ApiError {
    ApiError::bad_request(format!(
        "the object provided is unrecognized (must be of type JSON or YAML): {why}"
    ))
}
