//! A Rollout, typed by hand: what the controller reads, and everything else carried along untouched.
//!
//! Field names and which of them vanish when empty follow `pkg/apis/rollouts/v1alpha1/types.go` of v1.9.1, because
//! the controller rewrites the whole object when it sets the revision, and what it drops or adds then is visible
//! (a `paused: false` goes, `resources: {}` comes). Pod templates stay JSON, and so do the traffic routers that are not
//! imitated. This module knows the shape only; what a Rollout does is `twin::rollouts`' affair.

mod canary;
mod istio;
mod status;
mod steps;
mod workload;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

pub use self::canary::{
    BackgroundAnalysis, Canary, ManagedRoute, Nginx, PingPong, ProgressThreshold, TrafficRouting,
};
pub use self::istio::{Istio, IstioDestinationRule, IstioTcpRoute, IstioTlsRoute, IstioVirtualService};
pub use self::status::{
    AnalysisRunRef, BlueGreenStatus, CanaryStatus, Condition, ConditionStatus, PauseCondition, RolloutStatus,
    TrafficWeights, WeightDestination,
};
pub use self::steps::{
    CanaryScale, CanaryStep, ExperimentStep, ExperimentTemplate, HeaderMatch, HeaderRoute, MirrorRoute,
    Pause, RouteMatch, StringMatch,
};
pub use self::workload::{WORKLOAD_GENERATION, WorkloadRef};

/// The label that tells the ReplicaSets, pods and AnalysisRuns of one revision from those of another.
pub const HASH_LABEL: &str = "rollouts-pod-template-hash";
/// The Service annotation that names the Rollout which steers it.
pub const MANAGED_BY: &str = "argo-rollouts.argoproj.io/managed-by-rollouts";
/// The annotation with an object's revision number.
pub const REVISION: &str = "rollout.argoproj.io/revision";
/// The label that assigns a Rollout to one of several controllers.
pub const INSTANCE_ID_LABEL: &str = "argo-rollouts.argoproj.io/controller-instance-id";

/// A Rollout.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Rollout {
    /// `argoproj.io/v1alpha1`.
    pub api_version: String,
    /// `Rollout`.
    pub kind: String,
    /// Name, labels, annotations and what the server keeps.
    pub metadata: Metadata,
    /// What is wanted.
    pub spec: RolloutSpec,
    /// What the controller last wrote.
    pub status: RolloutStatus,
    /// Whatever else the object carries.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

/// The part of an object's metadata that the controller reads.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Metadata {
    /// Its name.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Its namespace.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub namespace: String,
    /// Its identity for as long as it lives.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub uid: String,
    /// Its version; empty means that the newest one may be overwritten.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub resource_version: String,
    /// How often its spec has changed.
    #[serde(skip_serializing_if = "is_zero_i64")]
    pub generation: i64,
    /// Set once it is being deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deletion_timestamp: Option<String>,
    /// Its labels.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// Its annotations.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
    /// Whatever else is there.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

/// `spec`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RolloutSpec {
    /// How many pods.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replicas: Option<i32>,
    /// Which pods and ReplicaSets are its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub selector: Option<LabelSelector>,
    /// The pod template, as JSON.
    #[serde(skip_serializing_if = "Value::is_null")]
    pub template: Value,
    /// Where the template is borrowed from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workload_ref: Option<WorkloadRef>,
    /// Whether the template is a borrowed one: then it is never written.
    #[serde(skip)]
    pub borrows_template: bool,
    /// Whether the selector is a borrowed one: then it is never written.
    #[serde(skip)]
    pub borrows_selector: bool,
    /// How long a pod must be ready to count as available.
    #[serde(skip_serializing_if = "is_zero")]
    pub min_ready_seconds: i32,
    /// How far back a revision may lie to skip its pauses and analyses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rollback_window: Option<RollbackWindow>,
    /// How a new revision takes over.
    pub strategy: Strategy,
    /// How many old ReplicaSets are kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revision_history_limit: Option<i32>,
    /// Paused by a person.
    #[serde(skip_serializing_if = "is_false")]
    pub paused: bool,
    /// After how many seconds without progress an update counts as stuck.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub progress_deadline_seconds: Option<i32>,
    /// Whether a stuck update aborts.
    #[serde(skip_serializing_if = "is_false")]
    pub progress_deadline_abort: bool,
    /// Pods older than this are restarted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub restart_at: Option<String>,
    /// How many finished AnalysisRuns are kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub analysis: Option<AnalysisHistory>,
    /// Whatever else is there.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

