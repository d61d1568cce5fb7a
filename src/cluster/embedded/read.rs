//! Getting and listing.

use axum::response::Response;
use http::StatusCode;
use serde::Serialize;
use serde_json::{Value, json};

use super::params::{Params, Shape};
use super::serve::list_meta;
use super::target::{Sub, Target};
use super::{Host, answer, table};
use crate::base64;
use crate::twin::store::{ApiError, Key, Kind, Object, Part, scale_of};

/// The key of the object a path names.
pub(super) fn key_of(target: &Target) -> Key {
    let name = target.name.as_deref().unwrap_or_default();
    Key::new(target.kind, target.namespace.as_deref().unwrap_or_default(), name)
}

/// `GET` of one object.
pub(super) fn get<H: Host>(
    host: &H,
    target: &Target,
    params: &Params,
    shape: Shape,
) -> Result<Response, ApiError> {
    let key = key_of(target);
    let object = host.store().get(&key).ok_or_else(|| ApiError::not_found(&key))?;
    if target.sub == Sub::Part(Part::Scale) {
        return Ok(answer::json(StatusCode::OK, &scale_of(key.kind, object)));
    }
    Ok(answer::json(StatusCode::OK, &*one(host, key.kind, object, params, shape)))
}

/// One object in the form that was asked for.
pub(super) fn one<'a, H: Host>(
    host: &H,
    kind: Kind,
    object: &'a Value,
    params: &Params,
    shape: Shape,
) -> std::borrow::Cow<'a, Value> {
    use std::borrow::Cow;
    match shape {
        Shape::Plain => Cow::Borrowed(object),
        Shape::Metadata => Cow::Owned(metadata_only(object)),
        Shape::Table => {
            let meta = json!({"resourceVersion": object["metadata"]["resourceVersion"]});
            Cow::Owned(table::table(kind, [object], meta, &params.include_object, host.now()))
        }
    }
}

/// A `PartialObjectMetadata`.
pub(super) fn metadata_only(object: &Value) -> Value {
    json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": object["metadata"]})
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct List<'a, T> {
    kind: String,
    api_version: String,
    metadata: Value,
    items: &'a [T],
}

/// `GET` of a collection.
pub(super) fn list<H: Host>(
    host: &H,
    target: &Target,
    params: &Params,
    shape: Shape,
) -> Result<Response, ApiError> {
    let page = page(host, target, params)?;
    let info = target.kind.info();
    if shape == Shape::Table {
        let objects = page.items.iter().map(|object| &**object);
        let table = table::table(target.kind, objects, page.metadata, &params.include_object, host.now());
        return Ok(answer::json(StatusCode::OK, &table));
    }
    if shape == Shape::Metadata {
        let items: Vec<Value> = page.items.iter().map(|object| metadata_only(object)).collect();
        let (kind, api_version) = ("PartialObjectMetadataList".into(), "meta.k8s.io/v1".into());
        return Ok(answer::json(
            StatusCode::OK,
            &List { kind, api_version, metadata: page.metadata, items: &items },
        ));
    }
    let (kind, api_version) = (format!("{}List", info.kind), info.api_version());
    Ok(answer::json(StatusCode::OK, &List { kind, api_version, metadata: page.metadata, items: &page.items }))
}

struct Page {
    items: Vec<Object>,
    metadata: Value,
}

/// The objects that are asked for, at the version that is asked for, as many as are asked for.
fn page<H: Host>(host: &H, target: &Target, params: &Params) -> Result<Page, ApiError> {
    let selection = params.selection(target.kind)?;
    let token = Token::read(&params.token)?;
    let version = version_to_list(host, params, token.as_ref())?;
    let namespace = target.namespace.as_deref();
    let objects = host.store().list_at(target.kind, namespace, version).map_err(|_| {
        answer::expired(format!(
            "The provided resource version {version} is too old: the twin no longer remembers it"
        ))
    })?;
    let after = token.map(|token| token.after);
    let mut items: Vec<Object> = objects
        .into_iter()
        .filter(|object| selection.matches(object))
        .filter(|object| after.as_ref().is_none_or(|after| place(object) > *after))
        .collect();
    let mut metadata = list_meta(version);
    if params.limit > 0 && items.len() > params.limit {
        metadata["remainingItemCount"] = json!(items.len() - params.limit);
        items.truncate(params.limit);
        if let Some(last) = items.last() {
            metadata["continue"] = json!(Token { version, after: place(last) }.write());
        }
    }
    Ok(Page { items, metadata })
}

/// An object's place in a list.
fn place(object: &Value) -> (String, String) {
    let text = |field: &str| object["metadata"][field].as_str().unwrap_or_default().to_owned();
    (text("namespace"), text("name"))
}

fn version_to_list<H: Host>(host: &H, params: &Params, token: Option<&Token>) -> Result<u64, ApiError> {
    let newest = host.store().version();
    let asked = params.version()?;
    if let Some(token) = token {
        // A token carries its version; naming another one contradicts it.
        if asked.is_some() {
            let message = "specifying resource version is not allowed when using continue";
            return Err(ApiError::bad_request(message));
        }
        return if token.version <= newest { Ok(token.version) } else { Err(bad_token()) };
    }
    match (asked, params.version_match.as_str()) {
        (Some(asked), _) if asked > newest => Err(too_large(asked, newest)),
        (Some(asked), "Exact") => Ok(asked),
        (None, "Exact") => Err(ApiError::invalid(
            "ListOptions.meta.k8s.io \"\" is invalid: resourceVersionMatch: Forbidden: resourceVersionMatch \"Exact\" is forbidden for resourceVersion \"0\"",
        )),
        (_, "" | "NotOlderThan") => Ok(newest),
        (_, other) => Err(ApiError::invalid(format!(
            "ListOptions.meta.k8s.io \"\" is invalid: resourceVersionMatch: Unsupported value: {other:?}: supported values: \"Exact\", \"NotOlderThan\""
        ))),
    }
}

/// 504: somebody has seen a version that is still to come. On a real cluster that resolves itself; here it cannot.
pub(super) fn too_large(asked: u64, newest: u64) -> ApiError {
    let message = format!("Too large resource version: {asked}, current: {newest}");
    ApiError { code: 504, reason: "Timeout", message }
}

/// Where a list goes on: the version it began at, and the last object it returned.
#[derive(Serialize, serde::Deserialize)]
struct Token {
    version: u64,
    after: (String, String),
}

impl Token {
    fn write(&self) -> String {
        base64::encode(json!(self).to_string().as_bytes())
    }

    fn read(text: &str) -> Result<Option<Token>, ApiError> {
        if text.is_empty() {
            return Ok(None);
        }
        let bytes = base64::decode(text).ok_or_else(bad_token)?;
        serde_json::from_slice(&bytes).map(Some).map_err(|_| bad_token())
    }
}

fn bad_token() -> ApiError {
    ApiError::bad_request("continue key is not valid: it was not made by this server")
}
