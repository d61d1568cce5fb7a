//! A pod template borrowed from another object (rollout/templateref.go and rollout/scale_utils.go v1.9.1).
//!
//! The template is taken over in memory at the start of every reconcile and never written. The generation of its owner
//! is kept as an annotation: a change of it is what wakes the Rollout, and `status.workloadObservedGeneration` says how
//! far the controller has come. A Deployment that lends its template keeps its own pods, unless `scaleDown` takes them
//! away: only while the Rollout is on its first revision, and under conditions that a policy can miss for ever.

use std::time::Duration;

use serde_json::{Value, json};

use super::context::{Context, Outcome, Stop};
use super::views::ReplicaSet;
use crate::argo::rollout::{Rollout, RolloutStatus, WORKLOAD_GENERATION, WorkloadRef};
use crate::twin::effect::{Effect, Reconciled};
use crate::twin::store::{ApiError, Change, Key, Kind, Part, Patch, Store, labels_of, text_at};

/// When a Rollout whose template cannot be found is looked at again (`syncHandler` in rollout/controller.go).
const UNRESOLVED: Duration = Duration::from_secs(20);

/// The kinds with a template to lend.
const LENDERS: [Kind; 3] = [Kind::Deployment, Kind::ReplicaSet, Kind::PodTemplate];

/// `Resolve`: fills in template, selector and generation from the object that `spec.workloadRef` names.
///
/// # Errors
/// The sentence that follows `InvalidSpec: The Rollout "…" is invalid: `.
pub(super) fn resolve(store: &Store, key: &Key, rollout: &mut Rollout) -> Result<(), String> {
    let Some(workload) = rollout.spec.workload_ref.clone() else {
        rollout.metadata.annotations.remove(WORKLOAD_GENERATION);
        return Ok(());
    };
    // Upstream calls a template empty that has neither labels nor annotations, whatever its containers.
    let annotations = rollout.spec.template.pointer("/metadata/annotations").and_then(Value::as_object);
    if !labels_of(&rollout.spec.template).is_empty() || annotations.is_some_and(|map| !map.is_empty()) {
        return Err("template must be empty for workload reference rollout".into());
    }
    let lender = lender(key, &workload)?;
    let object = store.get(&lender).ok_or_else(|| {
        // A cache looks its objects up by namespace and name, and its error says both.
        let name = format!("{}/{}", lender.namespace, lender.name);
        ApiError::not_found(&lender.sibling(lender.kind, &name)).message
    })?;
    let template = if lender.kind == Kind::PodTemplate { "/template" } else { "/spec/template" };
    if let Some(template) = object.pointer(template).filter(|template| template.is_object()) {
        rollout.borrow_template(template);
    }
    if rollout.spec.selector.is_none() && object["spec"]["selector"].is_object() {
        let selector = serde_json::from_value(object["spec"]["selector"].clone());
        rollout.spec.selector = Some(selector.map_err(|error| error.to_string())?);
        rollout.spec.borrows_selector = true;
    }
    rollout.metadata.annotations.insert(WORKLOAD_GENERATION.into(), generation(object));
    Ok(())
}

/// The object a reference names.
fn lender(key: &Key, workload: &WorkloadRef) -> Result<Key, String> {
    let (group, version) = workload.api_version.rsplit_once('/').unwrap_or(("", &workload.api_version));
    let kind = Kind::find(group, &workload.kind)
        .filter(|kind| LENDERS.contains(kind))
        .ok_or_else(|| format!("workload of type {group}/{} is not supported", workload.kind))?;
    if version != kind.info().version {
        return Err("the server could not find the requested resource".into());
    }
    Ok(key.sibling(kind, &workload.name))
}

fn generation(object: &Value) -> String {
    object["metadata"]["generation"].as_i64().unwrap_or(0).to_string()
}

/// The Rollouts that borrow from an object.
fn borrowers<'a>(store: &'a Store, lender: &'a Key) -> impl Iterator<Item = (&'a Key, &'a Value)> {
    let rollouts = store.list(Kind::Rollout, Some(&lender.namespace));
    rollouts.map(|(key, object)| (key, &**object)).filter(move |(_, rollout)| {
        let field = |field: &str| text_at(rollout, &format!("/spec/workloadRef/{field}"));
        let info = lender.kind.info();
        field("name") == &*lender.name
            && field("kind") == info.kind
            && field("apiVersion") == info.api_version()
    })
}

