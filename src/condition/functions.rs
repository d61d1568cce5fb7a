//! Builtins without closures: dispatch, conversions, numbers, dates and collections. Those on strings are in [`super::texts`].

use std::collections::BTreeMap;

use super::Dialect;
use super::access::{item, length, lookup};
use super::duration;
use super::error::{Error, Span};
use super::eval::{Evaluated, Vm, conversion_message};
use super::gofmt;
use super::layout;
use super::ops;
use super::texts;
use super::value::{Elem, Key, MapKind, Value};
use super::{numbers, sorting};

type Result<T> = std::result::Result<T, String>;

impl Vm<'_> {
    /// Calls a builtin with its evaluated arguments.
    pub(super) fn function(&mut self, name: &'static str, arguments: Vec<Value>, span: Span) -> Evaluated {
        if let ("repeat", [_, count]) = (name, arguments.as_slice()) {
            let slots = ops::to_int(count).ok().and_then(|count| usize::try_from(count).ok()).unwrap_or(0);
            self.bounded_repeat(&arguments[0], slots, span)?;
        }
        if name == "get"
            && let [base, property] = arguments.as_slice()
        {
            return self.get(base, property, span);
        }
        let value = self.call_function(name, &arguments).map_err(|message| Error::run(message, span))?;
        if self.dialect == Dialect::V1_10 && matches!(name, "reverse" | "concat" | "flatten" | "sort") {
            self.grow(length(&value).unwrap_or(0), span)?;
        }
        self.bounded(value, span)
    }

    /// Refuses a repetition that would be too large before it is built.
    fn bounded_repeat(&mut self, text: &Value, count: usize, span: Span) -> std::result::Result<(), Error> {
        let size = length(text).unwrap_or(0).saturating_mul(count);
        if size > 16 * 1024 * 1024 {
            return Err(Error::run("memory budget exceeded", span));
        }
        if self.dialect == Dialect::V1_10 { self.grow(size, span) } else { Ok(()) }
    }

    fn call_function(&self, name: &str, arguments: &[Value]) -> Result<Value> {
        let newer = self.dialect == Dialect::V1_10;
        let argument = arguments.first().unwrap_or(&Value::Nil);
        match name {
            "len" => len(argument, self.dialect),
            "type" => Ok(Value::string(&type_of(argument))),
            "abs" => numbers::abs(argument),
            "ceil" => numbers::rounded(name, argument, f64::ceil),
            "floor" => numbers::rounded(name, argument, f64::floor),
            "round" => numbers::rounded(name, argument, f64::round),
            "int" => numbers::int(argument, self.dialect),
            "float" => numbers::float(argument),
            "string" => Ok(Value::string(&gofmt::value(argument))),
            "max" | "min" | "mean" | "median" if newer => numbers::aggregate(name, arguments),
            "max" | "min" => numbers::extreme(name, arguments),
            "sum" => numbers::old_sum(argument),
            "mean" | "median" => numbers::old_average(name, argument),
            "toJSON" => gofmt::json(argument).map(|text| Value::string(&text)),
            "now" => Ok(Value::Time(self.now)),
            "duration" => duration::parse(text(argument)?).map(Value::Duration),
            "date" => date(arguments),
            "timezone" => {
                Err("timezone() is not supported by firedrill, which has no time zone database".to_owned())
            }
            "first" => Ok(item(argument, 0).unwrap_or_default()),
            "last" => {
                Ok(length(argument).and_then(|n| item(argument, n.wrapping_sub(1))).unwrap_or_default())
            }
            "take" => take(arguments),
            "keys" | "values" | "toPairs" => entries(name, argument),
            "fromPairs" => from_pairs(argument),
            "reverse" | "uniq" | "flatten" => self.rearranged(name, argument),
            "concat" => concat(arguments),
            "sort" | "sortBy" if newer => sorting::sort(arguments),
            "sort" => sorting::old_sort(arguments, None),
            "sortBy" => sorting::old_sort_by(arguments),
            _ if name.starts_with("bit") => numbers::bits(name, arguments),
            _ => texts::call(name, arguments, self.dialect),
        }
    }

    /// `get`: nil for anything that is not there. v1.15.5 also gives nil for anything that cannot be asked.
    fn get(&self, base: &Value, property: &Value, span: Span) -> Evaluated {
        if self.dialect == Dialect::V1_9 {
            return Ok(self.fetch(base, property, span).unwrap_or_default());
        }
        match base {
            Value::List(_) | Value::Str(_) => {
                let index = ops::to_int(property).map_err(|message| Error::run(message, span))?;
                let length = length(base).unwrap_or(0) as i64;
                let index = if index < 0 { index.wrapping_add(length) } else { index };
                Ok(usize::try_from(index).ok().and_then(|index| item(base, index)).unwrap_or_default())
            }
            Value::Map(map) => Ok(lookup(map, property, span)?.unwrap_or_default()),
            Value::Time(_) if property.as_str().is_none() => {
                Err(Error::run(conversion_message(property, "string"), span))
            }
            Value::Time(_) | Value::Duration(_) | Value::Month(_) | Value::Weekday(_) => {
                Ok(self.fetch(base, property, span).unwrap_or_default())
            }
            _ => Ok(Value::Nil),
        }
    }

    fn rearranged(&self, name: &str, argument: &Value) -> Result<Value> {
        let list = items(name, argument)?;
        let items = match name {
            "reverse" => list.iter().rev().cloned().collect(),
            "flatten" => {
                let mut out = Vec::new();
                flatten(list, &mut out)?;
                out
            }
            _ => {
                let mut out: Vec<Value> = Vec::new();
                for value in list {
                    if out.len() > 2_000 {
                        return Err(
                            "uniq() over more than 2000 different values is not run by firedrill".to_owned()
                        );
                    }
                    if !out.iter().any(|known| ops::equal(value, known, self.dialect)) {
                        out.push(value.clone());
                    }
                }
                out
            }
        };
        Ok(Value::list(items))
    }
}

