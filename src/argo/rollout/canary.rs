//! `spec.strategy.canary`, in the order of upstream's Go structs.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{AntiAffinity, CanaryStep, Istio, PodMetadata, RolloutAnalysis, is_false};

/// `spec.strategy.canary`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Canary {
    /// The Service that reaches the new revision.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub canary_service: String,
    /// The Service that reaches the stable revision.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub stable_service: String,
    /// What to do, one after the other.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<CanaryStep>,
    /// Who shares out the traffic; without it pods are counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub traffic_routing: Option<TrafficRouting>,
    /// How many pods may be missing, a number or a percentage.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_unavailable: Option<Value>,
    /// How many pods may be too many, a number or a percentage.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_surge: Option<Value>,
    /// Analysis in the background of the steps.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub analysis: Option<BackgroundAnalysis>,
    /// Keeps the pods of two revisions apart.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub anti_affinity: Option<AntiAffinity>,
    /// Labels and annotations of the new revision's pods.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub canary_metadata: Option<PodMetadata>,
    /// Labels and annotations of the stable revision's pods.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stable_metadata: Option<PodMetadata>,
    /// How long the old revision is kept after promotion; only with traffic routing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scale_down_delay_seconds: Option<i32>,
    /// How many old revisions may be kept that way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scale_down_delay_revision_limit: Option<i32>,
    /// How long an aborted revision is kept; only with traffic routing, and zero means that nothing is kept back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub abort_scale_down_delay_seconds: Option<i32>,
    /// Whether the stable revision shrinks as the new one grows; only with traffic routing.
    #[serde(skip_serializing_if = "is_false")]
    pub dynamic_stable_scale: bool,
    /// Two Services that swap their roles at every promotion.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ping_pong: Option<PingPong>,
    /// How many pods a revision has at least if it has any; only with traffic routing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_pods_per_replica_set: Option<i32>,
    /// How much of a revision must be available to go on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replica_progress_threshold: Option<ProgressThreshold>,
    /// Whatever else is there.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

impl Canary {
    /// What all weights add up to (utils/weightutil v1.9.1).
    #[must_use]
    pub fn max_weight(&self) -> i32 {
        self.traffic_routing.as_ref().and_then(|routing| routing.max_traffic_weight).unwrap_or(100)
    }
}

/// `analysis`: one run that accompanies the steps.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct BackgroundAnalysis {
    /// The analysis.
    #[serde(flatten)]
    pub analysis: RolloutAnalysis,
    /// The step with which it begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub starting_step: Option<i32>,
}

/// `pingPong`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PingPong {
    /// One Service.
    pub ping_service: String,
    /// The other.
    pub pong_service: String,
}

/// `replicaProgressThreshold`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ProgressThreshold {
    /// `Percent` or `Pods`.
    #[serde(rename = "type")]
    pub kind: String,
    /// How much.
    pub value: i32,
}

/// `trafficRouting`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TrafficRouting {
    /// Istio.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub istio: Option<Istio>,
    /// ingress-nginx.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nginx: Option<Nginx>,
    /// AWS Application Load Balancer, as JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alb: Option<Value>,
    /// Service Mesh Interface, as JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub smi: Option<Value>,
    /// Ambassador, as JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ambassador: Option<Value>,
    /// AWS App Mesh, as JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub app_mesh: Option<Value>,
    /// Traefik, as JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub traefik: Option<Value>,
    /// Routes that steps may set, most important first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub managed_routes: Vec<ManagedRoute>,
    /// Apache APISIX, as JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub apisix: Option<Value>,
    /// Plugins, as JSON.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub plugins: Map<String, Value>,
    /// What all weights add up to, if not 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_traffic_weight: Option<i32>,
    /// Whatever else is there.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

/// One of `managedRoutes`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ManagedRoute {
    /// Its name.
    pub name: String,
}

/// `trafficRouting.nginx`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Nginx {
    /// What the controller's annotations begin with, if not `nginx.ingress.kubernetes.io`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub annotation_prefix: String,
    /// The Ingress that leads to the stable Service.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub stable_ingress: String,
    /// Annotations of the canary Ingress, without the prefix.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub additional_ingress_annotations: BTreeMap<String, String>,
    /// Several Ingresses instead of one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub stable_ingresses: Vec<String>,
    /// Annotations of the canary Ingress, with their full names.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub canary_ingress_annotations: BTreeMap<String, String>,
    /// Whatever else is there.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

impl Nginx {
    /// The Ingresses that lead to the stable Service.
    pub fn ingresses(&self) -> impl Iterator<Item = &String> {
        let one = Some(&self.stable_ingress).filter(|_| self.stable_ingresses.is_empty());
        self.stable_ingresses.iter().chain(one)
    }
}
