//! The end of old revisions (`reconcileRevisionHistoryLimit` in rollout/sync.go and `FilterAnalysisRunsToDelete` in
//! utils/analysis/filter.go v1.9.1).

use std::collections::BTreeMap;

use super::context::Context;
use super::defaults;
use super::views::{AnalysisRun, Experiment, ReplicaSet};
use crate::twin::store::Kind;

impl Context<'_> {
    /// Deletes the oldest empty ReplicaSets beyond the limit, and the AnalysisRuns and Experiments of their revision with them.
    pub(super) fn reconcile_revision_history_limit(&mut self) {
        let alive: Vec<ReplicaSet> = self.other.iter().filter(|rs| !rs.is_deleted()).cloned().collect();
        let limit = usize::try_from(defaults::revision_history_limit(&self.rollout)).unwrap_or(0);
        // `other` is kept oldest first.
        for rs in alive.iter().take(alive.len().saturating_sub(limit)) {
            if rs.actual() != 0 || rs.replicas() != 0 || rs.is_unobserved() {
                continue;
            }
            self.delete(Kind::ReplicaSet, rs.name());
            let runs = self.other_runs.iter().filter(|run| run.hash() == Some(rs.hash()));
            let runs: Vec<AnalysisRun> = runs.cloned().collect();
            self.delete_runs(&runs);
            let experiments = self.other_experiments.iter().filter(|one| one.hash() == Some(rs.hash()));
            let experiments: Vec<Experiment> = experiments.cloned().collect();
            self.delete_experiments(&experiments);
        }
    }

    /// Deletes AnalysisRuns that are not being deleted already.
    pub(super) fn delete_runs(&mut self, runs: &[AnalysisRun]) {
        for run in runs.iter().filter(|run| !run.is_deleted()) {
            self.delete(Kind::AnalysisRun, run.name());
        }
    }

    /// Deletes Experiments that are not being deleted already.
    pub(super) fn delete_experiments(&mut self, experiments: &[Experiment]) {
        for one in experiments.iter().filter(|one| !one.is_deleted()) {
            self.delete(Kind::Experiment, one.name());
        }
    }

    /// The experiments nobody needs, by the same rules as runs.
    pub(super) fn experiments_to_delete(&self, experiments: &[Experiment]) -> Vec<Experiment> {
        let alike: Vec<AnalysisRun> = experiments.iter().map(|one| AnalysisRun(one.0.clone())).collect();
        self.runs_to_delete(&alike).into_iter().map(|one| Experiment(one.0)).collect()
    }

    /// The runs nobody needs: without a ReplicaSet of their revision, or beyond the newest few.
    pub(super) fn runs_to_delete(&self, runs: &[AnalysisRun]) -> Vec<AnalysisRun> {
        let dying: BTreeMap<&str, bool> = self.all.iter().map(|rs| (rs.hash(), rs.is_deleted())).collect();
        let (mut successful, mut unsuccessful) = defaults::run_history_limits(&self.rollout);
        let mut newest_first = runs.to_vec();
        newest_first
            .sort_by(|left, right| (right.created(), right.name()).cmp(&(left.created(), left.name())));
        newest_first.retain(|run| {
            let orphaned = run.hash().is_none_or(|hash| dying.get(hash).copied().unwrap_or(true));
            orphaned
                || match run.phase() {
                    "Successful" => runs_out(&mut successful),
                    "Failed" | "Error" | "Inconclusive" => runs_out(&mut unsuccessful),
                    _ => false,
                }
        });
        newest_first
    }
}

/// Takes one from a stock; true when there was none left.
fn runs_out(stock: &mut i32) -> bool {
    *stock -= 1;
    *stock < 0
}
