//! Whether a tree has the shape that the schema describes, and everything that is wrong with it at once.
//!
//! serde stops at the first mistake; this walks the schema instead and collects them. It knows the part of JSON Schema that our
//! types produce: closed objects, maps, lists, words, externally tagged choices, and leaf types, which are asked themselves. What
//! two keys mean together is not its business: that is [`super::rules`].

use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::de::{self, Refusal};
use super::fault::Fault;
use super::node::{Entry, Kind, Node, Place};
use super::schema::{SCHEMA, definition, resolve};
use super::{planned, scalar};
use crate::diag::{Diagnostic, Source, Span};
use crate::suggest::nearest;

/// Everything that is wrong with the shape of a scenario.
pub(super) fn check(root: &Node, source: &Arc<Source>) -> Vec<Diagnostic> {
    let mut shape = Shape { source, found: Vec::new() };
    shape.node(root, &SCHEMA, "a scenario");
    let start = |d: &Diagnostic| d.primary.as_ref().map_or(0, |(span, _)| span.range.start);
    shape.found.sort_by_key(start);
    shape.found
}

struct Shape<'a> {
    source: &'a Arc<Source>,
    found: Vec<Diagnostic>,
}

impl Shape<'_> {
    /// Bounded by the depth of the tree, which the reader bounds. `what` is the key, for messages.
    fn node(&mut self, node: &Node, schema: &Value, what: &str) {
        let name = definition(schema);
        if let Some(read) = name.and_then(leaf) {
            if let Err(refusal) = read(node) {
                self.bad_value(node, &refusal);
                self.leaf_help(node, resolve(schema));
            }
            return;
        }
        let before = self.found.len();
        self.resolved(node, resolve(schema), what);
        if name == Some("Fault") && self.found.len() == before {
            self.leaf::<Fault>(node);
        }
    }

    /// The word that was meant, or an example.
    fn leaf_help(&mut self, node: &Node, schema: &Value) {
        let words = example(schema).map(|example| example.replace('`', "")).unwrap_or_default();
        let near = match &node.kind {
            Kind::Text(text) => nearest(text, words.split(", ").filter(|word| word.len() > 5)),
            _ => None,
        };
        let help =
            near.map_or_else(|| format!("for example {words}"), |near| format!("did you mean `{near}`?"));
        if let Some(told) = self.found.last_mut() {
            told.help.push(help);
        }
    }

    fn leaf<T: DeserializeOwned>(&mut self, node: &Node) {
        if let Err(refusal) = de::from_node::<T>(node) {
            self.bad_value(node, &refusal);
        }
    }

    fn resolved(&mut self, node: &Node, schema: &Value, what: &str) {
        if let Some(branches) = branches(schema) {
            return self.choice(node, branches, what);
        }
        match schema.get("type").and_then(Value::as_str) {
            Some("object") => self.object(node, schema, what),
            Some("array") => self.list(node, schema, what),
            Some("string") => self.text(node, schema, what),
            Some("integer" | "number") => self.number(node, schema, what),
            Some("boolean") if !matches!(node.kind, Kind::Bool(_)) => {
                self.wrong_type(node, what, "true or false")
            }
            _ => {}
        }
    }

    // === mappings ===

    fn object(&mut self, node: &Node, schema: &Value, what: &str) {
        let Kind::Map(entries) = &node.kind else { return self.wrong_type(node, what, "a mapping") };
        let none = Map::new();
        let properties = schema.get("properties").and_then(Value::as_object).unwrap_or(&none);
        self.duplicates(entries);
        for entry in entries {
            let property = properties.get(&entry.key).or_else(|| numbered(schema, &entry.key));
            match (property, schema.get("additionalProperties")) {
                (Some(property), _) => self.node(&entry.value, property, &entry.key),
                (None, Some(Value::Bool(false))) => self.unknown_key(entry, properties, what),
                (None, Some(rest)) => self.node(&entry.value, rest, &entry.key),
                (None, None) => {}
            }
        }
        let required = schema.get("required").and_then(Value::as_array).into_iter().flatten();
        for key in required.filter_map(Value::as_str).filter(|key| node.entry(key).is_none()) {
            self.missing(node, key, properties.get(key), what);
        }
    }

    fn duplicates(&mut self, entries: &[Entry]) {
        for (i, entry) in entries.iter().enumerate() {
            if let Some(first) = entries[..i].iter().find(|earlier| earlier.key == entry.key) {
                let title = format!("`{}` is written twice", entry.key);
                let second = self.span(entry.key_place);
                let first = self.span(first.key_place);
                let diagnostic = Diagnostic::error("duplicate-key", title).at(second, "again here");
                self.found.push(diagnostic.and_at(first, "first here").help("keep one of them"));
            }
        }
    }

    fn unknown_key(&mut self, entry: &Entry, known: &Map<String, Value>, what: &str) {
        let key = &entry.key;
        let unwritten = |name: &&str| *name != key;
        let title = format!("unknown key `{key}` in {}", quoted(what));
        let diagnostic =
            Diagnostic::error("unknown-key", title).at(self.span(entry.key_place), "not a key here");
        let help = if let Some(why) = planned::why(key) {
            why.to_owned()
        } else if let Some(near) = nearest(key, known.keys().map(String::as_str).filter(unwritten)) {
            format!("did you mean `{near}`?")
        } else if let Some(home) = home_of(key) {
            format!("`{key}` belongs under `{home}`")
        } else {
            format!("known keys: {}", list(known.keys().map(String::as_str)))
        };
        self.found.push(diagnostic.help(help));
    }

    fn missing(&mut self, node: &Node, key: &str, property: Option<&Value>, what: &str) {
        let title = format!("`{key}` is missing in {}", quoted(what));
        let diagnostic =
            Diagnostic::error("missing-key", title).at(self.head(node), format!("has no `{key}`"));
        self.found.push(match property.and_then(example) {
            Some(example) => diagnostic.help(format!("for example {example}")),
            None => diagnostic,
        });
    }

    // === lists, words, numbers ===

    fn list(&mut self, node: &Node, schema: &Value, what: &str) {
        let Kind::List(items) = &node.kind else {
            self.wrong_type(node, what, "a list");
            return;
        };
        if let Some(schema) = schema.get("items") {
            items.iter().for_each(|item| self.node(item, schema, what));
        }
    }

    fn text(&mut self, node: &Node, schema: &Value, what: &str) {
        let text = match &node.kind {
            Kind::Text(text) => text,
            Kind::Int(_) | Kind::Float(_) | Kind::Bool(_) => return self.unquoted(node, what),
            _ => return self.wrong_type(node, what, "text"),
        };
        let words = words(schema);
        if !words.is_empty() && !words.contains(&text.as_str()) {
            self.unknown_word(node, text, &words, what);
        }
    }

    fn unquoted(&mut self, node: &Node, what: &str) {
        let raw = &self.source.text[node.place.start..node.place.end];
        let title = format!("{} must be text, and this is {}", quoted(what), node.describe());
        let diagnostic = Diagnostic::error("wrong-type", title).at(self.span(node.place), "needs quotes");
        self.found.push(diagnostic.help(format!("write \"{raw}\"")));
    }

    fn number(&mut self, node: &Node, schema: &Value, what: &str) {
        let whole = schema.get("type") == Some(&Value::from("integer"));
        let value = match node.kind {
            Kind::Int(i) => i as f64,
            Kind::Float(f) if !whole => f,
            _ => return self.wrong_type(node, what, if whole { "a whole number" } else { "a number" }),
        };
        let bound = |key: &str| schema.get(key).and_then(Value::as_f64);
        let (min, max) = (bound("minimum"), bound("maximum").or_else(|| width(schema)));
        if min.is_some_and(|min| value < min) || max.is_some_and(|max| value > max) {
            let (min, max) = (min.unwrap_or(f64::MIN), max.unwrap_or(f64::MAX));
            let message = format!("{} is out of range: {min} to {max}", quoted(what));
            self.bad_value(node, &Refusal { message, place: None });
        }
    }

    // === choices ===

    /// One word or one key out of several.
    fn choice(&mut self, node: &Node, branches: &[Value], what: &str) {
        let tagged: Map<String, Value> = branches.iter().filter_map(documented_tag).collect();
        let words: Vec<&str> = branches.iter().flat_map(words).collect();
        if tagged.is_empty() && words.is_empty() {
            return self.any(node, branches, what);
        }
        match &node.kind {
            Kind::Text(text) if words.contains(&text.as_str()) => {}
            Kind::Text(text) if tagged.contains_key(text) => self.valueless(node, text, &tagged[text]),
            Kind::Text(text) => {
                let all: Vec<&str> = words.iter().copied().chain(tagged.keys().map(String::as_str)).collect();
                self.unknown_word(node, text, &all, what);
            }
            Kind::Map(entries) if !tagged.is_empty() => self.tagged(node, entries, &tagged, what),
            Kind::Int(_) | Kind::Float(_) | Kind::Bool(_) if tagged.is_empty() => self.unquoted(node, what),
            _ if tagged.is_empty() => self.wrong_type(node, what, &format!("one of {}", list(words))),
            _ => {
                let keys = tagged.keys().map(String::as_str);
                self.wrong_type(node, what, &format!("one of {}", list(words.into_iter().chain(keys))));
            }
        }
    }

    fn tagged(&mut self, node: &Node, entries: &[Entry], tagged: &Map<String, Value>, what: &str) {
        self.duplicates(entries);
        for entry in entries {
            match tagged.get(&entry.key) {
                Some(schema) => self.node(&entry.value, schema, &entry.key),
                None => self.unknown_key(entry, tagged, what),
            }
        }
        if entries.len() != 1 {
            let title = format!("{} takes exactly one key here, not {}", quoted(what), entries.len());
            let diagnostic =
                Diagnostic::error("one-key", title).at(self.span(node.place), "one of them too many");
            self.found
                .push(diagnostic.help("start a new item with `-` for each, and indent what belongs to it"));
        }
    }

    fn valueless(&mut self, node: &Node, word: &str, schema: &Value) {
        let diagnostic = Diagnostic::error("missing-value", format!("`{word}` needs a value"));
        let help = example(schema).unwrap_or_else(|| format!("`{word}: {{}}`"));
        self.found.push(
            diagnostic.at(self.span(node.place), "nothing follows").help(format!("for example {help}")),
        );
    }

    /// Alternatives that are told apart by their kind: the closest one speaks.
    fn any(&mut self, node: &Node, branches: &[Value], what: &str) {
        let attempt = |branch: &Value| {
            let mut shape = Shape { source: self.source, found: Vec::new() };
            shape.node(node, branch, what);
            let kind_is_wrong = shape.found.iter().any(|d| d.code == "wrong-type");
            (kind_is_wrong, shape.found)
        };
        let best = branches
            .iter()
            .map(attempt)
            .min_by_key(|(wrong, found)| (!found.is_empty(), *wrong, found.len()));
        self.found.extend(best.map(|(_, found)| found).unwrap_or_default());
    }

    // === words for all of them ===

    fn unknown_word(&mut self, node: &Node, text: &str, known: &[&str], what: &str) {
        let title = format!("`{text}` is not a value of {}", quoted(what));
        let diagnostic = Diagnostic::error("unknown-word", title).at(self.span(node.place), "not understood");
        self.found.push(match nearest(text, known.iter().copied()) {
            Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
            None => diagnostic.help(format!("one of {}", list(known.iter().copied()))),
        });
    }

    fn wrong_type(&mut self, node: &Node, what: &str, expected: &str) {
        let title = format!("{} must be {expected}, and this is {}", quoted(what), node.describe());
        self.found
            .push(Diagnostic::error("wrong-type", title).at(self.head(node), format!("expected {expected}")));
    }

    fn bad_value(&mut self, node: &Node, refusal: &Refusal) {
        let place = refusal.place.unwrap_or(node.place);
        let diagnostic = Diagnostic::error("bad-value", refusal.message.clone());
        self.found.push(diagnostic.at(self.span(place), "not understood"));
    }

    fn span(&self, place: Place) -> Span {
        Span { source: Arc::clone(self.source), range: place.start..place.end }
    }

    /// The first line of a value: nobody wants a whole mapping underlined.
    fn head(&self, node: &Node) -> Span {
        let Place { start, end, .. } = node.place;
        let line = self.source.text[start..end].find('\n').map_or(end, |at| start + at);
        Span { source: Arc::clone(self.source), range: start..line }
    }
}