/// The object that changed, if a Rollout borrows its template: [`sync_workload`] is due.
#[must_use]
pub fn lends(store: &Store, change: &Change) -> Option<Key> {
    let may = LENDERS.contains(&change.key.kind) && change.new.is_some();
    (may && borrowers(store, &change.key).next().is_some()).then(|| change.key.clone())
}

/// What the informer of borrowed templates does about a change of one: every Rollout that borrows it is told the
/// generation, which wakes it (`updateRolloutsReferenceAnnotation`).
#[must_use]
pub fn sync_workload(store: &Store, lender: &Key) -> Reconciled {
    let mut out = Reconciled::nothing();
    let Some(object) = store.get(lender) else { return out };
    let generation = generation(object);
    for (key, rollout) in borrowers(store, lender) {
        let known = rollout["metadata"]["annotations"].get(WORKLOAD_GENERATION).and_then(Value::as_str);
        if known != Some(generation.as_str()) {
            let patch = Patch::Merge(json!({"metadata": {"annotations": {WORKLOAD_GENERATION: generation}}}));
            out.push(Effect::Patch { key: key.clone(), part: Part::Main, patch });
        }
    }
    out
}

impl Context<'_> {
    /// Without its template a Rollout is invalid; it is looked at again as if it had not failed.
    pub(super) fn report_unresolved(&mut self, error: &str) {
        self.report_invalid_spec(error);
        self.out.requeue_after(UNRESOLVED);
    }

    /// The generation of the borrowed template that this status speaks of.
    pub(super) fn observe_workload(&self, new: &mut RolloutStatus) {
        if !self.rollout.spec.borrows_template {
            return new.workload_observed_generation.clear();
        }
        let number = |text: Option<&String>| text.and_then(|text| text.parse::<i32>().ok()).unwrap_or(0);
        let generation = number(self.rollout.metadata.annotations.get(WORKLOAD_GENERATION));
        if generation != number(Some(&new.workload_observed_generation)) {
            new.workload_observed_generation = generation.to_string();
        }
    }

    /// `scaleDown: onsuccess`, asked whenever the new revision is called stable. A first revision has no
    /// post-promotion run, and without a successful one nothing is called stable again: so beside a
    /// `postPromotionAnalysis` the Deployment stays for ever.
    pub(super) fn scale_workload_on_success(&mut self) -> Outcome {
        let healthy = self.rollout.status.phase == "Healthy";
        if self.rollout.revision() != 1 || !healthy || !self.scales_down("onsuccess") {
            return Ok(());
        }
        self.scale_workload(0)
    }

    /// `scaleDown: progressively`: the Deployment gives what the first revision has, and takes it back when it fails.
    pub(super) fn scale_workload_progressively(&mut self, new: &ReplicaSet, size: i32) {
        if new.revision() != Some(1) || !self.scales_down("progressively") {
            return;
        }
        let status = &self.rollout.status;
        let left = self.rollout.replicas().saturating_sub(status.ready_replicas);
        // Upstream logs a failure and goes on.
        let _ = match status.phase == "Healthy" {
            true => self.scale_workload(0),
            false if status.ready_replicas > 0 || new.replicas() > size => self.scale_workload(left),
            false => Ok(()),
        };
    }

    fn scales_down(&self, when: &str) -> bool {
        self.rollout.spec.workload_ref.as_ref().is_some_and(|workload| workload.scale_down == when)
    }

    /// `scaleDeployment`: a Deployment of the name, whatever kind lends the template.
    fn scale_workload(&mut self, size: i32) -> Outcome {
        let workload = self.rollout.spec.workload_ref.clone().unwrap_or_default();
        let key = self.key.sibling(Kind::Deployment, &workload.name);
        let Some(deployment) = self.store.get(&key) else {
            return Err(Stop(ApiError::not_found(&key).message));
        };
        let size = size.max(0);
        if deployment["spec"]["replicas"].as_i64() != Some(i64::from(size)) {
            let patch = Patch::Merge(json!({"spec": {"replicas": size}}));
            self.patch(Kind::Deployment, &workload.name, Part::Main, patch);
        }
        Ok(())
    }
}
