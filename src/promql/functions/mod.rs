//! The functions of PromQL. This file finds the implementation and feeds it; the files beside it hold the arithmetic:
//! range vectors in `rate`, `over_time` and `regression`, instant vectors in `math`, `time`, `labels`, `sort` and
//! `histogram`.

mod histogram;
mod info;
mod labels;
mod math;
mod over_time;
mod rate;
mod regression;
mod sort;
mod time;

pub(crate) use self::over_time::quantile;
use super::ast::{Call, Expr, ExprKind, Reach, ValueType};
use super::error::EvalError;
use super::eval::extended::reach_of;
use super::eval::{Element, Evaluator, Operand, Stretch, Window};
use super::labels::{Labels, METRIC_NAME};
use super::matcher::{MatchOp, Matcher};
use super::storage::Start;
use super::value::Point;

/// What a function over a range of samples gets to see of one series.
pub(crate) struct RangeInput<'w> {
    /// The samples; at least one.
    pub(crate) points: &'w [Point],
    /// The stretch they were taken from.
    pub(crate) bounds: Stretch,
    /// Whether samples from outside the stretch are among them, and on which sides.
    pub(crate) reach: Reach,
    /// When the counts of some samples began.
    pub(crate) starts: &'w [Start],
    /// The moment of evaluation, which `offset` and `@` do not move.
    pub(crate) t: i64,
    /// The scalar arguments, in order.
    pub(crate) scalars: &'w [f64],
}