/// Reads a value only to see whether its type takes it.
type Leaf = fn(&Node) -> Result<(), Refusal>;

/// Types that are written as one value and judge it themselves.
fn leaf(name: &str) -> Option<Leaf> {
    fn reads<T: DeserializeOwned>(node: &Node) -> Result<(), Refusal> {
        de::from_node::<T>(node).map(drop)
    }
    Some(match name {
        "Duration" => reads::<scalar::Duration>,
        "Share" => reads::<scalar::Share>,
        "Rate" => reads::<scalar::Rate>,
        "Times" => reads::<scalar::Times>,
        "Limit" => reads::<scalar::Limit>,
        "Target" => reads::<scalar::Target>,
        "Port" => reads::<scalar::Port>,
        _ => return None,
    })
}

fn branches(schema: &Value) -> Option<&[Value]> {
    ["oneOf", "anyOf"].iter().find_map(|key| schema.get(key)).and_then(Value::as_array).map(Vec::as_slice)
}

/// The words a schema accepts: `const` or `enum`.
fn words(schema: &Value) -> Vec<&str> {
    let one = schema.get("const").and_then(Value::as_str);
    let many = schema.get("enum").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    one.into_iter().chain(many).collect()
}

/// The schema of a map's values, when its keys are numbers and this is one.
fn numbered<'a>(schema: &'a Value, key: &str) -> Option<&'a Value> {
    let patterns = schema.get("patternProperties")?.as_object()?;
    if !key.is_empty() && key.bytes().all(|b| b.is_ascii_digit()) { patterns.values().next() } else { None }
}

