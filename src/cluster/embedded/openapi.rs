//! OpenAPI v3: the index and a document per group version, made from the schemas the store checks by.
//!
//! `kubectl explain` reads the schemas; `kubectl apply` and its like look whether a kind's `PATCH` knows
//! `fieldValidation` and `dryRun`, and then leave validation to the server. What v3 does not answer (a kind that nobody
//! serves) they look for in v2: its document is there and lists nothing, so that they go on to the server, whose answer
//! makes sense to people.

use axum::response::Response;
use http::StatusCode;
use serde_json::{Map, Value, json};

use super::answer;

use crate::twin::store::schema;
use crate::twin::store::{Kind, KindInfo};

/// `/openapi/v2`, in JSON or, as kubectl asks for it, in protobuf.
pub(super) fn nothing(accept: &str) -> Response {
    const PROTOBUF: &str = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";
    if !accept.contains("proto-openapi.spec.v2") {
        let document =
            json!({"swagger": "2.0", "info": {"title": "Kubernetes", "version": VERSION}, "paths": {}});
        return answer::json(StatusCode::OK, &document);
    }
    // Document (github.com/google/gnostic-models `openapiv2/OpenAPIv2.proto`): 1 swagger, 2 info {1 title, 2 version}, 8 paths.
    let field =
        |number: u8, text: &[u8]| [&[number << 3 | 2, u8::try_from(text.len()).unwrap_or(0)], text].concat();
    let info = [field(1, b"Kubernetes"), field(2, VERSION.as_bytes())].concat();
    let document = [field(1, b"2.0"), field(2, &info), field(8, b"")].concat();
    answer::with_type(StatusCode::OK, PROTOBUF, document)
}

/// The version of the documents.
const VERSION: &str = "v1.34.4+firedrill";

/// `/openapi/v3`.
pub(super) fn index() -> Value {
    let mut paths = Map::new();
    for info in Kind::ALL.iter().map(|kind| kind.info()) {
        let root = root(info.group, info.version);
        paths.insert(root.clone(), json!({"serverRelativeURL": format!("/openapi/v3/{root}")}));
    }
    json!({ "paths": paths })
}

/// `/openapi/v3/api/{version}` or `/openapi/v3/apis/{group}/{version}`.
pub(super) fn document(group: &str, version: &str) -> Option<Value> {
    let kinds = Kind::ALL.iter().copied();
    let kinds: Vec<Kind> =
        kinds.filter(|kind| kind.info().group == group && kind.info().version == version).collect();
    let schemas: Map<String, Value> =
        kinds.iter().map(|kind| (name(kind.info()), described(*kind))).collect();
    let paths: Map<String, Value> = kinds.iter().flat_map(|kind| paths(kind.info())).collect();
    (!kinds.is_empty()).then(|| {
        json!({
            "openapi": "3.0.0",
            "info": {"title": "Kubernetes", "version": VERSION},
            "paths": paths,
            "components": {"schemas": schemas},
        })
    })
}

fn root(group: &str, version: &str) -> String {
    if group.is_empty() { format!("api/{version}") } else { format!("apis/{group}/{version}") }
}

/// `io.argoproj.v1alpha1.Rollout`: the group backwards, as API servers name the schemas of custom resources.
fn name(info: &KindInfo) -> String {
    let group = if info.group.is_empty() { "core.k8s.io" } else { info.group };
    let backwards: Vec<&str> = group.rsplit('.').collect();
    format!("{}.{}.{}", backwards.join("."), info.version, info.kind)
}

fn described(kind: Kind) -> Value {
    let mut schema = schema::document(kind);
    schema["x-kubernetes-group-version-kind"] = json!([id(kind.info())]);
    schema
}

fn id(info: &KindInfo) -> Value {
    json!({"group": info.group, "version": info.version, "kind": info.kind})
}

/// The collection and the object.
fn paths(info: &KindInfo) -> [(String, Value); 2] {
    let place = if info.namespaced { "namespaces/{namespace}/" } else { "" };
    let collection = format!("/{}/{place}{}", root(info.group, info.version), info.plural);
    let get = |action| operation(info, action, &[], None);
    let write = |action, media: &[&str]| {
        operation(info, action, &["dryRun", "fieldManager", "fieldValidation"], Some(media))
    };
    // A strategic merge patch is taken from those kinds that know it, and is not advertised: kubectl would compute it
    // from these schemas, which do not say which lists are maps, and not from the types it was compiled with.
    let patches =
        ["application/json-patch+json", "application/merge-patch+json", "application/apply-patch+yaml"];
    let bodies = ["application/json", "application/yaml"];
    let object = format!("{collection}/{{name}}");
    [
        (collection, json!({"get": get("list"), "post": write("post", &bodies)})),
        (
            object,
            json!({"get": get("get"), "put": write("put", &bodies), "patch": write("patch", &patches),
                   "delete": operation(info, "delete", &["dryRun"], None)}),
        ),
    ]
}

fn operation(info: &KindInfo, action: &str, parameters: &[&str], bodies: Option<&[&str]>) -> Value {
    let reference = json!({"$ref": format!("#/components/schemas/{}", name(info))});
    let parameter =
        |name: &&str| json!({"name": name, "in": "query", "schema": {"type": "string", "uniqueItems": true}});
    let mut operation = json!({
        "operationId": format!("{action}{}", info.kind),
        "x-kubernetes-action": action,
        "x-kubernetes-group-version-kind": id(info),
        "parameters": parameters.iter().map(parameter).collect::<Vec<_>>(),
        "responses": {"200": {"description": "OK", "content": {"application/json": {"schema": reference}}}},
    });
    if let Some(bodies) = bodies {
        let content = bodies.iter().map(|media| ((*media).to_owned(), json!({"schema": reference})));
        operation["requestBody"] = json!({"required": true, "content": content.collect::<Map<_, _>>()});
    }
    operation
}
