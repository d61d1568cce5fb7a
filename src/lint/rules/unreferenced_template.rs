//! A template that nobody runs.

use std::collections::BTreeMap;

use super::super::{Context, Manual, Rule};
use crate::argo::policy::{Object, Policy, Strategy};
use crate::diag::Diagnostic;
use crate::twin::store::Kind;
use crate::yaml::Node;

pub(super) const RULE: Rule = Rule {
    code: "FD002",
    name: "unreferenced-template",
    summary: "an AnalysisTemplate is referred to by nobody",
    manual: Manual {
        what: "AnalysisTemplates and ClusterAnalysisTemplates that no Rollout, Experiment or other template names.",
        why: "A template does nothing by itself. Without a reference from `prePromotionAnalysis`, \
              `postPromotionAnalysis`, `analysis` or an analysis step it is never measured, and the release it was \
              meant to stop goes out.",
        example: "\
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata:
  name: shop
spec:
  strategy:
    blueGreen:
      activeService: shop
      previewService: shop-preview
",
        instead: "\
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata:
  name: shop
spec:
  strategy:
    blueGreen:
      activeService: shop
      previewService: shop-preview
      prePromotionAnalysis:
        templates:
        - templateName: shop-errors
",
    },
    check,
};

fn check(policy: &Policy, _: &Context, found: &mut Vec<Diagnostic>) {
    if policy.of_kind(Kind::Rollout).next().is_none() {
        return;
    }
    let mut named = BTreeMap::new();
    for object in &policy.objects {
        names(object, &object.node, &mut named);
    }
    let templates =
        policy.of_kind(Kind::AnalysisTemplate).chain(policy.of_kind(Kind::ClusterAnalysisTemplate));
    for template in templates {
        let by = named.get(template.name.as_str()).map(Vec::as_slice).unwrap_or_default();
        if by.iter().all(|other| std::ptr::eq(*other, template)) {
            found.push(finding(policy, template));
        }
    }
}

/// Who names which template, wherever it stands: Rollouts, Experiments and templates all use the key `templateName`.
fn names<'a>(object: &'a Object, node: &'a Node, found: &mut BTreeMap<&'a str, Vec<&'a Object>>) {
    if let Some(name) = node.text("templateName") {
        found.entry(name).or_default().push(object);
    }
    node.entries().iter().for_each(|(_, value)| names(object, value, found));
    node.items().iter().for_each(|item| names(object, item, found));
}

fn finding(policy: &Policy, template: &Object) -> Diagnostic {
    let title = format!("{} is never referred to, so it never runs", template.title());
    let diagnostic =
        Diagnostic::warning(RULE.code, title).at(template.name_span(), "nobody names this template");
    let (key, place) = match policy.strategy() {
        Some(Strategy::BlueGreen(_)) => ("blueGreen", "prePromotionAnalysis` or `postPromotionAnalysis"),
        _ => ("canary", "analysis` or an `analysis` step"),
    };
    let strategy = policy.rollout().and_then(|rollout| {
        let (key, _) = rollout.node.pointer("/spec/strategy")?.entry(key)?;
        Some(rollout.span(&key.span))
    });
    let diagnostic = diagnostic.help(format!("name it in the strategy, under `{place}`"));
    match strategy {
        Some(span) => diagnostic.and_at(span, "no analysis here uses it"),
        None => diagnostic,
    }
}
