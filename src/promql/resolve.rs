//! Fills in what only the query under way can tell: `start()`, `end()`, `range()`, `step()` become numbers, and lengths
//! that depend on them become milliseconds (Prometheus `promql/engine.go` `foldQueryContextFunctions`, v0.313.5).

use std::borrow::Cow;

use super::ast::{Call, Expr, ExprKind, Timing};
use super::error::EvalError;
use super::length::{Frame, Length};

/// The bounds of the query under way, in milliseconds; the step of an instant query is zero.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    pub(crate) start: i64,
    pub(crate) end: i64,
    pub(crate) step: i64,
}

/// The expression without anything that depends on the query. Nearly every expression is that already.
pub(crate) fn resolve(expr: &Expr, bounds: Bounds) -> Result<Cow<'_, Expr>, EvalError> {
    if !expr.contextual {
        return Ok(Cow::Borrowed(expr));
    }
    let mut expr = expr.clone();
    fill_in(&mut expr, bounds)?;
    Ok(Cow::Owned(expr))
}

fn fill_in(expr: &mut Expr, bounds: Bounds) -> Result<(), EvalError> {
    if !expr.contextual {
        return Ok(());
    }
    match &mut expr.kind {
        ExprKind::Call(call) => {
            if let Some(v) = number(call, bounds) {
                expr.kind = ExprKind::Number(v);
            }
        }
        ExprKind::Selector(selector) => offset(&mut selector.timing, bounds)?,
        ExprKind::Range(range) => {
            offset(&mut range.selector.timing, bounds)?;
            range.range_ms = length(&range.range, bounds, false)?.unwrap_or(range.range_ms);
        }
        ExprKind::Subquery(sub) => {
            offset(&mut sub.timing, bounds)?;
            sub.range_ms = length(&sub.range, bounds, false)?.unwrap_or(sub.range_ms);
            sub.step_ms = length(&sub.step, bounds, false)?.or(sub.step_ms);
        }
        _ => {}
    }
    expr.children_mut().into_iter().try_for_each(|child| fill_in(child, bounds))
}

fn number(call: &Call, bounds: Bounds) -> Option<f64> {
    let milliseconds = match call.func.name {
        "start" => bounds.start,
        "end" => bounds.end,
        "range" => bounds.end - bounds.start,
        "step" if bounds.start == bounds.end => 0,
        "step" => bounds.step,
        _ => return None,
    };
    Some(milliseconds as f64 / 1000.0)
}

fn offset(timing: &mut Timing, bounds: Bounds) -> Result<(), EvalError> {
    timing.offset_ms = length(&timing.offset, bounds, true)?.unwrap_or(timing.offset_ms);
    Ok(())
}

fn length(length: &Option<Box<Length>>, bounds: Bounds, any_sign: bool) -> Result<Option<i64>, EvalError> {
    let frame = Frame { step_ms: bounds.step, range_ms: bounds.end.saturating_sub(bounds.start) };
    let ms = length.as_ref().map(|length| length.milliseconds(frame, any_sign)).transpose();
    ms.map_err(|(span, message)| EvalError::new(span, message))
}
