//! An analysis of nothing.

use super::super::{Context, Manual, Rule};
use crate::argo::policy::{Analysis, Policy, Role};
use crate::diag::Diagnostic;
use crate::yaml::Node;

pub(super) const RULE: Rule = Rule {
    code: "FD015",
    name: "no-templates",
    summary: "an analysis has no templates",
    manual: Manual {
        what: "Analysis blocks with an empty `templates` list, or without one.",
        why: "A blue-green update with such a pre-promotion analysis is never promoted, with such a \
              post-promotion analysis it never becomes stable; in a canary nothing is analysed.",
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
      prePromotionAnalysis:
        templates:
        - templateName: shop-errors
      postPromotionAnalysis:
        templates: []
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
      postPromotionAnalysis:
        templates:
        - templateName: shop-errors
",
    },
    check,
};

fn check(policy: &Policy, _: &Context, found: &mut Vec<Diagnostic>) {
    let analyses = policy.analyses();
    let empty = |analysis: &&Analysis<'_>| {
        analysis.node.get("templates").is_none_or(|templates| templates.items().is_empty())
    };
    found.extend(analyses.iter().filter(empty).map(finding));
}

fn finding(analysis: &Analysis<'_>) -> Diagnostic {
    let label = match analysis.role {
        Role::PrePromotion => "the update is never promoted",
        Role::PostPromotion => "the update never becomes stable",
        Role::Background | Role::Step(_) => "nothing is analysed",
    };
    let place = analysis.node.get("templates").map_or(&analysis.key.span, |templates: &Node| &templates.span);
    Diagnostic::warning(RULE.code, format!("the {} has no templates", analysis.role.name()))
        .at(analysis.rollout.span(place), label)
        .help("name a template, or remove the block")
}
