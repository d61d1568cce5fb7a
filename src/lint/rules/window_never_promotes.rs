//! A short cut that leads to a door which the other way around would open.

use super::super::{Context, Manual, Rule};
use crate::argo::policy::{Policy, Strategy};
use crate::diag::Diagnostic;
use crate::yaml::{Key, Node};

pub(super) const RULE: Rule = Rule {
    code: "FD024",
    name: "window-never-promotes",
    summary: "a rollback window beside a pre-promotion analysis or a manual promotion never rolls back",
    manual: Manual {
        what: "`rollbackWindow` in a blue-green Rollout that has a `prePromotionAnalysis`, or \
               `autoPromotionEnabled: false`.",
        why: "Inside the window a rollback is to skip analysis and pauses. It does, and the promotion then waits \
              for just these: the Rollout hangs at `active service cutover pending`, with everybody on the version \
              that was to be left. `promote` sends nothing, only `promote --full` ends it. Recorded with v1.9.1 as \
              `bg-rollback-window-revisions` and `bg-rollback-inside-window-manual-promotion`; in the museum as \
              `rollback-window-never-rolls-back`.",
        example: "\
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata:
  name: shop
spec:
  rollbackWindow:
    revisions: 3
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
    let (Some(rollout), Some(Strategy::BlueGreen(strategy))) = (policy.rollout(), policy.strategy()) else {
        return;
    };
    let window = rollout.node.get("spec").and_then(|spec| spec.entry("rollbackWindow"));
    let Some((window, _)) = window.filter(|(_, node)| !node.is_null()) else { return };
    let Some(waits) = waits_for(strategy) else { return };
    found.push(
        Diagnostic::warning(RULE.code, "a rollback inside the window is never promoted")
            .at(rollout.span(&window.span), "skips what the promotion waits for")
            .and_at(rollout.span(&waits.span), "the promotion waits for this")
            .help("remove `rollbackWindow`; `scaleDownDelaySeconds` keeps the way back quick without it"),
    );
}

/// What a promotion waits for and a rollback inside the window never gets.
fn waits_for(strategy: &Node) -> Option<&Key> {
    let analysis = strategy.entry("prePromotionAnalysis").filter(|(_, node)| !node.is_null());
    let manual = strategy.entry("autoPromotionEnabled").filter(|(_, node)| node.as_bool() == Some(false));
    analysis.or(manual).map(|(key, _)| key)
}
