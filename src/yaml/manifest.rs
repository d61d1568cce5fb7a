//! Manifests: many documents, read as `kubectl` reads them, into nodes with spans.

use std::ops::Range;
use std::sync::Arc;

use serde::de::{self, Deserialize, Deserializer};
use serde_saphyr::{Options, Spanned};

use super::error::{self, Place};
use super::node::{Key, Node, NodeValue};
use super::{LIMITS, MAX_BYTES, split};
use crate::diag::{Diagnostic, Source};

/// More documents than this in one file is a machine's output, not a policy.
const MAX_DOCUMENTS: usize = 2_000;

/// Every document of a manifest file, with `kind: List` unpacked, and what is wrong with those that cannot be read.
#[must_use]
pub fn documents(source: &Arc<Source>) -> (Vec<Node>, Vec<Diagnostic>) {
    if let Some(diagnostic) = error::too_large(source, MAX_BYTES) {
        return (vec![], vec![diagnostic]);
    }
    let ranges = split::documents(&source.text);
    let mut nodes = vec![];
    let mut diagnostics = vec![];
    if ranges.len() > MAX_DOCUMENTS {
        let title = format!("more than {MAX_DOCUMENTS} documents in one file");
        let rest = ranges[MAX_DOCUMENTS].start;
        diagnostics.push(
            Diagnostic::error(LIMITS, title).at(error::span(source, rest..rest), "not read from here on"),
        );
    }
    for range in ranges.into_iter().take(MAX_DOCUMENTS) {
        match document(source, range) {
            Ok(node) => unpack(node, &mut nodes),
            Err(diagnostic) => diagnostics.push(*diagnostic),
        }
    }
    (nodes, diagnostics)
}

fn document(source: &Arc<Source>, range: Range<usize>) -> Result<Node, Box<Diagnostic>> {
    let text = &source.text[range.clone()];
    let raw: Spanned<Raw> = serde_saphyr::from_str_with_options(text, options())
        .map_err(|cause| Box::new(error::diagnostic(source, range.start, text, &cause)))?;
    Ok(Settle { source: &source.text, place: Place { base: range.start, text } }.node(raw))
}

/// `kubectl` applies the items of a List one by one, and so do we.
fn unpack(node: Node, into: &mut Vec<Node>) {
    let is_list = node.text("kind").is_some_and(|kind| kind.ends_with("List"));
    if !is_list || node.get("items").is_none_or(|items| !matches!(items.value, NodeValue::Seq(_))) {
        into.push(node);
        return;
    }
    let NodeValue::Map(entries) = node.value else { return };
    for (key, value) in entries {
        if let (true, NodeValue::Seq(items)) = (key.name == "items", value.value) {
            into.extend(items);
        }
    }
}

fn options() -> Options {
    let mut options = Options::default();
    options.with_snippet = false;
    options.legacy_octal_numbers = true;
    let mut budget = options.budget.take().unwrap_or_default();
    // The largest custom resource definitions are under 40 levels deep, and every level costs the
    // reader 25 KiB of stack in a debug build.
    budget.max_depth = 48;
    budget.flow_nesting_limit = 48;
    budget.max_nodes = 500_000;
    budget.max_documents = 2;
    options.budget = Some(budget);
    options.alias_limits.max_total_replayed_events = 100_000;
    options
}

/// What the library hands us, before the spans of mappings and lists are known in full.
enum Raw {
    Scalar(NodeValue),
    Seq(Vec<Spanned<Raw>>),
    Map(Vec<(Spanned<String>, Spanned<Raw>)>),
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Raw, D::Error> {
        deserializer.deserialize_any(RawVisitor)
    }
}

struct RawVisitor;

