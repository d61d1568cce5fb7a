//! A list where a number was meant.

use super::super::measure::shape;
use super::super::reading::{closed, part, text_of};
use super::super::{Context, Manual, Rule};
use crate::argo::policy::{Metric, Policy};
use crate::condition::{Condition, Shape};
use crate::diag::Diagnostic;

pub(super) const RULE: Rule = Rule {
    code: "FD009",
    name: "vector-compared-with-number",
    summary: "a condition compares the whole result vector with a number",
    manual: Manual {
        what: "Conditions such as `result < 0.05` on a query that yields a vector.",
        why: "Prometheus answers most queries with a vector, which arrives as a list. A list and a number do not \
              compare: every measurement is an Error, and the fifth in a row aborts the release, good or bad.",
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
    successCondition: result <= 0.02
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

fn check(policy: &Policy, context: &Context, found: &mut Vec<Diagnostic>) {
    for metric in policy.metrics().iter().filter(|metric| shape(metric) == Some(Shape::Vector)) {
        for field in ["successCondition", "failureCondition"] {
            found.extend(finding(metric, field, context));
        }
    }
}

fn finding(metric: &Metric<'_>, field: &str, context: &Context) -> Option<Diagnostic> {
    let node = metric.node.get(field)?;
    let text = closed(&text_of(metric, node)?);
    let condition = Condition::parse(&text, context.dialect).ok()?;
    let comparisons = condition.comparisons(Shape::Vector);
    let comparison = comparisons.iter().find(|comparison| comparison.is_list_against_number())?;
    let words = text.get(comparison.span.clone()).unwrap_or_default();
    let query = metric.query()?;
    Some(
        Diagnostic::warning(
            RULE.code,
            format!("`{words}` compares a list with a number: every measurement is an error"),
        )
        .at(part(metric.template, node, words), "`result` is a list here")
        .and_at(metric.template.span(&query.span), "this query yields a vector")
        .help("write `result[0]`, and `len(result) > 0 &&` before it"),
    )
}