fn flatten(list: &[Value], out: &mut Vec<Value>) -> Result<()> {
    for value in list {
        match value {
            Value::List(inner) => flatten(inner.items(), out)?,
            other => out.push(other.clone()),
        }
        if out.len() > 1_000_000 {
            return Err("memory budget exceeded".to_owned());
        }
    }
    Ok(())
}

/// Go's panic when an argument is not a string after all.
pub(super) fn text(value: &Value) -> Result<&str> {
    value.as_str().ok_or_else(|| conversion_message(value, "string"))
}

pub(super) fn as_bool(value: &Value) -> Result<bool> {
    if let Value::Bool(value) = value { Ok(*value) } else { Err(conversion_message(value, "bool")) }
}

/// The elements of a list, or "cannot sum map".
pub(super) fn items<'a>(verb: &str, value: &'a Value) -> Result<&'a [Value]> {
    if let Value::List(list) = value {
        Ok(list.items())
    } else {
        Err(format!("cannot {verb} {}", value.kind_name()))
    }
}

/// v1.15.5 counts the bytes of a string, v1.17.8 its characters.
fn len(value: &Value, dialect: Dialect) -> Result<Value> {
    let count = match value {
        Value::Str(text) if dialect == Dialect::V1_10 => text.chars().count(),
        Value::Map(map) => map.entries().len(),
        other => {
            length(other).ok_or_else(|| format!("invalid argument for len (type {})", other.type_name()))?
        }
    };
    Ok(Value::Int(count as i64))
}

fn type_of(value: &Value) -> String {
    match value {
        Value::Nil => "nil".to_owned(),
        Value::Bool(_) => "bool".to_owned(),
        Value::Int(_) | Value::Int64(_) => "int".to_owned(),
        Value::Byte(_) => "uint".to_owned(),
        Value::Float(_) => "float".to_owned(),
        Value::Str(_) => "string".to_owned(),
        Value::List(_) => "array".to_owned(),
        Value::Map(_) => "map".to_owned(),
        Value::Func(_) => "func".to_owned(),
        temporal => temporal.type_name(),
    }
}

fn date(arguments: &[Value]) -> Result<Value> {
    let first = text(arguments.first().unwrap_or(&Value::Nil))?;
    let time = match arguments {
        [_] => layout::parse_any(first)?,
        [_, layout] => layout::parse(text(layout)?, first)?,
        [_, layout, zone] => match text(zone)? {
            "" | "UTC" => layout::parse(text(layout)?, first)?,
            zone => {
                return Err(format!("time zone {zone} is not supported by firedrill, which knows only UTC"));
            }
        },
        _ => return Err(format!("invalid date {first}")),
    };
    Ok(Value::Time(time))
}

fn take(arguments: &[Value]) -> Result<Value> {
    let [list, count] = arguments else {
        return Err(format!("invalid number of arguments (expected 2, got {})", arguments.len()));
    };
    let Value::List(source) = list else { return Err(format!("cannot take from {}", list.kind_name())) };
    let count = match count {
        Value::Int(count) | Value::Int64(count) | Value::Duration(count) => *count,
        other => return Err(format!("cannot take {} elements", other.kind_name())),
    };
    let Ok(count) = usize::try_from(count) else {
        return Err("reflect.Value.Slice: slice index out of bounds".to_owned());
    };
    // All of a list is that list itself: Go shares the memory.
    let whole = count >= source.items().len();
    Ok(if whole { list.clone() } else { Value::slice(source.elem(), source.items()[..count].to_vec()) })
}

fn entries(name: &str, argument: &Value) -> Result<Value> {
    let Value::Map(map) = argument else {
        return Err(match name {
            "toPairs" => format!("cannot transform {} to pairs", argument.kind_name()),
            _ => format!("cannot get {name} from {}", argument.kind_name()),
        });
    };
    let entries = map.entries().iter();
    Ok(match name {
        "keys" => Value::list(entries.map(|(key, _)| key.value()).collect()),
        "values" => Value::list(entries.map(|(_, value)| value.clone()).collect()),
        _ => {
            let pair =
                |(key, value): (&Key, &Value)| Value::slice(Elem::Pair, vec![key.value(), value.clone()]);
            Value::slice(Elem::Pairs, entries.map(pair).collect())
        }
    })
}

fn from_pairs(argument: &Value) -> Result<Value> {
    let Value::List(list) = argument else {
        return Err(format!("cannot transform {} from pairs", gofmt::value(argument)));
    };
    let mut map = BTreeMap::new();
    for (serial, pair) in list.items().iter().enumerate() {
        let Value::List(items) = pair else { return Err(format!("invalid pair {}", gofmt::value(pair))) };
        let [key, value] = items.items() else {
            return Err(format!("invalid pair length {}", gofmt::value(pair)));
        };
        let unhashable = || format!("runtime error: hash of unhashable type {}", key.type_name());
        map.insert(Key::of(key, serial).ok_or_else(unhashable)?, value.clone());
    }
    Ok(Value::map_of(MapKind::AnyToAny, map))
}

fn concat(arguments: &[Value]) -> Result<Value> {
    let mut out = Vec::new();
    for argument in arguments {
        out.extend_from_slice(items("concat", argument)?);
    }
    // Go starts from a nil slice and appends.
    Ok(if out.is_empty() { Value::nil_list() } else { Value::list(out) })
}
