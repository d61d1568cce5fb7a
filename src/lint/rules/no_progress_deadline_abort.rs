//! A version that never becomes ready is left standing.

use super::super::{Context, Manual, Rule};
use crate::argo::policy::Policy;
use crate::diag::Diagnostic;

pub(super) const RULE: Rule = Rule {
    code: "FD016",
    name: "no-progress-deadline-abort",
    summary: "a version that never becomes ready is not undone",
    manual: Manual {
        what: "Rollouts without `progressDeadlineAbort: true`.",
        why: "A version that crashes or never becomes ready makes the Rollout Degraded after \
              `progressDeadlineSeconds`, and that is all: nothing is aborted, and no trigger of the shipped \
              ones fires. The old version keeps serving, so this is a note and no warning.",
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
",
        instead: "\
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata:
  name: shop
spec:
  progressDeadlineAbort: true
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
    let Some(rollout) = policy.rollout() else { return };
    let abort = rollout.node.pointer("/spec/progressDeadlineAbort");
    if abort.and_then(crate::yaml::Node::as_bool) == Some(true) {
        return;
    }
    let place = abort.map_or_else(|| rollout.name_span(), |abort| rollout.span(&abort.span));
    found.push(
        Diagnostic::note(RULE.code, "a version that never becomes ready is reported, and not undone")
            .at(place, "`progressDeadlineAbort` is not set")
            .help("set `spec.progressDeadlineAbort: true` to abort it after `progressDeadlineSeconds`"),
    );
}
