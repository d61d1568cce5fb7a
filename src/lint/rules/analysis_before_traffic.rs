//! A judgement passed before there is anything to judge.

use std::time::Duration;

use super::super::reading::{duration_at, integer_at, is_set};
use super::super::{Context, Manual, Rule};
use crate::argo::policy::{Analysis, Metric, Policy, Role, Strategy};
use crate::diag::Diagnostic;
use crate::yaml::{Node, NodeValue};

pub(super) const RULE: Rule = Rule {
    code: "FD006",
    name: "analysis-before-traffic",
    summary: "an analysis is over before traffic can have reached the new version",
    manual: Manual {
        what: "Prometheus metrics whose last measurement falls within two scrapes of the first moment of the \
               analysis, and pre-promotion analyses of a Rollout without a `previewService`.",
        why: "A metric without `interval` and `initialDelay` is measured once, in the first second of the analysis. \
              Prometheus then knows nothing about the new version, so the query answers for the old one, or with \
              nothing. Without a preview Service nobody can send the new version anything before it is promoted.",
        example: "\
apiVersion: argoproj.io/v1alpha1
kind: AnalysisTemplate
metadata:
  name: shop-errors
spec:
  metrics:
  - name: error-rate
    successCondition: len(result) > 0 && result[0] <= 0.02
    provider:
      prometheus:
        address: http://prometheus:9090
        query: sum(rate(http_requests_total{status=~\"5..\"}[2m])) / sum(rate(http_requests_total[2m]))
",
        instead: "\
apiVersion: argoproj.io/v1alpha1
kind: AnalysisTemplate
metadata:
  name: shop-errors
spec:
  metrics:
  - name: error-rate
    initialDelay: 60s
    interval: 30s
    count: 5
    successCondition: len(result) > 0 && result[0] <= 0.02
    provider:
      prometheus:
        address: http://prometheus:9090
        query: sum(rate(http_requests_total{status=~\"5..\"}[2m])) / sum(rate(http_requests_total[2m]))
",
    },
    check,
};

fn check(policy: &Policy, context: &Context, found: &mut Vec<Diagnostic>) {
    for analysis in policy.analyses() {
        if analysis.role == Role::PrePromotion && !has_preview(policy) {
            found.push(no_preview(&analysis));
        }
        if waits_before(policy, &analysis) {
            continue;
        }
        let needed = context.scrape_interval * 2;
        for metric in analysis.metrics().iter().filter(|metric| metric.query().is_some()) {
            if last_measurement(metric).is_some_and(|last| last < needed) {
                found.push(too_early(&analysis, metric, needed));
            }
        }
    }
}

fn has_preview(policy: &Policy) -> bool {
    matches!(policy.strategy(), Some(Strategy::BlueGreen(strategy)) if is_set(strategy, "previewService"))
}

/// When the last measurement is taken, counted from the start of the analysis; `None` when it may go on for ever, or
/// when only a run can tell.
fn last_measurement(metric: &Metric<'_>) -> Option<Duration> {
    let known = |key: &str| match metric.node.get(key) {
        None => Some(Duration::ZERO),
        Some(_) => duration_at(metric.node, key),
    };
    let count = match metric.node.get("count") {
        None if is_set(metric.node, "interval") => return None,
        None => 1,
        Some(_) => integer_at(metric.node, "count").and_then(|count| u32::try_from(count).ok())?,
    };
    if count == 0 && is_set(metric.node, "interval") {
        return None;
    }
    known("interval")?.checked_mul(count.saturating_sub(1))?.checked_add(known("initialDelay")?)
}

/// A step that comes after a pause has had its traffic; so has a background analysis that starts at a later step.
fn waits_before(policy: &Policy, analysis: &Analysis<'_>) -> bool {
    let Some(Strategy::Canary(strategy)) = policy.strategy() else { return false };
    let steps = strategy.get("steps").map(Node::items).unwrap_or_default();
    let before = match analysis.role {
        Role::Step(index) => index,
        Role::Background => {
            integer_at(analysis.node, "startingStep").and_then(|step| usize::try_from(step).ok()).unwrap_or(0)
        }
        Role::PrePromotion | Role::PostPromotion => return false,
    };
    steps
        .iter()
        .take(before)
        .any(|step| step.get("pause").is_some_and(lasts) || step.get("experiment").is_some())
}

fn lasts(pause: &Node) -> bool {
    pause.get("duration").is_none_or(|duration| !matches!(duration.value, NodeValue::Int(0)))
}

fn no_preview(analysis: &Analysis<'_>) -> Diagnostic {
    let title = "the pre-promotion analysis sees no traffic of the new version: there is no preview Service";
    let strategy =
        analysis.rollout.node.pointer("/spec/strategy").and_then(|strategy| strategy.entry("blueGreen"));
    let diagnostic = Diagnostic::warning(RULE.code, title)
        .at(analysis.rollout.span(&analysis.key.span), "runs before anybody can reach the new version")
        .help("add a `previewService` and send it traffic, or analyse after promotion with `postPromotionAnalysis`");
    match strategy {
        Some((key, _)) => diagnostic.and_at(analysis.rollout.span(&key.span), "no `previewService` here"),
        None => diagnostic,
    }
}

fn too_early(analysis: &Analysis<'_>, metric: &Metric<'_>, needed: Duration) -> Diagnostic {
    let role = analysis.role.name();
    let title = format!("metric `{}` is over before traffic can have reached the new version", metric.name);
    let last = last_measurement(metric).unwrap_or_default();
    let label = match last.is_zero() {
        true => "measured once, at the start".to_string(),
        false => format!("last measured {} after the start", fake_app::duration::format(last)),
    };
    let needed = fake_app::duration::format(needed);
    Diagnostic::warning(RULE.code, title)
        .at(metric.template.span(metric.name_range()), label)
        .and_at(analysis.rollout.span(&analysis.key.span), format!("this {role} starts with the new version"))
        .help(format!("add `initialDelay`, or `interval` and `count`: Prometheus needs two scrapes ({needed}) to see anything"))
}
