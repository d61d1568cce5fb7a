//! Sizes, deadlines and references of ReplicaSets (rollout/replicaset.go v1.9.1).

use std::time::Duration;

use serde_json::json;

use super::context::{Context, Outcome, RESYNC, Stop};
use super::service;
use super::views::{DEADLINE, ReplicaSet};
use crate::twin::store::{Kind, Part, Patch};

impl Context<'_> {
    /// `removeScaleDownDeadlines`: what is wanted again is not to be scaled down.
    pub(super) fn remove_scale_down_deadlines(&mut self) {
        let new = self.new.clone().filter(|_| !self.should_delay_scale_down_on_abort());
        let named = new.as_ref().map(|rs| rs.name().to_owned());
        let stable = self.stable.clone().filter(|rs| named.as_deref() != Some(rs.name()));
        for rs in new.into_iter().chain(stable) {
            self.remove_deadline(&rs);
        }
    }

    fn remove_deadline(&mut self, rs: &ReplicaSet) {
        if rs.has_deadline() {
            let patch = json!([{"op": "remove", "path": format!("/metadata/annotations/{DEADLINE}")}]);
            self.patch(Kind::ReplicaSet, rs.name(), Part::Main, Patch::Json(patch));
        }
    }

    /// `addScaleDownDelay`: without a delay the annotation goes instead.
    fn add_deadline(&mut self, rs: &ReplicaSet, delay: Duration) {
        if delay.is_zero() {
            return self.remove_deadline(rs);
        }
        let (path, value) = (format!("/metadata/annotations/{DEADLINE}"), (self.now + delay).rfc3339());
        let patch = json!([{"op": "add", "path": path, "value": value}]);
        self.patch(Kind::ReplicaSet, rs.name(), Part::Main, Patch::Json(patch));
    }

    /// `shouldDelayScaleDownOnAbort`: neither a canary without traffic routing, whose pods are its traffic, nor one
    /// with `dynamicStableScale`, unless it asks for the delay.
    pub(super) fn should_delay_scale_down_on_abort(&self) -> bool {
        let canary = self.canary();
        let never = self.is_canary()
            && (canary.traffic_routing.is_none()
                || (canary.dynamic_stable_scale && canary.abort_scale_down_delay_seconds.is_none()));
        self.is_aborted() && self.stable.is_some() && !never && self.abort_scale_down_delay().is_some()
    }

    /// `reconcileNewReplicaSet`: its size, or its deadline when it was aborted. Returns whether it was scaled.
    pub(super) fn reconcile_new_replica_set(&mut self) -> Outcome<bool> {
        let Some(new) = self.new.clone() else { return Ok(false) };
        let mut size = if self.is_canary() {
            self.revisions().sizes(self.fresh.canary.weights.as_ref()).canary
        } else {
            self.new_size(&new)
        };
        if let (true, Some(delay)) = (self.should_delay_scale_down_on_abort(), self.abort_scale_down_delay())
        {
            if new.annotation(DEADLINE).is_none() {
                return self.give_abort_deadline(&new, delay).map(|()| false);
            }
            if let Some(deadline) = new.deadline() {
                if deadline <= self.now {
                    size = 0;
                } else if deadline.since(self.now) < RESYNC {
                    self.out.requeue_after(deadline.since(self.now));
                    return Ok(false);
                }
            }
        }
        let scaled = self.scale(&new, size);
        self.scale_workload_progressively(&new, size);
        Ok(scaled)
    }

    /// The clock of an aborted revision starts once the stable one could carry everything.
    fn give_abort_deadline(&mut self, new: &ReplicaSet, delay: Duration) -> Outcome {
        let stable = self.stable.as_ref().ok_or_else(|| Stop("the stable ReplicaSet is missing".into()))?;
        if stable.available() == self.rollout.replicas() {
            self.add_deadline(new, delay);
        }
        Ok(())
    }

    /// `reconcileOtherReplicaSets`; whether a canary scaled one.
    pub(super) fn reconcile_other_replica_sets(&mut self) -> bool {
        let active: Vec<ReplicaSet> = self.other.iter().filter(|rs| rs.replicas() > 0).cloned().collect();
        if active.is_empty() {
            return false;
        }
        if self.is_canary() {
            return self.scale_down_old_canary(active);
        }
        self.scale_down_old(active);
        false
    }

    /// `scaleDownDelayHelper`: the size an old ReplicaSet has for now, `kept` before its deadline; gives it its
    /// deadline when it has none.
    pub(super) fn delay_scale_down(&mut self, rs: &ReplicaSet, annotated: &mut i32, kept: i32) -> i32 {
        let limit = self.scale_down_revision_limit();
        if !rs.has_deadline() {
            if *annotated >= limit {
                return 0;
            }
            *annotated += 1;
            let delay = self.scale_down_delay();
            self.add_deadline(rs, delay);
            // Without a delay upstream sets no deadline, keeps the pods, and spins on it; the spin is left out.
            if !delay.is_zero() {
                self.out.requeue_after(delay);
            }
            return rs.replicas();
        }
        *annotated = annotated.saturating_add(1);
        match rs.deadline().filter(|deadline| *annotated <= limit && *deadline > self.now) {
            Some(deadline) => {
                let remaining = deadline.since(self.now);
                if remaining < RESYNC {
                    self.out.requeue_after(remaining);
                }
                kept
            }
            None => 0,
        }
    }

    /// `isReplicaSetReferenced`: by the status, by a Service itself, or by a subset of Istio.
    pub(super) fn is_referenced(&self, rs: &ReplicaSet) -> bool {
        let status = &self.rollout.status;
        let recorded = [
            &status.stable_rs,
            &status.current_pod_hash,
            &status.blue_green.active_selector,
            &status.blue_green.preview_selector,
        ];
        let weights = status.canary.weights.iter();
        let weighted = weights
            .flat_map(|weights| [&weights.canary.pod_template_hash, &weights.stable.pod_template_hash]);
        let mut recorded = recorded.into_iter().chain(weighted);
        // Of a canary's Services ping and pong do not count here.
        let steered =
            service::named(&self.rollout).into_iter().filter(|(field, _)| !field.starts_with("pingPong"));
        let mut selected = steered.map(|(_, name)| self.selected(name));
        let hash = rs.hash();
        let named = recorded.any(|one| one == hash) || selected.any(|one| one == hash);
        !hash.is_empty() && (named || self.is_in_destination_rule(hash))
    }
}

/// By revision, newest first; a ReplicaSet without a readable revision counts as the oldest.
pub(super) fn newest_first(sets: &mut [ReplicaSet]) {
    sets.sort_by(|left, right| {
        let rank = |rs: &ReplicaSet| (rs.revision().unwrap_or(-1), rs.created().to_owned());
        rank(right).cmp(&rank(left))
    });
}
