//! A short way to write the shape of an object, for the kinds that come without a published schema.
//!
//! `{name!:s ports:[{port:i}] labels:<s> rest:any}`: an object with fields (`!` = required), a list in brackets, a
//! map with any keys in angle brackets; `s` string, `i` integer, `n` number, `b` boolean, `x` integer or string, `q`
//! quantity, `o` any object, `any` anything. Only constants of this crate are written in it.

use super::{Schema, Type};

/// Reads the notation.
///
/// # Panics
/// When the text is not in the notation: it is a constant, and a test reads them all.
pub(super) fn schema(text: &'static str) -> Schema {
    let mut rest = text;
    let schema = item(&mut rest);
    assert!(rest.trim().is_empty(), "left over: {rest}");
    schema
}

fn item(rest: &mut &'static str) -> Schema {
    *rest = rest.trim_start();
    if eat(rest, '{') {
        object(rest)
    } else if eat(rest, '[') {
        let items = Some(Box::new(item(rest)));
        assert!(eat(rest, ']'), "a list ends with ]: {rest}");
        Schema { r#type: Some(Type::Array), items, ..Schema::default() }
    } else if eat(rest, '<') {
        let values = Some(Box::new(item(rest)));
        assert!(eat(rest, '>'), "a map ends with >: {rest}");
        Schema { r#type: Some(Type::Object), additional_properties: values, ..Schema::default() }
    } else {
        leaf(word(rest))
    }
}

fn object(rest: &mut &'static str) -> Schema {
    let mut schema = Schema { r#type: Some(Type::Object), ..Schema::default() };
    loop {
        *rest = rest.trim_start();
        if eat(rest, '}') {
            return schema;
        }
        let name = word(rest);
        if eat(rest, '!') {
            schema.required.push(name.to_owned());
        }
        assert!(!name.is_empty() && eat(rest, ':'), "a field is name:type: {rest}");
        schema.properties.insert(name.to_owned(), item(rest));
    }
}

fn leaf(word: &str) -> Schema {
    let of = |kind| Schema { r#type: Some(kind), ..Schema::default() };
    match word {
        "s" => of(Type::String),
        "i" => of(Type::Integer),
        "n" => of(Type::Number),
        "b" => of(Type::Boolean),
        "o" => Schema { preserve_unknown: true, ..of(Type::Object) },
        "x" | "q" => Schema { int_or_string: true, ..Schema::default() },
        "any" => Schema { preserve_unknown: true, nullable: true, ..Schema::default() },
        other => panic!("no such type: {other:?}"),
    }
}

fn eat(rest: &mut &'static str, wanted: char) -> bool {
    match rest.strip_prefix(wanted) {
        Some(after) => {
            *rest = after;
            true
        }
        None => false,
    }
}

fn word(rest: &mut &'static str) -> &'static str {
    let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
    let (word, after) = rest.split_at(end);
    *rest = after;
    word
}
