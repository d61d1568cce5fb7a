//! Who meets whom in an operation between two vectors, and who must not meet twice.

use std::collections::{BTreeMap, BTreeSet};

use super::super::ast::{Cardinality, Expr, Matching};
use super::super::error::EvalError;
use super::super::labels::{Labels, METRIC_NAME};
use super::Element;

/// The labels two samples must agree on, in name order.
pub(super) type Signature<'v> = Vec<(&'v str, &'v str)>;

/// The groups of samples that agree on their signature. Groups below the size of the "one" side are its elements;
/// those above are of "many" elements without partner.
pub(super) struct Pairing<'v> {
    matching: &'v Matching,
    groups: BTreeMap<Signature<'v>, usize>,
    /// Groups that have met. A comparison that filters the result away has met all the same.
    met: BTreeSet<usize>,
    results: BTreeSet<(usize, Labels)>,
}

impl<'v> Pairing<'v> {
    pub(super) fn new(matching: &'v Matching, one: &'v [Element], expr: &Expr) -> Result<Self, EvalError> {
        let mut groups = BTreeMap::new();
        for (at, element) in one.iter().enumerate() {
            if let Some(other) = groups.insert(signature(matching, &element.labels), at) {
                return Err(duplicate(matching, &one[other].labels, &element.labels, expr));
            }
        }
        Ok(Self { matching, groups, met: BTreeSet::new(), results: BTreeSet::new() })
    }

    /// The group of an element of the "many" side.
    pub(super) fn group(&mut self, element: &'v Element) -> usize {
        let signature = signature(self.matching, &element.labels);
        let fresh = self.groups.len();
        if self.matching.fill.right.is_none() {
            return self.groups.get(&signature).copied().unwrap_or(usize::MAX);
        }
        *self.groups.entry(signature).or_insert(fresh)
    }

    pub(super) fn has_met(&self, group: usize) -> bool {
        self.met.contains(&group)
    }

    pub(super) fn record(&mut self, group: usize, labels: &Labels, expr: &Expr) -> Result<(), EvalError> {
        let first = self.met.insert(group);
        let (fresh, message) = if self.matching.cardinality == Cardinality::OneToOne {
            let message =
                "multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)";
            (first, message)
        } else {
            let message = "multiple matches for labels: grouping labels must ensure unique matches";
            (self.results.insert((group, labels.clone())), message)
        };
        if fresh { Ok(()) } else { Err(EvalError::new(expr.span(), message)) }
    }
}

fn duplicate(matching: &Matching, one: &Labels, other: &Labels, expr: &Expr) -> EvalError {
    let side = if matching.cardinality == Cardinality::OneToMany { "left" } else { "right" };
    let group = other.filter(|name| participates(matching, name));
    let mut pair = [one, other];
    pair.sort();
    let message = format!(
        "found duplicate series for the match group {group} on the {side} hand-side of the operation: [{}, {}];\
         many-to-many matching not allowed: matching labels must be unique on one side",
        pair[0], pair[1]
    );
    EvalError::new(expr.span(), message)
}

pub(super) fn participates(matching: &Matching, name: &str) -> bool {
    let listed = matching.labels.iter().any(|l| **l == *name);
    if matching.on { listed } else { !listed && name != METRIC_NAME }
}

pub(super) fn signature<'v>(matching: &Matching, labels: &'v Labels) -> Signature<'v> {
    labels.iter().filter(|(name, _)| participates(matching, name)).collect()
}
