//! One look, and that was that.

use super::super::reading::is_set;
use super::super::{Context, Manual, Rule};
use crate::argo::policy::{Analysis, Metric, Policy, Role};
use crate::diag::Diagnostic;

pub(super) const RULE: Rule = Rule {
    code: "FD028",
    name: "one-look",
    summary: "an analysis step looks at a metric once",
    manual: Manual {
        what: "Prometheus metrics with neither `interval` nor `count` in an analysis that is a step of a canary.",
        why: "Such a metric is measured once, and the canary goes on. A version that fails a minute later is \
              everybody's by then, and one bad scrape undoes a good one. Recorded with v1.9.1 as `ar-one-shot`; in \
              the museum as `canary-judged-by-one-look`.",
        example: "\
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata:
  name: shop
spec:
  strategy:
    canary:
      steps:
      - setWeight: 25
      - pause: {duration: 2m}
      - analysis:
          templates:
          - templateName: shop-errors
---
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
kind: Rollout
metadata:
  name: shop
spec:
  strategy:
    canary:
      steps:
      - setWeight: 25
      - pause: {duration: 2m}
      - analysis:
          templates:
          - templateName: shop-errors
---
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
    for analysis in policy.analyses().iter().filter(|analysis| matches!(analysis.role, Role::Step(_))) {
        found.extend(
            analysis.metrics().iter().filter(|metric| looks_once(metric)).map(|m| finding(analysis, m)),
        );
    }
}

fn looks_once(metric: &Metric<'_>) -> bool {
    metric.query().is_some() && !is_set(metric.node, "interval") && !is_set(metric.node, "count")
}

fn finding(analysis: &Analysis<'_>, metric: &Metric<'_>) -> Diagnostic {
    Diagnostic::note(RULE.code, format!("metric `{}` is measured once", metric.name))
        .at(metric.template.span(metric.name_range()), "has neither `interval` nor `count`")
        .and_at(analysis.rollout.span(&analysis.key.span), "this step is over after one measurement")
        .help("give it an `interval` and a `count`, so that it sees more than a moment")
}
