//! The two analyses of a canary: of its step, and in its background (rollout/analysis.go v1.9.1).

use super::super::analysis::Stage;
use super::super::context::{Context, Outcome};
use super::super::pause::INCONCLUSIVE;
use super::super::steps;
use super::super::views::AnalysisRun;
use crate::argo::rollout::RolloutAnalysis;
use crate::twin::store::labels_of;

impl Context<'_> {
    /// `reconcileStepBasedAnalysisRun`. A pause leaves everything as it is, the run of a promoted step is stopped.
    pub(in super::super) fn reconcile_step_run(&mut self) -> Outcome<Option<AnalysisRun>> {
        let (current, status) = (self.current_runs.step.clone(), &self.rollout.status);
        if !status.pause_conditions.is_empty() || status.abort {
            return Ok(current);
        }
        let asked = self.step_analysis().filter(|(index, _)| {
            let of =
                |run: &AnalysisRun| labels_of(&run.0).get("step-index") == Some(&index.to_string().as_str());
            current.as_ref().is_none_or(of)
        });
        let Some((index, analysis)) = asked else {
            self.cancel_runs(current.as_slice());
            return Ok(None);
        };
        if self.needs_new_run(current.as_ref()) {
            return self.create_run(&analysis, Stage::Step(index)).map(Some);
        }
        self.pause_or_abort("Step-based analysis", current.as_ref());
        Ok(current)
    }

    fn step_analysis(&self) -> Option<(i32, RolloutAnalysis)> {
        let at = steps::position(&self.rollout)?;
        let analysis = at.step?.analysis.clone().filter(|analysis| !analysis.templates.is_empty())?;
        Some((at.index, analysis))
    }

    /// `reconcileBackgroundAnalysisRun`: while there is something to prove, from its starting step on.
    pub(in super::super) fn reconcile_background_run(&mut self) -> Outcome<Option<AnalysisRun>> {
        let current = self.current_runs.background.clone();
        let asked = self.canary().analysis.as_ref().map(|background| background.analysis.clone());
        let Some(analysis) = asked.filter(|analysis| !analysis.templates.is_empty()) else {
            self.cancel_runs(current.as_slice());
            return Ok(None);
        };
        let status = &self.rollout.status;
        let nothing_new = self.rollout.is_fully_promoted()
            || status.stable_rs.is_empty()
            || status.current_pod_hash.is_empty();
        if nothing_new || steps::is_before_starting_step(&self.rollout) {
            return Ok(None);
        }
        if status.pause(INCONCLUSIVE).is_some() {
            return Ok(current);
        }
        if self.needs_new_run(current.as_ref()) {
            return self.create_run(&analysis, Stage::Background).map(Some);
        }
        self.pause_or_abort("Background analysis", current.as_ref());
        Ok(current)
    }
}
