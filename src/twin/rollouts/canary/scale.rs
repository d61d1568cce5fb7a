//! The sizes of a canary's revisions (rollout/canary.go and `cleanupUnhealthyReplicas` in rollout/replicaset.go
//! v1.9.1).

use serde_json::json;

use super::super::context::{Context, Outcome};
use super::super::fences;
use super::super::views::{DESIRED, ReplicaSet};

impl Context<'_> {
    /// `reconcileCanaryReplicaSets`: stable, then new, then the others; the first that was scaled ends the stage.
    pub(in super::super) fn reconcile_canary_replica_sets(&mut self) -> Outcome<bool> {
        if self.is_halted() {
            return Ok(false);
        }
        self.remove_scale_down_deadlines();
        if self.scale_canary_stable() || self.reconcile_new_replica_set()? {
            return Ok(true);
        }
        Ok(self.reconcile_other_replica_sets())
    }

    /// `reconcileCanaryStableReplicaSet`. The weights are those before this reconcile: pods go after their traffic.
    fn scale_canary_stable(&mut self) -> bool {
        let Some(stable) = self.revisions().old_stable().cloned() else { return false };
        let size = self.revisions().sizes(self.rollout.status.canary.weights.as_ref()).stable;
        self.scale(&stable, size)
    }

    /// `scaleDownOldReplicaSetsForCanary`: as many pods of old revisions as may be missing, the newest revision
    /// first; with traffic routing they may have their delay. Returns whether any was scaled down.
    pub(in super::super) fn scale_down_old_canary(&mut self, old: Vec<ReplicaSet>) -> bool {
        let (mut old, mut scaled) = self.clean_up_unhealthy(old);
        let least = self.rollout.replicas().saturating_sub(fences::max_unavailable(&self.rollout));
        let mut room = Context::available(&self.all).saturating_sub(least);
        if room <= 0 {
            return false;
        }
        super::super::replicaset::newest_first(&mut old);
        let mut annotated = 0;
        for rs in old {
            let referenced = self.canary().traffic_routing.is_some() && self.is_referenced(&rs);
            if referenced || rs.replicas() == 0 {
                continue;
            }
            if room <= 0 {
                break;
            }
            let size = self.size_of_old(&rs, room, &mut annotated);
            if rs.replicas() != size {
                self.scale(&rs, size);
                room -= rs.replicas().saturating_sub(size);
                scaled = true;
            }
        }
        scaled
    }

    fn size_of_old(&mut self, rs: &ReplicaSet, room: i32, annotated: &mut i32) -> i32 {
        if self.canary().traffic_routing.is_none() {
            return rs.replicas().saturating_sub(room).max(0);
        }
        // A revision that was overtaken in the middle of an update has no traffic, and no delay either.
        let was_stable = self.rollout.is_fully_promoted() || rs.has_deadline();
        if was_stable && !self.canary().dynamic_stable_scale {
            return self.delay_scale_down(rs, annotated, rs.replicas());
        }
        0
    }

    /// Pods that are not available go first, whatever may be missing.
    fn clean_up_unhealthy(&mut self, old: Vec<ReplicaSet>) -> (Vec<ReplicaSet>, bool) {
        let (mut left, mut scaled) = (vec![], false);
        for rs in old {
            let (size, available) = (rs.replicas(), rs.available());
            if size == 0 || available >= size {
                left.push(rs);
                continue;
            }
            self.scale(&rs, available);
            scaled = true;
            left.push(self.resized(rs, available));
        }
        (left, scaled)
    }

    /// The copy upstream goes on with after it has scaled one of these.
    fn resized(&self, mut rs: ReplicaSet, size: i32) -> ReplicaSet {
        rs.0["spec"]["replicas"] = json!(size);
        rs.annotate(DESIRED, &self.rollout.replicas().to_string());
        rs.written()
    }
}
