//! Merge patch (RFC 7386): null deletes, objects merge, everything else replaces.

use serde_json::{Map, Value};

/// Applies `patch`. The recursion is as deep as the patch, and JSON readers bound that.
pub(super) fn apply(target: &mut Value, patch: &Value) {
    let Value::Object(fields) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let map = target.as_object_mut().expect("made an object above");
    for (key, value) in fields {
        if value.is_null() {
            map.remove(key);
        } else {
            apply(map.entry(key.clone()).or_insert(Value::Null), value);
        }
    }
}
