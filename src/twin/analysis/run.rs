//! One AnalysisRun while it is reconciled: as it was read, and as it is becoming.

use std::sync::Arc;

use serde_json::{Value, json};

use super::patch;
use crate::argo::analysis::{AnalysisRunSpec, AnalysisRunStatus, Measurement, MetricResult, Phase};
use crate::clock::Moment;
use crate::twin::effect::{Effect, Reconciled};
use crate::twin::store::{Key, Kind, Object, Part, Patch};

/// The working copy.
#[derive(Debug, Clone)]
pub(super) struct Run {
    pub(super) key: Key,
    pub(super) spec: AnalysisRunSpec,
    pub(super) status: AnalysisRunStatus,
    pub(super) effects: Vec<Effect>,
    object: Object,
    before: AnalysisRunStatus,
}

impl Run {
    /// Reads a stored object.
    pub(super) fn read(key: &Key, object: &Object) -> Result<Run, String> {
        let part =
            |name: &str| object.get(name).filter(|value| !value.is_null()).cloned().unwrap_or(json!({}));
        let spec = serde_json::from_value(part("spec")).map_err(|error| format!("spec: {error}"))?;
        let status: AnalysisRunStatus =
            serde_json::from_value(part("status")).map_err(|error| format!("status: {error}"))?;
        let before = status.clone();
        Ok(Run { key: key.clone(), spec, status, effects: vec![], object: object.clone(), before })
    }

    pub(super) fn result(&self, metric: &str) -> Option<&MetricResult> {
        self.status.metric_results.iter().find(|result| result.name == metric)
    }

    pub(super) fn set_result(&mut self, result: MetricResult) {
        match self.status.metric_results.iter_mut().find(|known| known.name == result.name) {
            Some(known) => *known = result,
            None => self.status.metric_results.push(result),
        }
    }

    pub(super) fn last_measurement(&self, metric: &str) -> Option<&Measurement> {
        self.result(metric)?.measurements.last()
    }

    pub(super) fn metric_completed(&self, metric: &str) -> bool {
        self.result(metric).is_some_and(|result| result.phase.is_some_and(Phase::completed))
    }

    /// Somebody asked it to end, or a metric that counts already went wrong.
    pub(super) fn is_terminating(&self) -> bool {
        let bad = |phase| matches!(phase, Phase::Failed | Phase::Error | Phase::Inconclusive);
        let mut counting = self.status.metric_results.iter().filter(|result| !result.dry_run);
        self.spec.terminate || counting.any(|result| result.phase.is_some_and(bad))
    }

    /// Whether its time to live is over (upstream `isAnalysisRunTtlExceeded`).
    pub(super) fn outlived(&self, now: Moment) -> bool {
        let Some(ttl) = &self.spec.ttl_strategy else { return false };
        let Some(completed) = self.status.completed_at.as_deref().and_then(Moment::parse_rfc3339) else {
            return false;
        };
        let specific = match self.status.phase {
            Some(Phase::Successful) => ttl.seconds_after_success,
            Some(Phase::Failed) => ttl.seconds_after_failure,
            _ => None,
        };
        let seconds = i64::try_from(now.since(completed).as_secs()).unwrap_or(i64::MAX);
        specific.or(ttl.seconds_after_completion).is_some_and(|limit| seconds > limit)
    }

    /// Records an event about the run as it stands now: its notifications show the half-finished status.
    pub(super) fn event(&mut self, phase: Phase, reason: &'static str, message: String) {
        let mut object = Value::clone(&self.object);
        object["status"] = json!(self.status);
        let warning = matches!(phase, Phase::Failed | Phase::Error);
        let regarding = Arc::new(object);
        self.effects.push(Effect::Event { regarding, kind: Kind::AnalysisRun, warning, reason, message });
    }

    /// The run itself is over.
    pub(super) fn completion_event(&mut self, phase: Phase) {
        let reason = match phase {
            Phase::Pending => "AnalysisRunPending",
            Phase::Running => "AnalysisRunRunning",
            Phase::Successful => "AnalysisRunSuccessful",
            Phase::Failed => "AnalysisRunFailed",
            Phase::Error => "AnalysisRunError",
            Phase::Inconclusive => "AnalysisRunInconclusive",
        };
        self.event(phase, reason, format!("Analysis Completed. Result: {phase}"));
    }

    /// The run cannot be measured at all. There is no `completedAt`, so it is never collected either.
    pub(super) fn refuse(mut self, message: String) -> Reconciled {
        self.status.phase = Some(Phase::Error);
        self.status.message = message;
        self.completion_event(Phase::Error);
        self.persist()
    }

    /// Events first, then one merge patch with what changed, as the requests reach the API server.
    pub(super) fn persist(mut self) -> Reconciled {
        let diff = patch::diff(&json!(self.before), &json!(self.status));
        if let Some(diff) = diff {
            let patch = Patch::Merge(json!({ "status": diff }));
            self.effects.push(Effect::Patch { key: self.key, part: Part::Main, patch });
        }
        Reconciled { effects: self.effects, ..Reconciled::default() }
    }
}
