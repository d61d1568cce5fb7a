//! A latency distribution as a table: the share of answers on one axis, nanoseconds on the other, straight lines between.
//!
//! The table *is* the distribution. Curves are sampled into it once, so that a draw is one lookup and one interpolation with no logarithm
//! on the way: it costs nanoseconds, and gives the same bits wherever it is computed. All tables share the same knots, finer towards the
//! tails, and every percentile that can be written is one of them; so what was asked is met exactly, and a blend of two tables is again one.

use std::time::Duration;

use super::latency::{Distribution, Latency};
use super::normal;

/// The shares at which the fineness changes. Every key of [`Latency`] is among them.
const BREAKS: [f64; 14] =
    [0.0, 0.0001, 0.001, 0.01, 0.05, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 0.9999, 1.0];
const SEGMENTS: usize = BREAKS.len() - 1;
/// Straight pieces between two breaks.
const PIECES: usize = 64;
const KNOTS: usize = SEGMENTS * PIECES + 1;
/// Pieces per unit of share in each segment, so that a draw multiplies and never divides.
const SCALES: [f64; SEGMENTS] = {
    let mut scales = [0.0; SEGMENTS];
    let mut segment = 0;
    while segment < SEGMENTS {
        scales[segment] = PIECES as f64 / (BREAKS[segment + 1] - BREAKS[segment]);
        segment += 1;
    }
    scales
};

/// The spread that a single percentile is given.
const LONE_SIGMA: f64 = 0.5;
/// How far beyond the outermost percentile the curve may run.
const REACH: f64 = 10.0;

/// The distribution of a latency.
#[derive(Debug, Clone, PartialEq)]
pub struct Quantiles {
    // Nanoseconds, rounded to whole ones: the last bits of a logarithm may differ between machines, these do not.
    knots: Box<[f64]>,
}

impl Quantiles {
    /// The table of a latency that was checked before.
    pub(super) fn of(latency: &Latency) -> Self {
        match &latency.distribution {
            Some(Distribution::Constant(value)) => Self::sample(|_| nanos(value.0)),
            Some(Distribution::Uniform { min, max }) => {
                let (min, max) = (nanos(min.0), nanos(max.0));
                Self::sample(|q| min + (max - min) * q)
            }
            Some(Distribution::LogNormal { median, sigma }) => {
                let median = nanos(median.0);
                Self::sample(|q| median * (normal::quantile(q) * sigma).exp())
            }
            None => Self::through(latency),
        }
    }

    /// The latency that the share `q` of all answers does not exceed.
    #[must_use]
    pub fn at(&self, q: f64) -> Duration {
        let (index, between) = locate(q);
        duration(self.interpolate(index, between))
    }

    /// The share of answers that take no longer than `limit`.
    #[must_use]
    pub fn share_within(&self, limit: Duration) -> f64 {
        share_within(limit, |index| self.knots[index])
    }

    /// The same two questions to the blend that lies `strength` of the way from `self` to `other`.
    pub(super) fn blend_at(&self, other: &Self, strength: f64, q: f64) -> Duration {
        let (index, between) = locate(q);
        let (from, to) = (self.interpolate(index, between), other.interpolate(index, between));
        duration(from + (to - from) * strength)
    }

    pub(super) fn blend_share_within(&self, other: &Self, strength: f64, limit: Duration) -> f64 {
        share_within(limit, |index| self.knots[index] + (other.knots[index] - self.knots[index]) * strength)
    }

    fn interpolate(&self, index: usize, between: f64) -> f64 {
        let (low, high) = (self.knots[index], self.knots[index + 1]);
        low + (high - low) * between
    }

    fn sample(value: impl Fn(f64) -> f64) -> Self {
        Self { knots: (0..KNOTS).map(|index| value(share(index)).round()).collect() }
    }

    /// The curve through the given percentiles: straight lines on log-normal paper.
    fn through(latency: &Latency) -> Self {
        let points: Vec<(f64, f64)> = latency
            .points()
            .iter()
            .map(|(_, q, value)| (normal::quantile(*q), nanos(value.0).ln()))
            .collect();
        Self::sample(|q| curve(&points, normal::quantile(q)).exp())
    }
}

/// The height at `z` of the line through the two points nearest to it; beyond the outermost within [`REACH`].
fn curve(points: &[(f64, f64)], z: f64) -> f64 {
    let (Some(first), Some(last)) = (points.first(), points.last()) else {
        // `check` refuses a latency without points; a table must still be total.
        return 0.0;
    };
    let right = points.partition_point(|(x, _)| *x < z).clamp(1, points.len().max(2) - 1);
    let (x0, y0) = points[right - 1];
    let slope = points.get(right).map_or(LONE_SIGMA, |(x1, y1)| (y1 - y0) / (x1 - x0));
    (y0 + slope * (z - x0)).clamp(first.1 - REACH.ln(), last.1 + REACH.ln())
}

/// The share at which a knot stands.
fn share(index: usize) -> f64 {
    let segment = (index / PIECES).min(SEGMENTS - 1);
    let within = (index - segment * PIECES) as f64 / PIECES as f64;
    BREAKS[segment] + (BREAKS[segment + 1] - BREAKS[segment]) * within
}

