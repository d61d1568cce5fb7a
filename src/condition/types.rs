//! Static types: the part of Go's `reflect.Type` a condition can meet, with Go's names and Go's notion of kind.
//!
//! v1.17.8 describes types by "natures", which know more than the Go type (the elements of an `[]interface {}` literal) and less
//! (an unknown type); [`Type::ListOf`] and [`Type::Unknown`] stand for those and never appear under v1.15.5.

use std::fmt;
use std::sync::Arc;

use super::Dialect;
use super::value::{Elem, Func, MapKind, Value};

/// A static type.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Type {
    Nil,
    Unknown,
    Any,
    Bool,
    Int,
    Int64,
    Byte,
    Float,
    Str,
    /// A Go slice `[]T`.
    Slice(Arc<Type>),
    /// An `[]interface {}` whose elements are known to be of one type.
    ListOf(Arc<Type>),
    Map(MapKind),
    /// The map `groupBy` gives under v1.17.8: its elements remember the type of the collection.
    Groups(Arc<Type>),
    Func(Arc<Signature>),
    Time,
    Duration,
    Month,
    Weekday,
    Location,
}

/// The type of a function.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Signature {
    pub(super) inputs: Vec<Type>,
    pub(super) output: Type,
    /// Whether Go's function also returns an error, which shows only in its printed type.
    pub(super) fallible: bool,
    pub(super) variadic: bool,
    /// The first input is the receiver of a method.
    pub(super) method: bool,
    /// The language's own function behind this type, if it is one.
    pub(super) builtin: Option<&'static str>,
}

/// Go's `reflect.Kind`, as far as messages and rules depend on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum GoKind {
    Invalid,
    Interface,
    Bool,
    Int,
    Int64,
    Uint8,
    Float64,
    String,
    Slice,
    Map,
    Func,
    Struct,
    Ptr,
}

impl Type {
    pub(super) fn slice(elem: Type) -> Self {
        Self::Slice(Arc::new(elem))
    }

    /// `[]interface {}`.
    pub(super) fn list() -> Self {
        Self::slice(Self::Any)
    }

    /// The type of an environment value, as `reflect.TypeOf` reports it.
    pub(super) fn of(value: &Value) -> Self {
        match value {
            Value::Nil => Self::Nil,
            Value::Bool(_) => Self::Bool,
            Value::Int(_) => Self::Int,
            Value::Int64(_) => Self::Int64,
            Value::Byte(_) => Self::Byte,
            Value::Float(_) => Self::Float,
            Value::Str(_) => Self::Str,
            Value::List(list) => Self::slice(match list.elem() {
                Elem::Any | Elem::Pair | Elem::Pairs => Self::Any,
                Elem::Float => Self::Float,
                Elem::Int => Self::Int,
                Elem::Str => Self::Str,
            }),
            Value::Map(map) => Self::Map(map.kind()),
            Value::Time(_) => Self::Time,
            Value::Duration(_) => Self::Duration,
            Value::Month(_) => Self::Month,
            Value::Weekday(_) => Self::Weekday,
            Value::Func(Func::Env(func)) => Self::Func(Arc::new(func.signature())),
            Value::Func(Func::Method(..)) => Self::Any,
        }
    }

    pub(super) fn kind(&self) -> GoKind {
        match self {
            Self::Nil | Self::Unknown => GoKind::Invalid,
            Self::Any => GoKind::Interface,
            Self::Bool => GoKind::Bool,
            Self::Int | Self::Month | Self::Weekday => GoKind::Int,
            Self::Int64 | Self::Duration => GoKind::Int64,
            Self::Byte => GoKind::Uint8,
            Self::Float => GoKind::Float64,
            Self::Str => GoKind::String,
            Self::Slice(_) | Self::ListOf(_) => GoKind::Slice,
            Self::Map(_) | Self::Groups(_) => GoKind::Map,
            Self::Func(_) => GoKind::Func,
            Self::Time => GoKind::Struct,
            Self::Location => GoKind::Ptr,
        }
    }

    /// Nothing is known before the expression runs.
    pub(super) fn is_any(&self) -> bool {
        matches!(self, Self::Any | Self::Unknown)
    }

    pub(super) fn is_nil(&self) -> bool {
        matches!(self, Self::Nil)
    }

    /// v1.15.5 goes by kind, so months and durations count; v1.17.8 goes by type.
    pub(super) fn is_integer(&self, dialect: Dialect) -> bool {
        match self {
            Self::Int | Self::Int64 | Self::Byte => true,
            Self::Month | Self::Weekday | Self::Duration => dialect == Dialect::V1_9,
            _ => false,
        }
    }

