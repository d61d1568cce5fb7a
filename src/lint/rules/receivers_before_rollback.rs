//! A rollback that waits for its own announcement.

use std::collections::BTreeSet;

use super::super::{Context, Manual, Rule};
use crate::argo::policy::{Notifications, Policy, Subscription};
use crate::diag::Diagnostic;

pub(super) const RULE: Rule = Rule {
    code: "FD031",
    name: "receivers-before-rollback",
    summary: "a rollback waits for the webhooks that are told of it",
    manual: Manual {
        what: "Rollouts that tell webhooks of two or more events of one rollback: the failed analysis and the \
               abort, or several receivers.",
        why: "Notifications of events are sent while the controller aborts, before it writes the abort down. A \
              webhook that refuses or fails is tried for 7 s per message, and the users stay on the bad version \
              meanwhile: 14 s with two messages. Recorded with v1.9.1 as `notif-sink-down-forever`; in the museum \
              as `dead-receiver-delays-the-rollback`.",
        example: "\
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata:
  name: shop
  annotations:
    notifications.argoproj.io/subscribe.on-rollout-aborted.ops: \"\"
    notifications.argoproj.io/subscribe.on-analysis-run-failed.ops: \"\"
spec:
  strategy:
    blueGreen:
      activeService: shop
      previewService: shop-preview
      prePromotionAnalysis:
        templates:
        - templateName: shop-errors
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: argo-rollouts-notification-configmap
data:
  service.webhook.ops: |
    url: https://ops.example.com/rollouts
  template.told: |
    webhook:
      ops:
        method: POST
        body: told
  trigger.on-rollout-aborted: |
    - send: [told]
  trigger.on-analysis-run-failed: |
    - send: [told]
",
        instead: "\
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata:
  name: shop
  annotations:
    notifications.argoproj.io/subscribe.on-rollout-aborted.ops: \"\"
spec:
  strategy:
    blueGreen:
      activeService: shop
      previewService: shop-preview
      prePromotionAnalysis:
        templates:
        - templateName: shop-errors
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: argo-rollouts-notification-configmap
data:
  service.webhook.ops: |
    url: https://ops.example.com/rollouts
  template.told: |
    webhook:
      ops:
        method: POST
        body: told
  trigger.on-rollout-aborted: |
    - send: [told]
  trigger.on-analysis-run-failed: |
    - send: [told]
",
    },
    check,
};

/// How long one message to a dead webhook takes, with its four attempts (spec 0.3, recorded: 14.1 s for two).
const SECONDS_EACH: usize = 7;

fn check(policy: &Policy, _: &Context, found: &mut Vec<Diagnostic>) {
    let notifications = policy.notifications();
    let told = notifications.subscriptions.iter().filter(|told| is_webhook(&notifications, told));
    let told: Vec<(&Subscription<'_>, &str)> = told.filter_map(|told| Some((told, moment(told)?))).collect();
    let messages: BTreeSet<(&str, &str)> =
        told.iter().map(|(told, moment)| (told.service, *moment)).collect();
    let [(first, _), .., (last, _)] = told.as_slice() else { return };
    if messages.len() < 2 {
        return;
    }
    let longest = messages.len() * SECONDS_EACH;
    found.push(
        Diagnostic::note(RULE.code, format!("dead webhooks hold a rollback up for {longest} s"))
            .at(first.object.span(&first.key.span), "sent before the abort takes effect")
            .and_at(last.object.span(&last.key.span), "and so is this")
            .help("tell one receiver of one event, or something near that always answers and passes it on"),
    );
}

/// What of a rollback a subscription is about; an analysis fails or errors, but not both.
fn moment<'a>(told: &Subscription<'a>) -> Option<&'a str> {
    match told.trigger? {
        "on-analysis-run-failed" | "on-analysis-run-error" => Some("the failed analysis"),
        "on-rollout-aborted" => Some("the abort"),
        _ => None,
    }
}

fn is_webhook(notifications: &Notifications<'_>, told: &Subscription<'_>) -> bool {
    notifications.entries("service").any(|(_, name, ..)| name.strip_prefix("webhook.") == Some(told.service))
}
