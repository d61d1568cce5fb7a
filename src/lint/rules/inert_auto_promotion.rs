//! A countdown that never starts.

use super::super::{Context, Manual, Rule};
use crate::argo::policy::{Policy, Strategy};
use crate::diag::Diagnostic;

pub(super) const RULE: Rule = Rule {
    code: "FD003",
    name: "inert-auto-promotion",
    summary: "autoPromotionSeconds has no effect while autoPromotionEnabled is false",
    manual: Manual {
        what: "`autoPromotionSeconds` beside `autoPromotionEnabled: false`.",
        why: "The seconds are counted only when promotion is automatic. With `autoPromotionEnabled: false` the \
              Rollout waits for a person for ever, and a `postPromotionAnalysis` waits with it. Rolling back by applying \
              the old version waits for the same person.",
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
      autoPromotionEnabled: false
      autoPromotionSeconds: 300
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
      autoPromotionSeconds: 300
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
    let enabled = strategy.get("autoPromotionEnabled").filter(|enabled| enabled.as_bool() == Some(false));
    let seconds = strategy.entry("autoPromotionSeconds").filter(|(_, seconds)| seconds.as_i64() != Some(0));
    let (Some(enabled), Some((key, seconds))) = (enabled, seconds) else { return };
    let until = key.span.start..seconds.span.end;
    found.push(
        Diagnostic::warning(RULE.code, "`autoPromotionSeconds` has no effect: promotion waits for a person")
            .at(rollout.span(&until), "never counted")
            .and_at(rollout.span(&enabled.span), "because of this")
            .help("remove `autoPromotionEnabled: false` to promote after the countdown, or the countdown to say what is meant"),
    );
}
