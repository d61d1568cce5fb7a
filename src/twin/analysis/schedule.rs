//! When a metric is due.
//!
//! Everything follows from `finishedAt`, which is stored in whole seconds: a fraction of an interval is lost, a first
//! gap is short by the fraction of its second (recordings `ar-interval-*`). Upstream: `generateMetricTasks` and
//! `calculateNextReconcileTime` in `analysis/analysis.go`.

use fake_app::duration;

use super::run::Run;
use crate::argo::analysis::{Measurement, Metric, Phase};
use crate::clock::Moment;

/// Errors are retried after this long, whatever the interval.
const ERROR_RETRY: i64 = 10_000_000_000;

/// One thing to do for a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Task {
    /// Take a measurement of the metric with this index.
    Measure(usize),
    /// Look again at its unfinished measurement.
    Resume(usize),
}

/// What is to be done now.
pub(super) fn due(run: &Run, metrics: &[Metric], now: Moment) -> Vec<Task> {
    let terminating = run.is_terminating();
    let tasks = metrics.iter().enumerate().filter(|(_, metric)| !run.metric_completed(&metric.name));
    tasks
        .filter_map(|(index, metric)| match run.last_measurement(&metric.name) {
            Some(last) if last.finished_at.is_none() => resumes(last, now).then_some(Task::Resume(index)),
            _ if terminating => None,
            None => first_is_due(run, metric, now).then_some(Task::Measure(index)),
            Some(last) => next_is_due(run, metric, last, now).then_some(Task::Measure(index)),
        })
        .collect()
}

fn resumes(last: &Measurement, now: Moment) -> bool {
    stamp(last.resume_at.as_ref()).is_none_or(|resume| resume <= now)
}

fn first_is_due(run: &Run, metric: &Metric, now: Moment) -> bool {
    if metric.initial_delay.is_empty() {
        return true;
    }
    let Some(started) = stamp(run.status.started_at.as_ref()) else { return false };
    duration::parse_nanos(&metric.initial_delay).is_ok_and(|delay| after(started, delay) <= now)
}

fn next_is_due(run: &Run, metric: &Metric, last: &Measurement, now: Moment) -> bool {
    if count_reached(run, metric) {
        return false;
    }
    let interval = match wait_of(metric, last) {
        Some(interval) => interval,
        None if metric.interval.is_empty() => ERROR_RETRY,
        None => return false,
    };
    stamp(last.finished_at.as_ref()).is_some_and(|finished| now > after(finished, interval))
}

/// When the run wants to be looked at again.
pub(super) fn next(run: &Run, metrics: &[Metric], now: Moment) -> Option<Moment> {
    let open = metrics.iter().filter(|metric| !run.metric_completed(&metric.name));
    open.filter_map(|metric| match run.last_measurement(&metric.name) {
        None => {
            let started = stamp(run.status.started_at.as_ref()).unwrap_or(now);
            let delay = duration::parse_nanos(&metric.initial_delay).ok()?;
            Some(after(started, delay))
        }
        Some(last) if last.finished_at.is_none() => stamp(last.resume_at.as_ref()),
        Some(_) if count_reached(run, metric) => None,
        Some(last) => Some(after(stamp(last.finished_at.as_ref())?, wait_of(metric, last)?)),
    })
    .min()
}

/// How long to wait after a measurement; `None` when the metric has no interval.
fn wait_of(metric: &Metric, last: &Measurement) -> Option<i64> {
    if last.phase == Some(Phase::Error) {
        return Some(ERROR_RETRY);
    }
    if metric.interval.is_empty() { None } else { duration::parse_nanos(&metric.interval).ok() }
}

fn count_reached(run: &Run, metric: &Metric) -> bool {
    let count = run.result(&metric.name).map_or(0, |result| result.count);
    metric.effective_count().is_some_and(|wanted| count >= wanted)
}

fn stamp(text: Option<&String>) -> Option<Moment> {
    Moment::parse_rfc3339(text?)
}

fn after(moment: Moment, nanos: i64) -> Moment {
    Moment::from_unix_nanos(moment.unix_nanos().saturating_add(nanos))
}
