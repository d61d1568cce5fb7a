//! Binary operations on values (`vm/runtime`): numbers mix freely, everything else meets only its own kind.

use std::cmp::Ordering;
use std::sync::Arc;

use super::Dialect;
use super::ast::BinaryOp;
use super::value::{Elem, List, Value};

/// A pair of numbers, as integers if both are.
enum Numbers {
    Integers(i64, i64),
    Floats(f64, f64),
}

fn numbers(a: &Value, b: &Value) -> Option<Numbers> {
    match (a.as_integer(), b.as_integer()) {
        (Some(a), Some(b)) => Some(Numbers::Integers(a, b)),
        _ => Some(Numbers::Floats(a.as_number()?, b.as_number()?)),
    }
}

/// Go's words for operands that do not fit.
pub(super) fn mismatch(op: &str, a: &Value, b: &Value) -> String {
    format!("invalid operation: {} {op} {}", a.type_name(), b.type_name())
}

/// `<`, `>`, `<=` or `>=`.
pub(super) fn compare(op: BinaryOp, a: &Value, b: &Value) -> Result<bool, String> {
    // NaN has no order, so every comparison with it is false.
    let order = match (a, b) {
        (Value::Str(a), Value::Str(b)) => Some(a.cmp(b)),
        (Value::Time(a), Value::Time(b)) => Some(a.compare(*b)),
        (Value::Duration(a), Value::Duration(b)) => Some(a.cmp(b)),
        _ => match numbers(a, b) {
            Some(Numbers::Integers(a, b)) => Some(a.cmp(&b)),
            Some(Numbers::Floats(a, b)) => a.partial_cmp(&b),
            None => return Err(mismatch(op.text(), a, b)),
        },
    };
    Ok(order.is_some_and(|order| match op {
        BinaryOp::Less => order == Ordering::Less,
        BinaryOp::Greater => order == Ordering::Greater,
        BinaryOp::LessEqual => order != Ordering::Greater,
        _ => order != Ordering::Less,
    }))
}

/// `+`, `-`, `*`, `/`, `%` or a power.
pub(super) fn arithmetic(op: BinaryOp, a: &Value, b: &Value) -> Result<Value, String> {
    if let BinaryOp::Power(_) = op {
        return Ok(Value::Float(power(to_float(a)?, to_float(b)?)));
    }
    if let Some(value) = temporal(op, a, b) {
        return Ok(value);
    }
    if let (BinaryOp::Add, Value::Str(a), Value::Str(b)) = (op, a, b) {
        return Ok(Value::Str(Arc::from(format!("{a}{b}"))));
    }
    match numbers(a, b) {
        Some(Numbers::Integers(a, b)) => integers(op, a, b),
        Some(Numbers::Floats(x, y)) => floats(op, x, y).ok_or_else(|| mismatch(op.text(), a, b)),
        None => Err(mismatch(op.text(), a, b)),
    }
}

/// Go wraps on overflow and divides integers as floats.
fn integers(op: BinaryOp, a: i64, b: i64) -> Result<Value, String> {
    Ok(match op {
        BinaryOp::Add => Value::Int(a.wrapping_add(b)),
        BinaryOp::Subtract => Value::Int(a.wrapping_sub(b)),
        BinaryOp::Multiply => Value::Int(a.wrapping_mul(b)),
        BinaryOp::Modulo if b == 0 => return Err("runtime error: integer divide by zero".to_owned()),
        BinaryOp::Modulo => Value::Int(a.wrapping_rem(b)),
        _ => Value::Float(a as f64 / b as f64),
    })
}

fn floats(op: BinaryOp, a: f64, b: f64) -> Option<Value> {
    Some(Value::Float(match op {
        BinaryOp::Add => a + b,
        BinaryOp::Subtract => a - b,
        BinaryOp::Multiply => a * b,
        BinaryOp::Divide => a / b,
        _ => return None,
    }))
}

/// Go's `math.Pow`, whose last bits differ from the platform's: whole powers by repeated squaring, the rest by logarithm.
fn power(x: f64, y: f64) -> f64 {
    let ordinary = x.is_finite() && y.is_finite() && x != 0.0 && y != 0.0 && x != 1.0 && y.abs() < 1e6;
    if !ordinary || (x < 0.0 && y.fract() != 0.0) {
        return x.powf(y);
    }
    if y.abs() == 0.5 {
        return if y > 0.0 { x.sqrt() } else { 1.0 / x.sqrt() };
    }
    let (mut whole, mut fraction) = (y.abs().trunc(), y.abs().fract());
    if fraction > 0.5 {
        fraction -= 1.0;
        whole += 1.0;
    }
    let mut result = if fraction == 0.0 { 1.0 } else { (fraction * x.ln()).exp() };
    let (mut square, mut exponent) = (x, whole as u64);
    while exponent != 0 {
        if exponent & 1 == 1 {
            result *= square;
        }
        square *= square;
        exponent >>= 1;
    }
    let inverse = if y < 0.0 { 1.0 / result } else { result };
    // Go scales by powers of two on the way; where that matters, the platform's answer is the better one.
    if inverse.is_normal() && result.is_normal() { inverse } else { x.powf(y) }
}

