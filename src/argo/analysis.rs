//! AnalysisTemplates and AnalysisRuns, typed: what their authors wrote and what the controller made of it.
//!
//! Read leniently, as a Go struct reads JSON: `null` is absent, unknown fields are ignored. Specs are never written
//! back; a status is written as the difference between two of these, so nothing unknown is lost.
//! Upstream: `pkg/apis/rollouts/v1alpha1/analysis_types.go`, v1.9.1.

mod status;

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

pub use self::status::{AnalysisRunStatus, Measurement, MetricResult, Phase, RunSummary};

/// The spec of an AnalysisTemplate or ClusterAnalysisTemplate.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct AnalysisTemplateSpec {
    /// What to measure.
    #[serde(deserialize_with = "or_default")]
    pub metrics: Vec<Metric>,
    /// Arguments, with their default values.
    #[serde(deserialize_with = "or_default", skip_serializing_if = "Vec::is_empty")]
    pub args: Vec<Argument>,
    /// Metrics that cannot fail the run.
    #[serde(deserialize_with = "or_default", skip_serializing_if = "Vec::is_empty")]
    pub dry_run: Vec<DryRun>,
    /// How many measurements to keep.
    #[serde(deserialize_with = "or_default", skip_serializing_if = "Vec::is_empty")]
    pub measurement_retention: Vec<MeasurementRetention>,
    /// Templates whose metrics and arguments are added to these.
    #[serde(deserialize_with = "or_default", skip_serializing_if = "Vec::is_empty")]
    pub templates: Vec<TemplateRef>,
}

/// A reference from one template to another.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TemplateRef {
    /// The template's name.
    #[serde(deserialize_with = "or_default")]
    pub template_name: String,
    /// Whether it is a ClusterAnalysisTemplate.
    #[serde(deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub cluster_scope: bool,
}

/// The spec of an AnalysisRun: a snapshot of its templates.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct AnalysisRunSpec {
    /// What to measure.
    #[serde(deserialize_with = "or_default")]
    pub metrics: Vec<Metric>,
    /// Arguments, with their values.
    #[serde(deserialize_with = "or_default", skip_serializing_if = "Vec::is_empty")]
    pub args: Vec<Argument>,
    /// Somebody asked the run to end.
    #[serde(deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub terminate: bool,
    /// Metrics that cannot fail the run.
    #[serde(deserialize_with = "or_default", skip_serializing_if = "Vec::is_empty")]
    pub dry_run: Vec<DryRun>,
    /// How many measurements to keep.
    #[serde(deserialize_with = "or_default", skip_serializing_if = "Vec::is_empty")]
    pub measurement_retention: Vec<MeasurementRetention>,
    /// When a finished run may be deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ttl_strategy: Option<TtlStrategy>,
}

/// One metric: a query, when to ask it and what its answers mean.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Metric {
    /// Unique within the run.
    #[serde(deserialize_with = "or_default")]
    pub name: String,
    /// Time between measurements; empty for a single one.
    #[serde(deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub interval: String,
    /// Time before the first measurement.
    #[serde(deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub initial_delay: String,
    /// How many measurements count.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<IntOrString>,
    /// When a measurement is Successful.
    #[serde(deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub success_condition: String,
    /// When a measurement is Failed.
    #[serde(deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub failure_condition: String,
    /// How many Failed measurements are tolerated; -1 for any number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure_limit: Option<IntOrString>,
    /// How many Inconclusive measurements are tolerated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inconclusive_limit: Option<IntOrString>,
    /// How many Errors in a row are tolerated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub consecutive_error_limit: Option<IntOrString>,
    /// Whom to ask.
    #[serde(deserialize_with = "or_default")]
    pub provider: Provider,
    /// How many successes in a row end the metric early.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub consecutive_success_limit: Option<IntOrString>,
}

impl Metric {
    /// How many measurements the metric takes; `None` means until somebody ends it.
    #[must_use]
    pub fn effective_count(&self) -> Option<i64> {
        match self.count.as_ref().map_or(0, IntOrString::int) {
            0 if self.interval.is_empty() => Some(1),
            0 => None,
            count => Some(count),
        }
    }
}

/// Whom a metric asks. Only Prometheus is typed; the others are kept as written.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Provider {
    /// A Prometheus server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prometheus: Option<Prometheus>,
    /// Every other provider, by name.
    #[serde(flatten)]
    pub others: BTreeMap<String, Value>,
}

