//! A kind's schema as an OpenAPI document writes it: for clients that explain fields or look for their types.
//!
//! Pods and Jobs are checked loosely and yet explained fully: their pods have the shape that a Rollout's have.

use serde_json::{Map, Value, json};

use super::super::kind::Kind;
use super::{Schema, load};

/// The schema of a kind's objects.
#[must_use]
pub fn document(kind: Kind) -> Value {
    let mut schema = load::schema(kind).clone();
    let template = load::pod_template();
    match kind {
        Kind::Pod => {
            let spec = template.properties.get("spec").cloned().unwrap_or_default();
            schema.properties.insert("spec".into(), spec);
        }
        Kind::Job => {
            let properties = [("template".to_owned(), template)].into();
            let spec = Schema {
                r#type: Some(super::Type::Object),
                properties,
                preserve_unknown: true,
                ..Schema::default()
            };
            schema.properties.insert("spec".into(), spec);
        }
        _ => {}
    }
    let mut schema = json(&schema);
    let info = kind.info();
    schema["description"] = json!(format!("{} of {}, as the twin knows it.", info.kind, info.api_version()));
    schema
}

/// The recursion is as deep as the schema.
fn json(schema: &Schema) -> Value {
    let mut map = Map::new();
    let mut set = |key: &str, value: Value| drop(map.insert(key.to_owned(), value));
    if let Some(of) = schema.r#type {
        set("type", json!(of.name()));
    }
    if !schema.properties.is_empty() {
        let properties = schema.properties.iter().map(|(name, field)| (name.clone(), json(field)));
        set("properties", Value::Object(properties.collect()));
    }
    for (key, inner) in [("additionalProperties", &schema.additional_properties), ("items", &schema.items)] {
        if let Some(inner) = inner {
            set(key, json(inner));
        }
    }
    if !schema.required.is_empty() {
        set("required", json!(schema.required));
    }
    if !schema.one_of.is_empty() {
        set("enum", json!(schema.one_of));
    }
    if let Some(pattern) = &schema.pattern {
        set("pattern", json!(pattern.text));
    }
    let values = [
        ("format", schema.format.as_ref().map(|format| json!(format))),
        ("minimum", schema.minimum.map(|least| json!(least))),
        ("maximum", schema.maximum.map(|most| json!(most))),
        ("default", schema.default.clone()),
    ];
    for (key, value) in values {
        if let Some(value) = value {
            set(key, value);
        }
    }
    let flags = [
        ("nullable", schema.nullable),
        ("x-kubernetes-int-or-string", schema.int_or_string),
        ("x-kubernetes-preserve-unknown-fields", schema.preserve_unknown),
    ];
    for (key, _) in flags.into_iter().filter(|(_, is_set)| *is_set) {
        set(key, json!(true));
    }
    if !schema.map_keys.is_empty() {
        set("x-kubernetes-list-map-keys", json!(schema.map_keys));
        set("x-kubernetes-list-type", json!("map"));
    }
    Value::Object(map)
}
