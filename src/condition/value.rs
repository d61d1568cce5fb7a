//! Values: the part of Go's values a condition can meet.
//!
//! `[]float64` and `[]interface {}` are told apart, as are `int` and `int64`, because Go's type switches and messages do. Lists
//! and maps know their own height and weight, so that no expression can build a value that is too large to walk.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::time::Time;
use super::types::{Signature, Type};

/// A value of the condition language.
#[derive(Clone, Debug, Default)]
pub enum Value {
    /// Go's nil.
    #[default]
    Nil,
    /// A boolean.
    Bool(bool),
    /// Go's `int`: every integer literal.
    Int(i64),
    /// Go's `int64`: what `asInt()` and `Unix()` return.
    Int64(i64),
    /// Go's `uint8`: one byte of a string.
    Byte(u8),
    /// Go's `float64`: every number from Prometheus or from JSON.
    Float(f64),
    /// A string.
    Str(Arc<str>),
    /// A slice, see [`Value::vector`] and [`Value::list`].
    List(Arc<List>),
    /// A map, see [`Value::map`].
    Map(Arc<Map>),
    /// Go's `time.Time`.
    Time(Time),
    /// Go's `time.Duration`, in nanoseconds.
    Duration(i64),
    /// Go's `time.Month`, 1 to 12.
    Month(u8),
    /// Go's `time.Weekday`, 0 for Sunday.
    Weekday(u8),
    /// A function of the environment or a method bound to its receiver.
    Func(Func),
}

/// Something that can be called.
#[derive(Clone, Debug)]
pub enum Func {
    /// One of Argo's helpers.
    Env(EnvFunc),
    /// A method of a time or duration, with its receiver.
    Method(Arc<Value>, Arc<str>),
}

/// The functions Argo puts into the environment of a condition (`utils/evaluate/evaluate.go`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EnvFunc {
    /// `asInt(x)`.
    AsInt,
    /// `asFloat(x)`.
    AsFloat,
    /// `isNaN(x)`.
    IsNaN,
    /// `isInf(x)`.
    IsInf,
    /// `isNil(x)`, which looks at the whole result and ignores `x`.
    IsNil,
    /// `default(x, d)`, which looks at the whole result and ignores `x`.
    Default,
}

impl EnvFunc {
    /// All of them, with their names in the environment.
    pub(super) const ALL: [(&'static str, EnvFunc); 6] = [
        ("asInt", EnvFunc::AsInt),
        ("asFloat", EnvFunc::AsFloat),
        ("isNaN", EnvFunc::IsNaN),
        ("isInf", EnvFunc::IsInf),
        ("isNil", EnvFunc::IsNil),
        ("default", EnvFunc::Default),
    ];

    pub(super) fn signature(self) -> Signature {
        match self {
            Self::AsInt => Signature::new(vec![Type::Any], Type::Int64),
            Self::AsFloat => Signature::new(vec![Type::Any], Type::Float),
            Self::IsNaN | Self::IsInf => Signature::new(vec![Type::Float], Type::Bool),
            Self::IsNil => Signature::new(vec![Type::Any], Type::Bool),
            Self::Default => Signature::new(vec![Type::Any, Type::Any], Type::Any),
        }
    }
}

/// What a slice holds, in Go's terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Elem {
    /// `[]interface {}`.
    Any,
    /// `[]float64`.
    Float,
    /// `[]int`.
    Int,
    /// `[]string`.
    Str,
    /// `[2]interface {}`: one pair of `toPairs`.
    Pair,
    /// `[][2]interface {}`: the result of `toPairs`.
    Pairs,
}

/// A slice.
#[derive(Debug)]
pub struct List {
    elem: Elem,
    items: Vec<Value>,
    size: Size,
    /// A nil slice, which Go keeps apart from an empty one.
    nil: bool,
}

/// What a map is keyed by and holds, in Go's terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MapKind {
    /// `map[string]interface {}`: JSON objects and map literals.
    StringToAny,
    /// `map[interface {}]interface {}`: the result of `fromPairs`.
    AnyToAny,
    /// `map[interface {}][]interface {}`: the result of `groupBy`.
    AnyToList,
}

impl MapKind {
    pub(super) fn go_name(self) -> &'static str {
        match self {
            Self::StringToAny => "map[string]interface {}",
            Self::AnyToAny => "map[interface {}]interface {}",
            Self::AnyToList => "map[interface {}][]interface {}",
        }
    }
}

