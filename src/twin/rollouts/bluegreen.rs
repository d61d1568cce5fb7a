//! The blue-green strategy (rollout/bluegreen.go v1.9.1).

use super::context::{Context, Outcome};
use super::pause::{BLUE_GREEN, INCONCLUSIVE};
use super::views::ReplicaSet;
use crate::argo::Version;

impl Context<'_> {
    /// One reconcile of the strategy, stage by stage; the order is upstream's and matters.
    pub(super) fn rollout_blue_green(&mut self) -> Outcome {
        self.sync_revision()?;
        self.reconcile_preview_service()?;
        if self.is_template_changed() {
            return self.sync_status_blue_green();
        }
        self.restart_pods();
        self.reconcile_replica_sets()?;
        self.reconcile_pause()?;
        self.reconcile_active_service()?;
        self.reconcile_analysis_runs()?;
        self.reconcile_ephemeral_metadata()?;
        self.sync_status_blue_green()
    }

    /// `CheckPodSpecChange`: the status still speaks of another template.
    pub(super) fn is_template_changed(&self) -> bool {
        let known = &self.rollout.status.current_pod_hash;
        let hash = self
            .new
            .as_ref()
            .map_or_else(|| super::newrs::template_hash(&self.rollout), |rs| rs.hash().into());
        !known.is_empty() && *known != hash
    }

    /// Sizes of all revisions, and the end of the oldest.
    pub(super) fn reconcile_replica_sets(&mut self) -> Outcome {
        self.remove_scale_down_deadlines();
        if let Some(stable) = self.stable.clone() {
            self.scale(&stable, self.rollout.replicas());
        }
        self.reconcile_new_replica_set()?;
        self.reconcile_other_replica_sets();
        self.reconcile_revision_history_limit();
        Ok(())
    }

    /// Whether the new revision is an old one on its way back, for which nobody is asked.
    pub(super) fn is_fast_rollback(&self, new: &ReplicaSet) -> bool {
        match self.version {
            // Any deadline will do, also the one an abort has set: so a retry within it promotes what just failed.
            Version::V1_9 => new.has_deadline(),
            Version::V1_10 => {
                let unexpired = new.deadline().is_some_and(|deadline| deadline > self.now);
                let known =
                    |stable: &ReplicaSet| stable.name() == new.name() || new.created() < stable.created();
                unexpired && self.stable.as_ref().is_some_and(known)
            }
        }
    }

    /// `isBlueGreenFastTracked`: pause and pre-promotion analysis do not hold this update.
    pub(super) fn is_fast_tracked(&self, new: &ReplicaSet) -> bool {
        let active = self.service(&self.bluegreen().active_service).and_then(super::views::Service::selected);
        self.is_fast_rollback(new)
            || self.rollout.status.promote_full
            || active.is_none_or(|hash| hash == new.hash())
    }

    /// `reconcileBlueGreenPause`: pause before promotion, or let go.
    fn reconcile_pause(&mut self) -> Outcome {
        let new = self.new_rs()?;
        if self.rollout.status.abort || !self.is_ready_for_pause(&new) || self.is_halted() {
            return Ok(());
        }
        let passed = self.rollout.status.blue_green.scale_up_preview_check_point;
        if self.is_fast_tracked(&new) || passed || !self.needs_pause() {
            self.pause.remove(BLUE_GREEN);
            return Ok(());
        }
        if self.completed_pre_promotion_analysis() {
            self.pause_or_resume();
        }
        Ok(())
    }

    fn pause_or_resume(&mut self) {
        match self.rollout.status.pause(BLUE_GREEN).cloned() {
            Some(_) if self.completed_blue_green_pause() => self.pause.remove(BLUE_GREEN),
            Some(pause) => {
                let wait = self.bluegreen().auto_promotion_seconds;
                if wait > 0 {
                    self.requeue_during_wait(&pause.start_time, wait);
                }
            }
            // No pause, but the controller's mark of one: a person has just resumed.
            None if self.rollout.status.controller_pause => {}
            None => self.pause.add(BLUE_GREEN),
        }
    }

    /// `needsBlueGreenControllerPause`.
    fn needs_pause(&self) -> bool {
        let strategy = self.bluegreen();
        strategy.auto_promotion_enabled == Some(false) || strategy.auto_promotion_seconds > 0
    }

    /// `ReadyForPause`: the new revision has its size for now, and all of it is available.
    pub(super) fn is_ready_for_pause(&self, new: &ReplicaSet) -> bool {
        let size = self.new_size(new);
        new.replicas() == size && new.available() == size
    }

    /// `NewRSNewReplicas`: how big the new revision should be now.
    pub(super) fn new_size(&self, new: &ReplicaSet) -> i32 {
        let status = &self.rollout.status;
        let Some(preview) = self.bluegreen().preview_replica_count else { return self.rollout.replicas() };
        let active = self.by_hash(&status.blue_green.active_selector);
        let is_active = active.is_none_or(|active| active.name() == new.name());
        if is_active || status.promote_full {
            return self.rollout.replicas();
        }
        let paused = self.rollout.spec.paused || !status.pause_conditions.is_empty();
        let known = new.hash() == status.current_pod_hash;
        if known && !paused && status.blue_green.scale_up_preview_check_point {
            return self.rollout.replicas();
        }
        preview
    }

    /// `calculateScaleUpPreviewCheckPoint`: set once the preview has proven itself, until stable moves.
    pub(super) fn scale_up_preview_check_point(&self) -> bool {
        let Some(preview) = self.bluegreen().preview_replica_count else { return false };
        if self.rollout.status.blue_green.scale_up_preview_check_point {
            return true;
        }
        self.completed_pre_promotion_analysis()
            && self.completed_blue_green_pause()
            && self.new.as_ref().map_or(0, ReplicaSet::available) == preview
    }

    /// `scaleDownOldReplicaSetsForBlueGreen`: newest first, each with its deadline.
    pub(super) fn scale_down_old(&mut self, mut old: Vec<ReplicaSet>) {
        if self.rollout.status.pause(INCONCLUSIVE).is_some() || self.keeps_old_for_analysis() {
            return;
        }
        super::replicaset::newest_first(&mut old);
        let mut annotated = 0;
        for rs in old {
            if self.is_referenced(&rs) || rs.replicas() == 0 {
                continue;
            }
            let size = self.delay_scale_down(&rs, &mut annotated, self.rollout.replicas());
            if rs.replicas() != size {
                self.scale(&rs, size);
            }
        }
    }

    /// Without an explicit scaleDownDelaySeconds old revisions stay while the post-promotion analysis runs.
    fn keeps_old_for_analysis(&self) -> bool {
        let (strategy, run) = (self.bluegreen(), self.current_runs.post.as_ref());
        strategy.post_promotion_analysis.is_some()
            && strategy.scale_down_delay_seconds.is_none()
            && !self.skips_post_promotion(run)
            && run.is_none_or(|run| run.phase() != "Successful")
    }
}
