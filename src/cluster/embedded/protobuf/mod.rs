//! Protobuf bodies: what `kubectl create` and `kubectl auth can-i` send, and typed Go clients that ask for it.
//!
//! `messages.txt` lists the fields of the messages that the served built-in kinds are made of, by their numbers in
//! k8s.io/api and k8s.io/apimachinery v0.34 (`generated.proto`, Apache-2.0): `number name:type`, one message a line. `s`
//! string, `y` bytes, `i` integer, `b` boolean, `t` time, `u` time with microseconds, `x` integer or string, `q`
//! quantity, `r` JSON in bytes, otherwise a message; `[` repeated, `<` a map from strings, `^` its fields belong to the
//! message around it, `?` left out of JSON when it is zero.
//!
//! It only reads. A field that the table does not know is refused and not dropped; answers are JSON, which the same
//! clients read.

#[cfg(test)]
mod tests;
mod wire;

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde_json::{Map, Value, json};

use self::wire::{Datum, Field, Wire};
use crate::base64;
use crate::clock::Moment;
use crate::twin::store::ApiError;

/// Its media type.
pub(super) const MEDIA: &str = "application/vnd.kubernetes.protobuf";

/// What every body begins with (k8s.io/apimachinery v0.34 `pkg/runtime/serializer/protobuf`).
const MAGIC: &[u8] = b"k8s\0";

/// More than any built-in kind nests.
const MAX_DEPTH: usize = 64;

/// Reads an object.
pub(super) fn read(body: &[u8]) -> Result<Value, ApiError> {
    let object = decode(body)
        .map_err(|why| ApiError::bad_request(format!("the protobuf body cannot be read: {why}")))?;
    Ok(Value::Object(object))
}

/// The envelope, and the object in it.
fn decode(body: &[u8]) -> Result<Map<String, Value>, String> {
    let envelope = body.strip_prefix(MAGIC).ok_or("it does not begin with k8s\\0")?;
    let (mut meta, mut raw) = (&[][..], &[][..]);
    for field in Wire::new(envelope) {
        match field? {
            Field { number: 1, datum: Datum::Bytes(bytes) } => meta = bytes,
            Field { number: 2, datum: Datum::Bytes(bytes) } => raw = bytes,
            _ => {}
        }
    }
    let meta = type_meta(meta)?;
    let kind = meta.get("kind").and_then(Value::as_str).unwrap_or_default();
    let mut object = message(kind, raw, 0)?;
    object.extend(meta);
    Ok(object)
}

fn type_meta(bytes: &[u8]) -> Result<Map<String, Value>, String> {
    let mut meta = Map::new();
    for field in Wire::new(bytes) {
        let Field { number, datum } = field?;
        let name = match number {
            1 => "apiVersion",
            2 => "kind",
            _ => return Err(format!("unknown field {number} of TypeMeta")),
        };
        meta.insert(name.to_owned(), json!(datum.text()?));
    }
    Ok(meta)
}

/// A field of a message, as the table has it.
#[derive(Debug, Clone, Copy)]
struct Known {
    name: &'static str,
    many: Many,
    inline: bool,
    omit_zero: bool,
    of: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Many {
    One,
    List,
    Map,
}

type Messages = BTreeMap<&'static str, BTreeMap<u32, Known>>;

fn messages() -> &'static Messages {
    static READ: OnceLock<Messages> = OnceLock::new();
    READ.get_or_init(|| include_str!("messages.txt").lines().filter_map(entry).collect())
}

fn entry(line: &'static str) -> Option<(&'static str, BTreeMap<u32, Known>)> {
    let mut words = line.split(' ');
    let name = words.next()?;
    Some((name, words.filter_map(known).collect()))
}

fn known(word: &'static str) -> Option<(u32, Known)> {
    let (head, of) = word.split_once(':')?;
    let digits = head.find(|c: char| !c.is_ascii_digit())?;
    let (number, name) = head.split_at(digits);
    let (omit_zero, of) = of.strip_prefix('?').map_or((false, of), |of| (true, of));
    let (inline, of) = of.strip_prefix('^').map_or((false, of), |of| (true, of));
    let (many, of) = match (of.strip_prefix('['), of.strip_prefix('<')) {
        (Some(of), _) => (Many::List, of),
        (_, Some(of)) => (Many::Map, of),
        _ => (Many::One, of),
    };
    Some((number.parse().ok()?, Known { name, many, inline, omit_zero, of }))
}