/// A map. Go's order is random; ours is the order of the keys.
#[derive(Debug)]
pub struct Map {
    kind: MapKind,
    entries: BTreeMap<Key, Value>,
    size: Size,
}

/// A map key with a total order. Go compares keys by type and value, so `1` and `1.0` are different keys.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    /// nil.
    Nil,
    /// A boolean.
    Bool(bool),
    /// An `int`.
    Int(i64),
    /// An `int64`.
    Int64(i64),
    /// A `uint8`.
    Byte(u8),
    /// A float, by its bits; the second number keeps NaNs apart, which equal nothing.
    Float(u64, usize),
    /// A string.
    Str(Arc<str>),
    /// A duration.
    Duration(i64),
    /// A month.
    Month(u8),
    /// A day of the week.
    Weekday(u8),
    /// A time.
    Time(Time),
}

/// How high and how heavy a value is.
#[derive(Clone, Copy, Debug)]
struct Size {
    height: u32,
    weight: u64,
}

impl Size {
    fn of<'a>(values: impl Iterator<Item = &'a Value>) -> Self {
        let mut size = Self { height: 1, weight: 1 };
        for value in values {
            let child = value.size();
            size.height = size.height.max(child.height.saturating_add(1));
            size.weight = size.weight.saturating_add(child.weight);
        }
        size
    }
}

impl List {
    /// What the slice holds.
    pub fn elem(&self) -> Elem {
        self.elem
    }

    /// The elements.
    pub fn items(&self) -> &[Value] {
        &self.items
    }

    pub(super) fn is_nil(&self) -> bool {
        self.nil
    }
}

impl Map {
    pub(super) fn kind(&self) -> MapKind {
        self.kind
    }

    /// The entries in the order of their keys.
    pub fn entries(&self) -> &BTreeMap<Key, Value> {
        &self.entries
    }
}

impl Key {
    /// The key for a value, or nothing if Go could not hash it. `serial` keeps NaN keys apart.
    pub(super) fn of(value: &Value, serial: usize) -> Option<Self> {
        Some(match value {
            Value::Nil => Self::Nil,
            Value::Bool(value) => Self::Bool(*value),
            Value::Int(value) => Self::Int(*value),
            Value::Int64(value) => Self::Int64(*value),
            Value::Byte(value) => Self::Byte(*value),
            Value::Float(value) if value.is_nan() => Self::Float(value.to_bits(), serial),
            Value::Float(value) => Self::Float((value + 0.0).to_bits(), 0),
            Value::Str(value) => Self::Str(value.clone()),
            Value::Duration(value) => Self::Duration(*value),
            Value::Month(value) => Self::Month(*value),
            Value::Weekday(value) => Self::Weekday(*value),
            Value::Time(value) => Self::Time(*value),
            Value::List(_) | Value::Map(_) | Value::Func(_) => return None,
        })
    }

    pub(super) fn value(&self) -> Value {
        match self {
            Self::Nil => Value::Nil,
            Self::Bool(value) => Value::Bool(*value),
            Self::Int(value) => Value::Int(*value),
            Self::Int64(value) => Value::Int64(*value),
            Self::Byte(value) => Value::Byte(*value),
            Self::Float(bits, _) => Value::Float(f64::from_bits(*bits)),
            Self::Str(value) => Value::Str(value.clone()),
            Self::Duration(value) => Value::Duration(*value),
            Self::Month(value) => Value::Month(*value),
            Self::Weekday(value) => Value::Weekday(*value),
            Self::Time(value) => Value::Time(*value),
        }
    }
}

impl Value {
    /// What the Prometheus provider hands over for a vector: `[]float64`.
    pub fn vector(samples: impl IntoIterator<Item = f64>) -> Self {
        Self::slice(Elem::Float, samples.into_iter().map(Self::Float).collect())
    }

    /// A list of anything: `[]interface {}`.
    pub fn list(items: Vec<Value>) -> Self {
        Self::slice(Elem::Any, items)
    }

    /// A JSON object: `map[string]interface {}`.
    pub fn map(entries: impl IntoIterator<Item = (Arc<str>, Value)>) -> Self {
        Self::map_of(
            MapKind::StringToAny,
            entries.into_iter().map(|(key, value)| (Key::Str(key), value)).collect(),
        )
    }

