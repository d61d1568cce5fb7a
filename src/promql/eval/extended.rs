//! The `anchored` and `smoothed` modifiers: the edges of a range take their values from samples outside it
//! (Prometheus `promql/functions.go` `extendedRate`, `promql/engine.go` `smoothSeries`, `extendFloats`, v0.313.5).

use std::borrow::Cow;

use super::super::ast::{Expr, ExprKind, Reach};
use super::super::storage::Series;
use super::super::value::Point;
use super::selector::{Stretch, Window, live};

/// The stretch of time samples are wanted from, open on the left.
pub(super) fn reach(reach: Reach, bounds: Stretch, lookback: i64) -> (i64, i64) {
    let before = bounds.start.saturating_sub(lookback);
    match reach {
        Reach::Inside => (bounds.start, bounds.end),
        Reach::Anchored => (before, bounds.end),
        Reach::Smoothed => (before, bounds.end.saturating_add(lookback)),
    }
}

/// How the range selector inside an expression treats its edges.
pub(crate) fn reach_of(expr: &Expr) -> Reach {
    match &expr.unparen().kind {
        ExprKind::Range(range) => range.selector.reach,
        _ => Reach::Inside,
    }
}

/// The value at one moment, interpolated between the samples around it.
pub(super) fn smooth_at(series: &Series, t: i64, lookback: i64) -> Option<Point> {
    let points = live(series.window(t.saturating_sub(lookback), t.saturating_add(lookback)));
    let after = points.partition_point(|p| p.t < t);
    let v = match (points[..after].last(), points.get(after)) {
        (_, Some(next)) if next.t == t => next.v,
        (Some(before), Some(next)) => interpolate(*before, *next, t, false),
        (Some(before), None) => before.v,
        (None, _) => return None,
    };
    Some(Point { t, v })
}

/// The samples a range stands on, with the values at its edges.
pub(crate) struct Edges<'p> {
    pub(crate) left: f64,
    pub(crate) right: f64,
    /// The samples strictly between the edges.
    pub(crate) inner: &'p [Point],
}

/// Nothing when no sample is left that says anything about the range.
pub(crate) fn edges(points: &[Point], bounds: Stretch, smoothed: bool, counter: bool) -> Option<Edges<'_>> {
    let mut last = points.len().checked_sub(1)?;
    let first = points[..last].partition_point(|p| p.t <= bounds.start).saturating_sub(1);
    if smoothed {
        last = points[..last].partition_point(|p| p.t < bounds.end);
    }
    if points[last].t <= bounds.start || (smoothed && points[first].t > bounds.end) {
        return None;
    }
    let left = if smoothed && points[first].t < bounds.start {
        interpolate(points[first], points[first + 1], bounds.start, counter)
    } else {
        points[first].v
    };
    let right = if smoothed && last > 0 && points[last].t > bounds.end {
        interpolate(points[last - 1], points[last], bounds.end, counter)
    } else {
        points[last].v
    };
    let from = first + usize::from(points[first].t <= bounds.start);
    let to = last + usize::from(points[last].t < bounds.end);
    Some(Edges { left, right, inner: points.get(from..to).unwrap_or_default() })
}

/// A counter that was reset in between has started again from zero.
fn interpolate(before: Point, after: Point, t: i64, counter: bool) -> f64 {
    let start = if counter && after.v < before.v { 0.0 } else { before.v };
    start + (after.v - start) * (t - before.t) as f64 / (after.t - before.t) as f64
}

/// The answer to a bare extended range: its samples, and one at either edge.
pub(super) fn cut<'a>(mut window: Window<'a>, expr: &Expr, bounds: Stretch) -> Window<'a> {
    let reach = reach_of(expr);
    if reach == Reach::Inside {
        return window;
    }
    let points = match edges(&window.points, bounds, reach == Reach::Smoothed, false) {
        None => Vec::new(),
        Some(edges) => {
            let (start, end) =
                (Point { t: bounds.start, v: edges.left }, Point { t: bounds.end, v: edges.right });
            [&[start], edges.inner, &[end]].concat()
        }
    };
    window.points = Cow::Owned(points);
    window
}
