//! The policy's objects, as the planner needs them: plain JSON, and a place to point at.

use serde_json::Value;

use crate::diag::Span;

/// One object of the policy.
#[derive(Debug, Clone, PartialEq)]
pub struct Manifest {
    /// The object.
    pub object: Value,
    /// Where it was written.
    pub span: Span,
}

impl Manifest {
    pub(super) fn kind(&self) -> &str {
        text(&self.object, "/kind")
    }

    pub(super) fn name(&self) -> &str {
        text(&self.object, "/metadata/name")
    }

    /// Whether it is an Argo Rollouts object of this kind.
    pub(super) fn is_argo(&self, kind: &str) -> bool {
        self.kind() == kind && text(&self.object, "/apiVersion").starts_with("argoproj.io/")
    }
}

/// The text at a JSON pointer; empty when there is none.
pub(super) fn text<'a>(object: &'a Value, pointer: &str) -> &'a str {
    object.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// The list at a JSON pointer; empty when there is none.
pub(super) fn list<'a>(object: &'a Value, pointer: &str) -> &'a [Value] {
    object.pointer(pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// What others need comes first, the Rollout last.
pub(super) fn rank(kind: &str) -> u8 {
    match kind {
        "Namespace" => 0,
        "CustomResourceDefinition" => 1,
        "ServiceAccount" | "ClusterRole" | "Role" | "ClusterRoleBinding" | "RoleBinding" => 2,
        "Secret" | "ConfigMap" => 3,
        "AnalysisTemplate" | "ClusterAnalysisTemplate" => 4,
        "Service" => 5,
        "Rollout" => 7,
        _ => 6,
    }
}

/// Kinds that start pods of their own, with images that a drill ground may not have.
pub(super) fn runs_pods(kind: &str) -> bool {
    let kinds = ["Rollout", "Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "Job", "CronJob", "Pod"];
    kinds.contains(&kind)
}

/// Kinds that live in no namespace.
pub(super) fn is_cluster_wide(kind: &str) -> bool {
    kind.starts_with("Cluster")
        || matches!(kind, "Namespace" | "CustomResourceDefinition" | "PriorityClass" | "StorageClass")
}
