//! When a metric is over, and when the run is.
//!
//! Upstream: `assessRunStatus`, `assessMetricStatus` and `assessMetricFailureInconclusiveOrError` in
//! `analysis/analysis.go`. The order of the checks is the specification; see spec 4.6 and 4.7.

use super::run::Run;
use super::validate::Rules;
use crate::argo::analysis::{IntOrString, Metric, MetricResult, Phase, RunSummary};
use crate::clock::Moment;

/// Moves metrics and run to their new phases, with the events that go with it.
pub(super) fn assess(run: &mut Run, metrics: &[Metric], rules: &Rules, now: Moment) {
    let (phase, message) = verdict(run, metrics, rules, now);
    if run.status.phase == Some(phase) {
        return;
    }
    run.status.phase = Some(phase);
    run.status.message = message;
    if phase.completed() {
        run.completion_event(phase);
        run.status.completed_at.get_or_insert_with(|| now.rfc3339());
    }
}

/// What has been found out about the metrics so far.
#[derive(Debug, Default)]
struct Findings {
    worst: Option<Phase>,
    message: String,
    counting: RunSummary,
    dry: RunSummary,
    open: bool,
}

fn verdict(run: &mut Run, metrics: &[Metric], rules: &Rules, now: Moment) -> (Phase, String) {
    // Decided before the metrics move: the first bad metric ends the run in the *next* reconcile.
    let terminating = run.is_terminating();
    run.status.started_at.get_or_insert_with(|| now.rfc3339());
    let mut findings = Findings::default();
    if run.spec.terminate {
        findings.message = "Run Terminated".into();
    }
    for metric in metrics {
        let dry = rules.dry_run.contains(&metric.name);
        if dry {
            findings.dry.count += 1
        } else {
            findings.counting.count += 1
        }
        match run.result(&metric.name).cloned() {
            // Not measured yet: it waits for its initial delay.
            None => findings.open = true,
            Some(result) => findings.add(run, metric, result, dry, terminating),
        }
    }
    run.status.run_summary = findings.counting;
    run.status.dry_run_summary = Some(findings.dry);
    let message = findings.message.trim().to_owned();
    match findings.worst {
        worst if terminating => (worst.unwrap_or(Phase::Successful), message),
        Some(worst) if !findings.open => (worst, message),
        _ => (Phase::Running, String::new()),
    }
}

impl Findings {
    fn add(
        &mut self,
        run: &mut Run,
        metric: &Metric,
        mut result: MetricResult,
        dry: bool,
        terminating: bool,
    ) {
        let phase = metric_phase(metric, &result, terminating);
        if result.phase != Some(phase) {
            if phase.completed() {
                metric_event(run, metric, phase);
            }
            result.message = result.measurements.last().map_or(result.message, |last| last.message.clone());
            result.phase = Some(phase);
            run.set_result(result.clone());
        }
        if !phase.completed() {
            self.open = true;
            return;
        }
        let exceeded = exceeded_limit(metric, &result);
        let summary = if dry { &mut self.dry } else { &mut self.counting };
        tally(summary, exceeded.as_ref().map(|(phase, _)| *phase));
        match (dry, exceeded) {
            (true, exceeded) => {
                self.worst.get_or_insert(Phase::Successful);
                if let Some((_, why)) = exceeded {
                    result.message = format!("Metric assessed {phase} due to {why}");
                    run.set_result(result);
                }
            }
            (false, exceeded) => self.weigh(metric, phase, exceeded, &result.message),
        }
    }

    fn weigh(&mut self, metric: &Metric, phase: Phase, exceeded: Option<(Phase, String)>, told: &str) {
        if self.worst.is_some_and(|worst| phase.severity() <= worst.severity()) {
            return;
        }
        self.worst = Some(phase);
        if let Some((_, why)) = exceeded {
            self.message = format!("Metric \"{}\" assessed {phase} due to {why}", metric.name);
            if !told.is_empty() {
                self.message += &format!(": \"Error Message: {told}\"");
            }
        }
    }
}

fn metric_event(run: &mut Run, metric: &Metric, phase: Phase) {
    let reason = match phase {
        Phase::Pending => "MetricPending",
        Phase::Running => "MetricRunning",
        Phase::Successful => "MetricSuccessful",
        Phase::Failed => "MetricFailed",
        Phase::Error => "MetricError",
        Phase::Inconclusive => "MetricInconclusive",
    };
    run.event(phase, reason, format!("Metric '{}' Completed. Result: {phase}", metric.name));
}

/// A metric that ended without exceeding a limit counts as successful in the summary, whatever its phase.
fn tally(summary: &mut RunSummary, exceeded: Option<Phase>) {
    match exceeded {
        Some(Phase::Error) => summary.error += 1,
        Some(Phase::Failed) => summary.failed += 1,
        Some(Phase::Inconclusive) => summary.inconclusive += 1,
        _ => summary.successful += 1,
    }
}

fn int(value: Option<&IntOrString>) -> i64 {
    value.map_or(0, IntOrString::int)
}

fn metric_phase(metric: &Metric, result: &MetricResult, terminating: bool) -> Phase {
    if let Some(phase) = result.phase.filter(|phase| phase.completed()) {
        return phase;
    }
    let Some(last) = result.measurements.last() else {
        return if terminating { Phase::Successful } else { Phase::Pending };
    };
    if !last.phase.is_some_and(Phase::completed) {
        return Phase::Running;
    }
    if let Some((phase, _)) = exceeded_limit(metric, result) {
        return phase;
    }
    let wanted = int(metric.consecutive_success_limit.as_ref());
    if wanted > 0 && result.consecutive_success >= wanted {
        return Phase::Successful;
    }
    if metric.effective_count().is_some_and(|count| result.count >= count) {
        let failures_matter = int(metric.failure_limit.as_ref()) >= 0;
        return match (wanted > 0, failures_matter) {
            (true, true) => Phase::Inconclusive,
            (true, false) => Phase::Failed,
            (false, _) => Phase::Successful,
        };
    }
    if terminating { Phase::Successful } else { Phase::Running }
}

/// The limit a metric exceeds, and how; of several Error hides Inconclusive hides Failed.
fn exceeded_limit(metric: &Metric, result: &MetricResult) -> Option<(Phase, String)> {
    let errors = metric.consecutive_error_limit.as_ref().map_or(4, IntOrString::int);
    if result.consecutive_error > errors {
        let why =
            format!("consecutiveErrors ({}) > consecutiveErrorLimit ({errors})", result.consecutive_error);
        return Some((Phase::Error, why));
    }
    let inconclusive = int(metric.inconclusive_limit.as_ref());
    if result.inconclusive > inconclusive {
        let why = format!("inconclusive ({}) > inconclusiveLimit ({inconclusive})", result.inconclusive);
        return Some((Phase::Inconclusive, why));
    }
    let failures = int(metric.failure_limit.as_ref());
    (failures >= 0 && result.failed > failures)
        .then(|| (Phase::Failed, format!("failed ({}) > failureLimit ({failures})", result.failed)))
}