/// The single key of an externally tagged branch.
fn tag(branch: &Value) -> Option<(&String, &Value)> {
    let properties = branch.get("properties")?.as_object()?;
    let required = branch.get("required")?.as_array()?;
    if properties.len() == 1 && required.len() == 1 { properties.iter().next() } else { None }
}

/// The same, with the manual of the branch in place of its value's.
fn documented_tag(branch: &Value) -> Option<(String, Value)> {
    let (key, value) = tag(branch)?;
    let mut value = value.clone();
    if let (Some(text), Some(fields)) = (branch.get("description"), value.as_object_mut()) {
        fields.insert("description".into(), text.clone());
    }
    Some((key.clone(), value))
}

/// The largest number that fits the integer a schema was made from.
fn width(schema: &Value) -> Option<f64> {
    match schema.get("format")?.as_str()? {
        "uint8" => Some(f64::from(u8::MAX)),
        "uint16" => Some(f64::from(u16::MAX)),
        "uint32" => Some(f64::from(u32::MAX)),
        "int32" => Some(f64::from(i32::MAX)),
        _ => None,
    }
}

/// The example at the end of a description.
fn example(schema: &Value) -> Option<String> {
    let text = schema.get("description").or_else(|| resolve(schema).get("description"))?.as_str()?;
    text.split_once("Example: ").map(|(_, example)| example.trim_end_matches('.').to_owned())
}

/// The mapping that does have this key, when there is exactly one.
fn home_of(key: &str) -> Option<&'static str> {
    let properties = SCHEMA["properties"].as_object()?;
    let has = |schema: &Value| resolve(schema)["properties"].get(key).is_some();
    let mut homes = properties.iter().filter(|(_, schema)| has(schema)).map(|(name, _)| name.as_str());
    homes.next().filter(|_| homes.next().is_none())
}

fn quoted(what: &str) -> String {
    if what.contains(' ') { what.to_owned() } else { format!("`{what}`") }
}

fn list<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    words.into_iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}
