//! A ReplicaSet for every template (`reconcileTemplate` in experiments/experiment.go and experiments/replicaset.go
//! v1.9.1).

use std::time::Duration;

use serde_json::{Value, json};

use super::controller::Context;
use super::object::{Template, TemplateStatus, is_final, seconds};
use crate::argo::rollout::HASH_LABEL;
use crate::clock::Moment;
use crate::twin::effect::Effect;
use crate::twin::rollouts::events::garbled;
use crate::twin::rollouts::pod_template_hash;
use crate::twin::rollouts::views::{DEADLINE, ReplicaSet};
use crate::twin::store::{Kind, Part, Patch};

/// How often every Experiment is looked at without a cause.
const RESYNC: Duration = Duration::from_secs(900);

impl Context<'_> {
    /// `reconcileTemplate`.
    pub(super) fn reconcile_template(&mut self, template: &Template) {
        let fresh = || TemplateStatus { name: template.name.clone(), ..TemplateStatus::default() };
        let before = self.old.template(&template.name).cloned().unwrap_or_else(fresh);
        let mut status = before.clone();
        let wanted = self.spec.wanted(template, &self.old);
        match self.sets.get(&template.name).cloned() {
            None => self.create_set(template, &mut status),
            Some(set) => self.keep_set(template, set, wanted, &mut status),
        }
        self.count(&template.name, &mut status);
        if counts(&before) != counts(&status) {
            status.last_transition_time = Some(self.now.rfc3339());
        }
        if !is_final(&status.status) {
            self.judge(template, wanted, &mut status);
        }
        self.tell_about_template(&before, &status);
        self.status.set_template(status);
    }

    /// `createReplicaSetForTemplate`: without pods at first. A name that somebody else has is never given up, so the
    /// template runs into its deadline.
    fn create_set(&mut self, template: &Template, status: &mut TemplateStatus) {
        let set = self.new_set(template, status.collision_count);
        let key = self.key.sibling(Kind::ReplicaSet, set.name());
        if self.store.get(&key).is_some() {
            return;
        }
        self.out.push(Effect::Create { kind: Kind::ReplicaSet, object: set.0.clone().into_value() });
        self.sets.insert(template.name.clone(), set);
        status.last_transition_time = Some(self.now.rfc3339());
    }

    /// `newReplicaSetFromTemplate`.
    fn new_set(&self, template: &Template, collisions: Option<i32>) -> ReplicaSet {
        let (mut pods, mut selector) =
            (template.template.clone(), template.selector.clone().unwrap_or(json!({})));
        if let Some(labels) = pods.pointer_mut("/metadata/labels").and_then(Value::as_object_mut) {
            labels.remove(HASH_LABEL);
        }
        let hash = pod_template_hash(&pods, collisions);
        pods["metadata"]["labels"][HASH_LABEL] = json!(hash);
        selector["matchLabels"][HASH_LABEL] = json!(hash);
        let mut object = json!({
            "apiVersion": "apps/v1", "kind": "ReplicaSet",
            "metadata": {
                "name": format!("{}-{}", self.name(), template.name), "namespace": &*self.key.namespace,
                "labels": pods["metadata"]["labels"], "annotations": self.annotations(&template.name),
                "ownerReferences": [self.owner_reference()],
            },
            "spec": {"replicas": 0, "selector": selector, "template": pods},
            "status": {"replicas": 0},
        });
        if template.min_ready_seconds != 0 {
            object["spec"]["minReadySeconds"] = json!(template.min_ready_seconds);
        }
        ReplicaSet::of(object)
    }

    /// Its Service, its deadline and its size.
    fn keep_set(
        &mut self,
        template: &Template,
        mut set: ReplicaSet,
        wanted: i32,
        status: &mut TemplateStatus,
    ) {
        self.reconcile_service(template, &set, wanted, status);
        if wanted == 0 {
            self.give_deadline(&mut set);
        }
        if set.replicas() != wanted {
            let kept = set.deadline().filter(|deadline| wanted == 0 && *deadline > self.now);
            if let Some(left) = kept.map(|deadline| deadline.since(self.now)).filter(|left| *left < RESYNC) {
                self.out.requeue_after(left);
            }
            self.scale(&set, if kept.is_some() { template.size() } else { wanted });
            status.last_transition_time = Some(self.now.rfc3339());
        }
        self.sets.insert(template.name.clone(), set);
    }

    /// `addScaleDownDelay`: once; without a delay the annotation goes instead.
    fn give_deadline(&mut self, set: &mut ReplicaSet) {
        let delay = self.spec.scale_down_delay();
        let path = format!("/metadata/annotations/{DEADLINE}");
        let patch = match (delay.is_zero(), set.has_deadline()) {
            (true, true) => {
                set.remove_annotation(DEADLINE);
                json!([{"op": "remove", "path": path}])
            }
            (false, false) => {
                let deadline = (self.now + delay).rfc3339();
                set.annotate(DEADLINE, &deadline);
                json!([{"op": "add", "path": path, "value": deadline}])
            }
            _ => return,
        };
        self.patch_set(set, Patch::Json(patch));
    }

    /// `scaleReplicaSetAndRecordEvent`, always with a fresh copy.
    fn scale(&mut self, set: &ReplicaSet, size: i32) {
        let before = set.replicas();
        if before == size {
            return;
        }
        self.patch_set(set, Patch::Merge(json!({"spec": {"replicas": size}})));
        let up = if before < size { "up" } else { "down" };
        let message = format!("Scaled {up} ReplicaSet {} from {before} to {size}", set.name());
        self.event(false, "ScalingReplicaSet", message);
    }

    fn patch_set(&mut self, set: &ReplicaSet, patch: Patch) {
        let key = self.key.sibling(Kind::ReplicaSet, set.name());
        self.out.push(Effect::Patch { key, part: Part::Main, patch });
    }

    fn count(&self, template: &str, status: &mut TemplateStatus) {
        let set = self.sets.get(template);
        let number = |of: fn(&ReplicaSet) -> i32| set.map_or(0, of);
        status.replicas = number(ReplicaSet::actual);
        status.updated_replicas = status.replicas;
        status.ready_replicas = number(ReplicaSet::ready);
        status.available_replicas = number(ReplicaSet::available);
    }

    /// Running, done, or late.
    fn judge(&self, template: &Template, wanted: i32, status: &mut TemplateStatus) {
        let over = self.spec.end(&self.old).is_some_and(|end| self.now > end);
        let since = status.last_transition_time.as_deref().and_then(Moment::parse_rfc3339);
        let deadline = since.unwrap_or(self.now) + seconds(self.spec.deadline());
        status.status = if wanted == status.available_replicas {
            if over || self.terminating { "Successful" } else { "Running" }
        } else if self.now > deadline {
            status.message = format!(
                "Template '{}' exceeded its progressDeadlineSeconds ({})",
                template.name,
                self.spec.deadline()
            );
            "Failed"
        } else if self.terminating {
            "Successful"
        } else {
            "Progressing"
        }
        .into();
    }

    fn tell_about_template(&mut self, before: &TemplateStatus, now: &TemplateStatus) {
        let reason = match now.status.as_str() {
            "Progressing" => "TemplateProgressing",
            "Running" => "TemplateRunning",
            "Successful" => "TemplateSuccessful",
            "Failed" => "TemplateFailed",
            "Error" => "TemplateError",
            _ => return,
        };
        if before.status == now.status {
            return;
        }
        let mut message =
            format!("Template '{}' transitioned from {} -> {}", now.name, before.status, now.status);
        if !now.message.is_empty() {
            message = format!("{message}: {}", now.message);
        }
        let warning = matches!(now.status.as_str(), "Failed" | "Error");
        self.event(warning, reason, garbled(&message));
    }
}

/// The numbers whose change is progress.
pub(super) fn counts(status: &TemplateStatus) -> [i32; 4] {
    [status.replicas, status.updated_replicas, status.ready_replicas, status.available_replicas]
}
