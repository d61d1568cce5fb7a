//! One request, one answer: who is asked, and by which verb.

use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode, header, request::Parts};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde_json::{Value, json};

use super::params::{Params, Shape};
use super::target::{self, Sub, Target};
use super::{Host, ProxyRequest, World, answer, authorize, discovery, openapi, read, watch, write};
use crate::twin::store::ApiError;

/// The largest body an API server reads.
const MAX_BODY: usize = 3 * 1024 * 1024;

/// Every request ends here. Whatever is wrong with one becomes a `Status`.
pub(super) async fn answer<H: Host>(State(world): State<World<H>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let answered = match read_body(body).await {
        Ok(body) => route(&world, &parts, body),
        Err(error) => Err(error),
    };
    answered.unwrap_or_else(|error| answer::refusal(&error))
}

async fn read_body(body: Body) -> Result<Bytes, ApiError> {
    match Limited::new(body, MAX_BODY).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(ApiError {
            code: 413,
            reason: "RequestEntityTooLarge",
            message: format!("Request entity too large: limit is {MAX_BODY}"),
        }),
        Err(error) => Err(ApiError::bad_request(format!("the body cannot be read: {error}"))),
    }
}

fn route<H: Host>(world: &World<H>, parts: &Parts, body: Bytes) -> Result<Response, ApiError> {
    if parts.method == Method::GET && parts.uri.path() == "/openapi/v2" {
        let accept = parts.headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
        return Ok(openapi::nothing(accept.unwrap_or_default()));
    }
    if !takes_json(&parts.headers) {
        return Err(answer::not_acceptable());
    }
    let path = target::segments(parts.uri.path()).ok_or_else(answer::no_such_path)?;
    let names: Vec<&str> = path.iter().map(String::as_str).collect();
    let get = parts.method == Method::GET;
    let document = match *names.as_slice() {
        ["healthz" | "readyz" | "livez", ..] if get => return Ok(answer::text("ok")),
        ["version"] if get => Some(discovery::version()),
        ["api"] if get => Some(discovery::core_versions()),
        ["apis"] if get => Some(discovery::groups()),
        ["api", version] if get => discovery::resources("", version),
        ["apis", group] if get => discovery::group(group),
        ["apis", group, version] if get => discovery::resources(group, version),
        ["openapi", "v3"] if get => Some(openapi::index()),
        ["openapi", "v3", "api", version] if get => openapi::document("", version),
        ["openapi", "v3", "apis", group, version] if get => openapi::document(group, version),
        ["api", version, _, ..] => return resource(world, parts, "", version, &path[2..], body),
        ["apis", group, version, plural] if let Some(review) = authorize::review(group, version, plural) => {
            return review.answer(parts, &body);
        }
        ["apis", group, version, _, ..] => return resource(world, parts, group, version, &path[3..], body),
        _ => None,
    };
    document.map(|document| answer::json(StatusCode::OK, &document)).ok_or_else(answer::no_such_path)
}

/// Whether a client would read what everything here is answered in.
fn takes_json(headers: &HeaderMap) -> bool {
    let accept: Vec<&str> =
        headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok()).collect();
    let types = accept.iter().flat_map(|value| value.split(','));
    let mut names = types.map(|media| media.split(';').next().unwrap_or_default().trim()).peekable();
    let known = ["application/json", "application/*", "*/*", "text/plain", "text/*", ""];
    // OpenAPI is asked for with its own names, and discovery with several forms of JSON.
    names.peek().is_none() || names.any(|name| known.contains(&name) || name.ends_with("json"))
}

fn resource<H: Host>(
    world: &World<H>,
    parts: &Parts,
    group: &str,
    version: &str,
    rest: &[String],
    body: Bytes,
) -> Result<Response, ApiError> {
    let target = target::resource(group, version, rest).ok_or_else(answer::no_such_path)?;
    match target.sub {
        Sub::Proxy => return proxy(world, parts, &target, body),
        Sub::Inside => return Err(answer::nobody_inside(&target)),
        Sub::Part(_) | Sub::Eviction => {}
    }
    let params = Params::of(&parts.uri)?;
    let shape = Shape::of(&parts.headers);
    let call = write::Call { target: &target, params: &params, headers: &parts.headers, body: &body };
    let (is_object, is_main) = (target.name.is_some(), !matches!(target.sub, Sub::Eviction));
    match (&parts.method, is_object) {
        (&Method::GET, _) if params.watch && is_main => watch::start(world, &target, &params, shape),
        (&Method::GET, true) if is_main => read::get(&*world.lock(), &target, &params, shape),
        (&Method::GET, false) => read::list(&*world.lock(), &target, &params, shape),
        (&Method::POST, true) if !is_main => write::evict(world, &call),
        (&Method::POST, false) => write::create(world, &call),
        (&Method::PUT, true) if is_main => write::update(world, &call),
        (&Method::PATCH, true) if is_main => write::patch(world, &call),
        (&Method::DELETE, true) if is_main => write::delete(world, &call),
        (&Method::DELETE, false) => write::delete_collection(world, &call),
        _ => Err(answer::method_not_allowed()),
    }
}

/// `/api/v1/namespaces/{ns}/services/[scheme:]{name}[:port]/proxy/{path}`.
fn proxy<H: Host>(
    world: &World<H>,
    parts: &Parts,
    target: &Target,
    body: Bytes,
) -> Result<Response, ApiError> {
    let name = target.name.as_deref().unwrap_or_default();
    let (service, port) = match name.split(':').collect::<Vec<_>>()[..] {
        [_scheme, service, port] => (service, Some(port)),
        [service, port] => (service, Some(port)),
        _ => (name, None),
    };
    let path = parts.uri.path().split_once("/proxy").map_or("", |(_, path)| path);
    let request = ProxyRequest {
        namespace: target.namespace.clone().unwrap_or_default(),
        service: service.to_owned(),
        port: port.filter(|port| !port.is_empty()).map(str::to_owned),
        method: parts.method.clone(),
        path: if path.is_empty() { "/".into() } else { path.to_owned() },
        query: parts.uri.query().unwrap_or_default().to_owned(),
        body,
    };
    let reply = world.act(|host| host.proxy(request)).ok_or_else(|| ApiError {
        code: 503,
        reason: "ServiceUnavailable",
        message: format!("no endpoints available for service {service:?}"),
    })?;
    Ok(answer::with_type(reply.status, &reply.content_type, reply.body))
}

/// The `metadata` of a list.
pub(super) fn list_meta(version: u64) -> Value {
    json!({"resourceVersion": version.to_string()})
}
