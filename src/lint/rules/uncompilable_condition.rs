//! A condition that is never evaluated, because it never compiles.

use super::super::measure::shape;
use super::super::reading::{is_open, part, text_of};
use super::super::{Context, Manual, Rule};
use crate::argo::policy::{Metric, Policy};
use crate::condition::{Condition, Error, Shape};
use crate::diag::Diagnostic;
use crate::yaml::Node;

pub(super) const RULE: Rule = Rule {
    code: "FD020",
    name: "uncompilable-condition",
    summary: "a condition does not compile",
    manual: Manual {
        what: "Conditions that are no expression, name what does not exist, or do not fit the type of the result.",
        why: "Conditions are compiled at every measurement and not before. One that does not compile makes every \
              measurement an Error, and the fifth in a row aborts the release, good or bad.",
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
    successCondition: results[0] <= 0.02
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
    successCondition: result[0] <= 0.02
    provider:
      prometheus:
        address: http://prometheus:9090
        query: sum(rate(http_requests_total{status=~\"5..\"}[2m])) / sum(rate(http_requests_total[2m]))
",
    },
    check,
};

fn check(policy: &Policy, context: &Context, found: &mut Vec<Diagnostic>) {
    for metric in policy.metrics() {
        for field in ["successCondition", "failureCondition"] {
            found.extend(finding(&metric, field, context));
        }
    }
}

fn finding(metric: &Metric<'_>, field: &str, context: &Context) -> Option<Diagnostic> {
    let node = metric.node.get(field)?;
    let text = text_of(metric, node).filter(|text| !is_open(text) && !text.is_empty())?;
    let error = error(&text, shape(metric).unwrap_or(Shape::Any), context)?;
    let words = text.get(error.span.clone()).unwrap_or_default();
    let title = format!("`{field}` of metric `{}` does not compile: {}", metric.name, error.message);
    let title = title.lines().next().unwrap_or_default().to_string();
    Some(
        Diagnostic::warning(RULE.code, title)
            .at(part(metric.template, node, words), "every measurement is an error")
            .help(help(metric, node)),
    )
}

fn help(metric: &Metric<'_>, node: &Node) -> &'static str {
    let after = metric.template.source.text.get(node.span.end..).unwrap_or_default();
    let is_cut = after.lines().next().is_some_and(|rest| rest.trim_start().starts_with('#'));
    match is_cut {
        true => "YAML takes ` #` for a comment: put the condition in quotes",
        false => "a condition sees `result`, and has to yield true or false",
    }
}

/// The error, unless it is the one that [`super::vector_compared_with_number`] explains better.
fn error(text: &str, shape: Shape, context: &Context) -> Option<Error> {
    let condition = match Condition::parse(text, context.dialect) {
        Ok(condition) => condition,
        Err(error) => return Some(error),
    };
    let error = condition.check(shape).err()?;
    let explained = condition.comparisons(shape).iter().any(|comparison| comparison.is_list_against_number());
    (!explained).then_some(error)
}
