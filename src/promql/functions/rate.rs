//! How fast counters and gauges move: `rate`, `increase`, `delta`, their instant relatives, `resets` and `changes`
//! (Prometheus `promql/functions.go` `extrapolatedRate`, `instantValue`, v3).

use super::super::value::Point;
use super::{RangeFunction, RangeInput};

pub(super) fn function(name: &str) -> Option<RangeFunction> {
    Some(match name {
        "rate" => |input| extrapolated(input, true).map(|v| v / seconds(input)),
        "increase" => |input| extrapolated(input, true),
        "delta" => |input| extrapolated(input, false),
        "irate" => |input| last_step(input, true),
        "idelta" => |input| last_step(input, false),
        "resets" => |input| Some(count_pairs(input.points, |a, b| b < a)),
        "changes" => |input| Some(count_pairs(input.points, |a, b| a != b && !(a.is_nan() && b.is_nan()))),
        _ => return None,
    })
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
fn extrapolated(input: &RangeInput<'_>, counter: bool) -> Option<f64> {
    let [first, .., last] = input.points else {
        return None;
    };
    let growth = growth(input.points, counter);
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
    Some(growth * ((sampled + to_start + to_end) / sampled))
}

/// Last minus first, plus what every counter reset lost.
fn growth(points: &[Point], counter: bool) -> f64 {
    let (Some(first), Some(last)) = (points.first(), points.last()) else {
        return 0.0;
    };
    let mut growth = last.v - first.v;
    if counter {
        for pair in points.windows(2).filter(|pair| pair[1].v < pair[0].v) {
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
    let growth = if counter && last.v < before.v { last.v } else { last.v - before.v };
    Some(if counter { growth / (elapsed as f64 / 1000.0) } else { growth })
}

fn count_pairs(points: &[Point], counts: fn(f64, f64) -> bool) -> f64 {
    points.windows(2).filter(|pair| counts(pair[0].v, pair[1].v)).count() as f64
}
