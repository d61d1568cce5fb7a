//! YAML as a tree that remembers where every value was written.
//!
//! This is the form in which a scenario is checked ([`super::shape`]) before it becomes types ([`super::de`]): a tree can
//! be wrong in ten places at once, a type cannot. Strict YAML 1.2: no anchors, no merge keys, no YAML 1.1 booleans.
//! It judges nothing but syntax; even a duplicate key is only recorded here.

use std::fmt;

use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::options::{DuplicateKeyPolicy, MergeKeyPolicy};
use serde_saphyr::{Location, Spanned};

use crate::diag::Source;

/// Deep enough for a merge patch of a pod template, shallow enough for any stack.
const MAX_DEPTH: usize = 32;

/// Which of the two texts a value was written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Origin {
    /// The scenario file.
    Written,
    /// `defaults.yaml`.
    Defaults,
}

/// The bytes a value occupies, and in which text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// Which text.
    pub origin: Origin,
    /// The first byte.
    pub start: usize,
    /// The byte after the last.
    pub end: usize,
}

impl Place {
    /// From the beginning of this to the end of `last`.
    fn to(self, last: Place) -> Place {
        Place { end: last.end.max(self.end), ..self }
    }
}

/// One value of a YAML document.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Node {
    pub(crate) kind: Kind,
    pub(crate) place: Place,
}

/// What a value is.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Kind {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// One line of a mapping.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) key_place: Place,
    pub(crate) value: Node,
}

impl Node {
    /// What to call it in a message.
    pub(crate) fn describe(&self) -> &'static str {
        match &self.kind {
            Kind::Null => "nothing",
            Kind::Bool(_) => "a boolean",
            Kind::Int(_) | Kind::Float(_) => "a number",
            Kind::Text(_) => "text",
            Kind::List(_) => "a list",
            Kind::Map(_) => "a mapping",
        }
    }

    /// The entry with this key, when it is a mapping that has one.
    pub(crate) fn entry(&self, key: &str) -> Option<&Entry> {
        let Kind::Map(entries) = &self.kind else { return None };
        entries.iter().find(|entry| entry.key == key)
    }

    /// The items, when it is a list.
    pub(crate) fn items(&self) -> &[Node] {
        if let Kind::List(items) = &self.kind { items } else { &[] }
    }

    /// The same value without places.
    pub(crate) fn to_json(&self) -> serde_json::Value {
        match &self.kind {
            Kind::Null => serde_json::Value::Null,
            Kind::Bool(b) => (*b).into(),
            Kind::Int(i) => (*i).into(),
            Kind::Float(f) => (*f).into(),
            Kind::Text(text) => text.as_str().into(),
            Kind::List(items) => items.iter().map(Node::to_json).collect(),
            Kind::Map(entries) => entries.iter().map(|e| (e.key.clone(), e.value.to_json())).collect(),
        }
    }
}

/// A text that is not YAML, and where it stops being it.
#[derive(Debug)]
pub(crate) struct SyntaxError {
    pub(crate) message: String,
    pub(crate) place: Place,
}

/// Reads one YAML document.
pub(crate) fn parse(source: &Source, origin: Origin) -> Result<Node, SyntaxError> {
    let spanned: Result<Spanned<Bare>, _> = serde_saphyr::from_str_with_options(&source.text, options());
    match spanned {
        Ok(root) => Ok(place(root, origin, &source.text)),
        Err(error) => {
            let location = error.location().unwrap_or(Location::UNKNOWN);
            let place = place_of(location, origin, &source.text);
            Err(SyntaxError { message: first_line(&error), place })
        }
    }
}

fn options() -> serde_saphyr::Options {
    serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_depth: MAX_DEPTH, max_anchors: 0, max_aliases: 0, max_documents: 1, max_nodes: 20_000,
        },
        duplicate_keys: DuplicateKeyPolicy::PassThrough,
        merge_keys: MergeKeyPolicy::AsOrdinary,
        strict_booleans: true,
        leading_zero_numbers_as_strings: true,
        underscored_numbers_as_strings: true,
        with_snippet: false,
    }
}

/// The reader appends "at line 3, column 4", which the diagnostic says better.
fn first_line(error: &serde_saphyr::Error) -> String {
    let text = error.without_snippet().to_string();
    let line = text.lines().next().unwrap_or_default();
    let end = line.find(" at line ").unwrap_or(line.len());
    let line = line[..end].trim_end_matches([',', ':']);
    line.strip_prefix("budget breached: ").and_then(breach).unwrap_or(line).to_owned()
}

/// The reader names its limits as its code does; people know them as what they wrote.
fn breach(limit: &str) -> Option<&'static str> {
    match limit.split([' ', '{']).next()? {
        "Anchors" | "Aliases" => Some("it has an anchor or an alias, and a scenario does without"),
        "Depth" => Some("it is nested too deeply"),
        "Documents" => Some("it holds more than one document"),
        "Nodes" | "Events" => Some("it holds more than anybody would write"),
        _ => None,
    }
}

/// A value as serde hands it over; only its children know where they are.
#[derive(Debug)]
enum Bare {
    Scalar(Kind),
    List(Vec<Spanned<Bare>>),
    Map(Vec<(Spanned<String>, Spanned<Bare>)>),
}

