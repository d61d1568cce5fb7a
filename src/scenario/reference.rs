//! The reference page: every key with its type, its default and its manual, generated from the schema.

use std::fmt::Write as _;

use serde_json::Value;

use super::schema::{SCHEMA, definition, resolve};

/// The whole page, in Markdown.
#[must_use]
pub fn reference() -> String {
    let mut page = String::from(
        "# Scenario reference\n\nGenerated from the types; `firedrill explain <key>` prints one entry.\n",
    );
    section(&mut page, "scenario", &SCHEMA);
    for (name, schema) in definitions() {
        section(&mut page, name, schema);
    }
    page
}

/// The entries for one key, wherever it occurs: `restored`, `traffic.slo`, `give-up-after`.
#[must_use]
pub fn explain(key: &str) -> Option<String> {
    // Keys may have dots themselves (`latency.p99.9`), owners have none.
    let (of, key) = key.split_once('.').map_or((None, key), |(of, key)| (Some(of), key));
    let mut text = String::new();
    let root = std::iter::once(("scenario", &*SCHEMA));
    for (name, schema) in root.chain(definitions()) {
        let owners = owners(name);
        let wanted = of.is_none_or(|of| owners.contains(&of));
        for found in entries(schema).filter(|entry| wanted && entry.key == key) {
            let path = owners.first().map_or_else(|| key.to_owned(), |owner| format!("{owner}.{key}"));
            write_entry(&mut text, &path, &found);
        }
    }
    (!text.is_empty()).then_some(text)
}

/// Every key as `firedrill explain` takes it: alone at the top, and behind its mapping elsewhere.
#[must_use]
pub fn keys() -> Vec<String> {
    let top = entries(&SCHEMA).map(|entry| entry.key.to_owned());
    let below = definitions().flat_map(|(name, schema)| {
        let owner = owners(name).first().map(|owner| format!("{owner}.")).unwrap_or_default();
        entries(schema).map(move |entry| format!("{owner}{}", entry.key))
    });
    let mut keys: Vec<String> = top.chain(below).collect();
    keys.sort();
    keys.dedup();
    keys
}

/// One key with its manual.
struct Entry {
    key: &'static str,
    schema: &'static Value,
    required: bool,
    manual: &'static str,
}

fn definitions() -> impl Iterator<Item = (&'static str, &'static Value)> {
    SCHEMA["$defs"].as_object().into_iter().flatten().map(|(name, schema)| (name.as_str(), schema))
}

/// The keys whose value is this definition.
fn owners(name: &str) -> Vec<&'static str> {
    let root = std::iter::once(&*SCHEMA);
    let all = root.chain(definitions().map(|(_, schema)| schema)).flat_map(entries);
    let mut owners: Vec<&str> = all
        .filter(|entry| definition(entry.schema).or_else(|| definition(&entry.schema["items"])) == Some(name))
        .map(|entry| entry.key)
        .collect();
    owners.dedup();
    owners
}

fn section(page: &mut String, name: &str, schema: &'static Value) {
    let owners = owners(name);
    let title = if owners.is_empty() { name.to_owned() } else { owners.join("`, `") };
    let _ = write!(page, "\n## `{title}`\n\n{}\n", description(schema));
    for entry in entries(schema) {
        write_entry(page, entry.key, &entry);
    }
    for word in words(schema) {
        let _ = write!(page, "\n- `{}`: {}\n", word.0, word.1);
    }
}

fn write_entry(page: &mut String, path: &str, entry: &Entry) {
    let _ = write!(page, "\n### `{path}`\n\n{}\n", entry.manual);
    let note = match entry.schema.get("default") {
        Some(Value::String(default)) => format!("Default: `{default}`."),
        Some(default) if !default.is_array() => format!("Default: `{default}`."),
        _ if entry.required => "Required.".to_owned(),
        _ => "Optional.".to_owned(),
    };
    let _ = write!(page, "\n{note}\n");
    for (word, meaning) in words(resolve(entry.schema)) {
        let _ = writeln!(page, "- `{word}`: {meaning}");
    }
}

/// The keys of a mapping, or of an externally tagged choice.
fn entries(schema: &'static Value) -> impl Iterator<Item = Entry> {
    let own = properties(schema).map(move |(key, value)| Entry {
        key,
        schema: value,
        required: requires(schema, key),
        manual: manual(&[value, resolve(value)]),
    });
    let tagged = branches(schema).flat_map(|branch| {
        properties(branch).map(move |(key, value)| Entry {
            key,
            schema: value,
            required: false,
            manual: manual(&[branch, value, resolve(value)]),
        })
    });
    own.chain(tagged)
}

/// The first of these that has one.
fn manual(schemas: &[&'static Value]) -> &'static str {
    schemas.iter().map(|schema| description(schema)).find(|text| !text.is_empty()).unwrap_or_default()
}

fn properties(schema: &'static Value) -> impl Iterator<Item = (&'static str, &'static Value)> {
    schema
        .get("properties")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .map(|(key, value)| (key.as_str(), value))
}

fn requires(schema: &Value, key: &str) -> bool {
    schema.get("required").and_then(Value::as_array).is_some_and(|names| names.iter().any(|name| name == key))
}

fn branches(schema: &'static Value) -> impl Iterator<Item = &'static Value> {
    schema.get("oneOf").and_then(Value::as_array).into_iter().flatten()
}

/// The words of a choice with what they mean.
fn words(schema: &'static Value) -> impl Iterator<Item = (&'static str, &'static str)> {
    branches(schema).filter_map(|branch| Some((branch.get("const")?.as_str()?, description(branch))))
}

fn description(schema: &'static Value) -> &'static str {
    schema.get("description").and_then(Value::as_str).unwrap_or_default()
}
