//! Objects the controller handles besides the Rollout, as thin views of their JSON.
//!
//! A view keeps the version it was read with. Where upstream goes on with its old copy after a write, so do we, and
//! the API server refuses the next write as stale; where it takes over the answer, [`ReplicaSet::written`] says so.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use serde_json::{Value, json};

use crate::argo::rollout::{HASH_LABEL, REVISION};
use crate::clock::Moment;
use crate::twin::effect::WRITTEN;
use crate::twin::store::{Object, labels_of, text_at};

/// The annotation with the moment a ReplicaSet is scaled down.
pub(in crate::twin) const DEADLINE: &str = "scale-down-deadline";
/// The annotation with the size its Rollout wanted when a ReplicaSet was last scaled.
pub(in crate::twin) const DESIRED: &str = "rollout.argoproj.io/desired-replicas";

/// An object's JSON, shared with the store until somebody changes it here: most passes of a controller change nothing.
#[derive(Debug, Clone)]
pub(in crate::twin) struct Held(Object);

impl Held {
    /// The JSON by itself, as a request carries it.
    pub(in crate::twin) fn into_value(self) -> Value {
        Arc::unwrap_or_clone(self.0)
    }
}

impl From<Object> for Held {
    fn from(object: Object) -> Held {
        Held(object)
    }
}

impl From<Value> for Held {
    fn from(value: Value) -> Held {
        Held(Arc::new(value))
    }
}

impl Deref for Held {
    type Target = Value;

    fn deref(&self) -> &Value {
        &self.0
    }
}

impl DerefMut for Held {
    fn deref_mut(&mut self) -> &mut Value {
        Arc::make_mut(&mut self.0)
    }
}

/// A ReplicaSet.
#[derive(Debug, Clone)]
pub(in crate::twin) struct ReplicaSet(pub(in crate::twin) Held);

impl ReplicaSet {
    /// Of an object of the store, or of one that is to be made.
    pub(in crate::twin) fn of(object: impl Into<Held>) -> ReplicaSet {
        ReplicaSet(object.into())
    }

    pub(in crate::twin) fn name(&self) -> &str {
        text_at(&self.0, "/metadata/name")
    }

    pub(in crate::twin) fn hash(&self) -> &str {
        self.0["metadata"]["labels"][HASH_LABEL].as_str().unwrap_or("")
    }

    pub(in crate::twin) fn created(&self) -> &str {
        text_at(&self.0, "/metadata/creationTimestamp")
    }

    pub(in crate::twin) fn is_deleted(&self) -> bool {
        !text_at(&self.0, "/metadata/deletionTimestamp").is_empty()
    }

    pub(in crate::twin) fn template(&self) -> &Value {
        &self.0["spec"]["template"]
    }

    /// `spec.replicas`; the API server's default is one.
    pub(in crate::twin) fn replicas(&self) -> i32 {
        self.0.pointer("/spec/replicas").map_or(1, int)
    }

    /// `status.replicas`.
    pub(in crate::twin) fn actual(&self) -> i32 {
        self.0.pointer("/status/replicas").map_or(0, int)
    }

    /// `status.readyReplicas`.
    pub(in crate::twin) fn ready(&self) -> i32 {
        self.0.pointer("/status/readyReplicas").map_or(0, int)
    }

    /// `status.availableReplicas`.
    pub(in crate::twin) fn available(&self) -> i32 {
        self.0.pointer("/status/availableReplicas").map_or(0, int)
    }

    /// Whether the ReplicaSet controller has yet to see the newest spec.
    pub(in crate::twin) fn is_unobserved(&self) -> bool {
        let number = |pointer: &str| self.0.pointer(pointer).and_then(Value::as_i64).unwrap_or(0);
        number("/metadata/generation") > number("/status/observedGeneration")
    }

    pub(in crate::twin) fn annotation(&self, key: &str) -> Option<&str> {
        self.0["metadata"]["annotations"].get(key).and_then(Value::as_str)
    }

    pub(in crate::twin) fn annotate(&mut self, key: &str, value: &str) {
        let annotations = &mut self.0["metadata"]["annotations"];
        if !annotations.is_object() {
            *annotations = json!({});
        }
        annotations[key] = json!(value);
    }

    pub(in crate::twin) fn remove_annotation(&mut self, key: &str) {
        if self.annotation(key).is_none() {
            return;
        }
        if let Some(annotations) = self.0["metadata"]["annotations"].as_object_mut() {
            annotations.remove(key);
        }
    }

    /// The revision number; zero when there is none, `None` when it cannot be read.
    pub(in crate::twin) fn revision(&self) -> Option<i64> {
        self.annotation(REVISION).map_or(Some(0), |text| text.parse().ok())
    }

