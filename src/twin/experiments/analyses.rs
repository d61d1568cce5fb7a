//! An AnalysisRun for every analysis (`reconcileAnalysisRun` in experiments/experiment.go v1.9.1).

use serde_json::{Map, Value, json};

use super::controller::Context;
use super::object::{Analysis, RunStatus, is_bad, is_final};
use crate::argo::rollout::{INSTANCE_ID_LABEL, TemplateRef};
use crate::clock::Moment;
use crate::twin::effect::Effect;
use crate::twin::rollouts::events::garbled;
use crate::twin::rollouts::{means_the_same, run_spec};
use crate::twin::store::{ApiError, Key, Kind, Part, Patch, labels_of, owner_uid, text_at};

impl Context<'_> {
    /// `reconcileAnalysisRun`.
    pub(super) fn reconcile_analysis(&mut self, analysis: &Analysis) {
        let fresh = || RunStatus { name: analysis.name.clone(), ..RunStatus::default() };
        let before = self.old.run(&analysis.name).cloned().unwrap_or_else(fresh);
        let now = self.follow_run(analysis, before.clone());
        self.tell_about_run(&before, &now);
        self.status.set_run(now);
    }

    /// What becomes of what is known of a run: none before the templates are running, none any more once the experiment
    /// ends.
    fn follow_run(&mut self, analysis: &Analysis, mut known: RunStatus) -> RunStatus {
        let outcome = if self.old.available_at.is_none() {
            self.verify(analysis)
        } else if known.analysis_run.is_empty() {
            if self.terminating {
                return known;
            }
            self.create_run(analysis)
                .map(|name| {
                    known.phase = "Pending".into();
                    known.analysis_run = name;
                })
                .map_err(|error| {
                    format!("Failed to create AnalysisRun for analysis '{}': {error}", analysis.name)
                })
        } else if is_final(&known.phase) {
            return known;
        } else {
            self.read_run(analysis, &mut known)
        };
        if let Err(message) = outcome {
            known.phase = "Error".into();
            known.message = message;
        }
        known
    }

    /// `verifyAnalysisTemplate`: it is there.
    fn verify(&self, analysis: &Analysis) -> Result<(), String> {
        let name = &analysis.template_name;
        let key = match analysis.cluster_scope {
            true => Key::new(Kind::ClusterAnalysisTemplate, "", name),
            false => self.key.sibling(Kind::AnalysisTemplate, name),
        };
        let missing = || {
            let (kind, error) = (key.kind.info().kind, ApiError::not_found(&key).message);
            format!("{kind} verification failed for analysis '{}': {error}", analysis.name)
        };
        self.store.get(&key).map(|_| ()).ok_or_else(missing)
    }

    fn read_run(&mut self, analysis: &Analysis, known: &mut RunStatus) -> Result<(), String> {
        let key = self.key.sibling(Kind::AnalysisRun, &known.analysis_run);
        let run = self.store.get(&key).cloned().ok_or_else(|| ApiError::not_found(&key).message)?;
        let phase = text_at(&run, "/status/phase");
        if !self.terminating {
            known.phase = phase.to_owned();
            known.message = text_at(&run, "/status/message").to_owned();
        } else if !is_final(phase) && run["spec"]["terminate"] != json!(true) {
            let message = format!("Terminating {} ({})", analysis.name, known.analysis_run);
            self.event(false, "AnalysisRunTerminating", message);
            let patch = Patch::Merge(json!({"spec": {"terminate": true}}));
            self.out.push(Effect::Patch { key, part: Part::Main, patch });
        }
        Ok(())
    }

    /// `createAnalysisRun`: a name that is taken gets a number, unless the run there is this very one.
    fn create_run(&mut self, analysis: &Analysis) -> Result<String, String> {
        let mut run = self.new_run(analysis)?;
        let base = format!("{}-{}", self.name(), analysis.name);
        let mut collisions = 0;
        loop {
            let name = if collisions == 0 { base.clone() } else { format!("{base}.{collisions}") };
            let Some(existing) = self.store.get(&self.key.sibling(Kind::AnalysisRun, &name)) else {
                run["metadata"]["name"] = json!(name);
                self.out.push(Effect::Create { kind: Kind::AnalysisRun, object: run });
                return Ok(name);
            };
            let mine = owner_uid(existing) == self.uid();
            if mine && !is_final(text_at(existing, "/status/phase")) && means_the_same(existing, &run) {
                return Ok(name);
            }
            collisions += 1;
        }
    }

    /// `newAnalysisRun`.
    fn new_run(&self, analysis: &Analysis) -> Result<Value, String> {
        let template = TemplateRef {
            template_name: analysis.template_name.clone(),
            cluster_scope: analysis.cluster_scope.then_some(true),
        };
        let args: Result<Vec<Map<String, Value>>, String> =
            analysis.args.iter().map(|arg| self.resolve(&arg.name, &arg.value)).collect();
        let (dry, keep) = (&self.spec.dry_run, &self.spec.measurement_retention);
        let spec = run_spec(self.store, &self.key, &template, &args?, (dry, keep))?;
        let metadata = &self.spec.analysis_run_metadata;
        let mut labels = metadata.labels.clone();
        let own = labels_of(&self.object);
        if let Some(instance) = own.get(INSTANCE_ID_LABEL).filter(|id| !id.is_empty()) {
            labels.entry(INSTANCE_ID_LABEL.into()).or_insert_with(|| (*instance).to_owned());
        }
        Ok(json!({
            "apiVersion": "argoproj.io/v1alpha1", "kind": "AnalysisRun",
            "metadata": {
                "namespace": &*self.key.namespace, "labels": labels, "annotations": metadata.annotations,
                "ownerReferences": [self.owner_reference()],
            },
            "spec": spec,
            "status": {"phase": "", "runSummary": {}},
        }))
    }

    /// `ResolveExperimentArgsValue` in utils/template/template.go: placeholders for hashes, names and moments.
    fn resolve(&self, name: &str, text: &str) -> Result<Map<String, Value>, String> {
        let (mut done, mut rest) = (String::new(), text);
        while let Some((before, tagged)) = rest.split_once("{{") {
            let unclosed =
                || format!("Cannot find end tag=\"}}}}\" in the template={text:?} starting from {tagged:?}");
            let (tag, after) = tagged.split_once("}}").ok_or_else(unclosed)?;
            let value = self.placeholder(tag.trim());
            done.push_str(before);
            done.push_str(&value.ok_or_else(|| format!("failed to resolve {{{{{tag}}}}}"))?);
            rest = after;
        }
        done.push_str(rest);
        Ok(Map::from_iter([("name".into(), json!(name)), ("value".into(), json!(done))]))
    }

    fn placeholder(&self, tag: &str) -> Option<String> {
        match tag {
            "experiment.availableAt" => return self.old.available_at.clone(),
            "experiment.finishedAt" => return self.spec.end(&self.old).map(Moment::rfc3339),
            _ => {}
        }
        let (template, field) = tag.strip_prefix("templates.")?.split_once('.')?;
        let set = self.sets.get(template)?;
        match field {
            "podTemplateHash" => Some(set.hash().to_owned()),
            "replicaset.name" => Some(set.name().to_owned()),
            _ => None,
        }
    }

    /// An event about the Experiment, and one about the Rollout whose step it is, which is always a warning.
    fn tell_about_run(&mut self, before: &RunStatus, now: &RunStatus) {
        let reason = match now.phase.as_str() {
            "Pending" => "AnalysisRunPending",
            "Running" => "AnalysisRunRunning",
            "Successful" => "AnalysisRunSuccessful",
            "Failed" => "AnalysisRunFailed",
            "Error" => "AnalysisRunError",
            "Inconclusive" => "AnalysisRunInconclusive",
            _ => return,
        };
        if before.phase == now.phase {
            return;
        }
        let mut message =
            format!("AnalysisRun '{}' transitioned from {} -> {}", now.name, before.phase, now.phase);
        if !now.message.is_empty() {
            message = format!("{message}: {}", now.message);
        }
        let message = garbled(&message);
        self.event(is_bad(&now.phase), reason, message.clone());
        let owners = self.object.pointer("/metadata/ownerReferences").and_then(Value::as_array);
        let owner = owners.into_iter().flatten().find(|owner| owner["kind"] == json!("Rollout"));
        let rollout = owner.map(|owner| self.key.sibling(Kind::Rollout, text_at(owner, "/name")));
        if let Some(rollout) = rollout.and_then(|key| self.store.get(&key).cloned()) {
            self.record(rollout, Kind::Rollout, true, reason, message);
        }
    }
}
