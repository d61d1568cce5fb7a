//! The status at the end of a reconcile: promotion, and the one patch that writes it (rollout/sync.go and
//! `syncRolloutStatusBlueGreen` in rollout/bluegreen.go v1.9.1).

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::conditions::{self, kinds, reasons};
use super::context::{Context, Outcome};
use super::defaults;
use super::newrs;
use super::steps;
use super::views::ReplicaSet;
use crate::argo::rollout::{Condition, ConditionStatus, LabelSelector, RolloutStatus};
use crate::clock::Moment;
use crate::twin::store::{Kind, Part, Patch};

impl Context<'_> {
    /// `syncRolloutStatusBlueGreen`.
    pub(super) fn sync_status_blue_green(&mut self) -> Outcome {
        let mut new = self.base_status();
        new.stable_rs.clone_from(&self.rollout.status.stable_rs);
        if self.is_template_changed() {
            self.reset_status(&mut new);
        }
        if self.rollout.status.promote_full || self.is_rollback_within_window() {
            self.pause.clear();
            self.pause.remove_abort();
        }
        new.blue_green.preview_selector = self.selected(&self.bluegreen().preview_service);
        new.blue_green.active_selector = self.selected(&self.bluegreen().active_service);
        match self.should_promote(&new) {
            Some(reason) => self.promote_stable(&mut new, &reason)?,
            None => new.blue_green.scale_up_preview_check_point = self.scale_up_preview_check_point(),
        }
        self.count_for_autoscaler(&mut new);
        self.calculate_conditions(&mut new);
        self.persist(new);
        Ok(())
    }

    /// `calculateBaseStatus`.
    pub(super) fn base_status(&self) -> RolloutStatus {
        let old = &self.rollout.status;
        let hash = self.new.as_ref().map(|rs| rs.hash().to_owned());
        let mut new = self.fresh.clone();
        new.current_pod_hash = hash.unwrap_or_else(|| newrs::template_hash(&self.rollout));
        new.replicas = Context::actual(&self.all);
        new.updated_replicas = self.new.as_ref().map_or(0, ReplicaSet::actual);
        new.ready_replicas = self.all.iter().map(ReplicaSet::ready).fold(0, i32::saturating_add);
        new.collision_count = old.collision_count;
        new.conditions.clone_from(&old.conditions);
        // The spec has just been found valid.
        conditions::remove(&mut new, kinds::INVALID_SPEC);
        new.promote_full = old.promote_full;
        new
    }

    /// `resetRolloutStatus`: a new update begins.
    pub(super) fn reset_status(&mut self, new: &mut RolloutStatus) {
        self.pause.clear();
        self.pause.remove_abort();
        // As upstream: the restart is marked on the reconcile's own copy, which this status no longer reads.
        self.fresh.restarted_at.clone_from(&self.rollout.spec.restart_at);
        new.promote_full = false;
        new.blue_green.pre_promotion_analysis_run_status = None;
        new.blue_green.post_promotion_analysis_run_status = None;
        new.blue_green.scale_up_preview_check_point = false;
        new.canary.current_step_analysis_run_status = None;
        new.canary.current_background_analysis_run_status = None;
        new.current_step_index = (steps::count(&self.rollout) > 0).then_some(0);
    }

    /// What an autoscaler sees: the pods users reach, or all of them before there are any.
    pub(super) fn count_for_autoscaler(&self, new: &mut RolloutStatus) {
        if let Some(active) = self.by_hash(&new.blue_green.active_selector) {
            new.hpa_replicas = active.actual();
            new.selector = selector_of(active).format();
            new.available_replicas = active.available();
            new.ready_replicas = active.ready();
        } else {
            new.hpa_replicas = Context::actual(&self.all);
            new.selector = self.rollout.spec.selector.clone().unwrap_or_default().format();
            new.available_replicas = Context::available(&self.all);
        }
    }

    /// `isRollbackWithinWindow`.
    pub(super) fn is_rollback_within_window(&self) -> bool {
        let (Some(new), Some(stable)) = (&self.new, &self.stable) else { return false };
        let window = self.rollout.spec.rollback_window.as_ref().map_or(0, |window| window.revisions);
        // A ReplicaSet created in this very reconcile has no time yet, and is never an old one.
        let before = |left: &ReplicaSet, right: &ReplicaSet| {
            !left.created().is_empty() && left.created() < right.created()
        };
        let between = self.all.iter().filter(|rs| before(rs, stable) && before(new, rs)).count();
        before(new, stable) && window > 0 && i32::try_from(between).unwrap_or(i32::MAX) < window
    }

    /// `shouldFullPromote`: the reason to call the new revision stable, in the order upstream asks.
    pub(super) fn should_promote(&self, new: &RolloutStatus) -> Option<String> {
        let active = &new.blue_green.active_selector;
        if self.stable.is_some() && self.is_canary() {
            return self.should_promote_canary();
        }
        if self.stable.is_none() || active.is_empty() {
            return Some("Initial deploy".into());
        }
        if *active != new.current_pod_hash {
            return None;
        }
        if self.rollout.status.promote_full {
            return Some("Full promotion requested".into());
        }
        if self.is_rollback_within_window() {
            return Some("Rollback within window".into());
        }
        if self.is_aborted() {
            return None;
        }
        if self.bluegreen().post_promotion_analysis.is_some() {
            if let Some(new) = self.new.as_ref().filter(|new| self.is_fast_rollback(new)) {
                return Some(format!("Rollback to '{}' within scaleDownDelay", new.name()));
            }
            self.current_runs.post.as_ref().filter(|run| run.phase() == "Successful")?;
        }
        Some("Completed blue-green update".into())
    }

    /// `promoteStable`.
    pub(super) fn promote_stable(&mut self, new: &mut RolloutStatus, reason: &str) -> Outcome {
        self.pause.clear();
        self.pause.remove_abort();
        new.promote_full = false;
        new.blue_green.scale_up_preview_check_point = false;
        if self.is_canary() {
            self.promote_canary(new);
        }
        if new.stable_rs != new.current_pod_hash {
            new.stable_rs.clone_from(&new.current_pod_hash);
            let (revision, hash) = (self.rollout.revision(), &new.current_pod_hash);
            let message = format!("Rollout completed update to revision {revision} ({hash}): {reason}");
            self.event(reasons::COMPLETED, message);
        }
        self.scale_workload_on_success()
    }

    /// `persistRolloutStatus`: one patch, or none when nothing changed.
    pub(super) fn persist(&mut self, mut new: RolloutStatus) {
        self.calculate_pause_status(&mut new);
        self.observe_workload(&mut new);
        if self.patch_status(&mut new) {
            self.tell_about_pauses(&new);
        } else {
            self.requeue_stuck(&new);
        }
    }

    /// Writes the status with its phase; returns whether there was anything to write.
    fn patch_status(&mut self, new: &mut RolloutStatus) -> bool {
        new.observed_generation = self.rollout.metadata.generation.to_string();
        let (phase, message) = conditions::phase(&self.rollout.spec, new);
        (new.phase, new.message) = (phase.into(), message);
        let value = |status: &RolloutStatus| serde_json::to_value(status).unwrap_or_default();
        let Some(difference) = merge_difference(&value(&self.rollout.status), &value(new)) else {
            return false;
        };
        let name = self.rollout.metadata.name.clone();
        self.patch(Kind::Rollout, &name, Part::Status, Patch::Merge(json!({"status": difference})));
        true
    }

    /// `patchCondition`: conditions ahead of the rest. Upstream's 1.9 line goes on with the status it had before.
    pub(super) fn patch_conditions(&mut self, mut status: RolloutStatus, list: Vec<Condition>) {
        for condition in list {
            conditions::set(&mut status, condition);
        }
        self.patch_status(&mut status);
    }

    /// `checkPausedConditions`: conditions follow pauses, so that a long pause is not taken for a lack of progress.
    pub(super) fn check_paused_conditions(&mut self) -> bool {
        let status = &self.rollout.status;
        let progressing = status.condition(kinds::PROGRESSING);
        let reason = progressing.map_or("", |condition| condition.reason.as_str());
        let paused = !status.pause_conditions.is_empty() || self.rollout.spec.paused;
        let aborted = reason == reasons::ABORTED;
        let (unknown, mut list) = (ConditionStatus::Unknown, vec![]);
        let mut add =
            |kind, status, reason, message| list.push(self.condition(kind, status, reason, message));
        if paused != (reason == reasons::PAUSED)
            && !aborted
            && !conditions::is_complete(status)
            && !self.is_flipping(paused, reason)
        {
            match paused {
                true => add(kinds::PROGRESSING, unknown, reasons::PAUSED, "Rollout is paused"),
                false => add(kinds::PROGRESSING, unknown, "RolloutResumed", "Rollout is resumed"),
            }
        }
        if aborted && !status.abort {
            add(kinds::PROGRESSING, unknown, "RolloutRetry", "Retrying Rollout after abort");
        }
        if paused != self.is_marked_paused() && !aborted {
            let status = if paused { ConditionStatus::True } else { ConditionStatus::False };
            add(kinds::PAUSED, status, reasons::PAUSED, "Rollout is paused");
        }
        let changed = !list.is_empty();
        if changed {
            self.patch_conditions(self.rollout.status.clone(), list);
        }
        changed
    }

    /// While a saturated new revision is live and paused, upstream calls it paused here and progressed at the end of
    /// the same reconcile, which wakes the next, for as long as the pause lasts: dozens of writes a second. The first
    /// second of that is imitated.
    fn is_flipping(&self, paused: bool, reason: &str) -> bool {
        let since =
            self.rollout.status.condition(kinds::PAUSED).filter(|one| one.status == ConditionStatus::True);
        let since = since.and_then(|condition| Moment::parse_rfc3339(&condition.last_transition_time));
        let second = Duration::from_secs(1);
        paused && reason == "NewReplicaSetAvailable" && since.is_some_and(|since| since + second <= self.now)
    }

    /// `sendStateChangeEvents`.
    fn tell_about_pauses(&mut self, new: &RolloutStatus) {
        let before = !self.rollout.status.pause_conditions.is_empty();
        match new.pause_conditions.first() {
            Some(pause) if !before => {
                self.event(reasons::PAUSED, format!("Rollout is paused ({})", pause.reason))
            }
            None if before && new.aborted_at.is_none() => {
                self.event("RolloutResumed", "Rollout is resumed".into())
            }
            _ => {}
        }
    }

    /// `requeueStuckRollout`: comes back when the progress deadline will have passed.
    fn requeue_stuck(&mut self, new: &RolloutStatus) {
        let status = &self.rollout.status;
        let Some(condition) = status.condition(kinds::PROGRESSING) else { return };
        let paused = !status.pause_conditions.is_empty() || self.rollout.spec.paused;
        let timed_out = condition.reason == reasons::TIMED_OUT;
        if conditions::is_healthy(&self.rollout, new)
            || timed_out
            || paused
            || status.abort
            || self.is_indefinite()
        {
            return;
        }
        let Some(from) = Moment::parse_rfc3339(&condition.last_update_time) else { return };
        let deadline = from + defaults::seconds(defaults::progress_deadline_seconds(&self.rollout));
        // Upstream spins during the last second, and for as long as an old revision holds the deadline up. Nothing
        // can come of it before the deadline, so neither spin is imitated.
        let after = deadline.since(self.now) + Duration::from_secs(1);
        self.out.requeue_after(after);
    }
}

