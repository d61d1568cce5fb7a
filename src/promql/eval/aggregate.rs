//! Aggregations that turn a group of samples into one (Prometheus `promql/engine.go` `aggregation`, v3). The ones that
//! pick samples out of a group are in `topk.rs`.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::super::ast::{Aggregate, AggregateOp, Expr, ExprKind};
use super::super::error::EvalError;
use super::super::format;
use super::super::functions::quantile;
use super::super::kahan::{Kahan, Mean};
use super::super::labels::{Labels, METRIC_NAME};
use super::{Element, Evaluator};

impl Evaluator<'_> {
    pub(super) fn aggregate(&self, agg: &Aggregate, expr: &Expr, t: i64) -> Result<Vec<Element>, EvalError> {
        match (agg.op, &agg.param) {
            (AggregateOp::CountValues, Some(param)) => self.count_values(agg, param, t),
            (AggregateOp::Quantile, Some(param)) => {
                let q = self.scalar(param, t)?;
                if !(0.0..=1.0).contains(&q) {
                    self.remarks.borrow_mut().invalid_quantile(q, &param.span());
                }
                self.fold_groups(agg, t, q)
            }
            (_, Some(param)) => self.pick(agg, param, expr, t),
            (_, None) => self.fold_groups(agg, t, 0.0),
        }
    }

    fn fold_groups(&self, agg: &Aggregate, t: i64, q: f64) -> Result<Vec<Element>, EvalError> {
        let elements = self.vector(&agg.expr, t)?;
        let groups = Groups::of(agg, &elements);
        let finish = |group: &Group<'_>| {
            let labels = group_labels(agg, &group.members[0].labels);
            let drop_name = group.members.iter().any(|e| e.drop_name);
            Element { labels, v: fold(agg.op, &group.members, q), taken: t, drop_name }
        };
        Ok(groups.0.iter().map(finish).collect())
    }

    fn count_values(&self, agg: &Aggregate, param: &Expr, t: i64) -> Result<Vec<Element>, EvalError> {
        let label = match &param.unparen().kind {
            ExprKind::String(text) if !text.is_empty() => text.clone(),
            _ => return Err(EvalError::new(param.span(), "invalid label name \"\"")),
        };
        let mut elements = self.vector(&agg.expr, t)?;
        for element in &mut elements {
            element.labels = element.labels.with(&label, &format::float(element.v));
        }
        let agg = Aggregate { grouping: counted_grouping(agg, &label), ..agg.clone() };
        let groups = Groups::of(&agg, &elements);
        let finish = |group: &Group<'_>| {
            let labels = group_labels(&agg, &group.members[0].labels);
            Element::new(labels, group.members.len() as f64, t)
        };
        Ok(groups.0.iter().map(finish).collect())
    }
}

/// The label that holds the counted value survives a `by`.
fn counted_grouping(agg: &Aggregate, label: &Arc<str>) -> Vec<Arc<str>> {
    let mut grouping = agg.grouping.clone();
    if !agg.without && !grouping.contains(label) {
        grouping.push(label.clone());
    }
    grouping
}

/// The groups of a vector, in the order they first appear, never empty.
pub(super) struct Groups<'v>(pub(super) Vec<Group<'v>>);

pub(super) struct Group<'v> {
    pub(super) members: Vec<&'v Element>,
}

impl<'v> Groups<'v> {
    pub(super) fn of(agg: &Aggregate, elements: &'v [Element]) -> Self {
        if !agg.without && agg.grouping.is_empty() {
            let whole = Group { members: elements.iter().collect() };
            return Self(if elements.is_empty() { Vec::new() } else { vec![whole] });
        }
        let mut index: BTreeMap<Vec<(&str, &str)>, usize> = BTreeMap::new();
        let mut groups: Vec<Group<'v>> = Vec::new();
        let mut key = Vec::new();
        for element in elements {
            key.clear();
            key.extend(element.labels.iter().filter(|(name, _)| survives(agg, name)));
            // Looking up by slice spares an allocation for every element of a known group.
            match index.get(key.as_slice()) {
                Some(at) => groups[*at].members.push(element),
                None => {
                    index.insert(key.clone(), groups.len());
                    groups.push(Group { members: vec![element] });
                }
            }
        }
        Self(groups)
    }
}

fn survives(agg: &Aggregate, name: &str) -> bool {
    let listed = agg.grouping.iter().any(|l| **l == *name);
    if agg.without { !listed && name != METRIC_NAME } else { listed }
}

fn group_labels(agg: &Aggregate, labels: &Labels) -> Labels {
    labels.filter(|name| survives(agg, name))
}

fn fold(op: AggregateOp, members: &[&Element], q: f64) -> f64 {
    let first = members[0].v;
    let rest = members[1..].iter().map(|e| e.v);
    match op {
        AggregateOp::Sum => {
            let mut sum = Kahan::starting_at(first);
            rest.for_each(|v| sum.add(v));
            sum.value()
        }
        AggregateOp::Avg => {
            let mut mean = Mean::starting_at(first);
            rest.for_each(|v| mean.add(v));
            mean.value()
        }
        AggregateOp::Count => members.len() as f64,
        AggregateOp::Min => rest.fold(first, |min, v| if v < min || min.is_nan() { v } else { min }),
        AggregateOp::Max => rest.fold(first, |max, v| if v > max || max.is_nan() { v } else { max }),
        AggregateOp::Stddev => variance(members).sqrt(),
        AggregateOp::Stdvar => variance(members),
        AggregateOp::Quantile => quantile(q, &mut members.iter().map(|e| e.v).collect::<Vec<_>>()),
        // What is left is `group`; the picking operators never come here.
        _ => 1.0,
    }
}

/// Welford's variance, uncompensated as upstream's is; infinite and undefined values make it undefined.
fn variance(members: &[&Element]) -> f64 {
    let mut mean = members[0].v;
    let mut sum = if mean.is_finite() { 0.0 } else { f64::NAN };
    for (i, element) in members.iter().enumerate().skip(1) {
        let delta = element.v - mean;
        mean += delta / (i + 1) as f64;
        sum += delta * (element.v - mean);
    }
    sum / members.len() as f64
}
