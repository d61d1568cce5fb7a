//! A metric that measures and never judges.

use super::super::reading::is_set;
use super::super::{Context, Manual, Rule};
use crate::argo::policy::{Metric, Policy};
use crate::diag::Diagnostic;

pub(super) const RULE: Rule = Rule {
    code: "FD001",
    name: "no-condition",
    summary: "a metric has neither a successCondition nor a failureCondition",
    manual: Manual {
        what: "Metrics without `successCondition` and without `failureCondition`.",
        why: "A measurement is then Successful as soon as the provider answers with something, whatever it says. \
              `failureLimit` counts failures, and there are none. Only an unreachable provider can fail such an analysis.",
        example: "\
apiVersion: argoproj.io/v1alpha1
kind: AnalysisTemplate
metadata:
  name: shop-errors
spec:
  metrics:
  - name: error-rate
    interval: 30s
    count: 5
    failureLimit: 1
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
    interval: 30s
    count: 5
    failureLimit: 1
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
    found.extend(policy.metrics().iter().filter(|metric| judges_nothing(metric)).map(finding));
}

/// A Job fails by its exit code, and Kayenta and plugins bring judges of their own.
fn judges_nothing(metric: &Metric<'_>) -> bool {
    let judged_elsewhere = ["job", "kayenta", "plugin"].iter().any(|name| metric.provider(name).is_some());
    !judged_elsewhere && !is_set(metric.node, "successCondition") && !is_set(metric.node, "failureCondition")
}

fn finding(metric: &Metric<'_>) -> Diagnostic {
    let diagnostic =
        Diagnostic::warning(RULE.code, format!("metric `{}` has no condition and cannot fail", metric.name))
            .at(metric.template.span(metric.name_range()), "whatever it measures is a success")
            .help("add `successCondition: len(result) > 0 && result[0] <= …`");
    match metric.node.get("failureLimit") {
        Some(limit) => {
            diagnostic.and_at(metric.template.span(&limit.span), "counts failures that never come")
        }
        None => diagnostic,
    }
}
