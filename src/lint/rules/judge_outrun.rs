//! A judge who is still thinking when the doors open.

use std::time::Duration;

use super::super::reading::{duration_at, integer, integer_at, is_set};
use super::super::{Context, Manual, Rule};
use crate::argo::policy::{Analysis, Metric, Policy, Role, Strategy};
use crate::diag::Diagnostic;
use crate::yaml::Node;

pub(super) const RULE: Rule = Rule {
    code: "FD027",
    name: "judge-outrun",
    summary: "the steps of a canary are over before its background analysis can fail",
    manual: Manual {
        what: "Metrics of a background analysis that cannot have failed yet (`initialDelay`, and `failureLimit` \
               times `interval`) when the pauses of the steps are over. Canaries with a pause without an end, or \
               with an analysis or experiment as a step, are left alone.",
        why: "The controller does not wait for a background analysis: after the last step the version is promoted, \
              and the analysis that still runs is ended as Successful. What cannot have failed by then protects \
              nobody. Recorded with v1.9.1 as `canary-background-terminated-at-end`; in the museum as \
              `canary-outruns-its-judge`.",
        example: "\
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata:
  name: shop
spec:
  strategy:
    canary:
      analysis:
        templates:
        - templateName: shop-errors
      steps:
      - setWeight: 25
      - pause: {duration: 1m}
---
apiVersion: argoproj.io/v1alpha1
kind: AnalysisTemplate
metadata:
  name: shop-errors
spec:
  metrics:
  - name: error-rate
    initialDelay: 1m
    interval: 30s
    count: 5
    failureLimit: 3
    successCondition: len(result) > 0 && result[0] <= 0.02
    provider:
      prometheus:
        address: http://prometheus:9090
        query: sum(rate(http_requests_total{status=~\"5..\"}[2m])) / sum(rate(http_requests_total[2m]))
",
        instead: "\
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata:
  name: shop
spec:
  strategy:
    canary:
      analysis:
        templates:
        - templateName: shop-errors
      steps:
      - setWeight: 25
      - pause: {duration: 5m}
---
apiVersion: argoproj.io/v1alpha1
kind: AnalysisTemplate
metadata:
  name: shop-errors
spec:
  metrics:
  - name: error-rate
    initialDelay: 1m
    interval: 30s
    count: 5
    failureLimit: 3
    successCondition: len(result) > 0 && result[0] <= 0.02
    provider:
      prometheus:
        address: http://prometheus:9090
        query: sum(rate(http_requests_total{status=~\"5..\"}[2m])) / sum(rate(http_requests_total[2m]))
",
    },
    check,
};

fn check(policy: &Policy, _: &Context, found: &mut Vec<Diagnostic>) {
    let Some(Strategy::Canary(canary)) = policy.strategy() else { return };
    let steps = canary.get("steps").map(Node::items).unwrap_or_default();
    for analysis in policy.analyses().iter().filter(|analysis| analysis.role == Role::Background) {
        let Some(lasting) = pauses(steps, analysis) else { continue };
        let metrics = analysis.metrics();
        let late = metrics.iter().filter_map(|metric| Some((metric, first_verdict(metric)?)));
        let late = late.filter(|(_, first)| *first >= lasting);
        found.extend(late.map(|(metric, first)| finding(analysis, metric, first, lasting)));
    }
}

/// How long the steps from the start of the analysis on last at least; `None` where there are none, or where a person or
/// another judge decides.
fn pauses(steps: &[Node], analysis: &Analysis<'_>) -> Option<Duration> {
    let start = match analysis.node.get("startingStep") {
        Some(step) => usize::try_from(integer(step)?).ok()?,
        None => 0,
    };
    steps.get(start..).filter(|steps| !steps.is_empty())?.iter().try_fold(Duration::ZERO, |sum, step| {
        if step.get("analysis").is_some() || step.get("experiment").is_some() || step.get("plugin").is_some()
        {
            return None;
        }
        let Some(pause) = step.get("pause") else { return Some(sum) };
        sum.checked_add(length(pause)?)
    })
}

/// A number of seconds, or a duration; `None` without an end.
fn length(pause: &Node) -> Option<Duration> {
    match integer(pause.get("duration")?) {
        Some(seconds) => u64::try_from(seconds).ok().map(Duration::from_secs),
        None => duration_at(pause, "duration"),
    }
}

/// When the metric has failed at the earliest, counted from the start of the analysis; `None` when it never does, or
/// when only a run can tell.
fn first_verdict(metric: &Metric<'_>) -> Option<Duration> {
    let known = |key: &str| match is_set(metric.node, key) {
        true => duration_at(metric.node, key),
        false => Some(Duration::ZERO),
    };
    let limit = match is_set(metric.node, "failureLimit") {
        true => u32::try_from(integer_at(metric.node, "failureLimit")?).ok()?,
        false => 0,
    };
    known("interval")?.checked_mul(limit)?.checked_add(known("initialDelay")?)
}

fn finding(analysis: &Analysis<'_>, metric: &Metric<'_>, first: Duration, lasting: Duration) -> Diagnostic {
    let title = format!("the canary is promoted before metric `{}` can have failed", metric.name);
    let (first, lasting) = (first.as_secs(), lasting.as_secs());
    Diagnostic::warning(RULE.code, title)
        .at(metric.template.span(metric.name_range()), format!("cannot fail before {first} s have passed"))
        .and_at(analysis.rollout.span(&analysis.key.span), format!("the steps pause for {lasting} s in all"))
        .help("let the steps last longer than the judgement takes, or make the analysis a step, which is waited for")
}