impl<'de> de::Visitor<'de> for RawVisitor {
    type Value = Raw;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("any YAML value")
    }

    fn visit_unit<E>(self) -> Result<Raw, E> {
        Ok(Raw::Scalar(NodeValue::Null))
    }

    fn visit_none<E>(self) -> Result<Raw, E> {
        Ok(Raw::Scalar(NodeValue::Null))
    }

    fn visit_bool<E>(self, truth: bool) -> Result<Raw, E> {
        Ok(Raw::Scalar(NodeValue::Bool(truth)))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Raw, E> {
        Ok(Raw::Scalar(NodeValue::Int(number)))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Raw, E> {
        #[expect(clippy::cast_precision_loss, reason = "no Kubernetes field holds a number above i64::MAX")]
        let value = i64::try_from(number).map_or(NodeValue::Float(number as f64), NodeValue::Int);
        Ok(Raw::Scalar(value))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Raw, E> {
        Ok(Raw::Scalar(NodeValue::Float(number)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Raw, E> {
        Ok(Raw::Scalar(NodeValue::String(text.into())))
    }

    fn visit_seq<A: de::SeqAccess<'de>>(self, mut access: A) -> Result<Raw, A::Error> {
        let mut items = vec![];
        while let Some(item) = access.next_element()? {
            items.push(item);
        }
        Ok(Raw::Seq(items))
    }

    fn visit_map<A: de::MapAccess<'de>>(self, mut access: A) -> Result<Raw, A::Error> {
        let mut entries = vec![];
        while let Some(key) = access.next_key()? {
            entries.push((key, access.next_value()?));
        }
        Ok(Raw::Map(entries))
    }
}

/// Turns what the library hands us into nodes whose spans cover the whole of what they name.
struct Settle<'a> {
    source: &'a str,
    place: Place<'a>,
}

impl Settle<'_> {
    fn node(&self, raw: Spanned<Raw>) -> Node {
        let span = self.place.range(raw.referenced);
        // A repeated alias repeats its place, so its children say nothing about where it ends.
        let aliased = self.source[span.start..].starts_with('*');
        let value = match raw.value {
            Raw::Scalar(value) => value,
            Raw::Seq(items) => NodeValue::Seq(items.into_iter().map(|item| self.node(item)).collect()),
            Raw::Map(entries) => NodeValue::Map(
                entries.into_iter().map(|(key, value)| (self.key(key), self.node(value))).collect(),
            ),
        };
        let span = if aliased { span } else { self.whole(span, &value) };
        Node { span, value }
    }

    fn key(&self, key: Spanned<String>) -> Key {
        Key { span: self.place.range(key.referenced), name: key.value }
    }

    fn whole(&self, span: Range<usize>, value: &NodeValue) -> Range<usize> {
        let last = match value {
            NodeValue::Seq(items) => items.iter().map(|item| item.span.end).max(),
            NodeValue::Map(entries) => {
                entries.iter().map(|(key, value)| key.span.end.max(value.span.end)).max()
            }
            NodeValue::String(_) => return self.trimmed(span),
            _ => return span,
        };
        let end = last.unwrap_or(span.end).max(span.end);
        match self.source.as_bytes().get(span.start) {
            Some(b'{') => span.start..self.closing(end, '}'),
            Some(b'[') => span.start..self.closing(end, ']'),
            _ => span.start..end,
        }
    }

    /// A block scalar's span runs on through the line break after it; nobody would underline that.
    fn trimmed(&self, span: Range<usize>) -> Range<usize> {
        let text = self.source.get(span.clone()).unwrap_or_default();
        span.start..span.start + text.trim_end().len().max(usize::from(!text.is_empty()))
    }

    /// Where a flow collection whose last item ends at `from` closes: past blanks, commas and comments.
    fn closing(&self, from: usize, bracket: char) -> usize {
        let mut rest = self.source[from..].trim_start_matches([' ', '\t', '\r', '\n', ',']);
        while rest.starts_with('#') {
            rest = rest.split_once('\n').map_or("", |(_, rest)| rest);
            rest = rest.trim_start_matches([' ', '\t', '\r', '\n', ',']);
        }
        let at = self.source.len() - rest.len();
        if rest.starts_with(bracket) { at + bracket.len_utf8() } else { from }
    }
}