/// `spec.selector`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct LabelSelector {
    /// Labels that must be there with this value.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub match_labels: BTreeMap<String, String>,
    /// Conditions on labels.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub match_expressions: Vec<Requirement>,
}

/// One condition on a label.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Requirement {
    /// The label.
    pub key: String,
    /// `In`, `NotIn`, `Exists` or `DoesNotExist`.
    pub operator: String,
    /// The values to compare with.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<String>,
}

/// `spec.rollbackWindow`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct RollbackWindow {
    /// How many revisions back.
    #[serde(skip_serializing_if = "is_zero")]
    pub revisions: i32,
}

/// `spec.strategy`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Strategy {
    /// All at once, behind a Service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blue_green: Option<BlueGreen>,
    /// Step by step.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub canary: Option<Canary>,
    /// Whatever else is there.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

/// `spec.strategy.blueGreen`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct BlueGreen {
    /// The Service that users reach.
    pub active_service: String,
    /// The Service that reaches the new revision before users do.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub preview_service: String,
    /// How many pods of the new revision run before it is promoted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preview_replica_count: Option<i32>,
    /// Whether promotion needs a person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auto_promotion_enabled: Option<bool>,
    /// How long to wait before promoting.
    #[serde(skip_serializing_if = "is_zero")]
    pub auto_promotion_seconds: i32,
    /// How many pods a restart may take away at once, a number or a percentage.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_unavailable: Option<Value>,
    /// How long the old revision is kept after promotion.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scale_down_delay_seconds: Option<i32>,
    /// How many old revisions may be kept that way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scale_down_delay_revision_limit: Option<i32>,
    /// Analysis before users reach the new revision.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pre_promotion_analysis: Option<RolloutAnalysis>,
    /// Keeps the pods of two revisions apart.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub anti_affinity: Option<AntiAffinity>,
    /// Analysis while users are on the new revision.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub post_promotion_analysis: Option<RolloutAnalysis>,
    /// Labels and annotations of pods before promotion.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preview_metadata: Option<PodMetadata>,
    /// Labels and annotations of pods after promotion.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub active_metadata: Option<PodMetadata>,
    /// How long an aborted revision is kept; zero means for ever.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub abort_scale_down_delay_seconds: Option<i32>,
    /// Whatever else is there.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

/// `antiAffinity`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct AntiAffinity {
    /// A wish, with a weight from 1 to 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preferred_during_scheduling_ignored_during_execution: Option<PreferredAntiAffinity>,
    /// A demand.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub required_during_scheduling_ignored_during_execution: Option<Value>,
}

/// The weight of a wish.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct PreferredAntiAffinity {
    /// From 1 to 100.
    pub weight: i32,
}

/// Labels and annotations.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct PodMetadata {
    /// Labels.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// Annotations.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

/// `spec.analysis`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct AnalysisHistory {
    /// How many successful runs are kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub successful_run_history_limit: Option<i32>,
    /// How many others are kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unsuccessful_run_history_limit: Option<i32>,
}

/// An analysis a Rollout asks for.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RolloutAnalysis {
    /// Which templates, merged into one run.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub templates: Vec<TemplateRef>,
    /// Arguments for them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub args: Vec<AnalysisArgument>,
    /// Metrics that only look.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dry_run: Vec<Value>,
    /// How many measurements are kept.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub measurement_retention: Vec<Value>,
    /// Labels and annotations of the run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub analysis_run_metadata: Option<PodMetadata>,
    /// Whatever else is there.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

/// A reference to an AnalysisTemplate or ClusterAnalysisTemplate.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TemplateRef {
    /// Its name.
    pub template_name: String,
    /// Whether it is a ClusterAnalysisTemplate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cluster_scope: Option<bool>,
}

/// An argument a Rollout passes to its analysis.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct AnalysisArgument {
    /// Its name.
    pub name: String,
    /// Its value; an argument with only a name is the empty string.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub value: String,
    /// Where the value comes from instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value_from: Option<ArgumentSource>,
}

/// Where an argument's value comes from.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ArgumentSource {
    /// `Latest` or `Stable`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pod_template_hash_value: Option<String>,
    /// A field of the Rollout.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field_ref: Option<FieldRef>,
}

/// A field of the Rollout.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct FieldRef {
    /// Its path.
    pub field_path: String,
}

