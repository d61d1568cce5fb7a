//! A message with no way out.

use super::super::{Context, Manual, Rule};
use crate::argo::policy::Policy;
use crate::diag::Diagnostic;
use crate::suggest;

pub(super) const RULE: Rule = Rule {
    code: "FD005",
    name: "unconfigured-service",
    summary: "a notification is to be delivered by a service that is not configured",
    manual: Manual {
        what: "Subscriptions whose last part names a service without a `service.<name>` (or `service.webhook.<name>`) \
               entry in the notification ConfigMap of the policy.",
        why: "Nothing is sent, and nothing says so.",
        example: "\
apiVersion: v1
kind: ConfigMap
metadata:
  name: argo-rollouts-notification-configmap
data:
  service.webhook.chat: |
    url: https://chat.example.com/hook
  template.rollout-aborted: |
    message: rollout {{.rollout.metadata.name}} was aborted
  trigger.on-rollout-aborted: |
    - send: [rollout-aborted]
",
        instead: "\
apiVersion: v1
kind: ConfigMap
metadata:
  name: argo-rollouts-notification-configmap
data:
  service.slack: |
    token: $slack-token
  template.rollout-aborted: |
    message: rollout {{.rollout.metadata.name}} was aborted
  trigger.on-rollout-aborted: |
    - send: [rollout-aborted]
",
    },
    check,
};

fn check(policy: &Policy, _: &Context, found: &mut Vec<Diagnostic>) {
    let notifications = policy.notifications();
    let Some(config) = notifications.configs.first() else { return };
    let known: Vec<&str> = notifications.service_names().collect();
    for subscription in &notifications.subscriptions {
        let service = subscription.service;
        if known.contains(&service) {
            continue;
        }
        let title = format!("there is no notification service `{service}`: nobody will be told");
        let help = match suggest::nearest(service, known.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None if known.is_empty() => format!("add `service.{service}` to the ConfigMap"),
            None => format!("add `service.{service}` to the ConfigMap, or subscribe by {}", known.join(", ")),
        };
        found.push(
            Diagnostic::warning(RULE.code, title)
                .at(subscription.object.span(&subscription.key.span), "this subscription is ignored")
                .and_at(config.name_span(), format!("no `service.{service}` in here"))
                .help(help),
        );
    }
}