/// A question to a Prometheus server.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Prometheus {
    /// Base address of the server; empty for the controller's default.
    #[serde(deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub address: String,
    /// The query.
    #[serde(deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub query: String,
    /// How the controller shows who it is.
    #[serde(deserialize_with = "or_default", skip_serializing_if = "Value::is_null")]
    pub authentication: Value,
    /// How many seconds to wait for an answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<i64>,
    /// Skip the verification of the certificate.
    #[serde(deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub insecure: bool,
    /// Headers to send along.
    #[serde(deserialize_with = "or_default", skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<Header>,
    /// Ask for a range instead of an instant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub range_query: Option<RangeQuery>,
}

/// An HTTP header.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Header {
    /// Its name.
    #[serde(deserialize_with = "or_default")]
    pub key: String,
    /// Its value.
    #[serde(deserialize_with = "or_default")]
    pub value: String,
}

/// The range of a range query; `start` and `end` are expressions such as `now() - duration("5m")`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct RangeQuery {
    /// First moment.
    #[serde(deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub start: String,
    /// Last moment.
    #[serde(deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub end: String,
    /// Distance between samples.
    #[serde(deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub step: String,
}

/// An argument of a template or a run.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Argument {
    /// Its name.
    #[serde(deserialize_with = "or_default")]
    pub name: String,
    /// Its value. The empty string is a value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// Where its value comes from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value_from: Option<ValueFrom>,
}

/// Where an argument's value comes from.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ValueFrom {
    /// A key of a Secret, read at every measurement.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret_key_ref: Option<SecretKeyRef>,
    /// A field of the Rollout, read when the run is created.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field_ref: Option<Value>,
}

/// A key of a Secret in the run's namespace.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct SecretKeyRef {
    /// The Secret.
    #[serde(deserialize_with = "or_default")]
    pub name: String,
    /// The key.
    #[serde(deserialize_with = "or_default")]
    pub key: String,
}

/// Metrics whose outcome does not matter.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct DryRun {
    /// An unanchored regular expression over metric names.
    #[serde(deserialize_with = "or_default")]
    pub metric_name: String,
}

/// How many measurements of some metrics to keep.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct MeasurementRetention {
    /// An unanchored regular expression over metric names.
    #[serde(deserialize_with = "or_default")]
    pub metric_name: String,
    /// How many to keep.
    #[serde(deserialize_with = "or_default")]
    pub limit: i64,
}

/// When a finished run may be deleted.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TtlStrategy {
    /// After any ending.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds_after_completion: Option<i64>,
    /// After phase Failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds_after_failure: Option<i64>,
    /// After phase Successful.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds_after_success: Option<i64>,
}

/// An integer, or a text that should hold one once its arguments are resolved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum IntOrString {
    /// An integer.
    Int(i64),
    /// A text.
    String(String),
}

impl IntOrString {
    /// Its value; a text that is no integer is 0, as in `intstr.IntOrString.IntValue`.
    #[must_use]
    pub fn int(&self) -> i64 {
        match self {
            IntOrString::Int(value) => *value,
            IntOrString::String(text) => text.parse().unwrap_or(0),
        }
    }
}

/// `null` is absent, as it is for a Go struct.
fn or_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_status_survives_the_round_trip_as_go_writes_it() {
        let status = json!({
            "phase": "Running", "dryRunSummary": {}, "runSummary": {"count": 1}, "startedAt": "2026-01-01T00:00:00Z",
            "metricResults": [{"name": "errs", "phase": "Running", "count": 1, "successful": 1, "consecutiveSuccess": 1,
                "measurements": [{"phase": "Successful", "value": "[0]", "startedAt": "x", "finishedAt": "y"}]}],
        });
        let typed: AnalysisRunStatus = serde_json::from_value(status.clone()).unwrap();
        assert_eq!(serde_json::to_value(typed).unwrap(), status);
    }

    #[test]
    fn null_is_absent_and_the_empty_phase_is_none() {
        let status = json!({"phase": "", "metricResults": null, "message": null});
        let typed: AnalysisRunStatus = serde_json::from_value(status).unwrap();
        assert_eq!(typed, AnalysisRunStatus::default());
    }

    #[test]
    fn counts_may_be_text() {
        let metric: Metric =
            serde_json::from_value(json!({"name": "a", "count": "3", "interval": "1s"})).unwrap();
        assert_eq!(metric.effective_count(), Some(3));
        assert_eq!(Metric { count: None, ..metric.clone() }.effective_count(), None);
        assert_eq!(Metric { interval: String::new(), count: None, ..metric }.effective_count(), Some(1));
    }
}
