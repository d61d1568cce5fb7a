//! What a server does to an object before it looks at it: dropping what it does not know, adding what has a default.

use serde_json::Value;

use super::Schema;

/// Removes unknown fields, and nulls where null is not a value; what stands in `known` has neither.
pub(super) fn prune(schema: &Schema, value: &mut Value, known: Option<&Value>) {
    if known.is_some_and(|known| known == value) {
        return;
    }
    match value {
        Value::Object(fields) => {
            fields.retain(|name, value| match schema.field(name) {
                Some(field) => !value.is_null() || field.nullable,
                None => schema.open(),
            });
            for (name, value) in fields {
                if let Some(field) = schema.field(name) {
                    prune(field, value, known.and_then(|known| known.get(name)));
                }
            }
        }
        Value::Array(items) => {
            if let Some(of) = schema.items.as_deref() {
                items.iter_mut().for_each(|item| prune(of, item, None));
            }
        }
        _ => {}
    }
}

/// Sets defaults, in what is there: a default inside an absent object stays absent; what stands in `known` has its own.
pub(super) fn default(schema: &Schema, value: &mut Value, known: Option<&Value>) {
    if known.is_some_and(|known| known == value) {
        return;
    }
    match value {
        Value::Object(fields) => {
            for (name, field) in &schema.properties {
                if let Some(default) = &field.default
                    && !fields.contains_key(name)
                {
                    fields.insert(name.clone(), default.clone());
                }
            }
            for (name, value) in fields {
                if let Some(field) = schema.field(name) {
                    default(field, value, known.and_then(|known| known.get(name)));
                }
            }
        }
        Value::Array(items) => {
            if let Some(of) = schema.items.as_deref() {
                items.iter_mut().for_each(|item| default(of, item, None));
            }
        }
        _ => {}
    }
}
