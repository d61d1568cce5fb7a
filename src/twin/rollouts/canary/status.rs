//! The status of a canary: its step, its promotion (`syncRolloutStatusCanary` in rollout/canary.go v1.9.1).

use super::super::context::{Context, Outcome};
use super::super::counts::progress_threshold_met;
use super::super::pause::CANARY_STEP;
use super::super::steps;
use super::super::views::ReplicaSet;
use crate::argo::rollout::{CanaryStep, RolloutStatus};

impl Context<'_> {
    /// `syncRolloutStatusCanary`.
    pub(super) fn sync_status_canary(&mut self) -> Outcome {
        let mut new = self.canary_base_status();
        if self.is_template_or_steps_changed() {
            self.begin_update(&mut new);
        } else {
            self.advance(&mut new)?;
        }
        self.calculate_conditions(&mut new);
        self.persist(new);
        Ok(())
    }

    fn canary_base_status(&self) -> RolloutStatus {
        let mut new = self.base_status();
        new.available_replicas = Context::available(&self.all);
        new.hpa_replicas = Context::actual(&self.all);
        new.selector = self.rollout.spec.selector.clone().unwrap_or_default().format();
        new.canary.stable_ping_pong.clone_from(&self.rollout.status.canary.stable_ping_pong);
        new.stable_rs.clone_from(&self.rollout.status.stable_rs);
        new.current_step_hash = self.step_hash();
        new
    }

    /// A new update begins; one back to a revision that is still there skips its steps.
    fn begin_update(&mut self, new: &mut RolloutStatus) {
        self.reset_status(new);
        let steps = steps::count(&self.rollout);
        let Some(rs) = self.new.as_ref().filter(|_| steps > 0) else { return };
        let reason = if self.rollout.status.stable_rs == rs.hash() {
            "Rollback to stable ReplicaSets"
        } else if self.is_rollback_within_window() && rs.replicas() > 0 {
            "Rollback to active ReplicaSets within RollbackWindow"
        } else {
            return;
        };
        self.event("SkipSteps", reason.into());
        new.current_step_index = Some(steps);
    }

    /// Promotion, an abort, or the next step.
    fn advance(&mut self, new: &mut RolloutStatus) -> Outcome {
        let (mut steps, at) = (steps::count(&self.rollout), steps::position(&self.rollout));
        let (mut index, step) = (at.map(|at| at.index), at.and_then(|at| at.step).cloned());
        let mut skipping = false;
        if self.rollout.status.promote_full || self.is_rollback_within_window() {
            self.pause.clear();
            self.pause.remove_abort();
            index = index.map(|_| steps);
            skipping = true;
        }
        if let Some(reason) = self.should_promote(new) {
            return self.promote_stable(new, &reason);
        }
        if self.is_aborted() {
            let back = if new.stable_rs == new.current_pod_hash { steps } else { 0 };
            new.current_step_index = index.map(|_| back);
            return Ok(());
        }
        if let Some(step) = step.filter(|step| self.completed_step(step)) {
            index = index.map(|index| index.saturating_add(1));
            // Upstream counts in the variable that also says how many steps there are.
            steps = steps.saturating_add(i32::from(skipping));
            self.complete_step(new, &step, (index.unwrap_or(0), steps));
        }
        new.current_step_index = index;
        Ok(())
    }

    fn complete_step(&mut self, new: &mut RolloutStatus, step: &CanaryStep, (done, steps): (i32, i32)) {
        new.canary.current_step_analysis_run_status = None;
        let message = format!("Rollout step {done}/{steps} completed ({})", steps::describe(step));
        self.event("RolloutStepCompleted", message);
        self.pause.remove(CANARY_STEP);
    }

    /// `shouldFullPromote` for a canary that has a stable revision.
    pub(in super::super) fn should_promote_canary(&self) -> Option<String> {
        let wanted = self.rollout.replicas();
        let threshold = self.canary().replica_progress_threshold.as_ref();
        let enough = |new: &&ReplicaSet| {
            new.available() >= wanted || progress_threshold_met(threshold, Some(new), wanted)
        };
        self.new.as_ref().filter(|_| !self.is_aborted()).filter(enough)?;
        if self.rollout.status.promote_full {
            return Some("Full promotion requested".into());
        }
        if self.is_rollback_within_window() {
            return Some("Rollback within window".into());
        }
        let steps = steps::count(&self.rollout);
        let done = steps::position(&self.rollout).is_none_or(|at| at.index == steps);
        done.then(|| format!("Completed all {steps} canary steps"))
    }

    /// What a promotion means to a canary: all steps are done, and ping and pong swap if stable moves.
    pub(in super::super) fn promote_canary(&mut self, new: &mut RolloutStatus) {
        let steps = steps::count(&self.rollout);
        new.current_step_index = (steps > 0).then_some(steps);
        if new.stable_rs != new.current_pod_hash && self.canary().ping_pong.is_some() {
            let pong = self.rollout.status.canary.stable_ping_pong == "ping";
            new.canary.stable_ping_pong = if pong { "pong" } else { "ping" }.into();
        }
    }
}
