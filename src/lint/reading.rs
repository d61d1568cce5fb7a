//! Reading values of manifests the way the controller does, and giving up where only a run can tell.

use std::ops::Range;
use std::time::Duration;

use crate::argo::policy::{Metric, Object};
use crate::diag::Span;
use crate::yaml::{Node, NodeValue};

/// An integer, or a string that is one. `None` for arguments that are filled in later.
pub(super) fn integer(node: &Node) -> Option<i64> {
    match &node.value {
        NodeValue::Int(number) => Some(*number),
        NodeValue::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// The integer under a key of a metric.
pub(super) fn integer_at(node: &Node, key: &str) -> Option<i64> {
    node.get(key).and_then(integer)
}

/// A Go duration under a key of a metric.
pub(super) fn duration_at(node: &Node, key: &str) -> Option<Duration> {
    fake_app::duration::parse(node.text(key)?).ok()
}

/// Whether a key is written at all, with something in it.
pub(super) fn is_set(node: &Node, key: &str) -> bool {
    node.get(key).is_some_and(|value| !value.is_null() && value.as_str() != Some(""))
}

/// The text of a field of a metric with its template arguments filled in from their defaults; `None` when one has no
/// default, so that nothing can be said before a run.
pub(super) fn text_of(metric: &Metric<'_>, node: &Node) -> Option<String> {
    let mut text = node.as_str()?.to_string();
    let args = metric.template.node.pointer("/spec/args").map(Node::items).unwrap_or_default();
    for arg in args {
        let (Some(name), Some(value)) = (arg.text("name"), arg.text("value")) else { continue };
        text = text.replace(&format!("{{{{args.{name}}}}}"), value);
        text = text.replace(&format!("{{{{ args.{name} }}}}"), value);
    }
    Some(text)
}

/// Whether arguments are left that nobody has filled in.
pub(super) fn is_open(text: &str) -> bool {
    text.contains("{{")
}

/// The text with whatever is left open replaced by something harmless, for questions that do not depend on it.
pub(super) fn closed(text: &str) -> String {
    let mut closed = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        closed.push_str(before);
        // A number, a text, and a window that is wide enough.
        closed.push_str("999");
        rest = after.split_once("}}").map_or("", |(_, rest)| rest);
    }
    closed + rest
}

/// The place of a part of a string in the manifest: the part itself where it stands there as it is, else all of it.
pub(super) fn part(object: &Object, node: &Node, part: &str) -> Span {
    let raw = object.source.text.get(node.span.clone()).unwrap_or_default();
    let found = raw.find(part).filter(|_| !part.is_empty());
    let range = found.map_or(node.span.clone(), |at| node.span.start + at..node.span.start + at + part.len());
    object.span(&range)
}

/// The place of a key, or of the whole node where the key is missing.
pub(super) fn key_or(object: &Object, node: &Node, key: &str) -> Span {
    let range: &Range<usize> = node.entry(key).map_or(&node.span, |(key, _)| &key.span);
    object.span(range)
}
