//! `sort` and `sortBy` of both versions.

use std::sync::Arc;

use super::ast::BinaryOp;
use super::functions::items;
use super::gofmt;
use super::ops;
use super::value::{Key, Value};

type Result<T> = std::result::Result<T, String>;

/// Sorts by the first of each pair with the language's own `<`.
///
/// Up to twelve elements Go's `sort.Sort` is an insertion sort, copied here because NaN and mixed types make the order of its
/// comparisons visible; above that only the outcome for well-ordered keys is promised.
pub(super) fn sort_pairs(pairs: &mut [(Value, Value)], descending: bool) -> Result<()> {
    let less = |a: &Value, b: &Value| {
        let (a, b) = if descending { (b, a) } else { (a, b) };
        ops::compare(BinaryOp::Less, a, b)
    };
    if pairs.len() <= 12 {
        for start in 1..pairs.len() {
            let mut at = start;
            while at > 0 && less(&pairs[at].0, &pairs[at - 1].0)? {
                pairs.swap(at, at - 1);
                at -= 1;
            }
        }
        return Ok(());
    }
    for neighbours in pairs.windows(2) {
        less(&neighbours[1].0, &neighbours[0].0)?;
    }
    pairs.sort_by(|(a, _), (b, _)| match (less(a, b), less(b, a)) {
        (Ok(true), _) => std::cmp::Ordering::Less,
        (_, Ok(true)) => std::cmp::Ordering::Greater,
        _ => std::cmp::Ordering::Equal,
    });
    Ok(())
}

pub(super) fn sort(arguments: &[Value]) -> Result<Value> {
    let descending = match arguments.get(1) {
        None => false,
        Some(Value::Str(order)) => match order.as_ref() {
            "asc" => false,
            "desc" => true,
            other => return Err(format!("invalid order {other}, expected asc or desc")),
        },
        Some(other) => {
            return Err(format!("sort order argument must be a string (got {})", other.type_name()));
        }
    };
    let list = if let Some(Value::List(list)) = arguments.first() { list.items() } else { &[] };
    let mut pairs: Vec<_> = list.iter().map(|value| (value.clone(), value.clone())).collect();
    sort_pairs(&mut pairs, descending)?;
    Ok(Value::list(pairs.into_iter().map(|(_, value)| value).collect()))
}

/// v1.15.5 sorts numbers and strings of one and the same type, by themselves or by a field.
pub(super) fn old_sort(arguments: &[Value], field: Option<&str>) -> Result<Value> {
    let order = if field.is_some() { 2 } else { 1 };
    let list = items("sort", arguments.first().unwrap_or(&Value::Nil))?;
    let descending = arguments.get(order).map(direction).transpose()?.unwrap_or(false);
    let mut pairs: Vec<(Value, Value)> = Vec::with_capacity(list.len());
    for value in list {
        let key = sort_key(value, field)?;
        if let Some((first, _)) = pairs.first()
            && first.type_name() != key.type_name()
        {
            let shown = |key: &Value| if key.is_nil() { "interface {}".to_owned() } else { key.type_name() };
            let (key, first) = (shown(&key), shown(first));
            return Err(format!("cannot sort array of different types ({key} and {first})"));
        }
        pairs.push((key, value.clone()));
    }
    if let [(key, _), _, ..] = pairs.as_slice()
        && !matches!(key, Value::Int(_) | Value::Int64(_) | Value::Float(_) | Value::Str(_))
    {
        let kind = if key.is_nil() { "interface" } else { key.kind_name() };
        return Err(format!("sort: unsupported type {kind}"));
    }
    sort_pairs(&mut pairs, descending)?;
    Ok(Value::list(pairs.into_iter().map(|(_, value)| value).collect()))
}

fn sort_key(value: &Value, field: Option<&str>) -> Result<Value> {
    match value {
        Value::Map(map) => {
            let field = Key::Str(Arc::from(field.unwrap_or("")));
            let absent = || "cannot deref <invalid reflect.Value>".to_owned();
            map.entries().get(&field).cloned().ok_or_else(absent)
        }
        other => Ok(other.clone()),
    }
}

pub(super) fn old_sort_by(arguments: &[Value]) -> Result<Value> {
    items("sort", arguments.first().unwrap_or(&Value::Nil))?;
    match arguments.get(1) {
        Some(Value::Str(field)) => old_sort(arguments, Some(field)),
        other => {
            let got = match other {
                None | Some(Value::Nil) => "%!s(<nil>)".to_owned(),
                Some(other) => other.type_name(),
            };
            Err(format!("invalid argument for sort (expected string, got {got})"))
        }
    }
}

fn direction(value: &Value) -> Result<bool> {
    match value.as_str() {
        Some("asc") => Ok(false),
        Some("desc") => Ok(true),
        Some(other) => Err(format!(
            "invalid argument for sort (expected \"asc\" or \"desc\", got {})",
            gofmt::quote(other)
        )),
        None => Err(format!("invalid argument for sort (expected string, got {})", value.type_name())),
    }
}
