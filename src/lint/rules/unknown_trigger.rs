//! A subscription to something that never fires.

use super::super::{Context, Manual, Rule};
use crate::argo::policy::{Notifications, Policy, SHIPPED_TRIGGERS, Subscription};
use crate::diag::Diagnostic;
use crate::suggest;

pub(super) const RULE: Rule = Rule {
    code: "FD004",
    name: "unknown-trigger",
    summary: "a notification is subscribed to a trigger that does not exist",
    manual: Manual {
        what: "Annotations `notifications.argoproj.io/subscribe.<trigger>.<service>` whose trigger is neither in the \
               policy's notification ConfigMap nor, when the policy has none, among those Argo Rollouts ships.",
        why: "The controller ignores such a subscription without an event and without a log line above debug. \
              The rollback happens and nobody is told.",
        example: "\
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata:
  name: shop
  annotations:
    notifications.argoproj.io/subscribe.onRollback.slack: releases
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
  annotations:
    notifications.argoproj.io/subscribe.on-rollout-aborted.slack: releases
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

/// What people call things, and what the shipped trigger for it is called.
const MEANT: &[(&str, &str)] = &[
    ("rollback", "on-rollout-aborted"),
    ("abort", "on-rollout-aborted"),
    ("degrad", "on-rollout-aborted"),
    ("paus", "on-rollout-paused"),
    ("analysis", "on-analysis-run-failed"),
    ("promot", "on-rollout-completed"),
    ("complet", "on-rollout-completed"),
];

fn check(policy: &Policy, _: &Context, found: &mut Vec<Diagnostic>) {
    let notifications = policy.notifications();
    let known = known(&notifications);
    for subscription in &notifications.subscriptions {
        if let Some(trigger) = subscription.trigger.filter(|trigger| !known.contains(trigger)) {
            found.push(finding(subscription, trigger, &notifications, &known));
        }
    }
}

/// A ConfigMap in the policy replaces the shipped one; without one, the shipped one is what a cluster has.
fn known<'a>(notifications: &Notifications<'a>) -> Vec<&'a str> {
    if notifications.configs.is_empty() {
        return SHIPPED_TRIGGERS.to_vec();
    }
    notifications.entries("trigger").map(|(_, name, ..)| name).collect()
}

fn finding(of: &Subscription<'_>, trigger: &str, all: &Notifications<'_>, known: &[&str]) -> Diagnostic {
    let diagnostic =
        Diagnostic::warning(RULE.code, format!("there is no trigger `{trigger}`: nobody will be told"))
            .at(of.object.span(&of.key.span), "this subscription is ignored");
    let diagnostic = match all.configs.first() {
        Some(config) => diagnostic.and_at(config.name_span(), format!("no `trigger.{trigger}` in here")),
        None => diagnostic,
    };
    match suggest::nearest(trigger, known.iter().copied()).or_else(|| meant(trigger, known)) {
        Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
        None if known.is_empty() => diagnostic.help("the ConfigMap has no trigger at all"),
        None => diagnostic.help(format!("there are {}", known.join(", "))),
    }
}

fn meant<'a>(trigger: &str, known: &[&'a str]) -> Option<&'a str> {
    let trigger = trigger.to_lowercase();
    let (_, name) = MEANT.iter().find(|(word, _)| trigger.contains(word))?;
    known.iter().copied().find(|known| known == name)
}
