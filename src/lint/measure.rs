//! What a metric makes of a result, judged from its text: the two conditions together, as the controller reads them.
//!
//! The truth table is spec 4.8 (argo-rollouts v1.9.1 `utils/evaluate/evaluate.go`).

use super::Context;
use super::reading::{closed, is_open, text_of};
use crate::argo::policy::Metric;
use crate::condition::{Condition, Shape, Time, Value};
use crate::promql::{self, Expr, ValueType};

/// What a measurement ends as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Successful,
    Failed,
    Inconclusive,
    Error,
}

/// The conditions of a metric; an absent or empty one is no condition.
pub(super) struct Conditions {
    success: Option<Condition>,
    failure: Option<Condition>,
}

impl Conditions {
    /// Reads both, when there is at least one, both parse, and neither waits for an argument.
    pub(super) fn of(metric: &Metric<'_>, context: &Context) -> Option<Conditions> {
        let success = condition(metric, "successCondition", context)?;
        let failure = condition(metric, "failureCondition", context)?;
        (success.is_some() || failure.is_some()).then_some(Conditions { success, failure })
    }

    /// What these samples are judged as.
    pub(super) fn judge(&self, samples: &[f64]) -> Outcome {
        let result = Value::vector(samples.iter().copied());
        let ask = |condition: &Option<Condition>| {
            condition.as_ref().map(|condition| condition.evaluate(&result, Time::from_unix(0, 0))).transpose()
        };
        match (ask(&self.success), ask(&self.failure)) {
            (Err(_), _) | (_, Err(_)) => Outcome::Error,
            (_, Ok(Some(true))) | (Ok(Some(false)), Ok(None)) => Outcome::Failed,
            (Ok(Some(true)), _) | (Ok(None), _) => Outcome::Successful,
            (Ok(Some(false)), Ok(Some(false))) => Outcome::Inconclusive,
        }
    }
}

/// `Some(None)` when there is no such condition, `None` when nothing can be said about it.
#[expect(clippy::option_option, reason = "absent and undecidable are different answers")]
fn condition(metric: &Metric<'_>, field: &str, context: &Context) -> Option<Option<Condition>> {
    let Some(node) = metric.node.get(field).filter(|node| node.as_str() != Some("")) else {
        return Some(None);
    };
    let text = text_of(metric, node)?;
    if is_open(&text) {
        return None;
    }
    Condition::parse(&text, context.dialect).ok().map(Some)
}

/// The query of a Prometheus metric, with open arguments closed by a placeholder.
pub(super) fn query(metric: &Metric<'_>) -> Option<Expr> {
    let text = text_of(metric, metric.query()?)?;
    promql::parse(&closed(&text)).ok()
}

/// The type that a Prometheus metric's conditions are compiled against; `None` where it cannot be known.
pub(super) fn shape(metric: &Metric<'_>) -> Option<Shape> {
    match query(metric)?.value_type() {
        ValueType::Scalar => Some(Shape::Scalar),
        ValueType::Vector | ValueType::Matrix => Some(Shape::Vector),
        ValueType::String => None,
    }
}
