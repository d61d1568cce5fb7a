//! One reconcile from its beginning to its status (`syncHandler` in experiments/controller.go and `reconcile` in
//! experiments/experiment.go v1.9.1).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::conditions;
use super::object::{Spec, Status, is_bad, seconds};
use crate::clock::Moment;
use crate::twin::effect::{Effect, Reconciled};
use crate::twin::rollouts::merge_difference;
use crate::twin::rollouts::views::ReplicaSet;
use crate::twin::store::{Key, Kind, Object, Part, Patch, Store, owner_uid, text_at};

/// The annotation with the Experiment that made an object.
pub(super) const EXPERIMENT: &str = "experiment.argoproj.io/name";
/// The annotation with the template it was made for.
pub(super) const TEMPLATE: &str = "experiment.argoproj.io/template-name";

/// One reconcile.
#[derive(Debug)]
pub(super) struct Context<'a> {
    pub(super) store: &'a Store,
    pub(super) now: Moment,
    pub(super) key: Key,
    pub(super) object: Object,
    pub(super) spec: Spec,
    /// What was known at the start.
    pub(super) old: Status,
    /// What will be known.
    pub(super) status: Status,
    pub(super) terminating: bool,
    /// The ReplicaSets, by template.
    pub(super) sets: BTreeMap<String, ReplicaSet>,
    /// The names of the Services, by template.
    pub(super) services: BTreeMap<String, String>,
    pub(super) out: Reconciled,
}

/// Compares an Experiment with the world and decides what to do next.
#[must_use]
pub fn reconcile(store: &Store, now: Moment, key: &Key) -> Reconciled {
    let Some(object) = store.get(key).cloned() else { return Reconciled::nothing() };
    if !text_at(&object, "/metadata/deletionTimestamp").is_empty() {
        return Reconciled::nothing();
    }
    let mut context = match Context::read(store, now, key, object) {
        Ok(context) => context,
        Err(error) => return Reconciled { error: Some(error), ..Reconciled::default() },
    };
    if !context.report_invalid() {
        context.run();
    }
    context.out
}

