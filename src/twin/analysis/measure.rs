//! The two halves of a reconcile: what to ask, and what the answers make of the run.
//!
//! Upstream: `reconcileAnalysisRun` and `runMeasurements` in `analysis/analysis.go`.

use std::time::Duration;

use super::args::{self, Resolved};
use super::judge::judge;
use super::run::Run;
use super::schedule::{self, Task};
use super::validate::{self, Rules};
use super::{Controller, Measured, Pass, TIMER_LATENESS, assess, prometheus};
use crate::argo::analysis::{Measurement, Metric, MetricResult, Phase, Prometheus};
use crate::clock::Moment;
use crate::twin::effect::Reconciled;
use crate::twin::store::Store;

/// One question.
#[derive(Debug, Clone, PartialEq)]
pub struct Ask {
    /// The metric it is for.
    pub metric: String,
    /// Base address of the server.
    pub address: String,
    /// The query, arguments and secrets filled in.
    pub query: String,
    /// How long the controller waits for the answer.
    pub timeout: Duration,
    /// Headers sent along.
    pub headers: Vec<(String, String)>,
    /// The range, for a range query; an instant query is evaluated when it is asked.
    pub range: Option<Range>,
}

/// The range of a range query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    /// First moment.
    pub start: Moment,
    /// Last moment.
    pub end: Moment,
    /// Distance between samples.
    pub step: Duration,
}

impl Ask {
    /// Where the question is posted.
    #[must_use]
    pub fn url(&self) -> String {
        let path = if self.range.is_some() { "query_range" } else { "query" };
        format!("{}/api/v1/{path}", self.address.trim_end_matches('/'))
    }

    /// The error of a question that got no answer at all: refused, unknown host, broken connection.
    #[must_use]
    pub fn unreachable(&self, why: &str) -> Outcome {
        Outcome::Error(format!("Post \"{}\": {why}", self.url()))
    }

    /// The error of a question that was not answered within its timeout.
    #[must_use]
    pub fn timed_out(&self) -> Outcome {
        self.unreachable("context deadline exceeded")
    }
}

/// What came back, and when.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// When it came.
    pub at: Moment,
    /// What it was.
    pub outcome: Outcome,
    /// Warnings of the server.
    pub warnings: Vec<String>,
}

/// The kinds of answers Prometheus gives.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// A scalar.
    Scalar(f64),
    /// An instant vector, its labels discarded.
    Vector(Vec<f64>),
    /// A range vector: all samples of all series, one after the other.
    Matrix(Vec<f64>),
    /// A string, which the controller cannot read.
    Text(String),
    /// No result; the words of the client, see [`prometheus::refusal`] and [`Ask::unreachable`].
    Error(String),
}

/// A reconcile that waits for its answers.
#[derive(Debug)]
pub struct Asking {
    /// The questions, all asked at once.
    pub asks: Vec<Ask>,
    controller: Controller,
    started: Moment,
    run: Run,
    metrics: Vec<Metric>,
    rules: Rules,
    secrets: Resolved,
    steps: Vec<Step>,
}

/// One task on its way.
#[derive(Debug)]
struct Step {
    metric: Metric,
    kind: StepKind,
}

#[derive(Debug)]
enum StepKind {
    /// Wait for the answer with this index.
    Asked(usize),
    /// It failed before it could be asked. A provider that could not be set up leaves no metadata either.
    Failed { why: String, provider: bool },
    /// An unfinished measurement that Prometheus, which has none, hands back as it is.
    Resumed(Result<(), String>),
}

