//! Spring Boot 3 with Micrometer.
//!
//! Names and labels of `http.server.requests` as `DefaultServerRequestObservationConvention` gives them (spring-web 6.1), through the
//! Prometheus registry. Buckets: those of `percentiles-histogram` (`PercentileHistogramBuckets`, micrometer-core 1.13) between 1 ms and
//! 30 s, joined with the service level objectives that people configure, so that a query may name `le="0.8"`.
//! Differs from Spring: probes and scrapes are not counted, so that a fault is not diluted by them.

use super::custom::Unit;
use super::family::{Family, Measure, Source, buckets};
use crate::metrics::Style;

pub(super) fn families() -> Vec<Family> {
    let labels = [
        ("error", Source::Exception),
        ("exception", Source::Exception),
        ("method", Source::Method),
        ("outcome", Source::Outcome),
        ("status", Source::Status),
        ("uri", Source::Path),
    ];
    let time = Measure::Time(Unit::Seconds, buckets(&bounds(), Style::Java));
    vec![
        Family::new("http_server_requests_seconds", "Duration of HTTP server requests.", time, &labels),
        Family::new(
            "http_server_requests_seconds_max",
            "Longest HTTP server request of the last minutes.",
            Measure::Longest(Unit::Seconds),
            &labels,
        ),
    ]
}

const OBJECTIVES: [f64; 11] = [0.05, 0.1, 0.2, 0.25, 0.3, 0.5, 0.8, 1.0, 2.0, 3.0, 5.0];
const LEAST: u64 = 1_000_000;
const MOST: u64 = 30_000_000_000;

fn bounds() -> Vec<f64> {
    let generated = percentile_nanos().into_iter().filter(|nanos| (LEAST..=MOST).contains(nanos));
    let mut all: Vec<f64> =
        generated.chain([LEAST, MOST]).map(|nanos| nanos as f64 / 1e9).chain(OBJECTIVES).collect();
    all.sort_by(f64::total_cmp);
    all.dedup();
    all
}

/// Each power of four is followed by steps of a third of it, up to the next.
fn percentile_nanos() -> Vec<u64> {
    let mut nanos = Vec::new();
    for exponent in (2..62).step_by(2) {
        let power = 1_u64 << exponent;
        let step = power / 3;
        let end = power * 4 - step;
        nanos.extend((0..).map(|n| power + n * step).take_while(|n| *n < end));
    }
    nanos
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_generated_bounds_are_those_of_micrometer() {
        let bounds = bounds();
        for known in [
            0.001,
            0.001_048_576,
            0.001_398_101,
            0.003_844_775,
            0.067_108_864,
            0.089_478_485,
            0.805_306_366,
            1.073_741_824,
            28.633_115_306,
            30.0,
        ] {
            assert!(bounds.iter().any(|bound| (bound - known).abs() < 2e-9), "{known} is missing");
        }
    }

    #[test]
    fn eight_hundred_milliseconds_can_be_measured() {
        let bounds = bounds();
        assert!(bounds.contains(&0.8));
        let coarse = bounds
            .windows(2)
            .filter(|pair| pair[0] >= 0.05 && pair[1] <= 5.0)
            .map(|pair| pair[1] / pair[0])
            .fold(1.0, f64::max);
        assert!(coarse < 1.4, "a step of {coarse}");
    }
}
