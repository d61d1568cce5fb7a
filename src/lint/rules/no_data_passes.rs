//! Silence taken for consent.

use super::super::measure::{Conditions, Outcome, query, shape};
use super::super::reading::key_or;
use super::super::{Context, Manual, Rule};
use crate::argo::policy::{Metric, Policy};
use crate::condition::Shape;
use crate::diag::Diagnostic;
use crate::promql::{BinaryOp, Expr, ExprKind};

pub(super) const RULE: Rule = Rule {
    code: "FD008",
    name: "no-data-passes",
    summary: "a condition takes an empty result, or NaN, for a success",
    manual: Manual {
        what: "Prometheus metrics whose conditions, put to an empty vector, to the `vector(…)` that the query falls \
               back to, or to NaN where the query can divide by zero, end as Successful.",
        why: "An empty vector is what Prometheus answers when the series does not exist: the wrong label, the wrong \
              name, a version that never got as far as exporting anything. NaN is what a ratio yields without \
              traffic. Both are the absence of evidence, and the release passes on it.",
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
    failureCondition: len(result) > 0 && result[0] > 0.02
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
    for metric in policy.metrics() {
        let (Some(query), Some(conditions)) = (query(&metric), Conditions::of(&metric, context)) else {
            continue;
        };
        if shape(&metric) == Some(Shape::Vector) {
            found.extend(passes(&query, &conditions).map(|what| finding(&metric, &what)));
        }
    }
}

/// What the query may answer without any evidence, and the conditions call a success.
fn passes(query: &Expr, conditions: &Conditions) -> Option<String> {
    let successful = |samples: &[f64]| conditions.judge(samples) == Outcome::Successful;
    // A condition that no number fails is another mistake than one that lets silence pass.
    if [0.0, 0.5, 1.0, 99.0, 1e9].iter().all(|value| successful(&[*value])) {
        return None;
    }
    if let Some(value) = fallback(query) {
        return successful(&[value]).then(|| format!("no data (the query falls back to {value})"));
    }
    match (successful(&[]), can_be_nan(query) && successful(&[f64::NAN])) {
        (true, true) => Some("no data, and NaN,".into()),
        (true, false) => Some("no data".into()),
        (false, true) => Some("NaN".into()),
        (false, false) => None,
    }
}

/// The number of `… or vector(0)`, when that is what the whole query may come down to.
fn fallback(query: &Expr) -> Option<f64> {
    let ExprKind::Binary(binary) = &query.unparen().kind else { return None };
    if binary.op != BinaryOp::Or {
        return None;
    }
    let ExprKind::Call(call) = &binary.rhs.unparen().kind else { return None };
    match (call.func.name, call.args.first().map(|arg| &arg.unparen().kind)) {
        ("vector", Some(ExprKind::Number(number))) => Some(*number),
        _ => None,
    }
}

fn can_be_nan(query: &Expr) -> bool {
    let mut found = false;
    query.walk(&mut |expr| {
        found |= match &expr.kind {
            ExprKind::Binary(binary) => matches!(binary.op, BinaryOp::Div | BinaryOp::Mod),
            ExprKind::Call(call) => call.func.name == "histogram_quantile",
            _ => false,
        };
    });
    found
}

fn finding(metric: &Metric<'_>, what: &str) -> Diagnostic {
    let fields = ["successCondition", "failureCondition"];
    let field = fields.into_iter().find(|field| metric.node.get(field).is_some()).unwrap_or("name");
    let title = format!("metric `{}` takes {what} for a success", metric.name).replace(", for", " for");
    Diagnostic::warning(RULE.code, title)
        .at(key_or(metric.template, metric.node, field), "this lets a release pass without evidence")
        .help("use `successCondition: len(result) > 0 && …`, which fails without data and on NaN")
}