/// The knot at or before the share `q`, and how far `q` lies on the way to the next one.
fn locate(q: f64) -> (usize, f64) {
    // NaN becomes zero here: a table has no business failing.
    let q = if q > 0.0 { q.min(1.0) } else { 0.0 };
    // A count without branches beats a search over so few breaks.
    let segment = BREAKS[1..SEGMENTS].iter().map(|edge| usize::from(q >= *edge)).sum::<usize>();
    let piece = (q - BREAKS[segment]) * SCALES[segment];
    let whole = (piece as usize).min(PIECES - 1);
    (segment * PIECES + whole, piece - whole as f64)
}

/// Where the knots, which never fall, pass `limit`.
fn share_within(limit: Duration, knot: impl Fn(usize) -> f64) -> f64 {
    let limit = nanos(limit);
    let (mut low, mut high) = (0, KNOTS);
    while low < high {
        let middle = usize::midpoint(low, high);
        if knot(middle) <= limit { low = middle + 1 } else { high = middle }
    }
    match low {
        0 => 0.0,
        KNOTS => 1.0,
        above => {
            let (from, to) = (knot(above - 1), knot(above));
            let (left, right) = (share(above - 1), share(above));
            left + (right - left) * (limit - from) / (to - from)
        }
    }
}

fn nanos(duration: Duration) -> f64 {
    duration.as_nanos() as f64
}

fn duration(nanos: f64) -> Duration {
    // To the nearest: a percentile must not lose its last nanosecond to the interpolation.
    Duration::from_nanos((nanos + 0.5) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(json: &str) -> Quantiles {
        Quantiles::of(&serde_json::from_str(json).unwrap())
    }

    fn check(json: &str, expect: &[(f64, u64)]) {
        let table = table(json);
        for (q, micros) in expect {
            assert_eq!(table.at(*q).as_micros() as u64, *micros, "{json} at {q}");
        }
    }

    #[test]
    fn percentiles_are_met_exactly() {
        check(
            r#"{"p50": "40ms", "p75": "55ms", "p90": "90ms", "p95": "120ms", "p99": "300ms", "p99.9": "1s", "max": "2s"}"#,
            &[
                (0.5, 40_000),
                (0.75, 55_000),
                (0.9, 90_000),
                (0.95, 120_000),
                (0.99, 300_000),
                (0.999, 1_000_000),
                (1.0, 2_000_000),
            ],
        );
    }

    #[test]
    fn a_constant_has_no_spread() {
        check(r#"{"distribution": {"constant": "50ms"}}"#, &[(0.0, 50_000), (0.5, 50_000), (1.0, 50_000)]);
    }

    #[test]
    fn a_uniform_is_a_straight_line() {
        check(
            r#"{"distribution": {"uniform": {"min": "10ms", "max": "50ms"}}}"#,
            &[(0.0, 10_000), (0.25, 20_000), (0.6, 34_000), (1.0, 50_000)],
        );
    }

    #[test]
    fn a_log_normal_has_its_quantiles() {
        // 40 ms * exp(0.6 z) for z of 0.95 and 0.999.
        check(
            r#"{"distribution": {"log-normal": {"median": "40ms", "sigma": 0.6}}}"#,
            &[(0.5, 40_000), (0.95, 107_317), (0.999, 255_447)],
        );
    }

    #[test]
    fn two_percentiles_make_a_log_normal() {
        let asked = table(r#"{"p50": "40ms", "p95": "120ms"}"#);
        let sigma = 3.0_f64.ln() / normal::quantile(0.95);
        for q in [0.02, 0.3, 0.7, 0.97, 0.995] {
            let expect = 0.04 * (sigma * normal::quantile(q)).exp();
            let got = asked.at(q).as_secs_f64();
            assert!((got / expect - 1.0).abs() < 0.001, "{q}: {got} is not {expect}");
        }
    }

    #[test]
    fn a_steep_curve_is_held_within_ten_times_the_last_percentile() {
        check(r#"{"p50": "1ms", "p95": "10s"}"#, &[(0.0, 100), (1.0, 100_000_000)]);
    }

    #[test]
    fn nonsense_shares_answer_with_the_ends() {
        let table = table(r#"{"min": "1ms", "p50": "2ms", "max": "3ms"}"#);
        assert_eq!(table.at(-1.0), Duration::from_millis(1));
        assert_eq!(table.at(f64::NAN), Duration::from_millis(1));
        assert_eq!(table.at(7.0), Duration::from_millis(3));
    }

    #[test]
    fn the_share_within_a_limit_inverts_the_quantile() {
        let table = table(r#"{"p50": "40ms", "p95": "120ms"}"#);
        for q in [0.001, 0.2, 0.5, 0.93, 0.95, 0.9991] {
            assert!((table.share_within(table.at(q)) - q).abs() < 1e-6, "{q}");
        }
        assert_eq!(table.share_within(Duration::ZERO), 0.0);
        assert_eq!(table.share_within(Duration::from_secs(60)), 1.0);
    }

    #[test]
    fn a_constant_lies_wholly_within_itself() {
        let table = table(r#"{"distribution": {"constant": "50ms"}}"#);
        assert_eq!(table.share_within(Duration::from_millis(50)), 1.0);
        assert_eq!(table.share_within(Duration::from_micros(49_999)), 0.0);
    }
}
