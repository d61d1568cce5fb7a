//! Builtins on strings, with Go's `strings` package behind them; JSON and Base64 included.

use super::Dialect;
use super::functions::text;
use super::ops;
use super::value::{Elem, Value};

type Result<T> = std::result::Result<T, String>;

/// Calls a builtin on strings. The arguments have passed the checker, so a wrong number cannot occur.
pub(super) fn call(name: &str, arguments: &[Value], dialect: Dialect) -> Result<Value> {
    let nil = Value::Nil;
    let argument = |index: usize| arguments.get(index).unwrap_or(&nil);
    let first = argument(0);
    Ok(match name {
        "trim" if arguments.len() > 1 => {
            let cut = text(argument(1))?;
            Value::string(text(first)?.trim_matches(|c| cut.contains(c)))
        }
        "trim" => Value::string(text(first)?.trim()),
        "trimPrefix" | "trimSuffix" => trimmed(name, first, arguments.get(1))?,
        "upper" => Value::string(&map_chars(text(first)?, char::to_uppercase)),
        "lower" => Value::string(&map_chars(text(first)?, char::to_lowercase)),
        "split" | "splitAfter" => split(name, arguments)?,
        "replace" => replace(arguments)?,
        "repeat" => repeat(first, argument(1), dialect)?,
        "join" => join(first, arguments.get(1))?,
        "indexOf" => Value::Int(text(first)?.find(text(argument(1))?).map_or(-1, |at| at as i64)),
        "lastIndexOf" => Value::Int(text(first)?.rfind(text(argument(1))?).map_or(-1, |at| at as i64)),
        "hasPrefix" => Value::Bool(text(first)?.starts_with(text(argument(1))?)),
        "hasSuffix" => Value::Bool(text(first)?.ends_with(text(argument(1))?)),
        "fromJSON" => from_json(text(first)?)?,
        "toBase64" => Value::string(&crate::base64::encode(text(first)?.as_bytes())),
        "fromBase64" => Value::string(&String::from_utf8_lossy(&from_base64(text(first)?)?)),
        _ => return Err(format!("unknown builtin {name}")),
    })
}

/// Go maps character by character; what would become several characters stays as it is.
fn map_chars<I: Iterator<Item = char>>(text: &str, map: fn(char) -> I) -> String {
    let one = |c: char| {
        let mut mapped = map(c);
        match (mapped.next(), mapped.next()) {
            (Some(single), None) => single,
            _ => c,
        }
    };
    text.chars().map(one).collect()
}

fn trimmed(name: &str, first: &Value, cut: Option<&Value>) -> Result<Value> {
    let cut = cut.map(text).transpose()?.unwrap_or(" ");
    let source = text(first)?;
    let rest = if name == "trimPrefix" { source.strip_prefix(cut) } else { source.strip_suffix(cut) };
    Ok(Value::string(rest.unwrap_or(source)))
}

/// `strings.Split`, `SplitN`, `SplitAfter` and `SplitAfterN`.
fn split(name: &str, arguments: &[Value]) -> Result<Value> {
    let [source, separator, limit @ ..] = arguments else { return Err("not enough arguments".to_owned()) };
    let (source, separator) = (text(source)?, text(separator)?);
    let limit = limit.first().map(ops::to_int).transpose()?.unwrap_or(-1);
    let kept = if name == "splitAfter" { separator.len() } else { 0 };
    if limit == 0 {
        return Ok(Value::nil_list());
    }
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let mut parts = Vec::new();
    let mut rest = source;
    while parts.len() + 1 < limit {
        let cut = if separator.is_empty() {
            rest.chars().next().map(char::len_utf8).filter(|at| *at < rest.len())
        } else {
            rest.find(separator)
        };
        let Some(at) = cut else { break };
        parts.push(Value::string(&rest[..at + kept]));
        rest = &rest[at + separator.len()..];
    }
    if !(separator.is_empty() && source.is_empty()) {
        parts.push(Value::string(rest));
    }
    Ok(Value::slice(Elem::Str, parts))
}

fn replace(arguments: &[Value]) -> Result<Value> {
    let [source, old, new, limit @ ..] = arguments else { return Err("not enough arguments".to_owned()) };
    let (source, old, new) = (text(source)?, text(old)?, text(new)?);
    let limit = limit.first().map(ops::to_int).transpose()?.unwrap_or(-1);
    let count = usize::try_from(limit).unwrap_or(usize::MAX);
    if source.len().saturating_add(1).saturating_mul(new.len().saturating_add(1)) > 16 * 1024 * 1024 {
        return Err("memory budget exceeded".to_owned());
    }
    Ok(Value::string(&source.replacen(old, new, count)))
}

fn repeat(first: &Value, count: &Value, dialect: Dialect) -> Result<Value> {
    let count = ops::to_int(count)?;
    if count > 1_000_000 {
        return Err("memory budget exceeded".to_owned());
    }
    let source = text(first)?;
    match usize::try_from(count) {
        Ok(count) => Ok(Value::string(&source.repeat(count))),
        Err(_) if dialect == Dialect::V1_9 => Err("strings: negative Repeat count".to_owned()),
        Err(_) => Err(format!("invalid argument for repeat (expected positive integer, got {count})")),
    }
}

fn join(list: &Value, glue: Option<&Value>) -> Result<Value> {
    let glue = glue.map(text).transpose()?.unwrap_or("");
    match list {
        Value::List(list) if matches!(list.elem(), Elem::Any | Elem::Str) => {
            let parts = list.items().iter().map(text).collect::<Result<Vec<_>>>()?;
            Ok(Value::string(&parts.join(glue)))
        }
        Value::Nil => Err("invalid argument for join (type %!s(<nil>))".to_owned()),
        other => Err(format!("invalid argument for join (type {})", other.type_name())),
    }
}

fn from_json(source: &str) -> Result<Value> {
    match serde_json::from_str::<serde_json::Value>(source) {
        Ok(json) => Ok(Value::from(&json)),
        Err(error) if error.is_eof() => Err("unexpected end of JSON input".to_owned()),
        Err(error) => {
            let line = source.lines().nth(error.line().saturating_sub(1)).unwrap_or("");
            let c =
                line.as_bytes().get(error.column().saturating_sub(1)).map_or(' ', |byte| char::from(*byte));
            Err(format!("invalid character '{c}' looking for beginning of value"))
        }
    }
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Standard Base64 with padding; line ends are skipped and errors name the byte, as in Go.
fn from_base64(source: &str) -> Result<Vec<u8>> {
    let bad = |at: usize| format!("illegal base64 data at input byte {at}");
    let mut out = Vec::with_capacity(source.len() / 4 * 3);
    let (mut word, mut digits, mut padding) = (0_u32, 0_u32, 0_u32);
    for (at, byte) in source.bytes().enumerate() {
        match byte {
            b'\r' | b'\n' => continue,
            b'=' if digits % 4 >= 2 => {
                padding += 1;
                digits += 1;
                word <<= 6;
            }
            _ => {
                let value = ALPHABET.iter().position(|known| *known == byte).filter(|_| padding == 0);
                word = word << 6 | value.ok_or_else(|| bad(at))? as u32;
                digits += 1;
            }
        }
        if digits.is_multiple_of(4) {
            let kept = 3 - padding.min(2) as usize;
            out.extend_from_slice(&word.to_be_bytes()[1..1 + kept]);
            word = 0;
        }
    }
    if digits.is_multiple_of(4) { Ok(out) } else { Err(bad(source.len() - digits as usize % 4)) }
}
