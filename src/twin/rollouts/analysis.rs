//! AnalysisRuns: when one starts, is stopped, counts, and is forgotten (rollout/analysis.go v1.9.1).

use serde_json::{Map, Value, json};

use super::arguments::{self, Hashes};
use super::claim::owner_reference;
use super::context::{Context, CurrentRuns, Outcome, Stop};
use super::events::garbled;
use super::pause::{BLUE_GREEN, CANARY_STEP, INCONCLUSIVE};
use super::templates::{self, Missing};
use super::views::{AnalysisRun, ReplicaSet};
use crate::argo::Version;
use crate::argo::rollout::{AnalysisRunRef, HASH_LABEL, INSTANCE_ID_LABEL, REVISION, RolloutAnalysis};
use crate::twin::store::{Kind, Part, Patch, owner_uid};

/// One of the two analyses of a blue-green, or of a canary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    Pre,
    Post,
    /// Of the step with this index.
    Step(i32),
    Background,
}

impl Stage {
    /// As the run's name ends.
    fn suffix(self) -> String {
        match self {
            Stage::Pre => "-pre".into(),
            Stage::Post => "-post".into(),
            Stage::Step(index) => format!("-{index}"),
            Stage::Background => String::new(),
        }
    }

    /// As the run's label says, and the events about it.
    fn label(self) -> &'static str {
        match self {
            Stage::Pre => "PrePromotion",
            Stage::Post => "PostPromotion",
            Stage::Step(_) => "Step",
            Stage::Background => "Background",
        }
    }
}

