//! `spec.workloadRef`: a pod template that belongs to another object.
//!
//! What is borrowed is filled in for as long as a reconcile lasts and never written. Who looks it up is
//! `twin::rollouts::workload`.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Rollout, RolloutSpec, normalise_template, without_nulls};

/// The annotation with the generation of the object whose template is borrowed.
pub const WORKLOAD_GENERATION: &str = "rollout.argoproj.io/workload-generation";

/// `spec.workloadRef`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct WorkloadRef {
    /// `apps/v1`, or `v1` for a PodTemplate.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub api_version: String,
    /// `Deployment`, `ReplicaSet` or `PodTemplate`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub kind: String,
    /// Its name, in the Rollout's namespace.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// When a Deployment loses its own pods: `onsuccess`, `progressively`, or anything else for never.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub scale_down: String,
}

impl RolloutSpec {
    /// Takes out of a spec that is to be written what it has borrowed (`MarshalJSON` in types.go v1.9.1).
    pub(super) fn withhold_borrowed(&self, spec: &mut Value) {
        for (borrowed, field) in [(self.borrows_template, "template"), (self.borrows_selector, "selector")] {
            if let (true, Some(spec)) = (borrowed, spec.as_object_mut()) {
                spec.remove(field);
            }
        }
    }
}

impl Rollout {
    /// Takes another object's pod template for its own, normalised as in [`Rollout::read`].
    pub fn borrow_template(&mut self, template: &Value) {
        self.spec.template = without_nulls(template);
        normalise_template(&mut self.spec.template);
        self.spec.borrows_template = true;
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_borrowed_is_read_and_never_written() {
        let spec = json!({"workloadRef": {"name": "app"}});
        let mut rollout =
            Rollout::read(&json!({"metadata": {"name": "app"}, "spec": spec})).expect("a Rollout");
        rollout.borrow_template(&json!({"spec": {"containers": [{"name": "app", "args": null}]}}));
        assert_eq!(
            rollout.spec.template,
            json!({"spec": {"containers": [{"name": "app", "resources": {}}]}})
        );
        assert_eq!(rollout.to_value()["spec"]["workloadRef"], spec["workloadRef"]);
        assert!(rollout.to_value()["spec"].get("template").is_none());
    }
}
