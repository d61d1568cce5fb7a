//! The fault a release carries: the `fake-app` crate's own type and its own judgement, with places.

use std::sync::Arc;

use super::At;
use super::node::{Kind, Node, Place};
use crate::diag::{Diagnostic, Source};

pub use fake_app::fault::Fault;
use fake_app::fault::Problem;

/// Everything that makes no sense in a fault, at the places where it was written.
pub(super) fn check(fault: &At<Fault>, written: &Node, source: &Arc<Source>) -> Vec<Diagnostic> {
    problems("bad-fault", fault.value.check(), written, source)
}

/// Problems of `fake-app` as diagnostics.
pub(super) fn problems(
    code: &'static str,
    problems: Vec<Problem>,
    written: &Node,
    source: &Arc<Source>,
) -> Vec<Diagnostic> {
    let diagnose = |problem: Problem| {
        let place = locate(written, &problem.path);
        Diagnostic::error(code, problem.message)
            .at(super::span(source, place), problem.path)
            .help(problem.help)
    };
    problems.into_iter().map(diagnose).collect()
}

/// The value a dotted path leads to, or the last one on the way that exists. Keys may contain dots themselves (`p99.9`).
fn locate(node: &Node, path: &str) -> Place {
    let Kind::Map(entries) = &node.kind else { return node.place };
    let below = |key: &str| path.strip_prefix(key).filter(|rest| rest.is_empty() || rest.starts_with('.'));
    let found = entries.iter().filter_map(|entry| below(&entry.key).map(|rest| (entry, rest)));
    match found.min_by_key(|(_, rest)| rest.len()) {
        Some((entry, "")) => entry.value.place,
        Some((entry, rest)) => locate(&entry.value, &rest[1..]),
        None => node.place,
    }
}
