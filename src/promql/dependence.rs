//! What an expression depends on besides the samples: the step under evaluation, or the bounds of the whole query.
//! The parser asks once for every node.

use super::ast::{Call, ExprKind};

impl Call {
    fn is_invariant(&self) -> bool {
        let all = self.args.iter().all(|arg| arg.invariant);
        match self.func.name {
            // These become numbers before anything is evaluated.
            "start" | "end" | "range" | "step" => true,
            "timestamp" => all && matches!(self.args[0].unparen().kind, ExprKind::Selector(_)),
            "days_in_month" | "day_of_month" | "day_of_week" | "day_of_year" | "hour" | "minute"
            | "month" | "year" | "predict_linear" | "time" => false,
            _ => all,
        }
    }
}

impl ExprKind {
    /// Whether the node is the same at every step, given that its parts know whether they are
    /// (Prometheus `promql/engine.go` `preprocessExprHelper`, v0.313.5).
    pub(crate) fn is_invariant(&self) -> bool {
        match self {
            Self::Number(_) | Self::String(_) => true,
            Self::Selector(selector) => selector.timing.at.is_some(),
            Self::Range(range) => range.selector.timing.at.is_some(),
            Self::Subquery(sub) => sub.timing.at.is_some(),
            Self::Paren(inner) | Self::Unary(_, inner) => inner.invariant,
            // The parameter of an aggregation is not looked at.
            Self::Aggregate(agg) => agg.expr.invariant,
            Self::Binary(binary) => binary.lhs.invariant && binary.rhs.invariant,
            Self::Call(call) => call.is_invariant(),
        }
    }

    /// Whether the node itself, leaving its parts aside, depends on the step or the bounds of the query.
    pub(crate) fn is_contextual(&self) -> bool {
        match self {
            Self::Selector(selector) => selector.timing.offset.is_some(),
            Self::Range(range) => range.range.is_some() || range.selector.timing.offset.is_some(),
            Self::Subquery(sub) => sub.range.is_some() || sub.step.is_some() || sub.timing.offset.is_some(),
            Self::Call(call) => matches!(call.func.name, "start" | "end" | "range" | "step"),
            _ => false,
        }
    }
}
