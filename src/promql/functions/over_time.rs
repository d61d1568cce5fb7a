//! Aggregations of one series over a range: `avg_over_time` and its many relatives.

use super::super::kahan::{Kahan, Mean};
use super::super::value::Point;
use super::{RangeFunction, RangeInput};

pub(super) fn function(name: &str) -> Option<RangeFunction> {
    Some(match name {
        "avg_over_time" => |input| Some(mean(input)),
        "count_over_time" => |input| Some(input.points.len() as f64),
        "first_over_time" => |input| input.points.first().map(|p| p.v),
        "last_over_time" => |input| input.points.last().map(|p| p.v),
        "mad_over_time" => |input| Some(median_deviation(input)),
        "max_over_time" => |input| extreme(input, |v, best| v > best).map(|p| p.v),
        "min_over_time" => |input| extreme(input, |v, best| v < best).map(|p| p.v),
        "present_over_time" => |_| Some(1.0),
        "quantile_over_time" => |input| Some(quantile(input.scalars.first().copied()?, &mut values(input))),
        "stddev_over_time" => |input| Some(variance(input).sqrt()),
        "stdvar_over_time" => |input| Some(variance(input)),
        "sum_over_time" => |input| Some(sum(input)),
        "ts_of_first_over_time" => |input| input.points.first().map(taken),
        "ts_of_last_over_time" => |input| input.points.last().map(taken),
        "ts_of_max_over_time" => |input| extreme(input, |v, best| v >= best).map(|p| taken(&p)),
        "ts_of_min_over_time" => |input| extreme(input, |v, best| v <= best).map(|p| taken(&p)),
        _ => return None,
    })
}

fn values(input: &RangeInput<'_>) -> Vec<f64> {
    input.points.iter().map(|p| p.v).collect()
}

fn taken(point: &Point) -> f64 {
    point.t as f64 / 1000.0
}

fn mean(input: &RangeInput<'_>) -> f64 {
    let mut mean = Mean::starting_at(input.points[0].v);
    input.points[1..].iter().for_each(|p| mean.add(p.v));
    mean.value()
}

fn sum(input: &RangeInput<'_>) -> f64 {
    let mut sum = Kahan::default();
    input.points.iter().for_each(|p| sum.add(p.v));
    // The compensation of an infinite sum is meaningless.
    if sum.sum.is_infinite() { sum.sum } else { sum.value() }
}

/// The point that beats all others; NaN is beaten by anything.
fn extreme(input: &RangeInput<'_>, beats: fn(f64, f64) -> bool) -> Option<Point> {
    let mut best = *input.points.first()?;
    for point in input.points {
        if beats(point.v, best.v) || best.v.is_nan() {
            best = *point;
        }
    }
    Some(best)
}

/// Welford's variance with compensated sums.
fn variance(input: &RangeInput<'_>) -> f64 {
    let (mut count, mut mean, mut squares) = (0.0, Kahan::default(), Kahan::default());
    for point in input.points {
        count += 1.0;
        let delta = point.v - mean.value();
        mean.add(delta / count);
        squares.add(delta * (point.v - mean.value()));
    }
    squares.value() / count
}

/// Median of the distances from the median.
fn median_deviation(input: &RangeInput<'_>) -> f64 {
    let mut values = values(input);
    let median = quantile(0.5, &mut values);
    values.iter_mut().for_each(|v| *v = (*v - median).abs());
    quantile(0.5, &mut values)
}

/// The `q`-quantile of the values, interpolated between neighbours; NaN counts as smaller than everything.
pub(crate) fn quantile(q: f64, values: &mut [f64]) -> f64 {
    if values.is_empty() || q.is_nan() {
        return f64::NAN;
    }
    if !(0.0..=1.0).contains(&q) {
        return if q < 0.0 { f64::NEG_INFINITY } else { f64::INFINITY };
    }
    values.sort_by(|a, b| match (a.is_nan(), b.is_nan()) {
        (false, false) => a.total_cmp(b),
        (a_nan, b_nan) => b_nan.cmp(&a_nan),
    });
    let rank = q * (values.len() - 1) as f64;
    let lower = rank.floor() as usize;
    let upper = (lower + 1).min(values.len() - 1);
    let weight = rank - rank.floor();
    values[lower] * (1.0 - weight) + values[upper] * weight
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_interpolate_and_sort_nan_first() {
        assert_eq!(quantile(0.8, &mut [0.0, 1.0]), 0.8);
        assert_eq!(quantile(1.0, &mut [3.0, f64::NAN, 1.0]), 3.0);
        assert!(quantile(0.2, &mut [0.0, 1.0, f64::NAN]).is_nan());
        assert_eq!(quantile(-1.0, &mut [1.0]), f64::NEG_INFINITY);
        assert_eq!(quantile(2.0, &mut [1.0]), f64::INFINITY);
        assert!(quantile(0.5, &mut []).is_nan());
    }
}
