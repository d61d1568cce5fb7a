//! More failures allowed than there are measurements.

use super::super::reading::integer_at;
use super::super::{Context, Manual, Rule};
use crate::argo::policy::{Metric, Policy};
use crate::diag::Diagnostic;

pub(super) const RULE: Rule = Rule {
    code: "FD013",
    name: "failure-limit-reaches-count",
    summary: "a metric may fail as often as it is measured",
    manual: Manual {
        what: "Metrics whose `failureLimit` is not below their `count`, or is -1.",
        why: "A metric fails when its failures exceed `failureLimit`. With as many measurements as failures \
              allowed they never do, and the metric ends Successful however bad the release is. A limit above \
              the count is refused by the controller instead.",
        example: "\
apiVersion: argoproj.io/v1alpha1
kind: AnalysisTemplate
metadata:
  name: shop-errors
spec:
  metrics:
  - name: error-rate
    interval: 30s
    count: 3
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
    interval: 30s
    count: 3
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
    found.extend(policy.metrics().iter().filter_map(finding));
}

fn finding(metric: &Metric<'_>) -> Option<Diagnostic> {
    // With a success limit the count means something else: running out of it is not a success.
    if integer_at(metric.node, "consecutiveSuccessLimit").is_some_and(|limit| limit > 0) {
        return None;
    }
    let node = metric.node.get("failureLimit")?;
    let limit = integer_at(metric.node, "failureLimit")?;
    let title = format!("metric `{}` cannot fail, however often it fails", metric.name);
    let diagnostic = Diagnostic::warning(RULE.code, title)
        .help("set `failureLimit` below `count`; 0 fails at the first failure");
    if limit == -1 {
        return Some(diagnostic.at(metric.template.span(&node.span), "-1 switches failures off"));
    }
    let count = integer_at(metric.node, "count").filter(|count| *count > 0 && limit >= *count)?;
    let label = format!("more than {limit} failures are needed");
    let diagnostic = diagnostic.at(metric.template.span(&node.span), label);
    let counted = metric.node.get("count")?;
    Some(diagnostic.and_at(metric.template.span(&counted.span), format!("and `count` is {count}")))
}
