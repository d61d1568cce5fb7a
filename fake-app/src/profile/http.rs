//! The names most hand-written exporters use.
//!
//! Clients disagree on `status` or `code`, `path` or `handler`; both of each are there, with the same value.

use super::custom::Unit;
use super::family::{Family, Measure, Source, buckets};
use crate::metrics::Style;

/// The default bounds of client_golang, made finer where service levels usually lie.
pub(super) const BOUNDS: [f64; 24] = [
    0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.75, 0.8, 1.0, 1.25, 1.5,
    2.0, 2.5, 3.0, 5.0, 7.5, 10.0,
];

pub(super) fn families() -> Vec<Family> {
    let labels = [
        ("code", Source::Status),
        ("handler", Source::Path),
        ("method", Source::Method),
        ("path", Source::Path),
        ("status", Source::Status),
    ];
    let time = Measure::Time(Unit::Seconds, buckets(&BOUNDS, Style::Go));
    vec![
        Family::new("http_requests_total", "Requests that were answered.", Measure::Count, &labels),
        Family::new("http_request_duration_seconds", "Duration of requests.", time, &labels),
    ]
}
