//! Straight lines and smoothed curves through the samples of a range: `deriv`, `predict_linear`,
//! `double_exponential_smoothing`.

use super::super::kahan::Kahan;
use super::super::value::Point;
use super::{RangeFunction, RangeInput};

pub(super) fn function(name: &str) -> Option<RangeFunction> {
    Some(match name {
        // Any time near the samples will do as origin, and a near one keeps the arithmetic exact.
        "deriv" => |input| line(input.points, input.points.first()?.t).map(|(slope, _)| slope),
        "predict_linear" => |input| {
            let ahead = input.scalars.first().copied()?;
            line(input.points, input.t).map(|(slope, at_origin)| slope * ahead + at_origin)
        },
        "double_exponential_smoothing" | "holt_winters" => smooth,
        _ => return None,
    })
}

/// Slope per second of the least-squares line, and its value at `origin`.
fn line(points: &[Point], origin: i64) -> Option<(f64, f64)> {
    let [first, _, ..] = points else { return None };
    if points.iter().all(|p| p.v == first.v) {
        let flat = (0.0, first.v);
        return Some(if first.v.is_infinite() { (f64::NAN, f64::NAN) } else { flat });
    }
    let [mut x, mut y, mut xy, mut xx] = [Kahan::default(); 4];
    for point in points {
        let seconds = (point.t - origin) as f64 / 1000.0;
        x.add(seconds);
        y.add(point.v);
        xy.add(seconds * point.v);
        xx.add(seconds * seconds);
    }
    let n = points.len() as f64;
    let (x, y) = (x.value(), y.value());
    let slope = (xy.value() - x * y / n) / (xx.value() - x * x / n);
    Some((slope, y / n - slope * x / n))
}

/// Holt's linear smoothing; the factors have been checked to lie between 0 and 1.
fn smooth(input: &RangeInput<'_>) -> Option<f64> {
    let (smoothing, trend_factor) = (*input.scalars.first()?, *input.scalars.get(1)?);
    let [first, second, ..] = input.points else {
        return None;
    };
    let (mut before, mut level, mut trend) = (0.0, first.v, second.v - first.v);
    for (i, point) in input.points.iter().enumerate().skip(1) {
        // The first step has no earlier level to take a trend from.
        if i > 1 {
            trend = trend_factor * (level - before) + (1.0 - trend_factor) * trend;
        }
        let next = smoothing * point.v + (1.0 - smoothing) * (level + trend);
        (before, level) = (level, next);
    }
    Some(level)
}
