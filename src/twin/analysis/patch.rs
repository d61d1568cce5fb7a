//! The merge patch (RFC 7386) that turns one JSON value into another.

use serde_json::{Map, Value};

/// What has to be merged into `old` to get `new`; `None` when nothing changed. Lists are replaced whole.
pub(super) fn diff(old: &Value, new: &Value) -> Option<Value> {
    if old == new {
        return None;
    }
    let (Value::Object(before), Value::Object(after)) = (old, new) else { return Some(new.clone()) };
    let mut patch: Map<String, Value> = after
        .iter()
        .filter_map(|(key, value)| {
            let change = before.get(key).map_or_else(|| Some(value.clone()), |old| diff(old, value))?;
            Some((key.clone(), change))
        })
        .collect();
    let gone = before.keys().filter(|key| !after.contains_key(*key));
    patch.extend(gone.map(|key| (key.clone(), Value::Null)));
    Some(Value::Object(patch))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::twin::store::Patch;

    #[test]
    fn only_what_changed_is_written() {
        let old = json!({"phase": "Running", "message": "x", "list": [1], "same": {"a": 1}});
        let new = json!({"phase": "Failed", "list": [1, 2], "same": {"a": 1}, "empty": {}});
        let patch = diff(&old, &new).unwrap();
        assert_eq!(patch, json!({"phase": "Failed", "message": null, "list": [1, 2], "empty": {}}));
        assert_eq!(Patch::Merge(patch).apply(&old).unwrap(), new);
        assert_eq!(diff(&new, &new), None);
    }
}
