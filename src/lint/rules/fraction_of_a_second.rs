//! An interval that the controller rounds away.

use super::super::reading::{duration_at, key_or};
use super::super::{Context, Manual, Rule};
use crate::argo::policy::{Metric, Policy};
use crate::diag::Diagnostic;

pub(super) const RULE: Rule = Rule {
    code: "FD025",
    name: "fraction-of-a-second",
    summary: "the fraction of a second in an interval is lost",
    manual: Manual {
        what: "Metrics with an `interval` that is no whole number of seconds.",
        why: "The controller keeps the end of a measurement in whole seconds and counts the interval from there. \
              `2500ms` are two seconds, and `800ms` are no interval at all: every measurement of the analysis is \
              taken within the same moment, and what was meant as a minute of observation is one look. Recorded \
              with v1.9.1 as `ar-interval-2500ms`; in the museum as `interval-of-800ms-is-none`.",
        example: "\
apiVersion: argoproj.io/v1alpha1
kind: AnalysisTemplate
metadata:
  name: shop-errors
spec:
  metrics:
  - name: error-rate
    initialDelay: 1m
    interval: 800ms
    count: 60
    failureLimit: 3
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
    initialDelay: 1m
    interval: 1s
    count: 60
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
    found.extend(policy.metrics().iter().filter_map(finding));
}

fn finding(metric: &Metric<'_>) -> Option<Diagnostic> {
    let interval = duration_at(metric.node, "interval").filter(|interval| interval.subsec_nanos() > 0)?;
    let place = key_or(metric.template, metric.node, "interval");
    let name = metric.name;
    let found = if interval.as_secs() == 0 {
        Diagnostic::warning(
            RULE.code,
            format!("metric `{name}` has no interval: all its measurements are one"),
        )
        .at(place, "less than a second, which counts as nothing")
    } else {
        let counted = interval.as_secs();
        Diagnostic::note(RULE.code, format!("metric `{name}` is measured every {counted} s"))
            .at(place, "the fraction is lost")
    };
    Some(found.help("write whole seconds"))
}