impl<'a> Context<'a> {
    fn read(store: &'a Store, now: Moment, key: &Key, object: Object) -> Result<Context<'a>, String> {
        let unreadable =
            |error| format!("the Experiment {}/{} cannot be read: {error}", key.namespace, key.name);
        let spec: Spec = serde_json::from_value(object["spec"].clone()).map_err(unreadable)?;
        let known = Some(&object["status"]).filter(|status| !status.is_null()).cloned();
        let old: Status = serde_json::from_value(known.unwrap_or(json!({}))).map_err(unreadable)?;
        let sets = claimed(store, key, &object, &spec, Kind::ReplicaSet)?;
        let services = claimed(store, key, &object, &spec, Kind::Service)?;
        let name = |object: &Object| text_at(object, "/metadata/name").to_owned();
        let terminating = spec.is_terminating(&old);
        Ok(Context {
            store,
            now,
            key: key.clone(),
            status: old.clone(),
            sets: sets.into_iter().map(|(of, set)| (of, ReplicaSet::of(set))).collect(),
            services: services.into_iter().map(|(of, service)| (of, name(&service))).collect(),
            object,
            spec,
            old,
            terminating,
            out: Reconciled::default(),
        })
    }

    /// An invalid spec is told once, and nothing is done about the rest.
    fn report_invalid(&mut self) -> bool {
        let Some(message) = conditions::invalid(&self.spec, text_at(&self.object, "/metadata/name")) else {
            return false;
        };
        conditions::set_invalid(&mut self.status, &message, self.now);
        self.persist();
        true
    }

    fn run(&mut self) {
        for template in self.spec.templates.clone() {
            self.reconcile_template(&template);
        }
        for analysis in self.spec.analyses.clone() {
            self.reconcile_analysis(&analysis);
        }
        self.calculate_status();
        self.requeue();
        self.persist();
    }

    /// `calculateEnqueueDuration`: comes back at its end, or when a template's deadline has passed.
    fn requeue(&mut self) {
        if self.spec.is_terminating(&self.status) {
            return;
        }
        let mut due: Vec<Moment> =
            self.spec.end(&self.status).filter(|end| *end >= self.now).into_iter().collect();
        for template in &self.spec.templates {
            let Some(status) = self.status.template(&template.name) else { continue };
            let moving = matches!(status.status.as_str(), "Progressing" | "Running");
            let since = status.last_transition_time.as_deref().and_then(Moment::parse_rfc3339);
            let lacks = status.available_replicas != self.spec.wanted(template, &self.status);
            due.extend(since.filter(|_| moving && lacks).map(|since| since + seconds(self.spec.deadline())));
        }
        if let Some(first) = due.into_iter().min() {
            // A real timer is late by a breath, which strict comparisons need.
            self.out.requeue_after(first.since(self.now) + Duration::from_millis(1));
        }
    }

    /// `persistExperimentStatus`: one patch, or none when nothing changed, and an event about a new phase.
    fn persist(&mut self) {
        let value = |status: &Status| serde_json::to_value(status).unwrap_or_default();
        let Some(difference) = merge_difference(&value(&self.old), &value(&self.status)) else { return };
        let patch = Patch::Merge(json!({"status": difference}));
        self.out.push(Effect::Patch { key: self.key.clone(), part: Part::Main, patch });
        if self.old.phase == self.status.phase {
            return;
        }
        let Some(reason) = reason_of(&self.status.phase) else { return };
        let message = format!("Experiment transitioned from {} -> {}", self.old.phase, self.status.phase);
        let mut patched = (*self.object).clone();
        patched["status"] = value(&self.status);
        self.record(Arc::new(patched), Kind::Experiment, is_bad(&self.status.phase), reason, message);
    }

    /// Records an event about the Experiment as it was read.
    pub(super) fn event(&mut self, warning: bool, reason: &'static str, message: String) {
        self.record(Arc::clone(&self.object), Kind::Experiment, warning, reason, message);
    }

    pub(super) fn record(
        &mut self,
        regarding: Object,
        kind: Kind,
        warning: bool,
        reason: &'static str,
        message: String,
    ) {
        self.out.push(Effect::Event { regarding, kind, warning, reason, message });
    }

    pub(super) fn name(&self) -> &str {
        &self.key.name
    }

    pub(super) fn uid(&self) -> &str {
        text_at(&self.object, "/metadata/uid")
    }

    /// The reference by which it owns what it creates.
    pub(super) fn owner_reference(&self) -> Value {
        json!({
            "apiVersion": "argoproj.io/v1alpha1", "kind": "Experiment", "name": self.name(), "uid": self.uid(),
            "controller": true, "blockOwnerDeletion": true,
        })
    }

    /// The annotations of what it creates for a template.
    pub(super) fn annotations(&self, template: &str) -> Value {
        json!({EXPERIMENT: self.name(), TEMPLATE: template})
    }
}

/// Its own objects of a kind, by template (`getReplicaSetsForExperiment` and `getServicesForExperiment`).
fn claimed(
    store: &Store,
    key: &Key,
    experiment: &Value,
    spec: &Spec,
    kind: Kind,
) -> Result<BTreeMap<String, Object>, String> {
    let mut by_template = BTreeMap::new();
    for (_, object) in store.list(kind, Some(&key.namespace)) {
        let annotations = &object["metadata"]["annotations"];
        let mine = owner_uid(object) == text_at(experiment, "/metadata/uid");
        if !mine || annotations[EXPERIMENT] != json!(&*key.name) {
            continue;
        }
        let name = annotations[TEMPLATE].as_str().unwrap_or("");
        if !spec.templates.iter().any(|template| template.name == name) {
            continue;
        }
        if by_template.insert(name.to_owned(), object.clone()).is_some() {
            let kinds = format!("{}s", kind.info().kind);
            return Err(format!("multiple {kinds} match single experiment template: {name}"));
        }
    }
    Ok(by_template)
}

/// `Experiment` and the phase.
fn reason_of(phase: &str) -> Option<&'static str> {
    Some(match phase {
        "Pending" => "ExperimentPending",
        "Running" => "ExperimentRunning",
        "Successful" => "ExperimentSuccessful",
        "Failed" => "ExperimentFailed",
        "Error" => "ExperimentError",
        "Inconclusive" => "ExperimentInconclusive",
        _ => return None,
    })
}