pub(super) fn begin(controller: &Controller, store: &Store, now: Moment, run: Run) -> Pass {
    let invalid = |error: String| format!("Analysis spec invalid: {error}");
    let unresolved = |error: String| format!("Unable to resolve metric arguments: {error}");
    let prepared = (|| {
        let metrics = args::resolve_all(&run.spec.metrics, &run.spec.args).map_err(unresolved)?;
        let rules = validate::rules(&run, &metrics).map_err(invalid)?;
        let tasks = schedule::due(&run, &metrics, now);
        let secrets = args::read_secrets(&run.spec.args, store, &run.key.namespace).map_err(unresolved)?;
        let steps: Result<Vec<(Task, Metric)>, String> = tasks
            .into_iter()
            .map(|task| {
                let (Task::Measure(index) | Task::Resume(index)) = task;
                Ok((task, args::resolve(&run.spec.metrics[index], &secrets.args)?))
            })
            .collect();
        Ok((metrics, rules, secrets, steps.map_err(unresolved)?))
    })();
    let (metrics, rules, secrets, tasks) = match prepared {
        Ok(prepared) => prepared,
        Err(message) => return Pass::Done(run.refuse(message)),
    };
    let controller = controller.clone();
    let mut asking =
        Asking { asks: vec![], controller, started: now, run, metrics, rules, secrets, steps: vec![] };
    for (task, metric) in tasks {
        asking.prepare(task, metric);
    }
    if asking.asks.is_empty() { Pass::Done(asking.finish(now, vec![])) } else { Pass::Ask(Box::new(asking)) }
}

impl Asking {
    fn prepare(&mut self, task: Task, metric: Metric) {
        let address = prometheus::address(&self.controller, &metric);
        let kind = match (task, address) {
            (Task::Resume(_), address) => StepKind::Resumed(address.map(drop)),
            (Task::Measure(_), Err(why)) => StepKind::Failed { why, provider: false },
            (Task::Measure(_), Ok(address)) => {
                match prometheus::range(&self.controller, &metric, self.started) {
                    Err(why) => StepKind::Failed { why, provider: true },
                    Ok(range) => {
                        self.asks.extend(metric.provider.prometheus.as_ref().map(|asked| Ask {
                            metric: metric.name.clone(),
                            address,
                            query: asked.query.clone(),
                            timeout: prometheus::timeout(asked),
                            headers: headers(asked),
                            range,
                        }));
                        StepKind::Asked(self.asks.len() - 1)
                    }
                }
            }
        };
        self.steps.push(Step { metric, kind });
    }

    /// Ends the reconcile: measurements, assessment, events and one patch. `answers` are in the order of
    /// [`Asking::asks`]; a missing one counts as an error. `now` is when the last of them was in.
    #[must_use]
    pub fn finish(mut self, now: Moment, answers: Vec<Answer>) -> Reconciled {
        let mut answers: Vec<Option<Answer>> = answers.into_iter().map(Some).collect();
        for step in std::mem::take(&mut self.steps) {
            let measurement = match &step.kind {
                StepKind::Asked(index) => {
                    let answer = answers.get_mut(*index).and_then(Option::take);
                    self.read(&step.metric, answer, now)
                }
                StepKind::Failed { why, .. } => self.failed(why.clone(), now),
                StepKind::Resumed(provider) => self.resumed(&step.metric, provider, now),
            };
            self.record(&step, measurement);
        }
        assess::assess(&mut self.run, &self.metrics, &self.rules, now);
        self.trim();
        let next = schedule::next(&self.run, &self.metrics, now);
        let mut reconciled = self.run.persist();
        if let Some(next) = next {
            reconciled.requeue_after(next.since(now) + TIMER_LATENESS);
        }
        reconciled
    }

    /// The measurement an answer makes.
    fn read(&self, metric: &Metric, answer: Option<Answer>, now: Moment) -> Measurement {
        let Some(answer) = answer else { return self.failed("no answer".into(), now) };
        let measured = match answer.outcome {
            Outcome::Scalar(value) => Measured::Scalar(value),
            Outcome::Vector(values) | Outcome::Matrix(values) => Measured::Vector(values),
            Outcome::Text(text) => {
                return self.failed(prometheus::string_refusal(&text, answer.at), answer.at);
            }
            Outcome::Error(why) => return self.failed(why, answer.at),
        };
        match judge(&self.controller, metric, &measured, answer.at) {
            Err(why) => self.failed(why, answer.at),
            Ok(phase) => {
                let warnings: Vec<String> =
                    answer.warnings.iter().map(|warning| format!("\"{warning}\"")).collect();
                let told = (!warnings.is_empty()).then(|| ("warnings".to_owned(), warnings.join(", ")));
                Measurement {
                    phase: Some(phase),
                    value: prometheus::value_text(&measured),
                    started_at: Some(self.started.rfc3339()),
                    finished_at: Some(answer.at.rfc3339()),
                    metadata: told.into_iter().collect(),
                    ..Measurement::default()
                }
            }
        }
    }

