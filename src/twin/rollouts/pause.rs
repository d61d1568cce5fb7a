//! Pauses and aborts: wished for during a reconcile, written with its status (rollout/pause.go v1.9.1).

use std::time::Duration;

use super::context::{Context, RESYNC};
use super::defaults::seconds;
use crate::argo::rollout::{PauseCondition, RolloutStatus};
use crate::clock::Moment;

/// Waiting for a person, or for `autoPromotionSeconds`.
pub(super) const BLUE_GREEN: &str = "BlueGreenPause";
/// A canary's pause step.
pub(super) const CANARY_STEP: &str = "CanaryPauseStep";
/// An analysis could not tell.
pub(super) const INCONCLUSIVE: &str = "InconclusiveAnalysisRun";

/// An experiment could not tell.
pub(super) const INCONCLUSIVE_EXPERIMENT: &str = "InconclusiveExperiment";

/// What a reconcile wishes for.
#[derive(Debug, Clone, Default)]
pub(super) struct PauseContext {
    add: Vec<&'static str>,
    remove: Vec<&'static str>,
    clear: bool,
    add_abort: bool,
    remove_abort: bool,
    /// Why it aborts.
    pub(super) abort_message: String,
}

impl PauseContext {
    pub(super) fn add(&mut self, reason: &'static str) {
        self.add.push(reason);
    }

    pub(super) fn remove(&mut self, reason: &'static str) {
        self.remove.push(reason);
    }

    /// Whether this very reconcile pauses.
    pub(super) fn has_added(&self) -> bool {
        !self.add.is_empty()
    }

    pub(super) fn clear(&mut self) {
        self.clear = true;
    }

    pub(super) fn add_abort(&mut self, message: String) {
        self.add_abort = true;
        self.abort_message = message;
    }

    pub(super) fn remove_abort(&mut self) {
        self.remove_abort = true;
    }
}

impl Context<'_> {
    /// Aborted before, or just now.
    pub(super) fn is_aborted(&self) -> bool {
        !self.pause.remove_abort && (self.pause.add_abort || self.rollout.status.abort)
    }

    /// `haltProgress`: neither Services nor pauses move while a person or an inconclusive analysis holds them.
    pub(super) fn is_halted(&self) -> bool {
        self.rollout.spec.paused || self.rollout.status.pause(INCONCLUSIVE).is_some()
    }

    /// Without a pre-promotion analysis, or once its run was successful.
    pub(super) fn completed_pre_promotion_analysis(&self) -> bool {
        let run = self.current_runs.pre.as_ref();
        self.bluegreen().pre_promotion_analysis.is_none()
            || run.is_some_and(|run| run.phase() == "Successful")
    }

    /// `CompletedBlueGreenPause`: a person resumed, or `autoPromotionSeconds` have passed.
    pub(super) fn completed_blue_green_pause(&self) -> bool {
        let (strategy, status) = (self.bluegreen(), &self.rollout.status);
        let pause = status.pause(BLUE_GREEN);
        if self.pause.has_added() {
            return false;
        }
        if status.blue_green.scale_up_preview_check_point {
            return true;
        }
        if strategy.auto_promotion_enabled == Some(false) {
            // The pause is gone and the controller's mark is not: a person took it away.
            return status.controller_pause && pause.is_none();
        }
        if strategy.auto_promotion_seconds == 0 {
            return true;
        }
        let started = pause.and_then(|pause| Moment::parse_rfc3339(&pause.start_time));
        started.is_some_and(|started| self.now > started + seconds(strategy.auto_promotion_seconds))
    }

    /// Comes back when a wait is over. A real timer is late by a breath, which the strict comparison above needs.
    pub(super) fn requeue_during_wait(&mut self, start: &str, wait: i32) {
        let Some(start) = Moment::parse_rfc3339(start) else { return };
        let over = start + seconds(wait);
        if over > self.now && over < self.now + RESYNC {
            self.out.requeue_after(over.since(self.now) + Duration::from_millis(1));
        }
    }

    /// `CalculatePauseStatus`: abort beats pauses.
    pub(super) fn calculate_pause_status(&self, new: &mut RolloutStatus) {
        let old = &self.rollout.status;
        // Upstream lets a new abort win over its own removal here, though not in `is_aborted`: that is how a rollout
        // ends Healthy with `abort: true`.
        new.abort = self.pause.add_abort || (!self.pause.remove_abort && old.abort);
        new.aborted_at = None;
        if new.abort {
            new.aborted_at = Some(old.aborted_at.clone().unwrap_or_else(|| self.now.rfc3339()));
            return;
        }
        if !self.pause.clear {
            self.calculate_pause_conditions(new);
        }
    }

    fn calculate_pause_conditions(&self, new: &mut RolloutStatus) {
        let old = &self.rollout.status;
        let removed = |pause: &&PauseCondition| !self.pause.remove.contains(&pause.reason.as_str());
        let mut pauses: Vec<PauseCondition> = old.pause_conditions.iter().filter(removed).cloned().collect();
        let mut controller_pause = old.controller_pause;
        for reason in self.pause.add.iter().filter(|reason| old.pause(reason).is_none()) {
            pauses.push(PauseCondition { reason: (*reason).into(), start_time: self.now.rfc3339() });
            controller_pause = true;
        }
        if !pauses.is_empty() {
            new.controller_pause = controller_pause;
            new.pause_conditions = pauses;
        }
    }
}
