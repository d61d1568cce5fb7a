//! A rehearsal that was left on.

use regex::Regex;

use super::super::{Context, Manual, Rule};
use crate::argo::policy::{Analysis, Object, Policy};
use crate::diag::{Diagnostic, Span};
use crate::yaml::Node;

pub(super) const RULE: Rule = Rule {
    code: "FD014",
    name: "dry-run-everything",
    summary: "every metric of an analysis is a dry run",
    manual: Manual {
        what: "`dryRun` rules that match all metrics. A rule is a regular expression that matches anywhere in \
              the name, so `error` also matches `error-rate`.",
        why: "The result of a dry-run metric is recorded and ignored. When all of them are, the analysis is \
              always Successful.",
        example: "\
apiVersion: argoproj.io/v1alpha1
kind: AnalysisTemplate
metadata:
  name: shop-errors
spec:
  dryRun:
  - metricName: .*
  metrics:
  - name: error-rate
    interval: 30s
    count: 3
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
    for analysis in policy.analyses() {
        let rules = rules(&analysis);
        let metrics = analysis.metrics();
        let is_dry = |name: &str| rules.iter().any(|(rule, _)| rule.is_match(name));
        if metrics.is_empty() || !metrics.iter().all(|metric| is_dry(metric.name)) {
            continue;
        }
        let Some((_, span)) = rules.first() else { continue };
        let title = format!("every metric of the {} is a dry run: it cannot fail", analysis.role.name());
        found.push(
            Diagnostic::warning(RULE.code, title)
                .at(span.clone(), "matches anywhere in a metric's name")
                .and_at(analysis.rollout.span(&analysis.key.span), "always Successful")
                .help("name the metrics that are rehearsed with `^` and `$`, or remove `dryRun`"),
        );
    }
}

/// The rules of the analysis and of its templates, which the controller merges.
fn rules(analysis: &Analysis<'_>) -> Vec<(Regex, Span)> {
    let mut found = vec![];
    collect(analysis.rollout, analysis.node, &mut found);
    for template in analysis.templates.iter().filter_map(|template| template.object) {
        if let Some(spec) = template.node.get("spec") {
            collect(template, spec, &mut found);
        }
    }
    found
}

fn collect(object: &Object, block: &Node, found: &mut Vec<(Regex, Span)>) {
    for rule in block.get("dryRun").map(Node::items).unwrap_or_default() {
        let Some(name) = rule.get("metricName") else { continue };
        if let Some(regex) = name.as_str().and_then(|pattern| Regex::new(pattern).ok()) {
            found.push((regex, object.span(&name.span)));
        }
    }
}
