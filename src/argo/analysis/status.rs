//! What the controller made of a run: phases, counters, measurements.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};

use super::{is_default, or_default};

/// The phase of a run, a metric or a measurement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "each variant is Argo's phase of the same name")]
pub enum Phase {
    Pending,
    Running,
    Successful,
    Failed,
    Error,
    Inconclusive,
}

impl Phase {
    /// Whether it is final.
    #[must_use]
    pub fn completed(self) -> bool {
        !matches!(self, Phase::Pending | Phase::Running)
    }

    /// Rank from mild to bad, as `analysisStatusOrder` in upstream `utils/analysis/helpers.go`.
    #[must_use]
    pub fn severity(self) -> u8 {
        match self {
            Phase::Successful => 0,
            Phase::Running => 1,
            Phase::Pending => 2,
            Phase::Inconclusive => 3,
            Phase::Error => 4,
            Phase::Failed => 5,
        }
    }

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Phase::Pending => "Pending",
            Phase::Running => "Running",
            Phase::Successful => "Successful",
            Phase::Failed => "Failed",
            Phase::Error => "Error",
            Phase::Inconclusive => "Inconclusive",
        }
    }
}

impl std::fmt::Display for Phase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// The status of an AnalysisRun.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct AnalysisRunStatus {
    /// The worst phase of its metrics once all are final.
    #[serde(deserialize_with = "phase", skip_serializing_if = "Option::is_none")]
    pub phase: Option<Phase>,
    /// Why it is not Successful.
    #[serde(deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub message: String,
    /// One entry per metric that was measured.
    #[serde(deserialize_with = "or_default", skip_serializing_if = "Vec::is_empty")]
    pub metric_results: Vec<MetricResult>,
    /// When its first reconcile ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_at: Option<String>,
    /// Metrics by outcome.
    #[serde(deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub run_summary: RunSummary,
    /// Dry-run metrics by outcome.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dry_run_summary: Option<RunSummary>,
    /// When it became final.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub completed_at: Option<String>,
}

/// Metrics by outcome.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[expect(missing_docs, reason = "each field counts the metrics in the phase of that name")]
pub struct RunSummary {
    #[serde(skip_serializing_if = "is_default")]
    pub count: i64,
    #[serde(skip_serializing_if = "is_default")]
    pub successful: i64,
    #[serde(skip_serializing_if = "is_default")]
    pub failed: i64,
    #[serde(skip_serializing_if = "is_default")]
    pub inconclusive: i64,
    #[serde(skip_serializing_if = "is_default")]
    pub error: i64,
}

/// What became of one metric.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct MetricResult {
    /// The metric.
    #[serde(deserialize_with = "or_default")]
    pub name: String,
    /// Its phase.
    #[serde(deserialize_with = "phase", skip_serializing_if = "Option::is_none")]
    pub phase: Option<Phase>,
    /// Its newest measurements, oldest first.
    #[serde(deserialize_with = "or_default", skip_serializing_if = "Vec::is_empty")]
    pub measurements: Vec<Measurement>,
    /// The message of the measurement that ended it.
    #[serde(deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub message: String,
    /// Measurements that count: all but Errors.
    #[serde(skip_serializing_if = "is_default")]
    pub count: i64,
    /// Successful measurements.
    #[serde(skip_serializing_if = "is_default")]
    pub successful: i64,
    /// Failed measurements.
    #[serde(skip_serializing_if = "is_default")]
    pub failed: i64,
    /// Inconclusive measurements.
    #[serde(skip_serializing_if = "is_default")]
    pub inconclusive: i64,
    /// Measurements that ended in an Error.
    #[serde(skip_serializing_if = "is_default")]
    pub error: i64,
    /// Errors since the last measurement that was none.
    #[serde(skip_serializing_if = "is_default")]
    pub consecutive_error: i64,
    /// Whether its outcome does not matter.
    #[serde(skip_serializing_if = "is_default")]
    pub dry_run: bool,
    /// For Prometheus the query as it was sent.
    #[serde(deserialize_with = "or_default", skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
    /// Successes since the last measurement that was none.
    #[serde(skip_serializing_if = "is_default")]
    pub consecutive_success: i64,
}

/// One measurement.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Measurement {
    /// Its phase.
    #[serde(deserialize_with = "phase", skip_serializing_if = "Option::is_none")]
    pub phase: Option<Phase>,
    /// The error, if it ended in one.
    #[serde(deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub message: String,
    /// When it was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_at: Option<String>,
    /// When it was answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<String>,
    /// The answer as text; none for an Error.
    #[serde(deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub value: String,
    /// Warnings of the provider.
    #[serde(deserialize_with = "or_default", skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
    /// When an unfinished measurement wants to be looked at again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resume_at: Option<String>,
}

/// The empty phase is none.
fn phase<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Phase>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?.unwrap_or_default();
    if text.is_empty() {
        return Ok(None);
    }
    Phase::deserialize(serde::de::value::StringDeserializer::new(text)).map(Some)
}
