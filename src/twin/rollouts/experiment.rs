//! The experiment of a canary's step: made from the revisions, followed, cancelled and forgotten
//! (rollout/experiment.go v1.9.1). What runs it is [`crate::twin::experiments`].

use serde_json::{Map, Value, json};

use super::arguments::{self, Hashes};
use super::claim::owner_reference;
use super::context::{Context, Outcome, Stop};
use super::newrs::template_hash;
use super::pause::{INCONCLUSIVE, INCONCLUSIVE_EXPERIMENT};
use super::steps;
use super::views::{Experiment, ReplicaSet};
use crate::argo::rollout::{ExperimentStep, ExperimentTemplate, HASH_LABEL, REVISION, WeightDestination};
use crate::twin::store::{Kind, Part, Patch, owner_uid, text_at};

impl Context<'_> {
    /// `reconcileExperiments`.
    pub(super) fn reconcile_experiments(&mut self) -> Outcome {
        if self.is_aborted() || self.rollout.status.promote_full {
            let all: Vec<Experiment> =
                self.other_experiments.iter().chain(&self.experiment).cloned().collect();
            self.cancel_experiments(&all);
            return Ok(());
        }
        if self.rollout.status.pause(INCONCLUSIVE).is_some() {
            return Ok(());
        }
        let step = steps::current(&self.rollout).and_then(|step| step.experiment.clone());
        let mut others = self.other_experiments.clone();
        match step {
            Some(step) => {
                let Some(current) = self.current_or_new(&step)? else { return Ok(()) };
                self.follow(current.clone());
                // One that the status lost sight of is not cancelled after all.
                let rescued = self.experiment.as_ref().is_some_and(|one| one.name() == current.name());
                others.retain(|one| !rescued || one.name() != current.name());
            }
            None => others.extend(self.experiment.clone()),
        }
        self.cancel_experiments(&others);
        let gone = self.experiments_to_delete(&others);
        self.delete_experiments(&gone);
        Ok(())
    }

    fn current_or_new(&mut self, step: &ExperimentStep) -> Outcome<Option<Experiment>> {
        if self.experiment.is_some() {
            return Ok(self.experiment.clone());
        }
        let Some(stable) = self.stable.clone() else { return Ok(None) };
        let new = self.new_rs()?;
        let wanted = self.experiment_of(step, &stable, &new)?;
        let created = self.create_experiment(wanted);
        self.event("ExperimentCreated", format!("Created Experiment '{}'", created.name()));
        Ok(Some(created))
    }

    /// What the experiment's phase means to the rollout.
    fn follow(&mut self, current: Experiment) {
        match current.phase() {
            "Inconclusive" => self.pause.add(INCONCLUSIVE_EXPERIMENT),
            "Error" | "Failed" => {
                let mut message = "Experiment analysis phase is error/failed".to_owned();
                if !current.message().is_empty() {
                    message = format!("{message}: {}", current.message());
                }
                self.pause.add_abort(message);
            }
            "Successful" => {}
            _ => {
                self.fresh.canary.current_experiment = current.name().to_owned();
                self.experiment = Some(current);
            }
        }
    }

    fn cancel_experiments(&mut self, all: &[Experiment]) {
        for one in all.iter().filter(|one| !one.is_terminated() && !one.is_completed()) {
            let patch = Patch::Merge(json!({"spec": {"terminate": true}}));
            self.patch(Kind::Experiment, one.name(), Part::Main, patch);
        }
    }

    /// `createExperimentWithCollisionHandling`.
    fn create_experiment(&mut self, mut wanted: Value) -> Experiment {
        let base = text_at(&wanted, "/metadata/name").to_owned();
        let mut collisions = 0;
        loop {
            let name = if collisions == 0 { base.clone() } else { format!("{base}-{collisions}") };
            let Some(existing) = self.store.get(&self.key.sibling(Kind::Experiment, &name)) else {
                wanted["metadata"]["name"] = json!(name);
                self.create(Kind::Experiment, wanted.clone());
                return Experiment(wanted);
            };
            let existing = Experiment((**existing).clone());
            let mine = owner_uid(&existing.0) == self.rollout.metadata.uid;
            let mut spec = existing.0["spec"].clone();
            spec.as_object_mut().map(|spec| spec.remove("terminate"));
            if mine && !existing.is_completed() && spec == wanted["spec"] {
                return existing;
            }
            collisions += 1;
        }
    }

    /// `GetExperimentFromTemplate`.
    fn experiment_of(&self, step: &ExperimentStep, stable: &ReplicaSet, new: &ReplicaSet) -> Outcome<Value> {
        let (rollout, hash) = (&self.rollout, template_hash(&self.rollout));
        let revision = rollout.metadata.annotations.get(REVISION).cloned().unwrap_or_default();
        let index = rollout.status.current_step_index.unwrap_or(0);
        let mut labels = rollout.metadata.labels.clone();
        labels.insert(HASH_LABEL.into(), hash.clone());
        let mut spec = Map::new();
        let mut put = |field: &str, value: Value| {
            if !matches!(&value, Value::Null) && value != json!("") && value != json!([]) {
                spec.insert(field.into(), value);
            }
        };
        let templates: Outcome<Vec<Value>> = step
            .templates
            .iter()
            .map(|template| match template.spec_ref.as_str() {
                "canary" => Ok(template_of(template, new)),
                "stable" => Ok(template_of(template, stable)),
                _ => Err(Stop("Invalid template step SpecRef: must be canary or stable".into())),
            })
            .collect();
        let analyses: Outcome<Vec<Value>> =
            step.analyses.iter().map(|analysis| self.analysis_of(analysis, stable, new)).collect();
        put("templates", json!(templates?));
        put("analyses", json!(analyses?));
        put("duration", json!(step.duration));
        put("progressDeadlineSeconds", json!(rollout.spec.progress_deadline_seconds));
        put("scaleDownDelaySeconds", json!(step.scale_down_delay_seconds));
        put("dryRun", json!(step.dry_run));
        put("analysisRunMetadata", json!(step.analysis_run_metadata));
        Ok(json!({
            "apiVersion": "argoproj.io/v1alpha1", "kind": "Experiment",
            "metadata": {
                "name": format!("{}-{hash}-{revision}-{index}", rollout.metadata.name),
                "namespace": &*self.key.namespace, "labels": labels, "annotations": {REVISION: revision},
                "ownerReferences": [owner_reference(rollout)],
            },
            "spec": spec,
            "status": {},
        }))
    }

    fn analysis_of(&self, analysis: &Value, stable: &ReplicaSet, new: &ReplicaSet) -> Outcome<Value> {
        let hashes = Hashes { latest: new.hash(), stable: Some(stable.hash()) };
        let args = arguments::of_experiment(analysis);
        let (args, error) = arguments::build(&args, hashes, &self.rollout);
        error.map_or(Ok(()), |error| Err(Stop(error)))?;
        let mut wanted = Map::new();
        for field in ["name", "templateName", "clusterScope", "requiredForCompletion"] {
            let value = analysis.get(field).filter(|value| **value != json!(false));
            wanted.extend(value.map(|value| (field.to_owned(), value.clone())));
        }
        if !args.is_empty() {
            wanted.insert("args".into(), json!(args));
        }
        Ok(Value::Object(wanted))
    }

    /// `calculateWeightDestinationsFromExperiment`: shares of the templates of a running experiment.
    pub(super) fn experiment_weights(&self) -> Vec<WeightDestination> {
        let running = self.experiment.as_ref().filter(|one| one.phase() == "Running");
        let Some((step, running)) = steps::experiment(&self.rollout).zip(running) else { return vec![] };
        let statuses = running.0.pointer("/status/templateStatuses").and_then(Value::as_array);
        let weighted = statuses.into_iter().flatten().filter_map(|status| {
            let name = text_at(status, "/name");
            let weight = step.templates.iter().find(|template| template.name == name)?.weight?;
            Some(WeightDestination {
                weight,
                service_name: text_at(status, "/serviceName").into(),
                pod_template_hash: text_at(status, "/podTemplateHash").into(),
            })
        });
        weighted.collect()
    }
}

/// A revision's pods under another name.
fn template_of(template: &ExperimentTemplate, rs: &ReplicaSet) -> Value {
    let mut pods = rs.template().clone();
    let mut selector = template.selector.clone().unwrap_or_else(|| rs.0["spec"]["selector"].clone());
    for (key, value) in &template.metadata.labels {
        pods["metadata"]["labels"][key] = json!(value);
        selector["matchLabels"][key] = json!(value);
    }
    for (key, value) in &template.metadata.annotations {
        pods["metadata"]["annotations"][key] = json!(value);
    }
    let mut wanted = json!({"name": template.name, "selector": selector, "template": pods});
    let ready = rs.0.pointer("/spec/minReadySeconds").filter(|ready| **ready != json!(0));
    for (field, value) in [("replicas", &json!(template.replicas)), ("minReadySeconds", &json!(ready))] {
        if !value.is_null() {
            wanted[field] = value.clone();
        }
    }
    if template.weight.is_some() || template.service.is_some() {
        let name = template.service.as_ref().map_or("", |service| text_at(service, "/name"));
        wanted["service"] = if name.is_empty() { json!({}) } else { json!({"name": name}) };
    }
    wanted
}