impl Context<'_> {
    /// `reconcileAnalysisRuns`.
    pub(super) fn reconcile_analysis_runs(&mut self) -> Outcome {
        let fast = self.new.as_ref().is_some_and(|new| self.is_fast_rollback(new));
        let first = self.rollout.status.stable_rs.is_empty();
        let full = self.rollout.status.promote_full;
        if self.is_aborted() || full || fast || first || self.is_rollback_within_window() {
            let current = self.current_runs.clone();
            let all: Vec<AnalysisRun> = current.iter().chain(&self.other_runs).cloned().collect();
            // The 1.9 line goes on naming the runs of a canary, the 1.10 line forgets them now.
            if self.version == Version::V1_9 || !self.is_canary() {
                self.set_current_runs(current);
            }
            self.cancel_runs(&all);
            return Ok(());
        }
        let mut current = CurrentRuns::default();
        if self.is_canary() {
            current.step = self.reconcile_step_run()?;
            current.background = self.reconcile_background_run()?;
        } else {
            for stage in [Stage::Pre, Stage::Post] {
                let run = self.reconcile_run(stage)?;
                let words = if stage == Stage::Pre { "pre" } else { "post" };
                self.pause_or_abort(&format!("Blue/green {words}-promotion analysis"), run.as_ref());
                *slot(&mut current, stage) = run;
            }
        }
        self.set_current_runs(current.clone());
        self.forget_other_runs(&current);
        self.tell_about_runs(&current);
        Ok(())
    }

    /// `SetCurrentAnalysisRuns`.
    fn set_current_runs(&mut self, mut current: CurrentRuns) {
        let as_ref = |run: &AnalysisRun| AnalysisRunRef {
            name: run.name().into(),
            status: run.phase().into(),
            message: run.message().into(),
        };
        let canary = self.is_canary();
        let (green, status) = (&mut self.fresh.blue_green, &mut self.fresh.canary);
        let slots = [
            (!canary, &current.pre, &mut green.pre_promotion_analysis_run_status),
            (!canary, &current.post, &mut green.post_promotion_analysis_run_status),
            (canary, &current.step, &mut status.current_step_analysis_run_status),
            (canary, &current.background, &mut status.current_background_analysis_run_status),
        ];
        for (_, run, told) in slots.into_iter().filter(|(own, ..)| *own) {
            *told = run.as_ref().map(as_ref).or(told.take());
        }
        std::mem::swap(&mut self.current_runs, &mut current);
    }

    /// `reconcilePrePromotionAnalysisRun` and its twin for the time after promotion.
    fn reconcile_run(&mut self, stage: Stage) -> Outcome<Option<AnalysisRun>> {
        let current = slot(&mut self.current_runs, stage).clone();
        let asked = self.analysis(stage).filter(|analysis| !analysis.templates.is_empty()).cloned();
        let Some(analysis) = asked else {
            self.cancel_runs(current.as_slice());
            return Ok(None);
        };
        if self.skips(stage, current.as_ref()) {
            self.cancel_runs(current.as_slice());
            return Ok(current);
        }
        if self.rollout.status.pause(INCONCLUSIVE).is_some() || !self.needs_new_run(current.as_ref()) {
            return Ok(current);
        }
        self.create_run(&analysis, stage).map(Some)
    }

    fn analysis(&self, stage: Stage) -> Option<&RolloutAnalysis> {
        match stage {
            Stage::Pre => self.bluegreen().pre_promotion_analysis.as_ref(),
            _ => self.bluegreen().post_promotion_analysis.as_ref(),
        }
    }

    fn skips(&self, stage: Stage, current: Option<&AnalysisRun>) -> bool {
        match stage {
            Stage::Pre => self.skips_pre_promotion(current),
            _ => self.skips_post_promotion(current),
        }
    }

    /// `skipPrePromotionAnalysisRun`: users are there already, or the new revision is not up yet.
    fn skips_pre_promotion(&self, current: Option<&AnalysisRun>) -> bool {
        let (status, hash) = (&self.rollout.status, self.new_hash());
        let active = &status.blue_green.active_selector;
        if status.stable_rs == hash || active.is_empty() || *active == hash || hash.is_empty() {
            return true;
        }
        let Some(new) = self.new.as_ref().filter(|_| current.is_none()) else { return false };
        match self.bluegreen().preview_replica_count {
            Some(preview) => new.replicas() != preview || new.available() != preview,
            None => !new.is_saturated(self.rollout.replicas()),
        }
    }

    /// `skipPostPromotionAnalysisRun`: users are not there yet, or it is stable already.
    pub(super) fn skips_post_promotion(&self, current: Option<&AnalysisRun>) -> bool {
        let (status, hash) = (&self.rollout.status, self.new_hash());
        if status.stable_rs == hash || status.blue_green.active_selector != hash || hash.is_empty() {
            return true;
        }
        let saturated = |new: &ReplicaSet| new.is_saturated(self.rollout.replicas());
        current.is_none() && !self.new.as_ref().is_some_and(saturated)
    }

    /// `needsNewAnalysisRun`: there is none, or a person asks again after an inconclusive or failed one.
    pub(super) fn needs_new_run(&self, current: Option<&AnalysisRun>) -> bool {
        let status = &self.rollout.status;
        let Some(run) = current else { return true };
        if status.controller_pause
            && status.pause(CANARY_STEP).is_none()
            && status.pause(BLUE_GREEN).is_none()
        {
            return run.phase() == "Inconclusive";
        }
        status.aborted_at.is_some()
    }

    /// `createAnalysisRun`.
    pub(super) fn create_run(&mut self, analysis: &RolloutAnalysis, stage: Stage) -> Outcome<AnalysisRun> {
        let new = self.new_rs()?;
        let stable = self.stable.as_ref().map(ReplicaSet::hash);
        let hashes = Hashes { latest: new.hash(), stable };
        let (args, error) = arguments::build(&analysis.args, hashes, &self.rollout);
        error.map_or(Ok(()), |error| Err(Stop(error)))?;
        let found = templates::collect(self.store, &self.key, &analysis.templates).map_err(not_found)?;
        let spec =
            found.to_run_spec(&args, &analysis.dry_run, &analysis.measurement_retention).map_err(Stop)?;
        let (revision, rollout) = (self.rollout.metadata.annotations.get(REVISION), &self.rollout);
        let revision = revision.cloned().unwrap_or_default();
        let metadata = analysis.analysis_run_metadata.clone().unwrap_or_default();
        let mut annotations: Map<String, Value> = Map::from_iter([(REVISION.into(), json!(revision))]);
        annotations.extend(metadata.annotations.into_iter().map(|(key, value)| (key, json!(value))));
        let mut labels = self.run_labels(new.hash(), stage);
        labels.extend(metadata.labels.into_iter().map(|(key, value)| (key, json!(value))));
        let selected = rollout.spec.selector.clone().unwrap_or_default().match_labels;
        labels.extend(selected.into_iter().map(|(key, value)| (key, json!(value))));
        let name = format!("{}-{}-{revision}{}", rollout.metadata.name, new.hash(), stage.suffix());
        let run = json!({
            "apiVersion": "argoproj.io/v1alpha1", "kind": "AnalysisRun",
            "metadata": {
                "name": name, "namespace": &*self.key.namespace, "labels": labels, "annotations": annotations,
                "ownerReferences": [owner_reference(rollout)],
            },
            "spec": spec,
            "status": {"phase": "", "runSummary": {}},
        });
        Ok(self.create_with_collision_counter(&name, run))
    }

    fn run_labels(&self, hash: &str, stage: Stage) -> Map<String, Value> {
        let mut labels =
            Map::from_iter([(HASH_LABEL.into(), json!(hash)), ("rollout-type".into(), json!(stage.label()))]);
        if let Stage::Step(index) = stage {
            labels.insert("step-index".into(), json!(index.to_string()));
        }
        let instance = self.rollout.metadata.labels.get(INSTANCE_ID_LABEL).filter(|id| !id.is_empty());
        labels.extend(instance.map(|id| (INSTANCE_ID_LABEL.into(), json!(id))));
        labels
    }

    /// `CreateWithCollisionCounter`: a name that is taken gets a number, unless the run there is this very one.
    fn create_with_collision_counter(&mut self, base: &str, mut run: Value) -> AnalysisRun {
        let mut collisions = 0;
        loop {
            let name = if collisions == 0 { base.to_owned() } else { format!("{base}.{collisions}") };
            let Some(existing) = self.store.get(&self.key.sibling(Kind::AnalysisRun, &name)) else {
                run["metadata"]["name"] = json!(name);
                self.create(Kind::AnalysisRun, run.clone());
                return AnalysisRun(run);
            };
            let existing = AnalysisRun((**existing).clone());
            let mine = owner_uid(&existing.0) == self.rollout.metadata.uid;
            if mine && !existing.is_completed() && means_the_same(&existing.0, &run) {
                return existing;
            }
            collisions += 1;
        }
    }

    /// `setPauseOrAbortForBlueGreen`, and what a canary does alike.
    pub(super) fn pause_or_abort(&mut self, analysis: &str, run: Option<&AnalysisRun>) {
        let Some(run) = run else { return };
        match run.phase() {
            "Inconclusive" => self.pause.add(INCONCLUSIVE),
            "Error" | "Failed" => {
                let mut message = format!("{analysis} phase error/failed");
                if !run.message().is_empty() {
                    message = format!("{message}: {}", run.message());
                }
                self.pause.add_abort(message);
            }
            _ => {}
        }
    }

    /// `cancelAnalysisRuns`.
    pub(super) fn cancel_runs(&mut self, runs: &[AnalysisRun]) {
        for run in runs.iter().filter(|run| !run.is_terminated() && !run.is_completed()) {
            let patch = Patch::Merge(json!({"spec": {"terminate": true}}));
            self.patch(Kind::AnalysisRun, run.name(), Part::Main, patch);
        }
    }

    /// Runs of earlier revisions are stopped, and deleted beyond what is kept.
    fn forget_other_runs(&mut self, current: &CurrentRuns) {
        let is_current = |run: &&AnalysisRun| current.iter().any(|one| one.name() == run.name());
        let others: Vec<AnalysisRun> =
            self.other_runs.iter().filter(|run| !is_current(run)).cloned().collect();
        self.cancel_runs(&others);
        let gone = self.runs_to_delete(&others);
        self.delete_runs(&gone);
    }

    /// `reconcileAnalysisRunStatusChanges`.
    fn tell_about_runs(&mut self, current: &CurrentRuns) {
        let (green, canary) = (self.rollout.status.blue_green.clone(), self.rollout.status.canary.clone());
        let told = [
            (Stage::Post, green.post_promotion_analysis_run_status, &current.post),
            (Stage::Pre, green.pre_promotion_analysis_run_status, &current.pre),
            (Stage::Step(0), canary.current_step_analysis_run_status, &current.step),
            (Stage::Background, canary.current_background_analysis_run_status, &current.background),
        ];
        for (stage, before, run) in told {
            self.tell_about_run(stage, before, run.as_ref());
        }
    }

    fn tell_about_run(&mut self, stage: Stage, before: Option<AnalysisRunRef>, run: Option<&AnalysisRun>) {
        let Some(run) = run else { return };
        let Some(reason) = reason_of(run.phase()) else { return };
        let news =
            before.as_ref().is_none_or(|before| before.name == run.name() && before.status != run.phase());
        if !news {
            return;
        }
        let previous = before.map_or("NoPreviousStatus".into(), |before| before.status);
        let (kind, name, phase) = (stage.label(), run.name(), run.phase());
        let message = format!("{kind} Analysis Run '{name}' Status New: '{phase}' Previous: '{previous}'");
        match phase {
            "Failed" | "Error" => self.warn(reason, garbled(&message)),
            _ => self.event(reason, garbled(&message)),
        }
    }
}

fn slot(runs: &mut CurrentRuns, stage: Stage) -> &mut Option<AnalysisRun> {
    match stage {
        Stage::Pre => &mut runs.pre,
        _ => &mut runs.post,
    }
}

/// `AnalysisRun` and the phase; a phase that does not exist tells nobody anything.
fn reason_of(phase: &str) -> Option<&'static str> {
    Some(match phase {
        "Pending" => "AnalysisRunPending",
        "Running" => "AnalysisRunRunning",
        "Successful" => "AnalysisRunSuccessful",
        "Failed" => "AnalysisRunFailed",
        "Error" => "AnalysisRunError",
        "Inconclusive" => "AnalysisRunInconclusive",
        _ => return None,
    })
}

/// `IsSemanticallyEqual`.
pub(in crate::twin) fn means_the_same(left: &Value, right: &Value) -> bool {
    let fields = ["metrics", "dryRun", "measurementRetention", "args"];
    fields.iter().all(|field| left["spec"].get(field) == right["spec"].get(field))
}

fn not_found(missing: Missing) -> Stop {
    Stop(missing.told())
}
