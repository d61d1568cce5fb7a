//! Aggregations that pick samples out of each group: `topk`, `bottomk`, `limitk`, `limit_ratio`. What they pick keeps
//! its labels (Prometheus `promql/engine.go` `aggregationK`, v3).

use std::cmp::Ordering;

use super::super::ast::{Aggregate, AggregateOp, Expr};
use super::super::error::EvalError;
use super::super::format;
use super::super::xxhash;
use super::aggregate::{Group, Groups};
use super::{Element, Evaluator};

impl Evaluator<'_> {
    pub(super) fn pick(
        &self,
        agg: &Aggregate,
        param: &Expr,
        expr: &Expr,
        t: i64,
    ) -> Result<Vec<Element>, EvalError> {
        let wanted = self.scalar(param, t)?;
        check_parameter(agg.op, wanted, expr)?;
        let ratio = wanted.clamp(-1.0, 1.0);
        if agg.op == AggregateOp::LimitRatio && ratio != wanted {
            self.remarks.borrow_mut().invalid_ratio(wanted, ratio, &param.span());
        }
        let elements = self.vector(&agg.expr, t)?;
        let groups = Groups::of(agg, &elements);
        let picked = groups.0.into_iter().flat_map(|group| match agg.op {
            AggregateOp::TopK => best(group, wanted, |a, b| b.partial_cmp(&a)),
            AggregateOp::BottomK => best(group, wanted, |a, b| a.partial_cmp(&b)),
            AggregateOp::LimitK => group.members.into_iter().take(count(wanted)).collect(),
            _ => group.members.into_iter().filter(|e| sampled(ratio, e)).collect::<Vec<_>>(),
        });
        Ok(picked.cloned().collect())
    }
}

fn check_parameter(op: AggregateOp, wanted: f64, expr: &Expr) -> Result<(), EvalError> {
    let complaint = match op {
        AggregateOp::LimitRatio if wanted.is_nan() => "Ratio value is NaN".to_owned(),
        AggregateOp::LimitRatio => return Ok(()),
        _ if wanted.is_nan() => "Parameter value is NaN".to_owned(),
        _ if wanted >= i64::MAX as f64 => {
            format!("Scalar value {} overflows int64", format::float_g(wanted))
        }
        _ if wanted <= i64::MIN as f64 => {
            format!("Scalar value {} underflows int64", format::float_g(wanted))
        }
        _ => return Ok(()),
    };
    Err(EvalError::new(expr.span(), complaint))
}

/// The parameter as a number of samples; fractions are cut off, negative numbers pick nothing.
fn count(wanted: f64) -> usize {
    wanted.max(0.0) as usize
}

/// The first `wanted` of a group in the given order, NaN last, ties in the order they came.
fn best<'v>(group: Group<'v>, wanted: f64, order: fn(f64, f64) -> Option<Ordering>) -> Vec<&'v Element> {
    let mut members = group.members;
    members.sort_by(|a, b| match (a.v.is_nan(), b.v.is_nan()) {
        (false, false) => order(a.v, b.v).unwrap_or(Ordering::Equal),
        (a_nan, b_nan) => a_nan.cmp(&b_nan),
    });
    members.truncate(count(wanted));
    members
}

/// Whether a series belongs to the given share of all series, counted from above when the share is negative, so that
/// `limit_ratio(0.3, …)` and `limit_ratio(-0.7, …)` together pick everything once.
fn sampled(ratio: f64, element: &Element) -> bool {
    let place = xxhash::labels(&element.labels) as f64 / u64::MAX as f64;
    if ratio >= 0.0 { place < ratio } else { place >= 1.0 + ratio }
}
