//! What is in the store when the doors open: Argo's CRDs, and the objects of a policy.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::ServeError;
use crate::twin::Twin;
use crate::twin::store::{ApiError, Key, Kind, Part, Patch, schema, text_at};

/// Creates the definitions of Argo's kinds, the namespaces that objects name, and the objects in their order. Answers
/// those of kinds that nobody serves here.
pub(super) fn stock(twin: &mut Twin, objects: Vec<Value>) -> Result<Vec<String>, ServeError> {
    for definition in Kind::ALL.iter().filter_map(|kind| schema::definition(*kind)) {
        define(twin, definition)?;
    }
    let named: BTreeSet<String> =
        objects.iter().map(|object| text_at(object, "/metadata/namespace").to_owned()).collect();
    for name in named.into_iter().filter(|name| !name.is_empty()) {
        if twin.store().get(&Key::new(Kind::Namespace, "", &name)).is_none() {
            create(twin, Kind::Namespace, json!({"metadata": {"name": name}}))?;
        }
    }
    let mut left_out = vec![];
    for object in objects {
        match Kind::of_type(text_at(&object, "/apiVersion"), text_at(&object, "/kind")) {
            Some(Kind::Namespace) if is_there(twin, &object) => {}
            Some(kind) => create(twin, kind, object)?,
            None => left_out.push(what(text_at(&object, "/kind"), &object)),
        }
    }
    Ok(left_out)
}

fn is_there(twin: &Twin, namespace: &Value) -> bool {
    twin.store().get(&Key::new(Kind::Namespace, "", text_at(namespace, "/metadata/name"))).is_some()
}

/// A definition is of use once its status says that it is established.
fn define(twin: &mut Twin, definition: Value) -> Result<(), ServeError> {
    let key = Key::new(Kind::CustomResourceDefinition, "", text_at(&definition, "/metadata/name"));
    let status = Patch::Merge(json!({"status": definition["status"]}));
    create(twin, key.kind, definition)?;
    let now = twin.now();
    let patched = twin.store_mut().patch(now, &key, Part::Status, &status);
    patched.map(drop).map_err(|error| refused(key.kind.info().kind, &key.name, &error))
}

fn create(twin: &mut Twin, kind: Kind, object: Value) -> Result<(), ServeError> {
    let now = twin.now();
    let name = text_at(&object, "/metadata/name").to_owned();
    twin.store_mut().create(now, kind, object).map_err(|error| refused(kind.info().kind, &name, &error))?;
    twin.settle();
    Ok(())
}

fn refused(kind: &str, name: &str, error: &ApiError) -> ServeError {
    ServeError::Object { what: format!("{kind} {name}"), refusal: error.message.clone() }
}

fn what(kind: &str, object: &Value) -> String {
    format!("{kind} {}", text_at(object, "/metadata/name"))
}
