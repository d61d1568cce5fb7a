//! Classic histograms: quantiles and fractions from cumulative `le` buckets (Prometheus `promql/quantile.go`, v3).

use std::collections::BTreeMap;

use super::super::annotations::Lifted;
use super::super::ast::{Call, Expr};
use super::super::error::EvalError;
use super::super::eval::{Element, Evaluator};
use super::super::format;
use super::super::labels::{BUCKET_LABEL, Labels};
use super::labels::text;

/// Relative difference between neighbouring buckets that is taken for rounding.
const ROUNDING: f64 = 1e-12;

#[derive(Debug, Clone, Copy, PartialEq)]
struct Bucket {
    upper: f64,
    /// Observations at or below `upper`.
    count: f64,
}

struct Histogram {
    labels: Labels,
    drop_name: bool,
    buckets: Vec<Bucket>,
}

/// `histogram_quantile(q, buckets)`
pub(super) fn quantile(
    ev: &Evaluator<'_>,
    call: &Call,
    expr: &Expr,
    t: i64,
) -> Result<Vec<Element>, EvalError> {
    let q = checked_quantile(ev, &call.args[0], t)?;
    let histograms = collect(ev, &call.args[1], t)?;
    finish(ev, histograms, |histogram| value(ev, q, histogram, &call.args[1], t), expr, t)
}

/// `histogram_quantiles(buckets, label, q…)`: several quantiles at once, told apart by a label.
pub(super) fn quantiles(
    ev: &Evaluator<'_>,
    call: &Call,
    expr: &Expr,
    t: i64,
) -> Result<Vec<Element>, EvalError> {
    let label = text(&call.args[1])?;
    let quantiles = call.args[2..].iter().map(|arg| checked_quantile(ev, arg, t));
    let quantiles = quantiles.collect::<Result<Vec<_>, _>>()?;
    let mut histograms = collect(ev, &call.args[0], t)?;
    let mut elements = Vec::new();
    for q in quantiles {
        let shown = format::float_open_metrics(q);
        for histogram in &mut histograms {
            let v = value(ev, q, histogram, &call.args[1], t);
            let labels = histogram.labels.with(&label, &shown);
            elements.push(Element { labels, v, taken: t, drop_name: histogram.drop_name });
        }
    }
    ev.drop_names(&mut elements, expr.span())?;
    Ok(elements)
}

fn checked_quantile(ev: &Evaluator<'_>, arg: &Expr, t: i64) -> Result<f64, EvalError> {
    let q = ev.scalar(arg, t)?;
    if !(0.0..=1.0).contains(&q) {
        ev.remarks.borrow_mut().invalid_quantile(q, &arg.span());
    }
    Ok(q)
}

/// The quantile of one histogram, with a remark when its counts were not cumulative.
fn value(ev: &Evaluator<'_>, q: f64, histogram: &mut Histogram, arg: &Expr, t: i64) -> f64 {
    let (v, lifted) = bucket_quantile(q, &mut histogram.buckets, t);
    if let Some(lifted) = lifted {
        // Without delayed removal the name is gone by the time upstream writes the remark.
        let name = histogram.labels.metric_name().filter(|_| ev.options.delayed_name_removal);
        ev.remarks.borrow_mut().forced_monotonicity(name.unwrap_or(""), lifted, &arg.span());
    }
    v
}

/// `histogram_fraction(lower, upper, buckets)`
pub(super) fn fraction(
    ev: &Evaluator<'_>,
    call: &Call,
    expr: &Expr,
    t: i64,
) -> Result<Vec<Element>, EvalError> {
    let (lower, upper) = (ev.scalar(&call.args[0], t)?, ev.scalar(&call.args[1], t)?);
    let histograms = collect(ev, &call.args[2], t)?;
    finish(ev, histograms, |histogram| bucket_fraction(lower, upper, &mut histogram.buckets), expr, t)
}

fn finish(
    ev: &Evaluator<'_>,
    histograms: Vec<Histogram>,
    value: impl Fn(&mut Histogram) -> f64,
    expr: &Expr,
    t: i64,
) -> Result<Vec<Element>, EvalError> {
    let element = |mut histogram: Histogram| {
        let v = value(&mut histogram);
        Element { labels: histogram.labels, v, taken: t, drop_name: histogram.drop_name }
    };
    let mut elements: Vec<_> = histograms.into_iter().map(element).collect();
    ev.drop_names(&mut elements, expr.span())?;
    Ok(elements)
}

