//! A door that stays open behind an aborted version.

use super::super::reading::integer_at;
use super::super::{Context, Manual, Rule};
use crate::argo::policy::{Policy, Strategy};
use crate::diag::Diagnostic;

pub(super) const RULE: Rule = Rule {
    code: "FD030",
    name: "long-abort-delay",
    summary: "as long as an aborted version keeps its pods, a `retry` promotes it unjudged",
    manual: Manual {
        what: "Blue-green Rollouts with an analysis and an `abortScaleDownDelaySeconds` above 30, which is what it \
               is without being written.",
        why: "While the pods of an aborted version wait for their end, the controller takes a `retry`, or the same \
              template applied again, for a rollback to a version it knows, and promotes it without analysis, \
              pause or question. The longer the delay, the likelier somebody does. Recorded with v1.9.1 as \
              `bg-retry-inside-abort-delay-after-post-failure` and `bg-failed-then-undo-then-same-bad-template`; \
              in the museum as `retry-promotes-what-failed`. With 0 the pods stay and no `retry` is a rollback.",
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
      abortScaleDownDelaySeconds: 600
      postPromotionAnalysis:
        templates:
        - templateName: shop-errors
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
      postPromotionAnalysis:
        templates:
        - templateName: shop-errors
",
    },
    check,
};

/// What the controller waits for when nobody says (argo-rollouts v1.9.1 utils/defaults/defaults.go).
const USUAL: i64 = 30;

fn check(policy: &Policy, _: &Context, found: &mut Vec<Diagnostic>) {
    let (Some(rollout), Some(Strategy::BlueGreen(strategy))) = (policy.rollout(), policy.strategy()) else {
        return;
    };
    let delay = integer_at(strategy, "abortScaleDownDelaySeconds").filter(|delay| *delay > USUAL);
    let (Some(delay), false) = (delay, policy.analyses().is_empty()) else { return };
    let Some((key, _)) = strategy.entry("abortScaleDownDelaySeconds") else { return };
    let title = format!("for {delay} s after an abort, a `retry` promotes the version that failed");
    found.push(
        Diagnostic::note(RULE.code, title)
            .at(rollout.span(&key.span), "the aborted version keeps its pods for so long")
            .help(
                "leave it at 30, or set 0, which keeps the pods and the judgement; and wait before a `retry`",
            ),
    );
}
