//! The conditions at the end of a reconcile: done, moving, stuck or aborted (`calculateRolloutConditions` in
//! rollout/sync.go v1.9.1). The rules they follow are in [`super::conditions`].

use serde_json::json;

use super::conditions::{self, kinds, reasons};
use super::context::Context;
use super::events::garbled;
use super::newrs;
use super::steps;
use super::views::ReplicaSet;
use crate::argo::Version;
use crate::argo::rollout::{CanaryStep, Condition, ConditionStatus, RolloutStatus};
use crate::twin::store::text_at;

impl Context<'_> {
    pub(super) fn condition(
        &self,
        kind: &str,
        status: ConditionStatus,
        reason: &str,
        message: &str,
    ) -> Condition {
        conditions::new(kind, status, reason, message, self.now)
    }

    /// `calculateRolloutConditions`.
    pub(super) fn calculate_conditions(&mut self, new: &mut RolloutStatus) {
        let became_unhealthy = self.set_healthy(new);
        if self.version == Version::V1_10 && self.is_stuck(new, became_unhealthy) {
            self.abort_stuck_update(false);
        }
        if self.is_aborted() {
            self.set_aborted(new);
        } else {
            self.set_progressing(new, became_unhealthy);
        }
        self.set_available(new);
        self.set_replica_failure(new);
        self.set_completed(new);
    }

    fn set_healthy(&self, new: &mut RolloutStatus) -> bool {
        let paused = !self.rollout.status.pause_conditions.is_empty() || self.rollout.spec.paused;
        let healthy = |status, message| self.condition(kinds::HEALTHY, status, "RolloutHealthy", message);
        if !paused && conditions::is_healthy(&self.rollout, new) {
            conditions::set(new, healthy(ConditionStatus::True, "Rollout is healthy"));
            return false;
        }
        self.rollout.status.condition(kinds::HEALTHY).is_some()
            && conditions::set(new, healthy(ConditionStatus::False, "Rollout is not healthy"))
    }

    fn set_aborted(&mut self, new: &mut RolloutStatus) {
        let mut message = format!("Rollout aborted update to revision {}", self.rollout.revision());
        if !self.pause.abort_message.is_empty() {
            message = format!("{message}: {}", self.pause.abort_message);
        }
        let condition =
            self.condition(kinds::PROGRESSING, ConditionStatus::False, reasons::ABORTED, &message);
        if conditions::set(new, condition) {
            self.warn(reasons::ABORTED, garbled(&message));
        }
    }

    /// Done, moving, or stuck.
    fn set_progressing(&mut self, new: &mut RolloutStatus, became_unhealthy: bool) {
        let name = self.new.as_ref().map_or("", ReplicaSet::name).to_owned();
        if conditions::is_healthy(&self.rollout, new) {
            let message = format!("ReplicaSet \"{name}\" has successfully progressed.");
            let done =
                self.condition(kinds::PROGRESSING, ConditionStatus::True, "NewReplicaSetAvailable", &message);
            conditions::set(new, done);
        } else if became_unhealthy || conditions::is_progressing(&self.rollout, new) {
            let lost = became_unhealthy && new.stable_rs == new.current_pod_hash;
            let (reason, message) = if lost {
                ("ReplicaSetNotAvailable", "Rollout does not have minimum availability".to_owned())
            } else {
                ("ReplicaSetUpdated", format!("ReplicaSet \"{name}\" is progressing."))
            };
            self.renew_progress(
                new,
                self.condition(kinds::PROGRESSING, ConditionStatus::True, reason, &message),
            );
        } else if self.may_time_out() && conditions::is_timed_out(&self.rollout, new, self.now) {
            let message = self.timed_out_message();
            let condition =
                self.condition(kinds::PROGRESSING, ConditionStatus::False, reasons::TIMED_OUT, &message);
            conditions::set(new, condition);
            self.abort_stuck_update(true);
        }
    }

    /// Progress is renewed even under the same reason: the deadline counts from it.
    fn renew_progress(&self, new: &mut RolloutStatus, mut condition: Condition) {
        let before = self.rollout.status.condition(kinds::PROGRESSING);
        if let Some(before) = before {
            if before.status == ConditionStatus::True {
                condition.last_transition_time.clone_from(&before.last_transition_time);
            }
            conditions::remove(new, kinds::PROGRESSING);
        }
        conditions::set(new, condition);
    }

    fn timed_out_message(&self) -> String {
        let name = self.new.as_ref().map_or("", ReplicaSet::name);
        format!("ReplicaSet \"{name}\" has timed out progressing.")
    }

    fn is_stuck(&self, new: &RolloutStatus, became_unhealthy: bool) -> bool {
        let moving = became_unhealthy
            || conditions::is_healthy(&self.rollout, new)
            || conditions::is_progressing(&self.rollout, new);
        !self.is_aborted()
            && !moving
            && self.may_time_out()
            && conditions::is_timed_out(&self.rollout, new, self.now)
    }

    /// With `progressDeadlineAbort` a stuck update aborts. The 1.9 line says so with an event of its own and writes
    /// the abort under the deadline's condition; the abort's own condition follows with the next reconcile.
    fn abort_stuck_update(&mut self, tell: bool) {
        if self.rollout.spec.progress_deadline_abort {
            let message = self.timed_out_message();
            self.pause.add_abort(message.clone());
            if tell {
                self.warn(reasons::ABORTED, message);
            }
        }
    }

    /// Neither paused, nor waiting for an old revision to go.
    fn may_time_out(&self) -> bool {
        let others = newrs::others(&self.all, self.new.as_ref(), self.stable.as_ref());
        !self.is_indefinite() && !others.iter().any(ReplicaSet::has_deadline)
    }

    /// `isIndefiniteStep`: nobody can say how long the step takes, or a person holds it.
    pub(super) fn is_indefinite(&self) -> bool {
        let endless =
            |step: &CanaryStep| step.experiment.is_some() || step.analysis.is_some() || step.pause.is_some();
        steps::current(&self.rollout).is_some_and(endless) || self.is_marked_paused()
    }

    /// Whether the condition that says so has been written.
    pub(super) fn is_marked_paused(&self) -> bool {
        let paused = self.rollout.status.condition(kinds::PAUSED);
        paused.is_some_and(|condition| condition.status == ConditionStatus::True)
    }

    fn set_available(&self, new: &mut RolloutStatus) {
        let wanted = self.rollout.replicas();
        let active = self.by_hash(&new.blue_green.active_selector).filter(|_| !self.is_canary());
        let available = active.is_some_and(|rs| rs.is_saturated(wanted))
            || (self.is_canary() && Context::available(&self.all) >= wanted);
        let (status, message) = if available {
            (ConditionStatus::True, "Rollout has minimum availability")
        } else {
            (ConditionStatus::False, "Rollout does not have minimum availability")
        };
        conditions::set(new, self.condition(kinds::AVAILABLE, status, "AvailableReason", message));
    }

    /// `getReplicaFailures`: the new ReplicaSet's failure, else anybody's.
    fn set_replica_failure(&self, new: &mut RolloutStatus) {
        let failure = self.new.iter().chain(&self.all).find_map(failure_of);
        match failure {
            Some(condition) => {
                conditions::set(new, condition);
            }
            None => conditions::remove(new, kinds::REPLICA_FAILURE),
        }
    }

    fn set_completed(&mut self, new: &mut RolloutStatus) {
        let complete = conditions::is_complete(new);
        let status = if complete { ConditionStatus::True } else { ConditionStatus::False };
        let condition = self.condition(kinds::COMPLETED, status, reasons::COMPLETED, "RolloutCompleted");
        if conditions::set(new, condition) && !complete {
            let (revision, hash) = (self.rollout.revision(), &new.current_pod_hash);
            let message = format!("Rollout not completed, started update to revision {revision} ({hash})");
            self.event("RolloutNotCompleted", message);
        }
    }
}

fn failure_of(rs: &ReplicaSet) -> Option<Condition> {
    let list = rs.0.pointer("/status/conditions")?.as_array()?;
    let found = list.iter().find(|condition| condition["type"] == json!(kinds::REPLICA_FAILURE))?;
    let status = serde_json::from_value(found["status"].clone()).unwrap_or_default();
    let since = text_at(found, "/lastTransitionTime");
    Some(Condition {
        kind: kinds::REPLICA_FAILURE.into(),
        status,
        last_update_time: since.into(),
        last_transition_time: since.into(),
        reason: text_at(found, "/reason").into(),
        message: text_at(found, "/message").into(),
    })
}
