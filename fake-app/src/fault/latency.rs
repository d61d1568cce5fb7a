//! Latency as it is written: by percentiles or by the name of a distribution.

use serde::{Deserialize, Serialize};

use super::Cohort;
use crate::duration::GoDuration;

/// How long answers take, by percentiles or by a named distribution.
///
/// Percentiles are met exactly. Between two of them, and beyond the outermost, the latency follows the log-normal curve through the two
/// nearest; beyond them it stays within ten times the last and a tenth of the first. One percentile alone is given a spread of sigma 0.5.
/// `min` and `max` bound it.
///
/// Example: `latency: {p50: 40ms, p95: 120ms, p99: 300ms}`, `latency: {distribution: {constant: 50ms}}`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Latency {
    /// The shortest latency there is. Example: `min: 5ms`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min: Option<GoDuration>,
    /// Half of the answers take no longer. Example: `p50: 40ms`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p50: Option<GoDuration>,
    /// Three quarters of the answers take no longer. Example: `p75: 60ms`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p75: Option<GoDuration>,
    /// Nine of ten answers take no longer. Example: `p90: 90ms`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p90: Option<GoDuration>,
    /// 95 of 100 answers take no longer. Example: `p95: 120ms`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p95: Option<GoDuration>,
    /// 99 of 100 answers take no longer. Example: `p99: 300ms`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p99: Option<GoDuration>,
    /// 999 of 1000 answers take no longer. Example: `p99.9: 1s`.
    #[serde(rename = "p99.9", skip_serializing_if = "Option::is_none")]
    pub p999: Option<GoDuration>,
    /// The longest latency there is. Example: `max: 2s`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max: Option<GoDuration>,

    /// A named distribution, in place of percentiles. Example: `distribution: {uniform: {min: 10ms, max: 50ms}}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub distribution: Option<Distribution>,

    /// Only these requests take so long. Example: `cohort: {header: {name: x-user, value: beta}}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cohort: Option<Cohort>,
}

/// A distribution by name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Distribution {
    /// Always the same. Example: `constant: 50ms`.
    Constant(GoDuration),
    /// Anything between two bounds, equally likely. Example: `uniform: {min: 10ms, max: 50ms}`.
    #[serde(rename_all = "kebab-case")]
    Uniform {
        /// The shortest. Example: `min: 10ms`.
        min: GoDuration,
        /// The longest. Example: `max: 50ms`.
        max: GoDuration,
    },
    /// The usual shape of latencies, cut off one in a million at either end. Example: `log-normal: {median: 40ms, sigma: 0.6}`.
    #[serde(rename_all = "kebab-case")]
    LogNormal {
        /// Half of the answers take no longer. Example: `median: 40ms`.
        median: GoDuration,
        /// The spread of the logarithm, 0 to 3. Example: `sigma: 0.6`.
        sigma: f64,
    },
}

/// A percentile as it was written: the key, the share of answers that take no longer, the duration.
pub(super) type Point = (&'static str, f64, GoDuration);

impl Latency {
    /// A healthy server: half of its answers within 5 ms, 95 % within 12 ms, 99 % within 25 ms.
    #[must_use]
    pub fn healthy() -> Self {
        Self {
            p50: Some(GoDuration::from_millis(5)),
            p95: Some(GoDuration::from_millis(12)),
            p99: Some(GoDuration::from_millis(25)),
            ..Self::default()
        }
    }

    /// Always the same.
    #[must_use]
    pub fn constant(latency: GoDuration) -> Self {
        Self { distribution: Some(Distribution::Constant(latency)), ..Self::default() }
    }

    /// The percentiles that were given, lowest first.
    pub(super) fn points(&self) -> Vec<Point> {
        [
            ("min", 0.0, self.min),
            ("p50", 0.5, self.p50),
            ("p75", 0.75, self.p75),
            ("p90", 0.9, self.p90),
            ("p95", 0.95, self.p95),
            ("p99", 0.99, self.p99),
            ("p99.9", 0.999, self.p999),
            ("max", 1.0, self.max),
        ]
        .into_iter()
        .filter_map(|(key, share, value)| Some((key, share, value?)))
        .collect()
    }
}
