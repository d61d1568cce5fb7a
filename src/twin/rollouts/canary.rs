//! The canary strategy (rollout/canary.go v1.9.1).

mod analysis;
mod scale;
mod status;

use super::context::{Context, Outcome};
use super::counts::Revisions;
use super::hash::step_hash;
use super::pause::CANARY_STEP;
use super::steps;
use crate::argo::rollout::{CanaryStep, Pause};
use crate::clock::Moment;

impl Context<'_> {
    /// One reconcile of the strategy, stage by stage; the order is upstream's and matters.
    pub(super) fn rollout_canary(&mut self) -> Outcome {
        self.sync_revision()?;
        if self.is_template_or_steps_changed() {
            return self.sync_status_canary();
        }
        if self.restart_pods() > 0 {
            // The sizes and availabilities known here are out of date now; the next reconcile knows better.
            return Ok(());
        }
        self.reconcile_ephemeral_metadata()?;
        self.reconcile_revision_history_limit();
        self.reconcile_ping_pong_service()?;
        self.reconcile_stable_and_canary_services()?;
        self.reconcile_traffic_routing()?;
        self.reconcile_experiments()?;
        let analysed = self.reconcile_analysis_runs();
        if self.pause.has_added() {
            return self.sync_status_canary();
        }
        analysed?;
        if !self.reconcile_canary_replica_sets()? {
            self.reconcile_canary_pause();
        }
        self.sync_status_canary()
    }

    /// `PodTemplateOrStepsChanged`: a new update begins, also when only its steps were edited.
    pub(super) fn is_template_or_steps_changed(&self) -> bool {
        self.rollout.status.current_step_hash != self.step_hash() || self.is_template_changed()
    }

    /// The hash of the steps (`ComputeStepHash`).
    pub(super) fn step_hash(&self) -> String {
        step_hash(&self.canary().steps)
    }

    /// What sizes are computed from.
    pub(super) fn revisions(&self) -> Revisions<'_> {
        Revisions {
            rollout: &self.rollout,
            new: self.new.as_ref(),
            stable: self.stable.as_ref(),
            other: &self.other,
        }
    }

    /// `reconcileCanaryPause`: begins the pause of the current step, or comes back when it is over.
    fn reconcile_canary_pause(&mut self) {
        if self.rollout.spec.paused || self.rollout.status.promote_full {
            return;
        }
        let Some(pause) = steps::current(&self.rollout).and_then(|step| step.pause.clone()) else { return };
        match self.rollout.status.pause(CANARY_STEP).cloned() {
            Some(begun) if pause.duration.is_some() => {
                self.requeue_during_wait(&begun.start_time, steps::pause_seconds(&pause));
            }
            Some(_) => {}
            // No pause, but the controller's mark of one: a person has just resumed.
            None if self.rollout.status.controller_pause => {}
            None => self.pause.add(CANARY_STEP),
        }
    }

    /// `CompletedCanaryPauseStep`: a person resumed, or the time is over.
    fn completed_canary_pause(&self, pause: &Pause) -> bool {
        let status = &self.rollout.status;
        let Some(begun) = status.pause(CANARY_STEP) else { return status.controller_pause };
        let started = Moment::parse_rfc3339(&begun.start_time).filter(|_| pause.duration.is_some());
        let wait = super::defaults::seconds(steps::pause_seconds(pause));
        started.is_some_and(|started| self.now > started + wait)
    }

    /// `completedCurrentCanaryStep`.
    fn completed_step(&self, step: &CanaryStep) -> bool {
        if self.rollout.spec.paused {
            return false;
        }
        let weights = self.fresh.canary.weights.as_ref();
        if let Some(pause) = &step.pause {
            return self.completed_canary_pause(pause);
        }
        if step.set_canary_scale.is_some() {
            return self.revisions().at_desired_sizes(weights);
        }
        if step.set_weight.is_some() {
            let unverified = weights.is_some_and(|weights| weights.verified == Some(false));
            return self.revisions().at_desired_sizes(weights) && !unverified;
        }
        if step.experiment.is_some() {
            return self.experiment.as_ref().is_some_and(|one| one.phase() == "Successful");
        }
        if step.analysis.is_some() {
            return self.current_runs.step.as_ref().is_some_and(|run| run.phase() == "Successful");
        }
        step.set_header_route.is_some() || step.set_mirror_route.is_some()
    }
}
