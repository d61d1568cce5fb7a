//! YAML inside YAML: the triggers and templates of a notification ConfigMap are texts of their own.

use std::sync::Arc;

use crate::diag::Source;
use crate::yaml::{self, Node};

/// The document inside a string, when it is one. Its places are those of the inner text and point nowhere outside.
pub(super) fn document(text: &str) -> Option<Node> {
    let source = Arc::new(Source { name: String::new(), text: text.into() });
    yaml::documents(&source).0.into_iter().next()
}

/// The templates that a trigger sends.
pub(super) fn sends(trigger: &str) -> Vec<String> {
    let Some(document) = document(trigger) else { return vec![] };
    let sends = document.items().iter().filter_map(|condition| condition.get("send")).flat_map(Node::items);
    sends.filter_map(Node::as_str).map(str::to_string).collect()
}