    pub(super) fn is_number(&self, dialect: Dialect) -> bool {
        matches!(self, Self::Float) || self.is_integer(dialect)
    }

    pub(super) fn is_array(&self) -> bool {
        self.kind() == GoKind::Slice
    }

    pub(super) fn is_map(&self) -> bool {
        self.kind() == GoKind::Map
    }

    /// The type of an element of a list or map. v1.15.5 uses what it knows about a list literal for `in` alone.
    pub(super) fn elem(&self, dialect: Dialect) -> Self {
        match self {
            Self::ListOf(_) if dialect == Dialect::V1_9 => Self::Any,
            Self::Slice(elem) | Self::ListOf(elem) => (**elem).clone(),
            Self::Map(MapKind::AnyToList) => Self::list(),
            Self::Groups(elem) => (**elem).clone(),
            _ => Self::Any,
        }
    }

    /// The type of the keys of a map.
    pub(super) fn key(&self) -> Self {
        if *self == Self::Map(MapKind::StringToAny) { Self::Str } else { Self::Any }
    }

    /// Go's `AssignableTo`, which for these types means identical types or an interface on the right.
    pub(super) fn assignable_to(&self, other: &Self, dialect: Dialect) -> bool {
        let newer = dialect == Dialect::V1_10;
        match (self, other) {
            (Self::Nil, _) => {
                use GoKind::{Func, Interface, Map, Ptr, Slice};
                newer && matches!(other.kind(), Interface | Func | Map | Ptr | Slice)
            }
            (Self::Unknown, _) | (_, Self::Unknown | Self::Nil) => false,
            (_, Self::Any) => true,
            _ => self.erased() == other.erased(),
        }
    }

    /// The bare Go type, without what only the checker knows.
    pub(super) fn erased(&self) -> Self {
        match self {
            Self::ListOf(_) => Self::list(),
            Self::Groups(_) => Self::Map(MapKind::AnyToList),
            other => other.clone(),
        }
    }

    /// The type in a message that prints it with `%v`.
    pub(super) fn show(&self, dialect: Dialect) -> String {
        match (self, dialect) {
            (Self::Nil, Dialect::V1_9) => "<nil>".to_owned(),
            (Self::Nil | Self::Unknown, _) => "unknown".to_owned(),
            _ => self.to_string(),
        }
    }

    /// The type in a message that prints it with `%s` although it may be nil.
    pub(super) fn show_string(&self) -> String {
        match self {
            Self::Nil => "%!s(<nil>)".to_owned(),
            Self::Unknown => "interface {}".to_owned(),
            _ => self.to_string(),
        }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nil => f.write_str("<nil>"),
            Self::Unknown => f.write_str("unknown"),
            Self::Any => f.write_str("interface {}"),
            Self::Bool => f.write_str("bool"),
            Self::Int => f.write_str("int"),
            Self::Int64 => f.write_str("int64"),
            Self::Byte => f.write_str("uint8"),
            Self::Float => f.write_str("float64"),
            Self::Str => f.write_str("string"),
            Self::Slice(elem) => write!(f, "[]{elem}"),
            Self::ListOf(_) => f.write_str("[]interface {}"),
            Self::Map(kind) => f.write_str(kind.go_name()),
            Self::Groups(_) => f.write_str(MapKind::AnyToList.go_name()),
            Self::Func(signature) => write!(f, "{signature}"),
            Self::Time => f.write_str("time.Time"),
            Self::Duration => f.write_str("time.Duration"),
            Self::Month => f.write_str("time.Month"),
            Self::Weekday => f.write_str("time.Weekday"),
            Self::Location => f.write_str("*time.Location"),
        }
    }
}

impl Signature {
    pub(super) fn new(inputs: Vec<Type>, output: Type) -> Self {
        Self { inputs, output, fallible: false, variadic: false, method: false, builtin: None }
    }

    pub(super) fn fallible(inputs: Vec<Type>, output: Type) -> Self {
        Self { fallible: true, ..Self::new(inputs, output) }
    }

    /// `func(...interface {}) (interface {}, error)`.
    pub(super) fn untyped() -> Self {
        Self { variadic: true, ..Self::fallible(vec![Type::list()], Type::Any) }
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("func(")?;
        for (i, input) in self.inputs.iter().enumerate() {
            let separator = if i > 0 { ", " } else { "" };
            match input {
                Type::Slice(elem) if self.variadic && i + 1 == self.inputs.len() => {
                    write!(f, "{separator}...{elem}")?
                }
                _ => write!(f, "{separator}{input}")?,
            }
        }
        match self.fallible {
            true => write!(f, ") ({}, error)", self.output),
            false => write!(f, ") {}", self.output),
        }
    }
}
