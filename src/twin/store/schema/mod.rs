//! What an API server knows about the shape of objects: checking, pruning and defaulting by schema.
//!
//! Argo's kinds come with their real schemas ([`crds`](self::load), data beside the code); the built-in and Istio
//! kinds that policies contain have tables of their fields. Everything is a pure function of a kind and a value, so
//! the linter uses it on files as the store uses it on requests. Pods, ReplicaSets and what else only controllers
//! write have no schema but that of their metadata.
//!
//! The semantics are those of structural schemas (k8s.io/apiextensions-apiserver v0.34 `pkg/apiserver/{schema,validation}`)
//! as far as the shipped schemas use them; a test holds that list against the data.

mod builtin;
mod check;
mod document;
mod load;
mod notation;
mod prune;
mod shape;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::OnceLock;

use serde::Deserialize;
use serde_json::Value;

pub use self::document::document;
pub use self::load::{Column, columns, definition};
pub(super) use self::shape::{Manner, Shape};
use super::kind::Kind;

/// One step of a path into an object.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum PathSegment {
    /// A field, or a key of a map.
    Key(String),
    /// An item of a list.
    Index(usize),
}

/// What is wrong with a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FindingKind {
    /// The field does not exist: the server drops it.
    Unknown,
    /// The value has another type.
    WrongType,
    /// A required field is not there.
    Missing,
    /// The value has the right type and is not allowed.
    Invalid,
}

/// One thing a schema says about a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Where; for a missing field, where it should be.
    pub path: Vec<PathSegment>,
    /// What is wrong.
    pub kind: FindingKind,
    /// What an API server says about it, without the path in front.
    pub message: String,
    /// For an unknown field, the known field with the most similar name.
    pub suggestion: Option<String>,
}

impl Finding {
    /// The path as API servers write it: `spec.strategy.canary.steps[0].setWeight`.
    #[must_use]
    pub fn path_text(&self) -> String {
        path_text(&self.path)
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            FindingKind::Unknown => f.write_str(&self.message),
            _ => write!(f, "{}: {}", self.path_text(), self.message),
        }
    }
}

fn path_text(path: &[PathSegment]) -> String {
    let mut text = String::new();
    for segment in path {
        match segment {
            PathSegment::Key(key) if text.is_empty() => text.push_str(key),
            PathSegment::Key(key) => {
                text.push('.');
                text.push_str(key);
            }
            PathSegment::Index(index) => text.push_str(&format!("[{index}]")),
        }
    }
    text
}

/// Everything the schema of a kind has to say about an object, in the order of its fields.
#[must_use]
pub fn check(kind: Kind, object: &Value) -> Vec<Finding> {
    check::check(load::schema(kind), object, None)
}

/// The same of a new version: what it has in common with the old one was checked when that was written.
#[must_use]
pub fn check_change(kind: Kind, old: Option<&Value>, new: &Value) -> Vec<Finding> {
    check::check(load::schema(kind), new, old)
}

/// Removes the fields a server drops: unknown ones, and nulls where null is not a value.
pub fn prune(kind: Kind, object: &mut Value) {
    prune::prune(load::schema(kind), object, None);
}

/// The same in a new version: what it has in common with the old one was pruned when that was written.
pub fn prune_change(kind: Kind, old: Option<&Value>, new: &mut Value) {
    prune::prune(load::schema(kind), new, old);
}

/// Sets the defaults of a custom resource's schema, where a new version differs from the old one. Built-in kinds are
/// defaulted by the store.
pub fn default_change(kind: Kind, old: Option<&Value>, new: &mut Value) {
    prune::default(load::schema(kind), new, old);
}

/// A structural schema, as far as the shipped ones go.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Schema {
    r#type: Option<Type>,
    properties: BTreeMap<String, Schema>,
    additional_properties: Option<Box<Schema>>,
    items: Option<Box<Schema>>,
    required: Vec<String>,
    #[serde(rename = "enum")]
    one_of: Vec<Value>,
    pattern: Option<Pattern>,
    format: Option<String>,
    minimum: Option<f64>,
    maximum: Option<f64>,
    default: Option<Value>,
    nullable: bool,
    #[serde(rename = "x-kubernetes-int-or-string")]
    int_or_string: bool,
    #[serde(rename = "x-kubernetes-preserve-unknown-fields")]
    preserve_unknown: bool,
    #[serde(rename = "x-kubernetes-list-map-keys")]
    map_keys: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Type {
    Object,
    Array,
    String,
    Integer,
    Number,
    Boolean,
}

impl Type {
    fn name(self) -> &'static str {
        match self {
            Type::Object => "object",
            Type::Array => "array",
            Type::String => "string",
            Type::Integer => "integer",
            Type::Number => "number",
            Type::Boolean => "boolean",
        }
    }
}

/// A pattern, compiled when a value first meets it.
#[derive(Debug, Clone, Deserialize)]
#[serde(from = "String")]
struct Pattern {
    text: String,
    regex: OnceLock<Option<regex::Regex>>,
}

impl From<String> for Pattern {
    fn from(text: String) -> Pattern {
        Pattern { text, regex: OnceLock::new() }
    }
}

impl Pattern {
    fn matches(&self, value: &str) -> bool {
        let regex = self.regex.get_or_init(|| regex::Regex::new(&self.text).ok());
        // Every shipped pattern compiles; a test says so.
        regex.as_ref().is_none_or(|regex| regex.is_match(value))
    }
}

impl Schema {
    /// The schema of a field, or of any key of a map.
    fn field(&self, name: &str) -> Option<&Schema> {
        self.properties.get(name).or(self.additional_properties.as_deref())
    }

    /// Whether fields it does not know may stay.
    fn open(&self) -> bool {
        self.preserve_unknown || self.additional_properties.is_some()
    }
}
