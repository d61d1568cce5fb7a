//! Builtins on numbers and lists of numbers.

use super::Dialect;
use super::ast::BinaryOp;
use super::functions::items;
use super::literals;
use super::ops;
use super::value::Value;

type Result<T> = std::result::Result<T, String>;

pub(super) fn abs(value: &Value) -> Result<Value> {
    Ok(match value {
        Value::Float(number) if *number < 0.0 => Value::Float(-number),
        Value::Int(number) => Value::Int(number.wrapping_abs()),
        Value::Int64(number) => Value::Int64(number.wrapping_abs()),
        Value::Float(_) | Value::Byte(_) => value.clone(),
        other => return Err(format!("invalid argument for abs (type {})", other.type_name())),
    })
}

pub(super) fn rounded(name: &str, value: &Value, round: fn(f64) -> f64) -> Result<Value> {
    let invalid = || format!("invalid argument for {name} (type {})", value.type_name());
    value.as_number().map(|number| Value::Float(round(number))).ok_or_else(invalid)
}

pub(super) fn int(value: &Value, dialect: Dialect) -> Result<Value> {
    let number = match value {
        Value::Str(text) => {
            literals::parse_int(text).map_err(|_| format!("invalid operation: int({text})"))?
        }
        // v1.17.8 converts whatever Go can convert to an int.
        Value::Duration(number) if dialect == Dialect::V1_10 => *number,
        Value::Month(number) | Value::Weekday(number) if dialect == Dialect::V1_10 => i64::from(*number),
        Value::Nil if dialect == Dialect::V1_10 => {
            return Err("reflect: call of reflect.Value.Type on zero Value".to_owned());
        }
        other => ops::to_int(other)?,
    };
    Ok(Value::Int(number))
}

pub(super) fn float(value: &Value) -> Result<Value> {
    match value {
        Value::Str(text) => literals::parse_float(text)
            .map(Value::Float)
            .map_err(|_| format!("invalid operation: float({text})")),
        other => other
            .as_number()
            .map(Value::Float)
            .ok_or_else(|| format!("invalid operation: float({})", other.type_name())),
    }
}

/// Whether `candidate` replaces `best` as the minimum or maximum.
fn better(name: &str, best: &Value, candidate: &Value) -> Result<bool> {
    let op = if name == "max" { BinaryOp::Less } else { BinaryOp::Greater };
    ops::compare(op, best, candidate)
}

pub(super) fn extreme(name: &str, values: &[Value]) -> Result<Value> {
    let mut best = Value::Nil;
    for value in values {
        if matches!(best, Value::Nil) || better(name, &best, value)? {
            best = value.clone();
        }
    }
    Ok(best)
}

/// `min`, `max`, `mean` and `median` of v1.17.8, which look into lists at any depth.
pub(super) fn aggregate(name: &str, arguments: &[Value]) -> Result<Value> {
    if let ("min" | "max", [only]) = (name, arguments)
        && !matches!(only, Value::List(_) | Value::Duration(_) | Value::Month(_) | Value::Weekday(_))
    {
        return Ok(only.clone());
    }
    let mut numbers = Vec::new();
    for argument in arguments {
        collect_numbers(name, argument, &mut numbers)?;
    }
    match name {
        "mean" => Ok(Value::Float(mean(numbers.iter().filter_map(Value::as_number)))),
        "median" => Ok(Value::Float(median(numbers.iter().filter_map(Value::as_number).collect()))),
        _ => extreme(name, &numbers),
    }
}

fn collect_numbers(name: &str, value: &Value, out: &mut Vec<Value>) -> Result<()> {
    match value {
        Value::List(list) => list.items().iter().try_for_each(|item| collect_numbers(name, item, out)),
        number if number.as_number().is_some() => {
            out.push(number.clone());
            Ok(())
        }
        other => Err(format!("invalid argument for {name} (type {})", other.type_name())),
    }
}

fn mean(numbers: impl Iterator<Item = f64>) -> f64 {
    let (count, sum) = numbers.fold((0_u32, 0.0), |(count, sum), number| (count + 1, sum + number));
    if count == 0 { 0.0 } else { sum / f64::from(count) }
}

/// Go sorts NaN before every number.
fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(|a, b| a.partial_cmp(b).unwrap_or_else(|| b.is_nan().cmp(&a.is_nan())));
    let middle = numbers.len() / 2;
    match numbers.len() {
        0 => 0.0,
        n if n % 2 == 1 => numbers[middle],
        _ => (numbers[middle - 1] + numbers[middle]) / 2.0,
    }
}

/// What v1.15.5 takes for a number inside a list: anything of an integer or float kind.
fn summand(verb: &str, value: &Value) -> Result<Value> {
    match value {
        Value::Int(_) | Value::Int64(_) | Value::Float(_) => Ok(value.clone()),
        Value::Duration(number) => Ok(Value::Int64(*number)),
        Value::Month(number) | Value::Weekday(number) => Ok(Value::Int(i64::from(*number))),
        Value::Nil => Err(format!("cannot {verb} interface")),
        other => Err(format!("cannot {verb} {}", other.kind_name())),
    }
}

pub(super) fn old_sum(argument: &Value) -> Result<Value> {
    let mut total = Value::Int(0);
    for value in items("sum", argument)? {
        total = ops::arithmetic(BinaryOp::Add, &total, &summand("sum", value)?)?;
    }
    Ok(total)
}

pub(super) fn old_average(name: &str, argument: &Value) -> Result<Value> {
    let list = items(name, argument)?;
    let numbers: Vec<f64> = list
        .iter()
        .map(|value| Ok(summand(name, value)?.as_number().unwrap_or(0.0)))
        .collect::<Result<_>>()?;
    Ok(Value::Float(if name == "mean" { mean(numbers.into_iter()) } else { median(numbers) }))
}

pub(super) fn bits(name: &str, arguments: &[Value]) -> Result<Value> {
    let operand = |value: &Value| {
        value
            .as_integer()
            .ok_or_else(|| format!("cannot use {} as argument (type int) to call {name}", value.type_name()))
    };
    let (x, y) = match arguments {
        [x] => (operand(x)?, 0),
        [x, y] => (operand(x)?, operand(y)?),
        _ => {
            return Err(format!(
                "invalid number of arguments for {name} (expected 2, got {})",
                arguments.len()
            ));
        }
    };
    if name.starts_with("bitsh") || name == "bitushr" {
        return shifted(name, x, y).map(Value::Int);
    }
    Ok(Value::Int(match name {
        "bitand" => x & y,
        "bitor" => x | y,
        "bitxor" => x ^ y,
        "bitnand" => x & !y,
        _ => !x,
    }))
}

/// Go shifts by any number of places; everything falls out beyond 63.
fn shifted(name: &str, x: i64, y: i64) -> Result<i64> {
    let Ok(places) = u32::try_from(y.min(64)) else {
        return Err(format!("invalid operation: negative shift count {y} (type int)"));
    };
    Ok(match name {
        "bitshl" => x.checked_shl(places).unwrap_or(0),
        "bitshr" => x >> places.min(63),
        _ => (x as u64).checked_shr(places).unwrap_or(0) as i64,
    })
}
