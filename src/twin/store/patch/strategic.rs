//! Strategic merge patch: a merge that treats lists of named things as maps.
//!
//! Which lists those are is written in Go struct tags upstream (k8s.io/api v0.34, `patchMergeKey`); the table below is
//! the part of it that the served built-in kinds need. A list that is not in the table is replaced as a whole.
//! Directives as in k8s.io/apimachinery v0.34 `pkg/util/strategicpatch`: `$patch`, `$retainKeys`,
//! `$setElementOrder/<list>` and `$deleteFromPrimitiveList/<list>`.

use serde_json::{Map, Value};

use super::super::error::ApiError;

/// How a list merges.
enum Merge {
    /// As a map, by this field.
    By(&'static str),
    /// As a set of plain values.
    Set,
    /// Not at all: the new list replaces the old one.
    Atomic,
}

fn merging(field: &str, patch: &[Value]) -> Merge {
    let has = |key: &str| patch.iter().any(|item| item.get(key).is_some());
    match field {
        "containers"
        | "initContainers"
        | "ephemeralContainers"
        | "env"
        | "volumes"
        | "imagePullSecrets"
        | "resourceClaims"
        | "secrets" => Merge::By("name"),
        // One name, two types: a container's ports and a Service's.
        "ports" if has("containerPort") => Merge::By("containerPort"),
        "ports" => Merge::By("port"),
        "volumeMounts" => Merge::By("mountPath"),
        "volumeDevices" => Merge::By("devicePath"),
        "conditions" | "addresses" => Merge::By("type"),
        "ownerReferences" => Merge::By("uid"),
        "hostAliases" | "podIPs" | "hostIPs" => Merge::By("ip"),
        "topologySpreadConstraints" => Merge::By("topologyKey"),
        "finalizers" => Merge::Set,
        _ => Merge::Atomic,
    }
}

/// Applies `patch`. The recursion is as deep as the patch, and JSON readers bound that.
pub(super) fn apply(target: &mut Value, patch: &Value) -> Result<(), ApiError> {
    let Value::Object(fields) = patch else {
        *target = patch.clone();
        return Ok(());
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let map = target.as_object_mut().expect("made an object above");
    match directive(fields)? {
        Directive::Merge => merge_map(map, fields),
        Directive::Delete => {
            map.clear();
            Ok(())
        }
        Directive::Replace => {
            *map = fields.clone();
            map.remove("$patch");
            Ok(())
        }
    }
}

#[derive(PartialEq)]
enum Directive {
    Merge,
    Replace,
    Delete,
}

fn directive(fields: &Map<String, Value>) -> Result<Directive, ApiError> {
    match fields.get("$patch").map(|value| value.as_str().unwrap_or_default()) {
        None | Some("merge") => Ok(Directive::Merge),
        Some("replace") => Ok(Directive::Replace),
        Some("delete") => Ok(Directive::Delete),
        Some(other) => Err(ApiError::bad_request(format!("unknown patch directive {other:?}"))),
    }
}

fn merge_map(map: &mut Map<String, Value>, patch: &Map<String, Value>) -> Result<(), ApiError> {
    if let Some(keep) = patch.get("$retainKeys").and_then(Value::as_array) {
        map.retain(|key, _| keep.iter().any(|name| name == key));
    }
    for (field, gone) in directives(patch, "$deleteFromPrimitiveList/") {
        if let Some(Value::Array(list)) = map.get_mut(field) {
            list.retain(|item| !gone.contains(item));
        }
    }
    for (field, value) in patch.iter().filter(|(field, _)| !field.starts_with('$')) {
        match value {
            Value::Null => drop(map.remove(field)),
            Value::Array(items) => merge_list(map, field, items)?,
            _ => apply(map.entry(field.clone()).or_insert(Value::Null), value)?,
        }
    }
    for (field, order) in directives(patch, "$setElementOrder/") {
        if let Some(Value::Array(list)) = map.get_mut(field) {
            reorder(field, list, order);
        }
    }
    Ok(())
}

/// The directives with this prefix, each with the list it is about and its own list.
fn directives<'a>(
    patch: &'a Map<String, Value>,
    prefix: &'a str,
) -> impl Iterator<Item = (&'a str, &'a [Value])> {
    patch
        .iter()
        .filter_map(move |(key, value)| Some((key.strip_prefix(prefix)?, value.as_array()?.as_slice())))
}

fn merge_list(map: &mut Map<String, Value>, field: &str, patch: &[Value]) -> Result<(), ApiError> {
    let replaces = patch.iter().any(|item| item["$patch"] == "replace");
    let mut list = match map.remove(field) {
        Some(Value::Array(list)) if !replaces => list,
        _ => vec![],
    };
    match merging(field, patch) {
        Merge::Atomic => list = patch.to_vec(),
        Merge::Set => {
            list.extend(patch.iter().filter(|item| !list.contains(item)).cloned().collect::<Vec<_>>())
        }
        Merge::By(key) => {
            for item in patch.iter().filter(|item| item["$patch"] != "replace") {
                merge_item(&mut list, field, key, item)?;
            }
        }
    }
    list.retain(|item| item.as_object().is_none_or(|item| !item.contains_key("$patch")));
    map.insert(field.to_owned(), Value::Array(list));
    Ok(())
}

fn merge_item(list: &mut Vec<Value>, field: &str, key: &str, item: &Value) -> Result<(), ApiError> {
    let fields = item.as_object().ok_or_else(|| {
        ApiError::bad_request(format!("{field}: items of this list are objects merged by {key:?}"))
    })?;
    let name = fields.get(key).ok_or_else(|| {
        ApiError::bad_request(format!("{field}: map does not contain the merge key {key:?}"))
    })?;
    let place = list.iter().position(|old| old.get(key) == Some(name));
    if directive(fields)? == Directive::Delete {
        list.retain(|old| old.get(key) != Some(name));
        return Ok(());
    }
    match place {
        Some(at) => apply(&mut list[at], item),
        // Even a new item goes through the merge, which drops its nulls and directives.
        None => {
            list.push(Value::Null);
            apply(list.last_mut().expect("pushed above"), item)
        }
    }
}

/// Items named by the order come first and as it says; the others keep their order behind them.
fn reorder(field: &str, list: &mut [Value], order: &[Value]) {
    let place = |item: &Value| {
        let named = |wanted: &Value| match merging(field, order) {
            Merge::By(key) => item.get(key).is_some() && item.get(key) == wanted.get(key),
            Merge::Set | Merge::Atomic => item == wanted,
        };
        order.iter().position(named).unwrap_or(order.len())
    };
    list.sort_by_cached_key(place);
}