/// Times and durations. A duration times a float is a plain float, as upstream.
fn temporal(op: BinaryOp, a: &Value, b: &Value) -> Option<Value> {
    use Value::{Duration, Float, Time};
    Some(match (op, a, b) {
        (BinaryOp::Add, Time(a), Duration(b)) => Time(a.add(*b)),
        (BinaryOp::Add, Duration(a), Time(b)) => Time(b.add(*a)),
        (BinaryOp::Add, Duration(a), Duration(b)) => Duration(a.wrapping_add(*b)),
        (BinaryOp::Subtract, Time(a), Time(b)) => Duration(a.since(*b)),
        (BinaryOp::Subtract, Time(a), Duration(b)) => Time(a.add(b.wrapping_neg())),
        (BinaryOp::Subtract, Duration(a), Duration(b)) => Duration(a.wrapping_sub(*b)),
        (BinaryOp::Multiply, Duration(a), Duration(b)) => Duration(a.wrapping_mul(*b)),
        (BinaryOp::Multiply, Duration(a), Float(b)) => Float(*a as f64 * b),
        (BinaryOp::Multiply, Float(a), Duration(b)) => Float(a * *b as f64),
        (BinaryOp::Multiply, Duration(a), b) => Duration(a.wrapping_mul(b.as_integer()?)),
        (BinaryOp::Multiply, a, Duration(b)) => Duration(a.as_integer()?.wrapping_mul(*b)),
        _ => return None,
    })
}

/// `runtime.ToInt`, which takes any plain number.
pub(super) fn to_int(value: &Value) -> Result<i64, String> {
    match value {
        Value::Float(value) => Ok(super::literals::float_to_int(*value)),
        other => other.as_integer().ok_or_else(|| format!("invalid operation: int({})", other.type_name())),
    }
}

fn to_float(value: &Value) -> Result<f64, String> {
    value.as_number().ok_or_else(|| format!("invalid operation: float({})", value.type_name()))
}

/// `==`: numbers by value whatever their type, lists and maps by `reflect.DeepEqual`; v1.17.8 compares lists element by element.
pub(super) fn equal(a: &Value, b: &Value, dialect: Dialect) -> bool {
    match numbers(a, b) {
        Some(Numbers::Integers(a, b)) => return a == b,
        Some(Numbers::Floats(a, b)) => return a == b,
        None => {}
    }
    if a.is_nil() && b.is_nil() {
        return true;
    }
    match (a, b) {
        (Value::Time(a), Value::Time(b)) => a.compare(*b).is_eq(),
        (Value::List(a), Value::List(b)) if dialect == Dialect::V1_10 && elementwise(a, b) => {
            a.items().len() == b.items().len()
                && a.items().iter().zip(b.items()).all(|(a, b)| equal(a, b, dialect))
        }
        _ => deep_equal(a, b),
    }
}

/// The pairs of slice types for which v1.17.8 has a loop.
fn elementwise(a: &List, b: &List) -> bool {
    let plain = |list: &List| !matches!(list.elem(), Elem::Pair | Elem::Pairs);
    plain(a) && plain(b) && (a.elem() == b.elem() || a.elem() == Elem::Any || b.elem() == Elem::Any)
}

/// `reflect.DeepEqual`: same types, same contents; one and the same slice or map equals itself even if it holds a NaN.
fn deep_equal(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Nil, Value::Nil) => true,
        (Value::Bool(a), Value::Bool(b)) => a == b,
        (Value::Int(a), Value::Int(b)) | (Value::Int64(a), Value::Int64(b)) => a == b,
        (Value::Duration(a), Value::Duration(b)) => a == b,
        (Value::Byte(a), Value::Byte(b)) => a == b,
        (Value::Month(a), Value::Month(b)) | (Value::Weekday(a), Value::Weekday(b)) => a == b,
        (Value::Float(a), Value::Float(b)) => a == b,
        (Value::Str(a), Value::Str(b)) => a == b,
        (Value::Time(a), Value::Time(b)) => a == b,
        (Value::List(a), Value::List(b)) => {
            let same_type =
                a.elem() == b.elem() && a.is_nil() == b.is_nil() && a.items().len() == b.items().len();
            same_type && (Arc::ptr_eq(a, b) || a.items().iter().zip(b.items()).all(|(a, b)| deep_equal(a, b)))
        }
        (Value::Map(a), Value::Map(b)) => {
            let same_type = a.kind() == b.kind() && a.entries().len() == b.entries().len();
            let same_entry = |(key, value): (_, &Value)| {
                b.entries().get(key).is_some_and(|other| deep_equal(value, other))
            };
            same_type && (Arc::ptr_eq(a, b) || a.entries().iter().all(same_entry))
        }
        _ => false,
    }
}
