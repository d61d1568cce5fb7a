//! `spec.strategy.canary.steps`.
//!
//! Which fields vanish when empty matters here as well: the steps are hashed as Go writes them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{PodMetadata, RolloutAnalysis, is_false};

/// One step.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct CanaryStep {
    /// How much of the traffic the new revision gets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub set_weight: Option<i32>,
    /// Wait.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pause: Option<Pause>,
    /// Run an experiment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub experiment: Option<ExperimentStep>,
    /// Run an analysis and wait for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub analysis: Option<RolloutAnalysis>,
    /// How many pods the new revision gets, whatever its weight.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub set_canary_scale: Option<CanaryScale>,
    /// Send requests with certain headers to the new revision.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub set_header_route: Option<HeaderRoute>,
    /// Send copies of requests to the new revision.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub set_mirror_route: Option<MirrorRoute>,
    /// A plugin, as JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plugin: Option<Value>,
    /// Whatever else is there.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

/// `pause`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Pause {
    /// How long, in seconds or with a unit; without it until a person promotes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration: Option<Value>,
    /// Whatever else is there.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

/// `setCanaryScale`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct CanaryScale {
    /// As if this were the weight.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight: Option<i32>,
    /// So many pods.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replicas: Option<i32>,
    /// By weight again.
    #[serde(skip_serializing_if = "is_false")]
    pub match_traffic_weight: bool,
    /// Whatever else is there.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

/// `setHeaderRoute`; without matches it takes the route away.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct HeaderRoute {
    /// One of `managedRoutes`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Headers that must match.
    #[serde(rename = "match", skip_serializing_if = "Vec::is_empty")]
    pub matches: Vec<HeaderMatch>,
    /// Whatever else is there.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

/// A header that must match.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct HeaderMatch {
    /// Its name.
    pub header_name: String,
    /// Its value.
    pub header_value: Option<StringMatch>,
}

/// `setMirrorRoute`; without matches it takes the route away.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct MirrorRoute {
    /// One of `managedRoutes`.
    pub name: String,
    /// Requests that must match.
    #[serde(rename = "match", skip_serializing_if = "Vec::is_empty")]
    pub matches: Vec<RouteMatch>,
    /// How much of the requests is copied.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub percentage: Option<i32>,
    /// Whatever else is there.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

/// A request that must match.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RouteMatch {
    /// Its method.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<StringMatch>,
    /// Its path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<StringMatch>,
    /// Its headers.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, StringMatch>,
}

/// A text that must match, in one of three ways.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct StringMatch {
    /// Letter by letter.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub exact: String,
    /// How it begins.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub prefix: String,
    /// A regular expression.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub regex: String,
}

/// `experiment`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ExperimentStep {
    /// The revisions it runs side by side.
    pub templates: Vec<ExperimentTemplate>,
    /// How long, if not until its analyses end.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub duration: String,
    /// Its analyses, as JSON.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub analyses: Vec<Value>,
    /// Metrics that only look.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dry_run: Vec<Value>,
    /// Labels and annotations of its runs.
    pub analysis_run_metadata: PodMetadata,
    /// How long its pods are kept afterwards.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scale_down_delay_seconds: Option<i32>,
    /// Whatever else is there.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

/// One revision of an experiment.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ExperimentTemplate {
    /// Its name within the experiment.
    pub name: String,
    /// `canary` or `stable`.
    pub spec_ref: String,
    /// How many pods.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replicas: Option<i32>,
    /// Labels and annotations of its pods.
    pub metadata: PodMetadata,
    /// A selector of its own, as JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub selector: Option<Value>,
    /// How much of the traffic it gets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight: Option<i32>,
    /// A Service of its own, as JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<Value>,
    /// Whatever else is there.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}