/// A function over a range of samples; nothing when there are too few of them.
type RangeFunction = fn(&RangeInput<'_>) -> Option<f64>;

/// Evaluates a call.
pub(crate) fn call(ev: &Evaluator<'_>, call: &Call, expr: &Expr, t: i64) -> Result<Operand, EvalError> {
    if let Some(at) = call.args.iter().position(|arg| arg.value_type() == ValueType::Matrix) {
        return over_range(ev, call, at, expr, t).map(Operand::Vector);
    }
    match call.func.name {
        "time" => Ok(Operand::Scalar(t as f64 / 1000.0)),
        "pi" => Ok(Operand::Scalar(std::f64::consts::PI)),
        "min_of" => pair(ev, call, t).map(|(a, b)| Operand::Scalar(math::min(a, b))),
        "max_of" => pair(ev, call, t).map(|(a, b)| Operand::Scalar(math::max(a, b))),
        "scalar" => Ok(Operand::Scalar(only_value(&ev.vector(&call.args[0], t)?))),
        "vector" => {
            let v = ev.scalar(&call.args[0], t)?;
            Ok(Operand::Vector(vec![Element::new(Labels::default(), v, t)]))
        }
        _ => over_vector(ev, call, expr, t).map(Operand::Vector),
    }
}

fn pair(ev: &Evaluator<'_>, call: &Call, t: i64) -> Result<(f64, f64), EvalError> {
    Ok((ev.scalar(&call.args[0], t)?, ev.scalar(&call.args[1], t)?))
}

/// The value of a vector with one element; otherwise there is none.
fn only_value(elements: &[Element]) -> f64 {
    match elements {
        [element] => element.v,
        _ => f64::NAN,
    }
}

fn over_vector(ev: &Evaluator<'_>, call: &Call, expr: &Expr, t: i64) -> Result<Vec<Element>, EvalError> {
    match call.func.name {
        "absent" => {
            let elements = ev.vector(&call.args[0], t)?;
            Ok(if elements.is_empty() { vec![absent(&call.args[0], t)] } else { Vec::new() })
        }
        "info" => info::call(ev, call, t),
        "sort" | "sort_desc" | "sort_by_label" | "sort_by_label_desc" => sort::call(ev, call, expr, t),
        "label_replace" => labels::replace(ev, call, expr, t),
        "label_join" => labels::join(ev, call, expr, t),
        "histogram_quantile" => histogram::quantile(ev, call, expr, t),
        "histogram_quantiles" => histogram::quantiles(ev, call, expr, t),
        "histogram_fraction" => histogram::fraction(ev, call, expr, t),
        // These read native histograms, and there are none: every sample here is a plain number.
        "histogram_avg" | "histogram_count" | "histogram_stddev" | "histogram_stdvar" | "histogram_sum" => {
            ev.vector(&call.args[0], t).map(|_| Vec::new())
        }
        "timestamp" => time::timestamp(ev, call, expr, t),
        "clamp" | "clamp_min" | "clamp_max" | "round" => math::with_scalars(ev, call, expr, t),
        name => match (math::function(name), time::function(name)) {
            (Some(f), _) => map(ev, ev.vector(&call.args[0], t)?, f, expr),
            (_, Some(f)) => time::part(ev, call, f, expr, t),
            _ => Err(EvalError::new(expr.span(), format!("function {name}() is not implemented"))),
        },
    }
}

/// Applies `f` to every value; the results are no longer the metric's.
fn map(
    ev: &Evaluator<'_>,
    mut elements: Vec<Element>,
    f: impl Fn(f64) -> f64,
    expr: &Expr,
) -> Result<Vec<Element>, EvalError> {
    elements.iter_mut().for_each(|e| e.v = f(e.v));
    ev.drop_names(&mut elements, expr.span())?;
    Ok(elements)
}

fn range_function(name: &str) -> Option<RangeFunction> {
    rate::function(name).or_else(|| over_time::function(name)).or_else(|| regression::function(name))
}

fn over_range(
    ev: &Evaluator<'_>,
    call: &Call,
    at: usize,
    expr: &Expr,
    t: i64,
) -> Result<Vec<Element>, EvalError> {
    let reach = reach_of(&call.args[at]);
    check_reach(reach, call, &call.args[at])?;
    let (bounds, mut windows) = ev.windows(&call.args[at], t)?;
    let others = call.args.iter().enumerate().filter(|(i, _)| *i != at);
    let scalars = others.map(|(_, arg)| ev.scalar(arg, t)).collect::<Result<Vec<_>, _>>()?;
    windows.retain(|w| !w.points.is_empty());
    if call.func.name == "absent_over_time" {
        return Ok(if windows.is_empty() { vec![absent(&call.args[at], t)] } else { Vec::new() });
    }
    if !windows.is_empty() {
        check_parameters(ev, call, &scalars, expr)?;
    }
    let f = range_function(call.func.name).ok_or_else(|| {
        EvalError::new(expr.span(), format!("function {}() is not implemented", call.func.name))
    })?;
    // These return a sample of the series as it is, so it keeps its name.
    let keeps_name = matches!(call.func.name, "last_over_time" | "first_over_time");
    let mut out = Vec::with_capacity(windows.len());
    let mut names = NameWatch::default();
    for window in windows {
        let input =
            RangeInput { points: &window.points, bounds, reach, starts: window.starts, t, scalars: &scalars };
        let Some(v) = f(&input) else { continue };
        remark_on_name(ev, call, &window, at);
        names.see(&window);
        out.push(finish(ev, window, v, t, keeps_name));
    }
    if names.several && !keeps_name && !ev.options.delayed_name_removal {
        super::eval::ensure_unique(&out, expr.span())?;
    }
    Ok(out)
}

/// Only these functions know what to do with samples from outside the range.
fn check_reach(reach: Reach, call: &Call, arg: &Expr) -> Result<(), EvalError> {
    let (word, allowed): (_, &[&str]) = match reach {
        Reach::Inside => return Ok(()),
        Reach::Anchored => ("anchored", &["changes", "delta", "increase", "rate", "resets"]),
        Reach::Smoothed => ("smoothed", &["delta", "increase", "rate"]),
    };
    if allowed.contains(&call.func.name) {
        return Ok(());
    }
    let (allowed, name) = (allowed.join(", "), call.func.name);
    let message = format!("{word} modifier can only be used with: {allowed} - not with {name}");
    Err(EvalError::new(arg.span(), message))
}

/// Notices when the series of a vector bear different names: only then can dropping the names make them collide.
#[derive(Default)]
struct NameWatch {
    first: Option<Labels>,
    several: bool,
}

impl NameWatch {
    fn see(&mut self, window: &Window<'_>) {
        match &self.first {
            None => self.first = Some(window.labels.clone()),
            Some(first) => self.several |= first.metric_name() != window.labels.metric_name(),
        }
    }
}

fn finish(ev: &Evaluator<'_>, window: Window<'_>, v: f64, t: i64, keeps_name: bool) -> Element {
    if keeps_name {
        return Element { labels: window.labels, v, taken: t, drop_name: window.drop_name };
    }
    if ev.options.delayed_name_removal {
        return Element { labels: window.labels, v, taken: t, drop_name: true };
    }
    let labels = window.bare.cloned().unwrap_or_else(|| window.labels.without_metadata());
    Element { labels, v, taken: t, drop_name: true }
}

fn check_parameters(ev: &Evaluator<'_>, call: &Call, scalars: &[f64], expr: &Expr) -> Result<(), EvalError> {
    match (call.func.name, scalars) {
        ("quantile_over_time", [q]) if !(0.0..=1.0).contains(q) => {
            ev.remarks.borrow_mut().invalid_quantile(*q, &call.args[0].span());
        }
        ("double_exponential_smoothing" | "holt_winters", [smoothing, trend]) => {
            let inside = |v: f64| v > 0.0 && v < 1.0;
            for (what, symbol, v) in [("smoothing", "sf", *smoothing), ("trend", "tf", *trend)] {
                if !inside(v) {
                    let message = format!("invalid {what} factor. Expected: 0 < {symbol} < 1, got: {v:.6}");
                    return Err(EvalError::new(expr.span(), message));
                }
            }
        }
        _ => {}
    }
    Ok(())
}

/// A rate of something that is not called like a counter is probably a mistake.
fn remark_on_name(ev: &Evaluator<'_>, call: &Call, window: &Window<'_>, at: usize) {
    if !matches!(call.func.name, "rate" | "increase") {
        return;
    }
    let Some(name) = window.labels.metric_name() else {
        return;
    };
    if !["_total", "_sum", "_count", "_bucket"].iter().any(|suffix| name.ends_with(suffix)) {
        ev.remarks.borrow_mut().possible_non_counter(name, &call.args[at].span());
    }
}

/// The one sample that says that there is none, with the labels the selector would have had.
fn absent(arg: &Expr, t: i64) -> Element {
    let matchers: &[Matcher] = match &arg.unparen().kind {
        ExprKind::Selector(selector) => &selector.matchers,
        ExprKind::Range(range) => &range.selector.matchers,
        _ => &[],
    };
    let mut labels = Labels::default();
    for (i, matcher) in matchers.iter().enumerate().filter(|(_, m)| &*m.name != METRIC_NAME) {
        // A label with more than one condition has no single value to show.
        let repeated = matchers[..i].iter().any(|m| m.name == matcher.name && m.op == MatchOp::Equal);
        let value = if matcher.op == MatchOp::Equal && !repeated { &matcher.value } else { "" };
        labels = labels.with(&matcher.name, value);
    }
    Element::new(labels, 1.0, t)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::promql::signature::FUNCTIONS;

    #[test]
    fn every_listed_range_function_is_implemented() {
        for f in
            FUNCTIONS.iter().filter(|f| f.args.contains(&ValueType::Matrix) && f.name != "absent_over_time")
        {
            assert!(range_function(f.name).is_some(), "{}", f.name);
        }
    }
}