    fn failed(&self, why: String, at: Moment) -> Measurement {
        Measurement {
            phase: Some(Phase::Error),
            message: why,
            started_at: Some(self.started.rfc3339()),
            finished_at: Some(at.rfc3339()),
            ..Measurement::default()
        }
    }

    fn resumed(&self, metric: &Metric, provider: &Result<(), String>, now: Moment) -> Measurement {
        let mut measurement = self.run.last_measurement(&metric.name).cloned().unwrap_or_default();
        match provider {
            Err(why) => {
                measurement.phase = Some(Phase::Error);
                measurement.message.clone_from(why);
            }
            Ok(()) if self.run.is_terminating() && measurement.phase == Some(Phase::Successful) => {
                measurement.message = "Metric Terminated".into();
            }
            Ok(()) => {}
        }
        if measurement.phase.is_some_and(Phase::completed) {
            measurement.finished_at.get_or_insert_with(|| now.rfc3339());
        }
        measurement
    }

    /// Adds a measurement to its metric and counts it.
    fn record(&mut self, step: &Step, mut measurement: Measurement) {
        let name = &step.metric.name;
        measurement.message = self.secrets.redact(measurement.message);
        let mut result = self.run.result(name).cloned().unwrap_or_else(|| MetricResult {
            name: name.clone(),
            phase: Some(Phase::Running),
            dry_run: self.rules.dry_run.contains(name),
            metadata: step.metadata(),
            ..MetricResult::default()
        });
        count(&mut result, measurement.phase);
        if matches!(step.kind, StepKind::Resumed(_)) {
            result.measurements.pop();
        }
        result.measurements.push(measurement);
        self.run.set_result(result);
    }

    /// Forgets old measurements. Upstream builds the provider for it, with secrets masked: a metric whose address is a
    /// secret is never trimmed, and neither is one whose provider cannot be set up.
    fn trim(&mut self) {
        for result in &mut self.run.status.metric_results {
            let limit = self.rules.retention.get(&result.name).copied().filter(|limit| *limit > 0);
            let limit = usize::try_from(limit.unwrap_or(10)).unwrap_or(usize::MAX);
            let Some(metric) = self.metrics.iter().find(|metric| metric.name == result.name) else {
                continue;
            };
            let extra = result.measurements.len().saturating_sub(limit);
            if extra > 0 && prometheus::address(&self.controller, metric).is_ok() {
                result.measurements.drain(..extra);
            }
        }
    }
}

impl Step {
    fn metadata(&self) -> std::collections::BTreeMap<String, String> {
        let set_up = match &self.kind {
            StepKind::Asked(_) => true,
            StepKind::Failed { provider, .. } => *provider,
            StepKind::Resumed(provider) => provider.is_ok(),
        };
        let query = self.metric.provider.prometheus.as_ref().map(|asked| asked.query.clone());
        let query = query.filter(|query| set_up && !query.is_empty());
        query.map(|query| ("ResolvedPrometheusQuery".to_owned(), query)).into_iter().collect()
    }
}

fn headers(prometheus: &Prometheus) -> Vec<(String, String)> {
    prometheus.headers.iter().map(|header| (header.key.clone(), header.value.clone())).collect()
}

/// Errors are not counted towards `count`; anything else ends a series of errors.
fn count(result: &mut MetricResult, phase: Option<Phase>) {
    let counter = match phase {
        Some(Phase::Successful) => &mut result.successful,
        Some(Phase::Failed) => &mut result.failed,
        Some(Phase::Inconclusive) => &mut result.inconclusive,
        Some(Phase::Error) => &mut result.error,
        _ => return,
    };
    *counter += 1;
    let error = phase == Some(Phase::Error);
    let success = phase == Some(Phase::Successful);
    result.consecutive_success = if success { result.consecutive_success + 1 } else { 0 };
    result.consecutive_error = if error { result.consecutive_error + 1 } else { 0 };
    result.count += i64::from(!error);
}
