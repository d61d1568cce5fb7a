//! `status`, as the controller writes it.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{is_false, is_zero};

/// `status`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RolloutStatus {
    /// Aborted, by an analysis, a deadline or a person.
    #[serde(skip_serializing_if = "is_false")]
    pub abort: bool,
    /// Why it is paused.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub pause_conditions: Vec<PauseCondition>,
    /// Whether the controller itself paused it.
    #[serde(skip_serializing_if = "is_false")]
    pub controller_pause: bool,
    /// When it was aborted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aborted_at: Option<String>,
    /// The hash of the template last seen.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub current_pod_hash: String,
    /// The hash of the canary steps last seen.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub current_step_hash: String,
    /// Pods of all revisions.
    #[serde(skip_serializing_if = "is_zero")]
    pub replicas: i32,
    /// Pods of the new revision.
    #[serde(skip_serializing_if = "is_zero")]
    pub updated_replicas: i32,
    /// Ready pods.
    #[serde(skip_serializing_if = "is_zero")]
    pub ready_replicas: i32,
    /// Available pods.
    #[serde(skip_serializing_if = "is_zero")]
    pub available_replicas: i32,
    /// The canary step.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub current_step_index: Option<i32>,
    /// How often a ReplicaSet's name was taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub collision_count: Option<i32>,
    /// The generation last seen, as text.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub observed_generation: String,
    /// Conditions; their order decides the phase.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
    /// What belongs to a canary.
    pub canary: CanaryStatus,
    /// What belongs to a blue-green.
    pub blue_green: BlueGreenStatus,
    /// What a HorizontalPodAutoscaler counts.
    #[serde(rename = "HPAReplicas", skip_serializing_if = "is_zero")]
    pub hpa_replicas: i32,
    /// What a HorizontalPodAutoscaler selects.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub selector: String,
    /// The hash of the stable revision.
    #[serde(rename = "stableRS", skip_serializing_if = "String::is_empty")]
    pub stable_rs: String,
    /// When its pods were last restarted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub restarted_at: Option<String>,
    /// Asked to skip pauses and analyses.
    #[serde(skip_serializing_if = "is_false")]
    pub promote_full: bool,
    /// `Healthy`, `Degraded`, `Progressing` or `Paused`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub phase: String,
    /// Why.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub message: String,
    /// The generation of the borrowed template's owner, as text.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub workload_observed_generation: String,
    /// Whatever else is there.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

/// Why a Rollout is paused, and since when.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PauseCondition {
    /// `BlueGreenPause` for instance.
    pub reason: String,
    /// Since when.
    pub start_time: String,
}

/// One condition.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Condition {
    /// Its type, `Progressing` for instance.
    #[serde(rename = "type")]
    pub kind: String,
    /// Whether it holds.
    pub status: ConditionStatus,
    /// When it was last written.
    pub last_update_time: String,
    /// When `status` last changed.
    pub last_transition_time: String,
    /// A word.
    pub reason: String,
    /// A sentence.
    pub message: String,
}

/// Whether a condition holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum ConditionStatus {
    /// It does.
    True,
    /// It does not.
    False,
    /// Nobody can say.
    #[default]
    Unknown,
}

/// `status.blueGreen`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct BlueGreenStatus {
    /// The hash the preview Service selects.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub preview_selector: String,
    /// The hash the active Service selects.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub active_selector: String,
    /// Whether the preview may grow to full size.
    #[serde(skip_serializing_if = "is_false")]
    pub scale_up_preview_check_point: bool,
    /// The run before promotion.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pre_promotion_analysis_run_status: Option<AnalysisRunRef>,
    /// The run after promotion.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub post_promotion_analysis_run_status: Option<AnalysisRunRef>,
}

/// `status.canary`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct CanaryStatus {
    /// The run of the current step.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub current_step_analysis_run_status: Option<AnalysisRunRef>,
    /// The run in the background.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub current_background_analysis_run_status: Option<AnalysisRunRef>,
    /// The experiment of the current step.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub current_experiment: String,
    /// How the traffic is shared out; only with traffic routing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weights: Option<TrafficWeights>,
    /// Whether `ping` or `pong` is the stable Service.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub stable_ping_pong: String,
    /// What the plugins of steps say, as JSON.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub step_plugin_statuses: Vec<Value>,
}

/// `status.canary.weights`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TrafficWeights {
    /// What the new revision gets.
    pub canary: WeightDestination,
    /// What the stable revision gets.
    pub stable: WeightDestination,
    /// What experiments get.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub additional: Vec<WeightDestination>,
    /// Whether the router confirms it, where it can.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verified: Option<bool>,
}

/// A share of the traffic, and who gets it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct WeightDestination {
    /// How much.
    pub weight: i32,
    /// Through which Service.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub service_name: String,
    /// Which revision.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub pod_template_hash: String,
}

/// An AnalysisRun as a Rollout last saw it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct AnalysisRunRef {
    /// Its name.
    pub name: String,
    /// Its phase; empty before it has one.
    pub status: String,
    /// Its message.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub message: String,
}

impl RolloutStatus {
    /// The condition of this type.
    #[must_use]
    pub fn condition(&self, kind: &str) -> Option<&Condition> {
        self.conditions.iter().find(|condition| condition.kind == kind)
    }

    /// The pause with this reason.
    #[must_use]
    pub fn pause(&self, reason: &str) -> Option<&PauseCondition> {
        self.pause_conditions.iter().find(|pause| pause.reason == reason)
    }
}
