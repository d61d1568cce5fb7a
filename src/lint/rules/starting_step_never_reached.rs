//! A judge who is invited to the end.

use super::super::reading::integer_at;
use super::super::{Context, Manual, Rule};
use crate::argo::policy::{Analysis, Policy, Role, Strategy};
use crate::diag::Diagnostic;
use crate::yaml::Node;

pub(super) const RULE: Rule = Rule {
    code: "FD026",
    name: "starting-step-never-reached",
    summary: "a background analysis starts at a step that the canary does not have",
    manual: Manual {
        what: "A background analysis whose `startingStep` is not below the number of steps. Steps count from 0.",
        why: "The analysis begins when the canary reaches that step. The last step is one less than their number, \
              so this one is reached when the release is over, and nothing is ever judged (spec 3.7, argo-rollouts \
              v1.9.1 rollout/analysis.go).",
        example: "\
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata:
  name: shop
spec:
  strategy:
    canary:
      analysis:
        startingStep: 4
        templates:
        - templateName: shop-errors
      steps:
      - setWeight: 20
      - pause: {duration: 5m}
      - setWeight: 60
      - pause: {duration: 5m}
",
        instead: "\
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata:
  name: shop
spec:
  strategy:
    canary:
      analysis:
        startingStep: 1
        templates:
        - templateName: shop-errors
      steps:
      - setWeight: 20
      - pause: {duration: 5m}
      - setWeight: 60
      - pause: {duration: 5m}
",
    },
    check,
};

fn check(policy: &Policy, _: &Context, found: &mut Vec<Diagnostic>) {
    let Some(Strategy::Canary(canary)) = policy.strategy() else { return };
    let steps = canary.get("steps").map(Node::items).unwrap_or_default().len();
    let analyses = policy.analyses();
    let background = analyses.iter().filter(|analysis| analysis.role == Role::Background);
    found.extend(background.filter_map(|analysis| finding(analysis, steps)));
}

fn finding(analysis: &Analysis<'_>, steps: usize) -> Option<Diagnostic> {
    let start = usize::try_from(integer_at(analysis.node, "startingStep")?).ok()?;
    let (key, _) = analysis.node.entry("startingStep").filter(|_| start >= steps && start > 0)?;
    Some(
        Diagnostic::warning(RULE.code, "the background analysis never starts")
            .at(analysis.rollout.span(&key.span), format!("there are {steps} steps, and they count from 0"))
            .help("start at a step that exists, with a pause after it that the analysis needs"),
    )
}
