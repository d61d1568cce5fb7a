//! JSON in Go's manner: as values of templates, and written out again.

use std::collections::BTreeMap;
use std::sync::Arc;

use gotmpl::Value as Go;
use serde_json::Value;

/// A JSON value as a template sees it. Numbers are floats in Go; whole ones are integers here. Two differences are
/// visible: upstream `eq .x 3` is a type error, and a million prints as `1e+06`.
pub(super) fn to_go(value: &Value) -> Go {
    match value {
        Value::Null => Go::Nil,
        Value::Bool(value) => Go::Bool(*value),
        Value::Number(number) => {
            number.as_i64().map_or_else(|| Go::Float(number.as_f64().unwrap_or(0.0)), Go::Int)
        }
        Value::String(text) => Go::String(text.as_str().into()),
        Value::Array(items) => Go::List(items.iter().map(to_go).collect()),
        Value::Object(map) => {
            let fields = map.iter().map(|(key, value)| (Arc::from(key.as_str()), to_go(value)));
            Go::Map(Arc::new(fields.collect::<BTreeMap<_, _>>()))
        }
    }
}

/// A template's value as JSON; a function has none.
pub(super) fn from_go(value: &Go) -> Option<Value> {
    Some(match value {
        Go::Nil => Value::Null,
        Go::Bool(value) => Value::Bool(*value),
        Go::Int(value) => Value::from(*value),
        Go::Uint(value) => Value::from(*value),
        Go::Float(value) => serde_json::Number::from_f64(*value).map(Value::Number)?,
        Go::String(text) => Value::String(text.to_string()),
        Go::List(items) => Value::Array(items.iter().map(from_go).collect::<Option<_>>()?),
        Go::Map(map) => {
            let fields = map.iter().map(|(key, value)| Some((key.to_string(), from_go(value)?)));
            Value::Object(fields.collect::<Option<_>>()?)
        }
        Go::Function(_) => return None,
    })
}

/// As `json.Marshal` writes it: keys sorted, and `<`, `>`, `&` as escapes.
pub(super) fn marshal(value: &Value) -> String {
    let plain = sorted(value).to_string();
    plain.replace('&', "\\u0026").replace('<', "\\u003c").replace('>', "\\u003e")
}

/// With its keys sorted, whatever order the map type of the build keeps.
pub(super) fn sorted(value: &Value) -> Value {
    match value {
        Value::Array(items) => Value::Array(items.iter().map(sorted).collect()),
        Value::Object(map) => {
            let fields: BTreeMap<&String, Value> =
                map.iter().map(|(key, value)| (key, sorted(value))).collect();
            fields.into_iter().map(|(key, value)| (key.clone(), value)).collect()
        }
        value => value.clone(),
    }
}
