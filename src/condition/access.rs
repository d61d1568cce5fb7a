//! Reaching into values: members, indices, slices, and looking for one value in another.

use std::sync::Arc;

use super::Dialect;
use super::ast::Node;
use super::error::{Error, Span};
use super::eval::{Evaluated, Vm};
use super::gofmt;
use super::methods;
use super::ops;
use super::types::Type;
use super::value::{Elem, Func, Key, MapKind, Value};

impl Vm<'_> {
    pub(super) fn contains(&self, needle: &Value, collection: &Value, span: Span) -> Result<bool, Error> {
        match collection {
            Value::Nil => Ok(false),
            Value::List(list) => Ok(list.items().iter().any(|item| ops::equal(item, needle, self.dialect))),
            Value::Map(map) => Ok(lookup(map, needle, span)?.is_some()),
            Value::Time(_) if needle.as_str().is_some() => Ok(false),
            Value::Time(_) => {
                let message = format!("cannot use {} as field name of time.Time", needle.type_name());
                Err(Error::run(message, span))
            }
            other => Err(Error::run(format!("operator \"in\" not defined on {}", other.type_name()), span)),
        }
    }

    /// `base[property]`, where `property` may also name a method.
    pub(super) fn fetch(&self, base: &Value, property: &Value, span: Span) -> Evaluated {
        if let Value::Str(name) = property
            && let Some(method) = method(base, name)
        {
            return Ok(method);
        }
        match base {
            Value::List(_) | Value::Str(_) => self.index(base, property, span),
            Value::Map(map) => Ok(lookup(map, property, span)?.unwrap_or_else(|| absent(map.kind()))),
            _ => {
                let message = format!("cannot fetch {} from {}", gofmt::value(property), base.type_name());
                Err(Error::run(message, span))
            }
        }
    }

    fn index(&self, base: &Value, property: &Value, span: Span) -> Evaluated {
        let wanted = ops::to_int(property).map_err(|message| Error::run(message, span))?;
        let length = length(base).unwrap_or(0);
        let index = if wanted < 0 { wanted.wrapping_add(length as i64) } else { wanted };
        if let Some(value) = usize::try_from(index).ok().and_then(|index| item(base, index)) {
            return Ok(value);
        }
        Err(Error::run(
            match self.dialect {
                Dialect::V1_9 => format!("reflect: {} index out of range", gofmt::indexable_name(base)),
                Dialect::V1_10 => format!("index out of range: {index} (array length is {length})"),
            },
            span,
        ))
    }

    pub(super) fn slice(
        &mut self,
        base: &Node,
        from: Option<&Node>,
        to: Option<&Node>,
        span: Span,
    ) -> Evaluated {
        let mut value = self.eval(base)?;
        if to.is_none() && length(&value).is_none() && !matches!(value, Value::Map(_)) {
            // Without an upper bound the length is asked first, and that complains.
            return Err(Error::run(format!("invalid argument for len (type {})", value.type_name()), span));
        }
        let mut bound = |vm: &mut Self, node: Option<&Node>| -> Result<Option<Value>, Error> {
            let Some(node) = node else { return Ok(None) };
            let (below, bound) = vm.above(std::mem::take(&mut value), node)?;
            value = below;
            Ok(Some(bound))
        };
        let to = bound(self, to)?;
        let from = bound(self, from)?.unwrap_or(Value::Int(0));
        self.cut(&value, &from, to.as_ref(), span)
    }

    fn cut(&self, value: &Value, from: &Value, to: Option<&Value>, span: Span) -> Evaluated {
        let Some(length) = length(value) else {
            return Err(Error::run(format!("cannot slice {}", gofmt::value(from)), span));
        };
        let clip = |at: &Value| {
            let at = ops::to_int(at).map_err(|message| Error::run(message, span))?;
            Ok(usize::try_from(if at < 0 { at.wrapping_add(length as i64) } else { at }).unwrap_or(0))
        };
        let from = clip(from)?;
        let to = to.map(clip).transpose()?.map_or(length, |to| to.min(length));
        let from = from.min(to);
        if from == 0 && to == length {
            // Go would share the memory, so the slice is even identical to what it was cut from.
            return Ok(value.clone());
        }
        match value {
            Value::List(list) if list.elem() == Elem::Pair && self.dialect == Dialect::V1_9 => {
                Err(Error::run("reflect.Value.Slice: slice of unaddressable array", span))
            }
            Value::List(list) => Ok(Value::slice(slice_elem(list.elem()), list.items()[from..to].to_vec())),
            // Go cuts bytes; half a character shows as the replacement character here.
            Value::Str(text) => Ok(Value::string(&String::from_utf8_lossy(&text.as_bytes()[from..to]))),
            _ => Ok(Value::Nil),
        }
    }
}

