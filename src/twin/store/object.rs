//! Objects and their names, and the fields only the server may write.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use super::Part;
use super::error::ApiError;
use super::kind::Kind;

/// An object as stored: shared, never changed in place.
pub type Object = Arc<Value>;

/// An object's name: kind, namespace (empty for cluster-wide kinds), name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// Its kind.
    pub kind: Kind,
    /// Its namespace.
    pub namespace: Arc<str>,
    /// Its name.
    pub name: Arc<str>,
}

impl Key {
    /// A key from its parts.
    #[must_use]
    pub fn new(kind: Kind, namespace: &str, name: &str) -> Key {
        Key { kind, namespace: namespace.into(), name: name.into() }
    }

    /// The key of an object.
    ///
    /// # Errors
    /// 400 or 422 when the object is not an object or has no name.
    pub fn of(kind: Kind, object: &Value) -> Result<Key, ApiError> {
        if !object["metadata"].is_object() {
            return Err(ApiError::bad_request("metadata is missing"));
        }
        let name = text_at(object, "/metadata/name");
        if name.is_empty() {
            return Err(ApiError::invalid("metadata.name: Required value: name or generateName is required"));
        }
        let namespace = if kind.info().namespaced { text_at(object, "/metadata/namespace") } else { "" };
        Ok(Key::new(kind, namespace, name))
    }

    /// The key of another object in the same namespace.
    #[must_use]
    pub fn sibling(&self, kind: Kind, name: &str) -> Key {
        Key { kind, namespace: self.namespace.clone(), name: name.into() }
    }
}

/// The text at a JSON pointer, empty when there is none.
#[must_use]
pub fn text_at<'a>(object: &'a Value, pointer: &str) -> &'a str {
    object.pointer(pointer).and_then(Value::as_str).unwrap_or("")
}

/// The labels of an object.
#[must_use]
pub fn labels_of(object: &Value) -> BTreeMap<&str, &str> {
    let labels = object.pointer("/metadata/labels").and_then(Value::as_object);
    labels.into_iter().flatten().filter_map(|(key, value)| Some((key.as_str(), value.as_str()?))).collect()
}

/// The uid of the controlling owner, empty when there is none.
#[must_use]
pub fn owner_uid(object: &Value) -> &str {
    let owners = object.pointer("/metadata/ownerReferences").and_then(Value::as_array);
    let owner = owners.into_iter().flatten().find(|owner| owner["controller"] == json!(true));
    owner.map_or("", |owner| text_at(owner, "/uid"))
}

/// The strings of a list at a JSON pointer.
pub(super) fn texts_at<'a>(object: &'a Value, pointer: &str) -> Vec<&'a str> {
    let list = object.pointer(pointer).and_then(Value::as_array);
    list.into_iter().flatten().filter_map(Value::as_str).collect()
}

/// Whether somebody has asked for the object's deletion.
pub(super) fn is_terminating(object: &Value) -> bool {
    object["metadata"].get("deletionTimestamp").is_some_and(|stamp| !stamp.is_null())
}

/// What only the server writes in `metadata`; a client's word on it is ignored.
const SERVER_FIELDS: [&str; 9] = [
    "uid",
    "creationTimestamp",
    "name",
    "namespace",
    "resourceVersion",
    "generation",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "managedFields",
];

/// Strips what only the server writes, on creation.
pub(super) fn strip_server_fields(object: &mut Value) {
    if let Some(meta) = object["metadata"].as_object_mut() {
        meta.retain(|field, _| {
            ["name", "namespace"].contains(&field.as_str()) || !SERVER_FIELDS.contains(&field.as_str())
        });
        meta.remove("selfLink");
    }
}

/// Carries over what a write may not change: identity, creation, generation, and the other part of the object.
pub(super) fn keep_server_fields(kind: Kind, old: &Value, part: Part, new: &mut Value) {
    for field in ["apiVersion", "kind"] {
        new[field] = old[field].clone();
    }
    if kind.info().status_subresource {
        match part {
            Part::Main | Part::Scale => set_or_remove(new, "status", old.get("status")),
            Part::Status => {
                let status = new.as_object_mut().and_then(|new| new.remove("status"));
                *new = old.clone();
                set_or_remove(new, "status", status.as_ref());
            }
        }
    }
    for field in SERVER_FIELDS {
        set_or_remove(&mut new["metadata"], field, old["metadata"].get(field));
    }
}

/// Everything but metadata counts, and status only where it is not a subresource.
pub(super) fn bump_generation(kind: Kind, old: &Value, new: &mut Value) {
    let status_counts = !kind.info().status_subresource;
    let counts = |key: &str| key != "metadata" && (status_counts || key != "status");
    let changed = |a: &Value, b: &Value| {
        let fields = a.as_object().into_iter().flatten();
        fields.filter(|(key, _)| counts(key)).any(|(key, value)| b.get(key) != Some(value))
    };
    if kind.has_generation() && (changed(old, new) || changed(new, old)) {
        let generation = old["metadata"]["generation"].as_i64().unwrap_or(0) + 1;
        new["metadata"]["generation"] = json!(generation);
    }
}

fn set_or_remove(object: &mut Value, field: &str, value: Option<&Value>) {
    let Some(map) = object.as_object_mut() else { return };
    match value {
        Some(value) => map.insert(field.to_owned(), value.clone()),
        None => map.remove(field),
    };
}
