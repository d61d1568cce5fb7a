//! Methods of times and durations: their types for the checker, their effects for the evaluator.
//!
//! Methods of Go's types that are not listed are refused by name instead of being reported as unknown.

use super::duration;
use super::gofmt::quote;
use super::layout;
use super::time::{month_name, weekday_name};
use super::types::{Signature, Type};
use super::value::Value;

/// Methods that exist in Go but not here.
const UNSUPPORTED: [(&str, &[&str]); 2] = [
    (
        "time.Time",
        &[
            "AppendBinary",
            "AppendFormat",
            "AppendText",
            "Clock",
            "Date",
            "GoString",
            "GobEncode",
            "ISOWeek",
            "In",
            "IsDST",
            "Location",
            "MarshalBinary",
            "MarshalJSON",
            "MarshalText",
            "Zone",
            "ZoneBounds",
            "Local",
        ],
    ),
    ("time.Location", &["String"]),
];

/// The type of a method without its receiver, if the receiver's type has it.
pub(super) fn signature(receiver: &Type, name: &str) -> Option<Signature> {
    use Type::{Bool, Duration, Float, Int, Int64, Str, Time};
    let (inputs, output) = match (receiver, name) {
        (Time, "Year" | "Day" | "Hour" | "Minute" | "Second" | "Nanosecond" | "YearDay") => (vec![], Int),
        (Time, "Month") => (vec![], Type::Month),
        (Time, "Weekday") => (vec![], Type::Weekday),
        (Time, "Unix" | "UnixMilli" | "UnixMicro" | "UnixNano") => (vec![], Int64),
        (Time, "IsZero") => (vec![], Bool),
        (Time, "After" | "Before" | "Equal") => (vec![Time], Bool),
        (Time, "Compare") => (vec![Time], Int),
        (Time, "Sub") => (vec![Time], Duration),
        (Time, "Add" | "Round" | "Truncate") => (vec![Duration], Time),
        (Time, "AddDate") => (vec![Int, Int, Int], Time),
        (Time, "UTC") => (vec![], Time),
        (Time, "Format") => (vec![Str], Str),
        (Duration, "Hours" | "Minutes" | "Seconds") => (vec![], Float),
        (Duration, "Milliseconds" | "Microseconds" | "Nanoseconds") => (vec![], Int64),
        (Duration, "Abs") => (vec![], Duration),
        (Duration, "Round" | "Truncate") => (vec![Duration], Duration),
        (Time | Duration | Type::Month | Type::Weekday, "String") => (vec![], Str),
        _ => return None,
    };
    Some(Signature { method: true, ..Signature::new(inputs, output) })
}

/// A message if Go has this method and firedrill does not.
pub(super) fn unsupported(receiver: &Type, name: &str) -> Option<String> {
    let go_name = receiver.to_string();
    let go_name = go_name.trim_start_matches('*');
    let known = UNSUPPORTED.iter().any(|(of, names)| *of == go_name && names.contains(&name));
    known.then(|| format!("method {} of {go_name} is not supported by firedrill", quote(name)))
}

/// Calls a method whose arguments have been checked against its signature.
pub(super) fn call(receiver: &Value, name: &str, arguments: &[Value]) -> Option<Value> {
    match receiver {
        Value::Time(time) => time_method(*time, name, arguments),
        Value::Duration(nanos) => duration_method(*nanos, name, arguments),
        Value::Month(month) if name == "String" => Some(Value::string(month_name(*month))),
        Value::Weekday(day) if name == "String" => Some(Value::string(weekday_name(*day))),
        _ => None,
    }
}

fn time_method(time: super::time::Time, name: &str, arguments: &[Value]) -> Option<Value> {
    let civil = time.civil();
    let other = || if let Some(Value::Time(other)) = arguments.first() { Some(*other) } else { None };
    let span = || if let Some(Value::Duration(nanos)) = arguments.first() { Some(*nanos) } else { None };
    let compare = || other().map(|other| time.compare(other));
    Some(match name {
        "Year" => Value::Int(civil.year),
        "Month" => Value::Month(civil.month as u8),
        "Day" => Value::Int(civil.day),
        "Hour" => Value::Int(civil.hour),
        "Minute" => Value::Int(civil.minute),
        "Second" => Value::Int(civil.second),
        "Nanosecond" => Value::Int(i64::from(civil.nanos)),
        "YearDay" => Value::Int(time.year_day()),
        "Weekday" => Value::Weekday(time.weekday()),
        "Unix" => Value::Int64(time.unix()),
        "UnixMilli" => Value::Int64(time.unix().wrapping_mul(1_000) + i64::from(civil.nanos / 1_000_000)),
        "UnixMicro" => Value::Int64(time.unix().wrapping_mul(1_000_000) + i64::from(civil.nanos / 1_000)),
        "UnixNano" => Value::Int64(time.unix_nanos()),
        "IsZero" => Value::Bool(time.is_zero()),
        "After" => Value::Bool(compare()?.is_gt()),
        "Before" => Value::Bool(compare()?.is_lt()),
        "Equal" => Value::Bool(compare()?.is_eq()),
        "Compare" => Value::Int(compare()? as i64),
        "Sub" => Value::Duration(time.since(other()?)),
        "Add" => Value::Time(time.add(span()?)),
        "Round" => Value::Time(time.rounded(span()?, true)),
        "Truncate" => Value::Time(time.rounded(span()?, false)),
        "AddDate" => match arguments {
            [Value::Int(years), Value::Int(months), Value::Int(days)] => {
                Value::Time(time.add_date(*years, *months, *days))
            }
            _ => return None,
        },
        "UTC" => Value::Time(time.utc()),
        "Format" => Value::string(&layout::format(time, arguments.first()?.as_str()?)),
        "String" => Value::string(&time.to_go_string()),
        _ => return None,
    })
}

fn duration_method(nanos: i64, name: &str, arguments: &[Value]) -> Option<Value> {
    let other = || if let Some(Value::Duration(nanos)) = arguments.first() { Some(*nanos) } else { None };
    Some(match name {
        "Hours" => Value::Float(duration::in_units(nanos, 3_600_000_000_000)),
        "Minutes" => Value::Float(duration::in_units(nanos, 60_000_000_000)),
        "Seconds" => Value::Float(duration::in_units(nanos, 1_000_000_000)),
        "Milliseconds" => Value::Int64(nanos / 1_000_000),
        "Microseconds" => Value::Int64(nanos / 1_000),
        "Nanoseconds" => Value::Int64(nanos),
        "Abs" => Value::Duration(nanos.saturating_abs()),
        "Round" => Value::Duration(duration::round(nanos, other()?)),
        "Truncate" => Value::Duration(duration::truncate(nanos, other()?)),
        "String" => Value::string(&duration::format(nanos)),
        _ => return None,
    })
}