fn message(name: &str, bytes: &[u8], depth: usize) -> Result<Map<String, Value>, String> {
    if depth > MAX_DEPTH {
        return Err(format!("it is nested more than {MAX_DEPTH} levels deep"));
    }
    let fields = messages().get(name).ok_or_else(|| format!("no message {name:?} is known"))?;
    let mut object = Map::new();
    for field in Wire::new(bytes) {
        let Field { number, datum } = field?;
        let known = fields.get(&number).ok_or_else(|| format!("unknown field {number} of {name}"))?;
        add(&mut object, known, datum, depth)?;
    }
    let is_left_out = |key: &str, value: &Value| {
        fields.values().any(|known| known.name == key && known.omit_zero && is_zero(value))
    };
    object.retain(|key, value| !value.is_null() && !is_left_out(key, value));
    Ok(object)
}

fn is_zero(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(flag) => !flag,
        Value::Number(number) => number.as_i64() == Some(0),
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
    }
}

fn add(object: &mut Map<String, Value>, known: &Known, datum: Datum<'_>, depth: usize) -> Result<(), String> {
    if known.inline {
        object.extend(message(known.of, datum.bytes()?, depth + 1)?);
        return Ok(());
    }
    match known.many {
        Many::One => drop(object.insert(known.name.to_owned(), value(known.of, datum, depth)?)),
        Many::List => {
            let item = value(known.of, datum, depth)?;
            let list = object.entry(known.name).or_insert_with(|| json!([]));
            list.as_array_mut().ok_or("a list is a list")?.push(item);
        }
        Many::Map => {
            let (key, item) = pair(known.of, datum.bytes()?, depth)?;
            let map = object.entry(known.name).or_insert_with(|| json!({}));
            map.as_object_mut().ok_or("a map is a map")?.insert(key, item);
        }
    }
    Ok(())
}

fn pair(of: &str, bytes: &[u8], depth: usize) -> Result<(String, Value), String> {
    let (mut key, mut item) = (String::new(), Value::Null);
    for field in Wire::new(bytes) {
        match field? {
            Field { number: 1, datum } => key = datum.text()?.to_owned(),
            Field { number: 2, datum } => item = value(of, datum, depth)?,
            Field { number, .. } => return Err(format!("unknown field {number} of a map's entry")),
        }
    }
    Ok((key, item))
}

fn value(of: &str, datum: Datum<'_>, depth: usize) -> Result<Value, String> {
    Ok(match of {
        "s" => json!(datum.text()?),
        "y" => json!(base64::encode(datum.bytes()?)),
        "i" => json!(datum.number()?),
        "b" => json!(datum.number()? != 0),
        "t" => time(datum.bytes()?, Moment::rfc3339)?,
        "u" => time(datum.bytes()?, Moment::rfc3339_micros)?,
        "x" => int_or_string(datum.bytes()?)?,
        "q" => first(datum.bytes()?)?.map_or(Ok(Value::Null), |datum| datum.text().map(Value::from))?,
        "r" => match first(datum.bytes()?)? {
            Some(datum) => serde_json::from_slice(datum.bytes()?).map_err(|error| error.to_string())?,
            None => Value::Null,
        },
        name => Value::Object(message(name, datum.bytes()?, depth + 1)?),
    })
}

/// The first field of a message that has one.
fn first(bytes: &[u8]) -> Result<Option<Datum<'_>>, String> {
    let fields: Vec<Field<'_>> = Wire::new(bytes).collect::<Result<_, _>>()?;
    Ok(fields.into_iter().find(|field| field.number == 1).map(|field| field.datum))
}

/// No time at all is an empty message.
fn time(bytes: &[u8], write: fn(Moment) -> String) -> Result<Value, String> {
    if bytes.is_empty() {
        return Ok(Value::Null);
    }
    let (mut seconds, mut nanos) = (0_i64, 0_i64);
    for field in Wire::new(bytes) {
        match field? {
            Field { number: 1, datum } => seconds = datum.number()?,
            Field { number: 2, datum } => nanos = datum.number()?,
            Field { number, .. } => return Err(format!("unknown field {number} of a time")),
        }
    }
    Ok(json!(write(Moment::from_unix_nanos(seconds.saturating_mul(1_000_000_000).saturating_add(nanos)))))
}

fn int_or_string(bytes: &[u8]) -> Result<Value, String> {
    let (mut is_text, mut number, mut text) = (false, 0, "");
    for field in Wire::new(bytes) {
        match field? {
            Field { number: 1, datum } => is_text = datum.number()? != 0,
            Field { number: 2, datum } => number = datum.number()?,
            Field { number: 3, datum } => text = datum.text()?,
            Field { number, .. } => return Err(format!("unknown field {number} of an IntOrString")),
        }
    }
    Ok(if is_text { json!(text) } else { json!(number) })
}