fn selector_of(rs: &ReplicaSet) -> LabelSelector {
    serde_json::from_value(rs.0["spec"]["selector"].clone()).unwrap_or_default()
}

/// The merge patch (RFC 7386) that makes `new` of `old`; `None` when they are the same.
pub(in crate::twin) fn merge_difference(old: &Value, new: &Value) -> Option<Value> {
    let (Value::Object(before), Value::Object(after)) = (old, new) else {
        return (old != new).then(|| new.clone());
    };
    let gone = before.keys().filter(|key| !after.contains_key(*key)).map(|key| (key.clone(), Value::Null));
    let changed = after.iter().filter_map(|(key, value)| {
        let difference =
            before.get(key).map_or_else(|| Some(value.clone()), |old| merge_difference(old, value));
        difference.map(|difference| (key.clone(), difference))
    });
    let patch: Map<String, Value> = gone.chain(changed).collect();
    (!patch.is_empty()).then_some(Value::Object(patch))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(old: Value, new: Value, patch: Option<Value>) {
        assert_eq!(merge_difference(&old, &new), patch);
    }

    #[test]
    fn a_patch_says_only_what_changed() {
        check(json!({"a": 1, "b": {"c": 1}}), json!({"a": 1, "b": {"c": 1}}), None);
        check(
            json!({"a": 1, "b": {"c": 1}}),
            json!({"b": {"c": 2}}),
            Some(json!({"a": null, "b": {"c": 2}})),
        );
        check(json!({"l": [1]}), json!({"l": [1, 2]}), Some(json!({"l": [1, 2]})));
        check(json!({}), json!({"blueGreen": {}}), Some(json!({"blueGreen": {}})));
    }
}