/// Gathers the buckets of each histogram: the series that differ in `le` only, in the order they first appear.
fn collect(ev: &Evaluator<'_>, arg: &Expr, t: i64) -> Result<Vec<Histogram>, EvalError> {
    let elements = ev.vector(arg, t)?;
    let mut index: BTreeMap<Vec<(&str, &str)>, usize> = BTreeMap::new();
    let mut histograms: Vec<Histogram> = Vec::new();
    let mut key = Vec::new();
    for element in &elements {
        let bound = element.labels.value(BUCKET_LABEL);
        let Some(upper) = format::parse_float(bound) else {
            let name = element.labels.metric_name().filter(|_| ev.options.delayed_name_removal).unwrap_or("");
            ev.remarks.borrow_mut().bad_bucket_label(name, bound, &arg.span());
            continue;
        };
        key.clear();
        key.extend(element.labels.iter().filter(|(name, _)| *name != BUCKET_LABEL));
        let at = index.get(key.as_slice()).copied().unwrap_or_else(|| {
            let labels = element.labels.filter(|name| name != BUCKET_LABEL);
            histograms.push(Histogram { labels, drop_name: element.drop_name, buckets: Vec::new() });
            index.insert(key.clone(), histograms.len() - 1);
            histograms.len() - 1
        });
        histograms[at].buckets.push(Bucket { upper, count: element.v });
    }
    Ok(histograms)
}

/// Sorts the buckets and merges those with equal bounds. False when there is no `+Inf` bucket to say how many
/// observations there are.
fn normalise(buckets: &mut Vec<Bucket>) -> bool {
    buckets.sort_by(|a, b| a.upper.total_cmp(&b.upper));
    if buckets.last().is_none_or(|last| last.upper != f64::INFINITY) {
        return false;
    }
    buckets.dedup_by(|next, kept| {
        let same = next.upper == kept.upper;
        kept.count += if same { next.count } else { 0.0 };
        same
    });
    true
}

/// The quantile, interpolated within its bucket, and whether decreasing counts had to be evened out for it.
fn bucket_quantile(q: f64, buckets: &mut Vec<Bucket>, t: i64) -> (f64, Option<Lifted>) {
    if q.is_nan() {
        return (f64::NAN, None);
    }
    if !(0.0..=1.0).contains(&q) {
        return (if q < 0.0 { f64::NEG_INFINITY } else { f64::INFINITY }, None);
    }
    if !normalise(buckets) {
        return (f64::NAN, None);
    }
    let lifted = make_monotonic(buckets, t);
    let [inner @ .., last] = buckets.as_slice() else {
        return (f64::NAN, None);
    };
    let Some(highest) = inner.last() else {
        return (f64::NAN, None);
    };
    if last.count == 0.0 {
        return (f64::NAN, None);
    }
    let mut rank = q * last.count;
    let at = inner.iter().position(|b| b.count >= rank);
    let v = match at {
        // Beyond the last finite bound nothing is known; that bound is the best answer.
        None => highest.upper,
        Some(0) if inner[0].upper <= 0.0 => inner[0].upper,
        Some(at) => {
            let below = if at == 0 { Bucket { upper: 0.0, count: 0.0 } } else { inner[at - 1] };
            rank -= below.count;
            below.upper + (inner[at].upper - below.upper) * (rank / (inner[at].count - below.count))
        }
    };
    (v, lifted)
}

/// Makes cumulative counts cumulative again: rounding is absorbed silently, real decreases are lifted and reported.
fn make_monotonic(buckets: &mut [Bucket], t: i64) -> Option<Lifted> {
    let mut lifted: Option<Lifted> = None;
    let mut accepted = buckets[0].count;
    for bucket in &mut buckets[1..] {
        if almost_equal(accepted, bucket.count) {
            bucket.count = accepted;
        } else if bucket.count < accepted {
            let one = Lifted::one(bucket.upper, accepted - bucket.count, t);
            lifted.get_or_insert(one).widen(one);
            bucket.count = accepted;
        } else {
            accepted = bucket.count;
        }
    }
    lifted
}

fn almost_equal(a: f64, b: f64) -> bool {
    if a == b || (a.is_nan() && b.is_nan()) {
        return true;
    }
    let (size, difference) = (a.abs() + b.abs(), (a - b).abs());
    if a == 0.0 || b == 0.0 || size < f64::MIN_POSITIVE {
        return difference < ROUNDING * f64::MIN_POSITIVE;
    }
    difference / size.min(f64::MAX) < ROUNDING
}