impl Rollout {
    /// Reads a Rollout and normalises it, as the controller does before it looks at one (`remarshalRollout` in
    /// rollout/controller.go v1.9.1): nulls go, every container gets its `resources`.
    ///
    /// # Errors
    /// A sentence that names the type that does not fit, where a CRD schema would have refused the object.
    pub fn read(object: &Value) -> Result<Rollout, String> {
        let plain = if has_nulls(object) { without_nulls(object) } else { object.clone() };
        let mut rollout: Rollout = serde_json::from_value(plain).map_err(|error| error.to_string())?;
        normalise_template(&mut rollout.spec.template);
        Ok(rollout)
    }

    /// The whole object, as it would be sent: without what it has borrowed (`MarshalJSON` in types.go v1.9.1).
    #[must_use]
    pub fn to_value(&self) -> Value {
        let mut object = serde_json::to_value(self).expect("string keys and plain data always serialise");
        self.spec.withhold_borrowed(&mut object["spec"]);
        object
    }

    /// How many pods it wants; one when it does not say (utils/defaults/defaults.go v1.9.1).
    #[must_use]
    pub fn replicas(&self) -> i32 {
        self.spec.replicas.unwrap_or(1)
    }

    /// The revision number in its annotation; zero when there is none that can be read.
    #[must_use]
    pub fn revision(&self) -> i64 {
        self.metadata.annotations.get(REVISION).and_then(|text| text.parse().ok()).unwrap_or(0)
    }

    /// Whether the newest revision is the stable one (`IsFullyPromoted` in utils/rollout/rolloututil.go v1.9.1).
    #[must_use]
    pub fn is_fully_promoted(&self) -> bool {
        self.status.stable_rs == self.status.current_pod_hash
    }
}

impl LabelSelector {
    /// Whether labels satisfy it. An unknown operator satisfies nobody.
    #[must_use]
    pub fn matches(&self, labels: &BTreeMap<&str, &str>) -> bool {
        let same = |(key, value): (&String, &String)| labels.get(key.as_str()) == Some(&value.as_str());
        self.match_labels.iter().all(same) && self.match_expressions.iter().all(|one| one.holds(labels))
    }

    /// As `metav1.FormatLabelSelector` writes it: `app=app,tier in (a,b)`.
    #[must_use]
    pub fn format(&self) -> String {
        let mut parts: Vec<(&str, String)> =
            self.match_labels.iter().map(|(key, value)| (key.as_str(), format!("{key}={value}"))).collect();
        parts.extend(self.match_expressions.iter().map(|one| (one.key.as_str(), one.format())));
        parts.sort_by(|left, right| left.0.cmp(right.0));
        let texts: Vec<String> = parts.into_iter().map(|(_, text)| text).collect();
        if texts.is_empty() { "<none>".into() } else { texts.join(",") }
    }
}

impl Requirement {
    fn holds(&self, labels: &BTreeMap<&str, &str>) -> bool {
        let value = labels.get(self.key.as_str());
        let listed = |value: &&str| self.values.iter().any(|one| one == value);
        match self.operator.as_str() {
            "In" => value.is_some_and(listed),
            "NotIn" => !value.is_some_and(listed),
            "Exists" => value.is_some(),
            "DoesNotExist" => value.is_none(),
            _ => false,
        }
    }

    fn format(&self) -> String {
        let mut values = self.values.clone();
        values.sort();
        match self.operator.as_str() {
            "In" => format!("{} in ({})", self.key, values.join(",")),
            "NotIn" => format!("{} notin ({})", self.key, values.join(",")),
            "DoesNotExist" => format!("!{}", self.key),
            _ => self.key.clone(),
        }
    }
}

fn has_nulls(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Object(map) => map.values().any(has_nulls),
        Value::Array(items) => items.iter().any(has_nulls),
        _ => false,
    }
}

/// Go reads a null as the zero value; so a null is as good as absent.
fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let kept = map.iter().filter(|(_, value)| !value.is_null());
            Value::Object(kept.map(|(key, value)| (key.clone(), without_nulls(value))).collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(without_nulls).collect()),
        other => other.clone(),
    }
}

/// A container's `resources` is not optional in Go, so a round trip through it makes them appear.
fn normalise_template(template: &mut Value) {
    for list in ["containers", "initContainers"] {
        let containers = template.pointer_mut(&format!("/spec/{list}")).and_then(Value::as_array_mut);
        for container in containers.into_iter().flatten().filter_map(Value::as_object_mut) {
            container.entry("resources").or_insert_with(|| json!({}));
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn is_zero(number: &i32) -> bool {
    *number == 0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn is_zero_i64(number: &i64) -> bool {
    *number == 0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn is_false(flag: &bool) -> bool {
    !*flag
}

#[cfg(test)]
mod tests;
