//! An Experiment: what it asks for and what is known of it (pkg/apis/rollouts/v1alpha1/experiment_types.go v1.9.1).

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use fake_app::duration;

use crate::argo::rollout::{AnalysisArgument, Condition, PodMetadata};
use crate::clock::Moment;

/// `spec`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Spec {
    pub(super) templates: Vec<Template>,
    pub(super) duration: String,
    pub(super) progress_deadline_seconds: Option<i32>,
    pub(super) terminate: bool,
    pub(super) analyses: Vec<Analysis>,
    pub(super) scale_down_delay_seconds: Option<i32>,
    pub(super) dry_run: Vec<Value>,
    pub(super) measurement_retention: Vec<Value>,
    pub(super) analysis_run_metadata: PodMetadata,
}

/// Pods that run side by side with others.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Template {
    pub(super) name: String,
    pub(super) replicas: Option<i32>,
    pub(super) min_ready_seconds: i32,
    pub(super) selector: Option<Value>,
    pub(super) template: Value,
    /// Present if they are to be reached; it may have a name.
    pub(super) service: Option<Map<String, Value>>,
}

/// An analysis.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Analysis {
    pub(super) name: String,
    pub(super) template_name: String,
    pub(super) cluster_scope: bool,
    pub(super) args: Vec<AnalysisArgument>,
    pub(super) required_for_completion: bool,
}

/// `status`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Status {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) phase: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) message: String,
    /// When all templates were running first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) available_at: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) template_statuses: Vec<TemplateStatus>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) analysis_runs: Vec<RunStatus>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) conditions: Vec<Condition>,
}

/// What is known of a template.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct TemplateStatus {
    pub(super) name: String,
    pub(super) replicas: i32,
    pub(super) updated_replicas: i32,
    pub(super) ready_replicas: i32,
    pub(super) available_replicas: i32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) collision_count: Option<i32>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) status: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) last_transition_time: Option<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) service_name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) pod_template_hash: String,
}

/// What is known of a run.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct RunStatus {
    pub(super) name: String,
    pub(super) analysis_run: String,
    pub(super) phase: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) message: String,
}

impl Spec {
    /// `GetExperimentProgressDeadlineSecondsOrDefault`.
    pub(super) fn deadline(&self) -> i32 {
        self.progress_deadline_seconds.unwrap_or(600)
    }

    /// `GetExperimentScaleDownDelaySecondsOrDefault`.
    pub(super) fn scale_down_delay(&self) -> Duration {
        seconds(self.scale_down_delay_seconds.unwrap_or(30))
    }

    /// How long it runs at most, if that is said and can be read.
    fn length(&self) -> Option<Duration> {
        if let Ok(number) = self.duration.parse() {
            return Some(seconds(number));
        }
        let nanos = duration::parse_nanos(&self.duration).ok()?;
        u64::try_from(nanos).ok().map(Duration::from_nanos)
    }

    /// When its time is over (`PassedDurations` in utils/experiment/experiment.go).
    pub(super) fn end(&self, status: &Status) -> Option<Moment> {
        let available = Moment::parse_rfc3339(status.available_at.as_deref()?)?;
        Some(available + self.length()?)
    }

    /// `HasRequiredAnalysisRuns`.
    pub(super) fn has_required(&self) -> bool {
        self.analyses.iter().any(|analysis| analysis.required_for_completion)
    }

    /// `RequiredAnalysisRunsSuccessful`.
    pub(super) fn required_successful(&self, status: &Status) -> bool {
        let mut required = self.analyses.iter().filter(|analysis| analysis.required_for_completion);
        let successful = |name: &str| status.run(name).is_some_and(|run| run.phase == "Successful");
        self.has_required() && required.all(|analysis| successful(&analysis.name))
    }

    /// `IsTerminating`.
    pub(super) fn is_terminating(&self, status: &Status) -> bool {
        let lost = |status: &TemplateStatus| matches!(status.status.as_str(), "Failed" | "Error");
        self.terminate
            || is_final(&status.phase)
            || status.template_statuses.iter().any(lost)
            || status.analysis_runs.iter().any(|run| is_bad(&run.phase))
            || self.required_successful(status)
    }

    /// `CalculateTemplateReplicasCount`.
    pub(super) fn wanted(&self, template: &Template, status: &Status) -> i32 {
        let done = status.template(&template.name).is_some_and(|status| is_final(&status.status));
        if self.is_terminating(status) || done { 0 } else { template.size() }
    }
}

impl Template {
    pub(super) fn size(&self) -> i32 {
        self.replicas.unwrap_or(1)
    }
}

impl Status {
    pub(super) fn template(&self, name: &str) -> Option<&TemplateStatus> {
        self.template_statuses.iter().find(|status| status.name == name)
    }

    pub(super) fn run(&self, name: &str) -> Option<&RunStatus> {
        self.analysis_runs.iter().find(|run| run.name == name)
    }

    pub(super) fn set_template(&mut self, new: TemplateStatus) {
        match self.template_statuses.iter_mut().find(|status| status.name == new.name) {
            Some(old) => *old = new,
            None => self.template_statuses.push(new),
        }
    }

    pub(super) fn set_run(&mut self, new: RunStatus) {
        match self.analysis_runs.iter_mut().find(|run| run.name == new.name) {
            Some(old) => *old = new,
            None => self.analysis_runs.push(new),
        }
    }
}

/// Whether a phase, or a template's status, is final.
pub(super) fn is_final(phase: &str) -> bool {
    phase == "Successful" || is_bad(phase)
}

/// Whether a phase is final and not a success.
pub(super) fn is_bad(phase: &str) -> bool {
    matches!(phase, "Failed" | "Error" | "Inconclusive")
}

/// Seconds that a person wrote; less than none are none.
pub(super) fn seconds(number: i32) -> Duration {
    Duration::from_secs(u64::try_from(number).unwrap_or(0))
}