/// Bounded by [`MAX_DEPTH`], which the reader enforces.
fn place(spanned: Spanned<Bare>, origin: Origin, text: &str) -> Node {
    let own = place_of(spanned.referenced, origin, text);
    match spanned.value {
        Bare::Scalar(kind) => Node { kind, place: own },
        Bare::List(items) => {
            let items: Vec<Node> = items.into_iter().map(|item| place(item, origin, text)).collect();
            let place = items.last().map_or(own, |last| own.to(last.place));
            Node { kind: Kind::List(items), place }
        }
        Bare::Map(entries) => {
            let entries: Vec<Entry> = entries
                .into_iter()
                .map(|(key, value)| Entry {
                    key_place: place_of(key.referenced, origin, text),
                    key: key.value,
                    value: place(value, origin, text),
                })
                .collect();
            let ends = entries.first().zip(entries.last());
            let place =
                ends.map_or(own, |(first, last)| first.key_place.to(last.key_place).to(last.value.place));
            Node { kind: Kind::Map(entries), place }
        }
    }
}

/// Clamped to the text and to its character boundaries, so that a place can always be sliced.
fn place_of(location: Location, origin: Origin, text: &str) -> Place {
    let span = location.span();
    let offset = span.byte_offset().unwrap_or(0);
    let start = floor(text, usize::try_from(offset).unwrap_or(text.len()));
    let len = usize::try_from(span.byte_len().unwrap_or(0)).unwrap_or(0);
    Place { origin, start, end: floor(text, start.saturating_add(len)) }
}

fn floor(text: &str, at: usize) -> usize {
    text.floor_char_boundary(at.min(text.len()))
}

impl<'de> Deserialize<'de> for Bare {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Bare, D::Error> {
        deserializer.deserialize_any(BareVisitor)
    }
}

struct BareVisitor;

impl<'de> Visitor<'de> for BareVisitor {
    type Value = Bare;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a YAML value")
    }

    fn visit_unit<E>(self) -> Result<Bare, E> {
        Ok(Bare::Scalar(Kind::Null))
    }

    fn visit_none<E>(self) -> Result<Bare, E> {
        Ok(Bare::Scalar(Kind::Null))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Bare, E> {
        Ok(Bare::Scalar(Kind::Bool(value)))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Bare, E> {
        Ok(Bare::Scalar(Kind::Int(value)))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Bare, E> {
        i64::try_from(value)
            .map(|value| Bare::Scalar(Kind::Int(value)))
            .map_err(|_| E::custom("number is too large"))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Bare, E> {
        Ok(Bare::Scalar(Kind::Float(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Bare, E> {
        Ok(Bare::Scalar(Kind::Text(value.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Bare, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Bare::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Bare, A::Error> {
        let mut map = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            map.push(entry);
        }
        Ok(Bare::Map(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Node, SyntaxError> {
        parse(&Source { name: "s.yaml".into(), text: text.into() }, Origin::Written)
    }

    fn check(text: &str, path: &[&str], expect: &str) {
        let mut node = &read(text).unwrap();
        for key in path {
            node = &node.entry(key).unwrap().value;
        }
        assert_eq!(&text[node.place.start..node.place.end], expect);
    }

    #[test]
    fn a_scalar_knows_its_bytes() {
        check("a: 8%\nb: 2\n", &["a"], "8%");
        check("ä: \"1.10\"\n", &["ä"], "\"1.10\"");
        check("a: {b: {c: 30s}}\n", &["a", "b", "c"], "30s");
    }

    #[test]
    fn a_mapping_reaches_from_its_first_key_to_its_last_value() {
        check("a:\n  b: 1\n  c: 2\nd: 3\n", &["a"], "b: 1\n  c: 2");
    }

    #[test]
    fn yes_is_text_and_true_is_not() {
        assert_eq!(read("yes").unwrap().kind, Kind::Text("yes".into()));
        assert_eq!(read("true").unwrap().kind, Kind::Bool(true));
    }

    #[test]
    fn duplicate_keys_are_kept_for_the_checker() {
        let Kind::Map(entries) = read("a: 1\na: 2\n").unwrap().kind else { panic!("a mapping") };
        assert_eq!(entries.len(), 2);
    }

    #[test]
    fn anchors_depth_and_a_second_document_are_refused() {
        assert!(read("a: &x 1\nb: *x\n").is_err());
        assert!(read(&"[".repeat(20_000)).is_err());
        assert!(read(&format!("{}1{}", "[".repeat(200), "]".repeat(200))).is_err());
        assert!(read("a: 1\n---\nb: 2\n").is_err());
    }

    #[test]
    fn as_deep_as_allowed_fits_on_any_stack() {
        let nested = |depth: usize| format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
        assert!(read(&nested(MAX_DEPTH - 2)).is_ok());
        assert!(read(&nested(MAX_DEPTH + 2)).is_err());
        assert!(read(&nested(1000)).is_err());
    }

    #[test]
    fn a_syntax_error_has_a_place_inside_the_text() {
        let text = "a: [1, 2\nb: 3\n";
        let error = read(text).unwrap_err();
        assert!(error.place.end <= text.len());
        assert!(!error.message.is_empty());
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,60}|[-a-z:{}\\[\\], \n&*!|>'\"#%]{0,80}") {
            let _ = read(&text);
        }
    }
}
