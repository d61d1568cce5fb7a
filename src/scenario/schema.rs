//! The JSON Schema of a scenario: generated from the types, corrected by the defaults, published as `scenarios/schema.json`.
//!
//! The same schema drives the check of what people write ([`super::shape`]), so an editor and firedrill cannot disagree.

use std::sync::LazyLock;

use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use super::defaults;
use super::written::Scenario;

/// The schema, in draft 2020-12.
#[must_use]
pub fn json_schema() -> Value {
    SCHEMA.clone()
}

/// The schema as it is checked in.
#[must_use]
pub fn text() -> String {
    let mut text = serde_json::to_string_pretty(&*SCHEMA).expect("a JSON value has string keys");
    text.push('\n');
    text
}

pub(super) static SCHEMA: LazyLock<Value> = LazyLock::new(|| {
    let generator = SchemaSettings::draft2020_12().into_generator();
    let mut schema = Value::from(generator.into_root_schema_for::<Scenario>());
    tidy(&mut schema);
    let defaults = defaults::node().to_json();
    let definitions = schema["$defs"].clone();
    let mut definitions = if let Value::Object(map) = definitions { map } else { Map::new() };
    apply(&mut schema, &defaults, &mut definitions);
    schema["$defs"] = Value::Object(definitions);
    schema["title"] = "firedrill scenario".into();
    schema
});

/// The part of the schema that a `$ref` means, or the schema itself.
pub(super) fn resolve(schema: &Value) -> &Value {
    definition(schema).and_then(|name| SCHEMA["$defs"].get(name)).unwrap_or(schema)
}

/// The name of the definition a schema refers to.
pub(super) fn definition(schema: &Value) -> Option<&str> {
    schema.get("$ref")?.as_str()?.strip_prefix("#/$defs/")
}

/// An optional key may be absent; it may not be there and empty. And prose has no line ends of its own.
fn tidy(schema: &mut Value) {
    match schema {
        Value::Object(map) => {
            drop_null(map);
            if let Some(Value::String(text)) = map.get_mut("description") {
                *text = text.split_whitespace().collect::<Vec<_>>().join(" ");
            }
            map.values_mut().for_each(tidy);
        }
        Value::Array(items) => items.iter_mut().for_each(tidy),
        _ => {}
    }
}

fn drop_null(map: &mut Map<String, Value>) {
    if map.get("default") == Some(&Value::Null) {
        map.remove("default");
    }
    if let Some(Value::Array(types)) = map.get_mut("type") {
        types.retain(|name| name != "null");
        if let [one] = types.as_slice() {
            let one = one.clone();
            map.insert("type".into(), one);
        }
    }
    let Some(Value::Array(branches)) = map.get_mut("anyOf") else { return };
    branches.retain(|branch| branch != &json!({"type": "null"}));
    if let [Value::Object(one)] = branches.as_slice() {
        let one = one.clone();
        map.remove("anyOf");
        one.into_iter().for_each(|(key, value)| {
            map.entry(key).or_insert(value);
        });
    }
}

/// Writes each default beside its key, and lets the key be absent. Says whether everything the mapping needs has a default.
fn apply(schema: &mut Value, defaults: &Value, definitions: &mut Map<String, Value>) -> bool {
    let Value::Object(defaults) = defaults else { return true };
    for (key, default) in defaults {
        let Some(property) = schema.pointer_mut(&format!("/properties/{key}")) else { continue };
        let complete = match definition(property).map(str::to_owned) {
            Some(name) if default.is_object() => match definitions.remove(&name) {
                Some(mut inner) => {
                    let complete = apply(&mut inner, default, definitions);
                    definitions.insert(name, inner);
                    complete
                }
                None => false,
            },
            _ => {
                property["default"] = default.clone();
                true
            }
        };
        if complete && let Some(Value::Array(required)) = schema.get_mut("required") {
            required.retain(|name| name != key);
        }
    }
    schema.get("required").and_then(Value::as_array).is_none_or(Vec::is_empty)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn required(schema: &Value) -> Vec<&str> {
        let names = schema["required"].as_array().expect("a list");
        names.iter().filter_map(Value::as_str).collect()
    }

    #[test]
    fn what_has_a_default_is_not_required() {
        assert_eq!(required(&SCHEMA), ["name", "policy", "traffic", "release", "expect"]);
        assert_eq!(required(&SCHEMA["$defs"]["Traffic"]), ["to"]);
        assert_eq!(required(&SCHEMA["$defs"]["PolicyUnderTest"]), ["manifests"]);
    }

    #[test]
    fn a_default_is_written_beside_its_key() {
        assert_eq!(SCHEMA["properties"]["give-up-after"]["default"], "15m");
        assert_eq!(SCHEMA["$defs"]["Traffic"]["properties"]["slo"]["default"], "1s");
    }

    #[test]
    fn nothing_may_be_null() {
        assert!(!text().contains("\"null\""), "an optional key may be absent, not empty");
    }

    #[test]
    fn the_published_schema_is_the_one_the_program_uses() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios/schema.json");
        // `option_env!` is read when this is compiled, which is what a rewrite wants anyway.
        if option_env!("UPDATE_SCHEMA").is_some() {
            std::fs::write(path, text()).expect("the checkout is writable");
        }
        let published = std::fs::read_to_string(path).unwrap_or_default();
        assert!(
            published == text(),
            "scenarios/schema.json is out of date: run the tests with UPDATE_SCHEMA=1"
        );
    }
}