    /// A string.
    pub fn string(text: &str) -> Self {
        Self::Str(Arc::from(text))
    }

    pub(super) fn slice(elem: Elem, items: Vec<Value>) -> Self {
        let size = Size::of(items.iter());
        Self::List(Arc::new(List { elem, items, size, nil: false }))
    }

    pub(super) fn nil_list() -> Self {
        let size = Size { height: 1, weight: 1 };
        Self::List(Arc::new(List { elem: Elem::Any, items: Vec::new(), size, nil: true }))
    }

    pub(super) fn map_of(kind: MapKind, entries: BTreeMap<Key, Value>) -> Self {
        let keys = entries.keys().fold(0_u64, |sum, key| {
            sum.saturating_add(if let Key::Str(text) = key { text.len() as u64 } else { 1 })
        });
        let mut size = Size::of(entries.values());
        size.weight = size.weight.saturating_add(keys);
        Self::Map(Arc::new(Map { kind, entries, size }))
    }

    fn size(&self) -> Size {
        match self {
            Self::List(list) => list.size,
            Self::Map(map) => map.size,
            Self::Str(text) => Size { height: 1, weight: 1 + text.len() as u64 },
            _ => Size { height: 1, weight: 1 },
        }
    }

    pub(super) fn height(&self) -> u32 {
        self.size().height
    }

    pub(super) fn weight(&self) -> u64 {
        self.size().weight
    }

    /// Go's nil, or a nil slice.
    pub(super) fn is_nil(&self) -> bool {
        match self {
            Self::Nil => true,
            Self::List(list) => list.is_nil(),
            _ => false,
        }
    }

    pub(super) fn as_str(&self) -> Option<&str> {
        if let Self::Str(text) = self { Some(text) } else { None }
    }

    /// The number as a float, for any kind of number.
    pub(super) fn as_number(&self) -> Option<f64> {
        match self {
            Self::Float(value) => Some(*value),
            other => other.as_integer().map(|value| value as f64),
        }
    }

    /// The number, if it is one of Go's plain integer types.
    pub(super) fn as_integer(&self) -> Option<i64> {
        match self {
            Self::Int(value) | Self::Int64(value) => Some(*value),
            Self::Byte(value) => Some(i64::from(*value)),
            _ => None,
        }
    }

    /// Go's `%T`.
    pub fn type_name(&self) -> String {
        match self {
            Self::Nil => "<nil>".to_owned(),
            Self::List(list) => match list.elem {
                Elem::Pair => "[2]interface {}".to_owned(),
                Elem::Pairs => "[][2]interface {}".to_owned(),
                _ => Type::of(self).to_string(),
            },
            Self::Func(Func::Method(receiver, name)) => super::methods::signature(&Type::of(receiver), name)
                .map_or_else(|| "func()".to_owned(), |signature| signature.to_string()),
            other => Type::of(other).to_string(),
        }
    }

    /// Go's `reflect.Value.Kind()` by name.
    pub(super) fn kind_name(&self) -> &'static str {
        match self {
            Self::Nil => "invalid",
            Self::Bool(_) => "bool",
            Self::Int(_) | Self::Month(_) | Self::Weekday(_) => "int",
            Self::Int64(_) | Self::Duration(_) => "int64",
            Self::Byte(_) => "uint8",
            Self::Float(_) => "float64",
            Self::Str(_) => "string",
            Self::List(list) if list.elem == Elem::Pair => "array",
            Self::List(_) => "slice",
            Self::Map(_) => "map",
            Self::Time(_) => "struct",
            Self::Func(_) => "func",
        }
    }
}

impl From<&serde_json::Value> for Value {
    /// As Go's `json.Unmarshal` into an `interface {}`: every number is a `float64`.
    fn from(json: &serde_json::Value) -> Self {
        match json {
            serde_json::Value::Null => Self::Nil,
            serde_json::Value::Bool(value) => Self::Bool(*value),
            serde_json::Value::Number(value) => Self::Float(value.as_f64().unwrap_or(f64::NAN)),
            serde_json::Value::String(text) => Self::string(text),
            serde_json::Value::Array(items) => Self::list(items.iter().map(Self::from).collect()),
            serde_json::Value::Object(fields) => {
                Self::map(fields.iter().map(|(key, value)| (Arc::from(key.as_str()), Self::from(value))))
            }
        }
    }
}
