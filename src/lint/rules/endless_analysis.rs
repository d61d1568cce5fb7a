//! An analysis that promotion waits for, and that never ends.

use super::super::reading::{integer_at, is_set};
use super::super::{Context, Manual, Rule};
use crate::argo::policy::{Analysis, Metric, Policy, Role};
use crate::diag::Diagnostic;

pub(super) const RULE: Rule = Rule {
    code: "FD012",
    name: "endless-analysis",
    summary: "a metric with an interval and no count is used where an analysis must end",
    manual: Manual {
        what: "Metrics with `interval` and without `count` in a pre-promotion, post-promotion or step \
              analysis.",
        why: "Such a metric is measured until somebody stops it, so the release could never go on. The \
              controller refuses the Rollout as InvalidSpec: it is Degraded, and neither deploys nor rolls \
              back. Only a background analysis may run without an end.",
        example: "\
apiVersion: argoproj.io/v1alpha1
kind: AnalysisTemplate
metadata:
  name: shop-errors
spec:
  metrics:
  - name: error-rate
    interval: 30s
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

fn check(policy: &Policy, _: &Context, found: &mut Vec<Diagnostic>) {
    for analysis in policy.analyses().iter().filter(|analysis| analysis.role != Role::Background) {
        found.extend(
            analysis
                .metrics()
                .iter()
                .filter(|metric| is_endless(metric))
                .map(|metric| finding(analysis, metric)),
        );
    }
}

fn is_endless(metric: &Metric<'_>) -> bool {
    let counted = is_set(metric.node, "count") && integer_at(metric.node, "count") != Some(0);
    is_set(metric.node, "interval") && !counted
}

fn finding(analysis: &Analysis<'_>, metric: &Metric<'_>) -> Diagnostic {
    let title = format!(
        "metric `{}` is measured for ever, and the {} waits for its end",
        metric.name,
        analysis.role.name()
    );
    let interval = metric.node.get("interval").unwrap_or(metric.node);
    Diagnostic::error(RULE.code, title)
        .at(metric.template.span(&interval.span), "an interval without a `count`")
        .and_at(analysis.rollout.span(&analysis.key.span), "InvalidSpec: this analysis must end")
        .help("add `count`")
}
