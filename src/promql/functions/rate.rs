//! How fast counters and gauges move: `rate`, `increase`, `delta`, their instant relatives, `resets` and `changes`
//! (Prometheus `promql/functions.go` `extrapolatedRate`, `instantValue`, v3).

use super::super::ast::Reach;
use super::super::eval::extended::edges;
use super::super::storage::Start;
use super::super::value::Point;
use super::{RangeFunction, RangeInput};

pub(super) fn function(name: &str) -> Option<RangeFunction> {
    Some(match name {
        "rate" => |input| moved(input, true, true),
        "increase" => |input| moved(input, true, false),
        "delta" => |input| moved(input, false, false),
        "irate" => |input| last_step(input, true),
        "idelta" => |input| last_step(input, false),
        "resets" => |input| count_pairs(input, |pair| is_reset(pair, input.starts)),
        "changes" => |input| count_pairs(input, changed),
        _ => return None,
    })
}

/// The growth over the range, or its speed.
fn moved(input: &RangeInput<'_>, counter: bool, per_second: bool) -> Option<f64> {
    match input.reach {
        Reach::Inside => extrapolated(input, counter, per_second),
        reach => extended(input, reach == Reach::Smoothed, counter, per_second),
    }
}

/// The growth between the edges, whose values are known or interpolated.
fn extended(input: &RangeInput<'_>, smoothed: bool, counter: bool, per_second: bool) -> Option<f64> {
    let edges = edges(input.points, input.bounds, smoothed, counter)?;
    let mut growth = edges.right - edges.left;
    if counter {
        let mut before = edges.left;
        for v in edges.inner.iter().map(|p| p.v).chain([edges.right]) {
            growth += if v < before { before } else { 0.0 };
            before = v;
        }
    }
    Some(if per_second { growth / seconds(input) } else { growth })
}

/// Length of the range in seconds.
fn seconds(input: &RangeInput<'_>) -> f64 {
    (input.bounds.end - input.bounds.start) as f64 / 1000.0
}

/// The growth over the samples, stretched to the whole range.
///
/// Samples rarely sit on the edges of the range. Where the distance to an edge is within 110 % of the usual distance
/// between samples, the series is assumed to reach the edge; otherwise it is taken to start or end half a step
/// outside its samples. A counter is never stretched below zero.
fn extrapolated(input: &RangeInput<'_>, counter: bool, per_second: bool) -> Option<f64> {
    let [first, .., last] = input.points else {
        return None;
    };
    let growth = growth(input, counter);
    let sampled = (last.t - first.t) as f64 / 1000.0;
    let step = sampled / (input.points.len() - 1) as f64;
    let reach = |gap_ms: i64| {
        let gap = gap_ms as f64 / 1000.0;
        if gap >= step * 1.1 { step / 2.0 } else { gap }
    };
    let mut to_start = reach(first.t - input.bounds.start);
    if counter && growth > 0.0 && first.v >= 0.0 {
        to_start = to_start.min(sampled * (first.v / growth));
    }
    let to_end = reach(input.bounds.end - last.t);
    let factor = (sampled + to_start + to_end) / sampled;
    Some(growth * if per_second { factor / seconds(input) } else { factor })
}

/// Last minus first, plus what every counter reset lost.
fn growth(input: &RangeInput<'_>, counter: bool) -> f64 {
    let points = input.points;
    let (Some(first), Some(last)) = (points.first(), points.last()) else {
        return 0.0;
    };
    let mut growth = last.v - first.v;
    if counter {
        for pair in points.windows(2).filter(|pair| is_reset(pair, input.starts)) {
            growth += pair[0].v;
        }
    }
    growth
}

/// The last two samples: their difference, or for counters the speed between them.
fn last_step(input: &RangeInput<'_>, counter: bool) -> Option<f64> {
    let [.., before, last] = input.points else {
        return None;
    };
    let elapsed = last.t - before.t;
    if elapsed == 0 {
        return None;
    }
    // After a reset a counter has grown from zero.
    let growth =
        if counter && is_reset(&[*before, *last], input.starts) { last.v } else { last.v - before.v };
    Some(if counter { growth / (elapsed as f64 / 1000.0) } else { growth })
}

/// An anchored range is compared with the last sample before it, and without samples of its own says nothing.
fn count_pairs(input: &RangeInput<'_>, counts: impl Fn(&[Point]) -> bool) -> Option<f64> {
    let mut points = input.points;
    if input.reach == Reach::Anchored {
        let inside = points.partition_point(|p| p.t <= input.bounds.start);
        if inside == points.len() {
            return None;
        }
        points = &points[inside.saturating_sub(1)..];
    }
    Some(points.windows(2).filter(|pair| counts(pair)).count() as f64)
}

fn changed(pair: &[Point]) -> bool {
    pair[0].v != pair[1].v && !(pair[0].v.is_nan() && pair[1].v.is_nan())
}

/// Whether a counter started again between two neighbours: it fell, or the second one says that it began after the
/// first (Prometheus `promql/functions.go` `isStartTimestampReset`, v0.313.5).
fn is_reset(pair: &[Point], starts: &[Start]) -> bool {
    let [before, after] = pair else { return false };
    if after.v < before.v {
        return true;
    }
    let since = |t: i64| starts.binary_search_by_key(&t, |s| s.t).map_or(0, |at| starts[at].since);
    let (began, began_before) = (since(after.t), since(before.t));
    if began == 0 || began > after.t || began < before.t {
        return false;
    }
    // Beginning exactly at the sample before is a reset for deltas, and for counts of unknown start it is not.
    began > before.t || (began_before != 0 && began_before <= before.t)
}