fn slice_elem(elem: Elem) -> Elem {
    if elem == Elem::Pair { Elem::Any } else { elem }
}

/// A method bound to its receiver, if the receiver's type has it.
fn method(base: &Value, name: &Arc<str>) -> Option<Value> {
    let temporal = matches!(base, Value::Time(_) | Value::Duration(_) | Value::Month(_) | Value::Weekday(_));
    let known = temporal && methods::signature(&Type::of(base), name).is_some();
    known.then(|| Value::Func(Func::Method(Arc::new(base.clone()), name.clone())))
}

/// What Go's map gives for a key it does not have.
pub(super) fn absent(kind: MapKind) -> Value {
    if kind == MapKind::AnyToList { Value::nil_list() } else { Value::Nil }
}

/// A map's value for a key; nil asks for the zero key.
pub(super) fn lookup(map: &super::value::Map, key: &Value, span: Span) -> Result<Option<Value>, Error> {
    let key = match (map.kind(), key) {
        (MapKind::StringToAny, Value::Nil) => Key::Str(Arc::from("")),
        (MapKind::StringToAny, Value::Str(text)) => Key::Str(text.clone()),
        (MapKind::StringToAny, other) => return Err(not_assignable(other, "string", span)),
        (_, other) => Key::of(other, usize::MAX).ok_or_else(|| unhashable(other, span))?,
    };
    Ok(map.entries().get(&key).cloned())
}

pub(super) fn unhashable(value: &Value, span: Span) -> Error {
    Error::run(format!("runtime error: hash of unhashable type {}", value.type_name()), span)
}

fn not_assignable(value: &Value, wanted: &str, span: Span) -> Error {
    let message = format!(
        "reflect.Value.MapIndex: value of type {} is not assignable to type {wanted}",
        value.type_name()
    );
    Error::run(message, span)
}

pub(super) fn in_set(needle: &Value, members: &[Value], of: &str, span: Span) -> Evaluated {
    // Nil asks for the zero key.
    let found = |is: &dyn Fn(&Value) -> bool| Ok(Value::Bool(members.iter().any(is)));
    match (needle, of) {
        (Value::Nil, "int") => found(&|member| matches!(member, Value::Int(0))),
        (Value::Nil, _) => found(&|member| member.as_str() == Some("")),
        (Value::Int(needle), "int") => {
            found(&|member| matches!(member, Value::Int(member) if member == needle))
        }
        (Value::Str(needle), "string") => found(&|member| member.as_str() == Some(needle)),
        (other, _) => Err(not_assignable(other, of, span)),
    }
}

/// Go's length of a list or, in bytes, of a string.
pub(super) fn length(value: &Value) -> Option<usize> {
    match value {
        Value::List(list) => Some(list.items().len()),
        Value::Str(text) => Some(text.len()),
        _ => None,
    }
}

/// Element `index` of a list or byte `index` of a string.
pub(super) fn item(value: &Value, index: usize) -> Option<Value> {
    match value {
        Value::List(list) => list.items().get(index).cloned(),
        Value::Str(text) => text.as_bytes().get(index).copied().map(Value::Byte),
        _ => None,
    }
}
