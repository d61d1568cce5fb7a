//! Holding a value against a schema.
//!
//! The recursion follows the schema, so its depth is the schema's and not the value's.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::{Finding, FindingKind, PathSegment, Schema, Type, path_text};
use crate::clock::Moment;
use crate::suggest;

/// All findings, in the order of the schema's walk; of what stands in `known` there are none.
pub(super) fn check(schema: &Schema, value: &Value, known: Option<&Value>) -> Vec<Finding> {
    let mut walk = Walk { path: vec![], findings: vec![] };
    walk.value(schema, value, known);
    walk.findings
}

struct Walk {
    path: Vec<PathSegment>,
    findings: Vec<Finding>,
}

impl Walk {
    fn value(&mut self, schema: &Schema, value: &Value, known: Option<&Value>) {
        if known == Some(value) || value.is_null() && schema.nullable {
            return;
        }
        if let Some(wanted) = mismatch(schema, value) {
            let given = type_name(value);
            let text = path_text(&self.path);
            return self.found(
                FindingKind::WrongType,
                format!("Invalid value: \"{given}\": {text} in body must be of type {wanted}: \"{given}\""),
            );
        }
        match value {
            Value::Object(fields) => self.object(schema, fields, known),
            Value::Array(items) => self.list(schema, items),
            _ => self.leaf(schema, value),
        }
    }

    fn object(&mut self, schema: &Schema, fields: &Map<String, Value>, known: Option<&Value>) {
        for name in schema.required.iter().filter(|name| fields.get(*name).is_none_or(Value::is_null)) {
            self.inside(PathSegment::Key(name.clone()), |walk| {
                walk.found(FindingKind::Missing, "Required value".into());
            });
        }
        for (name, value) in fields {
            self.inside(PathSegment::Key(name.clone()), |walk| match schema.field(name) {
                // A null where null is no value is pruned, not refused.
                Some(field) if value.is_null() && !field.nullable => {}
                Some(field) => walk.value(field, value, known.and_then(|known| known.get(name))),
                None if schema.open() => {}
                None => walk.unknown(schema, name),
            });
        }
    }

    fn unknown(&mut self, schema: &Schema, name: &str) {
        let message = format!("unknown field {:?}", path_text(&self.path));
        self.found(FindingKind::Unknown, message);
        let suggestion = suggest::nearest(name, schema.properties.keys().map(String::as_str));
        if let Some(finding) = self.findings.last_mut() {
            finding.suggestion = suggestion.map(str::to_owned);
        }
    }

    fn list(&mut self, schema: &Schema, items: &[Value]) {
        let Some(of) = schema.items.as_deref() else { return };
        let mut seen = BTreeSet::new();
        for (index, item) in items.iter().enumerate() {
            self.inside(PathSegment::Index(index), |walk| {
                walk.value(of, item, None);
                if !schema.map_keys.is_empty() && !seen.insert(identity(schema, of, item)) {
                    let identity = identity(schema, of, item);
                    walk.found(FindingKind::Invalid, format!("Duplicate value: {identity}"));
                }
            });
        }
    }

    fn leaf(&mut self, schema: &Schema, value: &Value) {
        if !schema.one_of.is_empty() && !schema.one_of.contains(value) {
            let known = schema.one_of.iter().map(Value::to_string).collect::<Vec<_>>().join(", ");
            self.found(
                FindingKind::Invalid,
                format!("Unsupported value: {value}: supported values: {known}"),
            );
        }
        if let Some(wrong) = bound(schema, value) {
            let at = path_text(&self.path);
            self.found(FindingKind::Invalid, format!("Invalid value: {value}: {at} in body {wrong}"));
        }
        if let (Some(pattern), Value::String(text)) = (&schema.pattern, value)
            && !pattern.matches(text)
        {
            let (at, should) = (path_text(&self.path), &pattern.text);
            self.found(
                FindingKind::Invalid,
                format!("Invalid value: {value}: {at} in body should match '{should}'"),
            );
        }
    }

    fn found(&mut self, kind: FindingKind, message: String) {
        self.findings.push(Finding { path: self.path.clone(), kind, message, suggestion: None });
    }

    fn inside(&mut self, segment: PathSegment, then: impl FnOnce(&mut Walk)) {
        self.path.push(segment);
        then(self);
        self.path.pop();
    }
}

/// The type a value should have, when it has another.
fn mismatch(schema: &Schema, value: &Value) -> Option<&'static str> {
    if schema.int_or_string {
        return (!value.is_string() && !is_integer(value)).then_some("integer,string");
    }
    let wanted = schema.r#type?;
    let fits = match wanted {
        Type::Object => value.is_object(),
        Type::Array => value.is_array(),
        Type::String => value.is_string(),
        Type::Integer => is_integer(value),
        Type::Number => value.is_number(),
        Type::Boolean => value.is_boolean(),
    };
    (!fits).then(|| wanted.name())
}

/// `2.0` is an integer to an API server.
fn is_integer(value: &Value) -> bool {
    value.is_i64() || value.is_u64() || value.as_f64().is_some_and(|number| number.fract() == 0.0)
}

/// The name of a value's type, as in messages.
fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) if is_integer(value) => "integer",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn bound(schema: &Schema, value: &Value) -> Option<String> {
    let number = value.as_f64();
    if let Some(least) = schema.minimum.filter(|least| number.is_some_and(|number| number < *least)) {
        return Some(format!("should be greater than or equal to {least}"));
    }
    if let Some(most) = schema.maximum.filter(|most| number.is_some_and(|number| number > *most)) {
        return Some(format!("should be less than or equal to {most}"));
    }
    let fits = match (schema.format.as_deref(), value) {
        (Some("int32"), Value::Number(_)) => number.is_some_and(|n| n.abs() <= f64::from(i32::MAX)),
        (Some("date-time"), Value::String(text)) => Moment::parse_rfc3339(text).is_some(),
        _ => true,
    };
    (!fits).then(|| format!("must be of type {}", schema.format.as_deref().unwrap_or_default()))
}

/// What makes an item of a list that is a map itself: the values of its keys, or their defaults.
fn identity(schema: &Schema, of: &Schema, item: &Value) -> String {
    let value = |key: &String| {
        let default = || of.properties.get(key).and_then(|field| field.default.as_ref());
        item.get(key).or_else(default).map(|value| (key.clone(), value.clone()))
    };
    Value::Object(schema.map_keys.iter().filter_map(value).collect()).to_string()
}
