//! A YAML value in which every key and every value knows its bytes.

use std::ops::Range;

use serde_json::{Map, Number, Value};

/// A value and where it is written, in bytes of the whole source.
///
/// The span of a mapping or list runs from its first to its last byte. An aliased value has the span of the alias,
/// since that is the place a person would edit.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Which bytes.
    pub span: Range<usize>,
    /// What they say.
    pub value: NodeValue,
}

/// What a node says.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "each variant is the JSON type of the same name")]
pub enum NodeValue {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    String(String),
    Seq(Vec<Node>),
    Map(Vec<(Key, Node)>),
}

/// The key of a mapping.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// Which bytes, quotes included.
    pub span: Range<usize>,
    /// What it says.
    pub name: String,
}

impl Node {
    /// The value under a key of this mapping.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Node> {
        self.entry(name).map(|(_, value)| value)
    }

    /// The key and the value under this name.
    #[must_use]
    pub fn entry(&self, name: &str) -> Option<(&Key, &Node)> {
        self.entries().iter().find(|(key, _)| key.name == name).map(|(key, value)| (key, value))
    }

    /// The value at a JSON pointer such as `/spec/strategy`; the empty pointer is this node.
    #[must_use]
    pub fn pointer(&self, pointer: &str) -> Option<&Node> {
        if pointer.is_empty() {
            return Some(self);
        }
        pointer.strip_prefix('/')?.split('/').try_fold(self, |node, token| {
            let token = token.replace("~1", "/").replace("~0", "~");
            match &node.value {
                NodeValue::Seq(items) => items.get(token.parse::<usize>().ok()?),
                _ => node.get(&token),
            }
        })
    }

    /// The entries of a mapping, in the order written; nothing when it is not one.
    #[must_use]
    pub fn entries(&self) -> &[(Key, Node)] {
        if let NodeValue::Map(entries) = &self.value { entries } else { &[] }
    }

    /// The items of a list; nothing when it is not one.
    #[must_use]
    pub fn items(&self) -> &[Node] {
        if let NodeValue::Seq(items) = &self.value { items } else { &[] }
    }

    /// The text of a string.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        if let NodeValue::String(text) = &self.value { Some(text) } else { None }
    }

    /// The number of an integer.
    #[must_use]
    pub fn as_i64(&self) -> Option<i64> {
        if let NodeValue::Int(number) = self.value { Some(number) } else { None }
    }

    /// The truth of a boolean.
    #[must_use]
    pub fn as_bool(&self) -> Option<bool> {
        if let NodeValue::Bool(truth) = self.value { Some(truth) } else { None }
    }

    /// Whether nothing is written here, or `null`.
    #[must_use]
    pub fn is_null(&self) -> bool {
        self.value == NodeValue::Null
    }

    /// The text under a key.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.get(name)?.as_str()
    }

    /// The same value without its places. A float that JSON cannot say becomes `null`.
    #[must_use]
    pub fn to_json(&self) -> Value {
        match &self.value {
            NodeValue::Null => Value::Null,
            NodeValue::Bool(truth) => Value::Bool(*truth),
            NodeValue::Int(number) => Value::Number((*number).into()),
            NodeValue::Float(number) => Number::from_f64(*number).map_or(Value::Null, Value::Number),
            NodeValue::String(text) => Value::String(text.clone()),
            NodeValue::Seq(items) => Value::Array(items.iter().map(Node::to_json).collect()),
            NodeValue::Map(entries) => Value::Object(
                entries.iter().map(|(key, value)| (key.name.clone(), value.to_json())).collect::<Map<_, _>>(),
            ),
        }
    }
}