    /// The size its Rollout wanted when it was last scaled.
    pub(in crate::twin) fn desired(&self) -> Option<i32> {
        self.annotation(DESIRED)?.parse().ok()
    }

    pub(in crate::twin) fn has_deadline(&self) -> bool {
        self.annotation(DEADLINE).is_some_and(|text| !text.is_empty())
    }

    /// The deadline; `None` when there is none, or none that can be read.
    pub(in crate::twin) fn deadline(&self) -> Option<Moment> {
        self.annotation(DEADLINE).and_then(Moment::parse_rfc3339)
    }

    /// Every pod of the wanted size is available (`IsSaturated` in utils/annotations/annotations.go v1.9.1).
    pub(in crate::twin) fn is_saturated(&self, wanted: i32) -> bool {
        self.desired() == Some(wanted) && self.replicas() == wanted && self.available() == wanted
    }

    /// The copy after a write whose answer was taken over.
    pub(in crate::twin) fn written(mut self) -> ReplicaSet {
        self.0["metadata"]["resourceVersion"] = json!(WRITTEN);
        self
    }
}

/// An AnalysisRun.
#[derive(Debug, Clone)]
pub(in crate::twin) struct AnalysisRun(pub(in crate::twin) Value);

impl AnalysisRun {
    pub(in crate::twin) fn name(&self) -> &str {
        text_at(&self.0, "/metadata/name")
    }

    pub(in crate::twin) fn phase(&self) -> &str {
        text_at(&self.0, "/status/phase")
    }

    pub(in crate::twin) fn message(&self) -> &str {
        text_at(&self.0, "/status/message")
    }

    pub(in crate::twin) fn created(&self) -> &str {
        text_at(&self.0, "/metadata/creationTimestamp")
    }

    pub(in crate::twin) fn hash(&self) -> Option<&str> {
        labels_of(&self.0).get(HASH_LABEL).copied()
    }

    pub(in crate::twin) fn is_terminated(&self) -> bool {
        self.0["spec"]["terminate"] == json!(true)
    }

    pub(in crate::twin) fn is_completed(&self) -> bool {
        is_completed(self.phase())
    }

    pub(in crate::twin) fn is_deleted(&self) -> bool {
        !text_at(&self.0, "/metadata/deletionTimestamp").is_empty()
    }
}

/// An Experiment.
#[derive(Debug, Clone)]
pub(in crate::twin) struct Experiment(pub(in crate::twin) Value);

impl Experiment {
    pub(in crate::twin) fn name(&self) -> &str {
        text_at(&self.0, "/metadata/name")
    }

    pub(in crate::twin) fn phase(&self) -> &str {
        text_at(&self.0, "/status/phase")
    }

    pub(in crate::twin) fn message(&self) -> &str {
        text_at(&self.0, "/status/message")
    }

    pub(in crate::twin) fn hash(&self) -> Option<&str> {
        labels_of(&self.0).get(HASH_LABEL).copied()
    }

    pub(in crate::twin) fn is_terminated(&self) -> bool {
        self.0["spec"]["terminate"] == json!(true)
    }

    pub(in crate::twin) fn is_completed(&self) -> bool {
        is_completed(self.phase())
    }

    pub(in crate::twin) fn is_deleted(&self) -> bool {
        !text_at(&self.0, "/metadata/deletionTimestamp").is_empty()
    }
}

/// Whether an analysis phase is final.
pub(in crate::twin) fn is_completed(phase: &str) -> bool {
    matches!(phase, "Successful" | "Failed" | "Error" | "Inconclusive")
}

/// A Service.
#[derive(Debug, Clone)]
pub(in crate::twin) struct Service(pub(in crate::twin) Held);

impl Service {
    /// Of an object of the store.
    pub(in crate::twin) fn of(object: impl Into<Held>) -> Service {
        Service(object.into())
    }

    pub(in crate::twin) fn name(&self) -> &str {
        text_at(&self.0, "/metadata/name")
    }

    /// The hash it selects, `None` when it selects by its own labels only.
    pub(in crate::twin) fn selected(&self) -> Option<&str> {
        self.0.pointer("/spec/selector")?.get(HASH_LABEL)?.as_str()
    }

    pub(in crate::twin) fn managed_by(&self) -> Option<&str> {
        self.0.pointer("/metadata/annotations")?.get(crate::argo::rollout::MANAGED_BY)?.as_str()
    }

    /// Makes this copy select a hash, as upstream's shared cache entry does after a switch.
    pub(in crate::twin) fn select(&mut self, hash: &str) {
        let selector = &mut self.0["spec"]["selector"];
        if !selector.is_object() {
            *selector = json!({});
        }
        selector[HASH_LABEL] = json!(hash);
    }
}

fn int(value: &Value) -> i32 {
    value.as_i64().and_then(|number| i32::try_from(number).ok()).unwrap_or(0)
}