/// The share of observations between two values.
fn bucket_fraction(lower: f64, upper: f64, buckets: &mut Vec<Bucket>) -> f64 {
    if !normalise(buckets) {
        return f64::NAN;
    }
    let total = buckets[buckets.len() - 1].count;
    if total == 0.0 || lower.is_nan() || upper.is_nan() {
        return f64::NAN;
    }
    if lower >= upper {
        return 0.0;
    }
    let (below_lower, below_upper) = (observations_below(lower, buckets), observations_below(upper, buckets));
    (below_upper.min(total) - below_lower.min(total)) / total
}

/// How many observations lie below `v`, interpolated within its bucket. Histograms whose lowest bound is positive are
/// taken to hold no negative observations.
fn observations_below(v: f64, buckets: &[Bucket]) -> f64 {
    let mut floor = if buckets[0].upper <= 0.0 { f64::NEG_INFINITY } else { 0.0 };
    let mut rank = 0.0;
    for bucket in buckets {
        if floor >= v {
            return rank;
        }
        if bucket.upper > v {
            let share = (v - floor) / (bucket.upper - floor);
            return if floor == f64::NEG_INFINITY {
                bucket.count
            } else {
                rank + (bucket.count - rank) * share
            };
        }
        (floor, rank) = (bucket.upper, bucket.count);
    }
    f64::INFINITY
}

#[cfg(test)]
mod tests {
    use super::*;

    fn buckets(pairs: &[(f64, f64)]) -> Vec<Bucket> {
        pairs.iter().map(|(upper, count)| Bucket { upper: *upper, count: *count }).collect()
    }

    #[track_caller]
    fn check(q: f64, pairs: &[(f64, f64)], want: f64) {
        let (got, _) = bucket_quantile(q, &mut buckets(pairs), 0);
        assert!(got == want || (got.is_nan() && want.is_nan()), "{q} of {pairs:?}: {got}, not {want}");
    }

    const INF: f64 = f64::INFINITY;

    #[test]
    fn quantiles_interpolate_within_their_bucket() {
        check(0.5, &[(0.1, 10.0), (0.2, 20.0), (INF, 20.0)], 0.1);
        check(0.75, &[(INF, 20.0), (0.2, 20.0), (0.1, 10.0)], 0.15000000000000002);
        check(0.25, &[(0.1, 10.0), (0.2, 20.0), (INF, 20.0)], 0.05);
    }

    #[test]
    fn the_edges_of_a_histogram_have_no_width() {
        check(0.99, &[(0.1, 10.0), (INF, 20.0)], 0.1);
        check(0.1, &[(-1.0, 10.0), (INF, 20.0)], -1.0);
        check(0.5, &[(0.1, 10.0)], f64::NAN);
        check(0.5, &[(INF, 10.0)], f64::NAN);
        check(0.5, &[(0.1, 0.0), (INF, 0.0)], f64::NAN);
        check(-0.1, &[(0.1, 1.0), (INF, 1.0)], -INF);
        check(1.1, &[(0.1, 1.0), (INF, 1.0)], INF);
    }

    #[test]
    fn real_decreases_are_reported_and_rounding_is_not() {
        let (_, lifted) = bucket_quantile(0.5, &mut buckets(&[(1.0, 10.0), (2.0, 9.0), (INF, 12.0)]), 7);
        assert_eq!(lifted, Some(Lifted::one(2.0, 1.0, 7)));
        let (_, lifted) =
            bucket_quantile(0.5, &mut buckets(&[(1.0, 10.0), (2.0, 10.0 - 1e-14), (INF, 12.0)]), 7);
        assert_eq!(lifted, None);
    }

    #[test]
    fn fractions_count_what_lies_between() {
        let all = [(1.0, 10.0), (2.0, 20.0), (INF, 40.0)];
        assert_eq!(bucket_fraction(0.0, 1.0, &mut buckets(&all)), 0.25);
        assert_eq!(bucket_fraction(0.5, 1.5, &mut buckets(&all)), 0.25);
        assert_eq!(bucket_fraction(-INF, INF, &mut buckets(&all)), 1.0);
        assert_eq!(bucket_fraction(2.0, 1.0, &mut buckets(&all)), 0.0);
    }
}
