//! How Go prints: `%q`, `%v` and `encoding/json`, for messages and for `string()` and `toJSON()`.

use std::fmt::Write;

use super::value::{Elem, Func, Key, MapKind, Value};

/// Go's `%q`.
pub(super) fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{7}' => out.push_str("\\a"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{b}' => out.push_str("\\v"),
            c if (c as u32) < 0x20 || c == '\u{7f}' => push(&mut out, format_args!("\\x{:02x}", c as u32)),
            c if c.is_control() || (c.is_whitespace() && c != ' ') => {
                push(&mut out, format_args!("\\u{:04x}", c as u32));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// How Go's `time` package quotes: everything outside ASCII byte by byte.
pub(super) fn quote_bytes(text: &str) -> String {
    let mut out = String::from("\"");
    for byte in text.bytes() {
        match byte {
            b'"' | b'\\' => push(&mut out, format_args!("\\{}", char::from(byte))),
            b' '..=b'~' | 0x7f => out.push(char::from(byte)),
            _ => push(&mut out, format_args!("\\x{byte:02x}")),
        }
    }
    out.push('"');
    out
}

fn push(out: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    let _ = out.write_fmt(text);
}

/// Go's `%v` of a float: the shortest digits, with an exponent below 1e-4 and from 1e6 on.
pub(super) fn float(value: f64) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    if value == 0.0 || (1e-4..1e6).contains(&value.abs()) {
        return format!("{value}");
    }
    exponent(value, 2)
}

/// `1e-05`: scientific notation with a sign and at least `digits` digits of exponent.
fn exponent(value: f64, digits: usize) -> String {
    let text = format!("{value:e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((text.as_str(), "0"));
    let (sign, number) = exponent.strip_prefix('-').map_or(('+', exponent), |number| ('-', number));
    format!("{mantissa}e{sign}{number:0>digits$}")
}

/// Go's `%v`.
pub(super) fn value(value: &Value) -> String {
    let mut out = String::new();
    write_value(&mut out, value);
    out
}

fn write_value(out: &mut String, value: &Value) {
    match value {
        Value::Nil => out.push_str("<nil>"),
        Value::Bool(value) => push(out, format_args!("{value}")),
        Value::Int(value) | Value::Int64(value) => push(out, format_args!("{value}")),
        Value::Byte(value) => push(out, format_args!("{value}")),
        Value::Float(value) => out.push_str(&float(*value)),
        Value::Str(text) => out.push_str(text),
        Value::List(list) => {
            out.push('[');
            for (i, item) in list.items().iter().enumerate() {
                if i > 0 {
                    out.push(' ');
                }
                write_value(out, item);
            }
            out.push(']');
        }
        Value::Map(map) => {
            out.push_str("map[");
            for (i, (key, item)) in map.entries().iter().enumerate() {
                if i > 0 {
                    out.push(' ');
                }
                write_value(out, &key.value());
                out.push(':');
                write_value(out, item);
            }
            out.push(']');
        }
        Value::Time(time) => out.push_str(&time.to_go_string()),
        Value::Duration(nanos) => out.push_str(&super::duration::format(*nanos)),
        Value::Month(month) => out.push_str(super::time::month_name(*month)),
        Value::Weekday(day) => out.push_str(super::time::weekday_name(*day)),
        // Go prints an address, which would differ from run to run.
        Value::Func(_) => out.push_str("0x0"),
    }
}

/// `json.MarshalIndent(value, "", "  ")`.
pub(super) fn json(value: &Value) -> Result<String, String> {
    let mut out = String::new();
    write_json(&mut out, value, 0)?;
    Ok(out)
}

fn write_json(out: &mut String, value: &Value, indent: usize) -> Result<(), String> {
    match value {
        Value::Nil => out.push_str("null"),
        Value::Bool(value) => push(out, format_args!("{value}")),
        Value::Int(value) | Value::Int64(value) | Value::Duration(value) => {
            push(out, format_args!("{value}"))
        }
        Value::Byte(value) | Value::Month(value) | Value::Weekday(value) => {
            push(out, format_args!("{value}"))
        }
        Value::Float(value) => out.push_str(&json_float(*value)?),
        Value::Str(text) => json_string(out, text),
        Value::List(list) if list.is_nil() => out.push_str("null"),
        Value::List(list) => json_block(out, ['[', ']'], list.items().iter(), indent, |out, item| {
            write_json(out, item, indent + 1)
        })?,
        Value::Map(map) if map.kind() == MapKind::StringToAny => {
            json_block(out, ['{', '}'], map.entries().iter(), indent, |out, (key, item)| {
                let Key::Str(key) = key else { return Ok(()) };
                json_string(out, key);
                out.push_str(": ");
                write_json(out, item, indent + 1)
            })?;
        }
        Value::Map(map) => return Err(format!("json: unsupported type: {}", map.kind().go_name())),
        Value::Time(time) => push(out, format_args!("\"{}\"", time.to_rfc3339_nano())),
        Value::Func(Func::Env(_) | Func::Method(..)) => {
            return Err(format!("json: unsupported type: {}", value.type_name()));
        }
    }
    Ok(())
}

fn json_block<T>(
    out: &mut String,
    [open, close]: [char; 2],
    items: impl ExactSizeIterator<Item = T>,
    indent: usize,
    mut write: impl FnMut(&mut String, T) -> Result<(), String>,
) -> Result<(), String> {
    out.push(open);
    let empty = items.len() == 0;
    for (i, item) in items.enumerate() {
        out.push_str(if i > 0 { ",\n" } else { "\n" });
        out.push_str(&"  ".repeat(indent + 1));
        write(out, item)?;
    }
    if !empty {
        out.push('\n');
        out.push_str(&"  ".repeat(indent));
    }
    out.push(close);
    Ok(())
}

fn json_float(value: f64) -> Result<String, String> {
    if !value.is_finite() {
        return Err(format!("json: unsupported value: {}", float(value)));
    }
    let plain = value == 0.0 || (1e-6..1e21).contains(&value.abs());
    Ok(if plain { format!("{value}") } else { exponent(value, 1) })
}

/// Go escapes what would be unsafe inside HTML or JavaScript.
fn json_string(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' | '\0'..='\u{1f}' => {
                push(out, format_args!("\\u{:04x}", c as u32));
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

/// The name Go's `reflect` gives the elements of a slice in its panics: "slice", "array" or "string".
pub(super) fn indexable_name(value: &Value) -> &'static str {
    match value {
        Value::List(list) if list.elem() == Elem::Pair => "array",
        Value::Str(_) => "string",
        _ => "slice",
    }
}
