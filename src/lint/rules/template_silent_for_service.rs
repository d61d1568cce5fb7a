//! A template with nothing for the service that is to deliver it.

use super::super::inner;
use super::super::{Context, Manual, Rule};
use crate::argo::policy::{Notifications, Object, Policy, Subscription};
use crate::diag::Diagnostic;
use crate::yaml::{Key, Node};

pub(super) const RULE: Rule = Rule {
    code: "FD018",
    name: "template-silent-for-service",
    summary: "a template has nothing to say over the service that is subscribed",
    manual: Manual {
        what: "Templates that a subscription sends over a service for which they have neither a `message` nor \
              a part of their own; and over a webhook, templates without a `webhook.<name>` part.",
        why: "Without either the message is empty. A webhook without its part is called with GET and the \
              plain message as its body, which most receivers refuse.",
        example: "\
apiVersion: v1
kind: ConfigMap
metadata:
  name: argo-rollouts-notification-configmap
data:
  service.slack: |
    token: $slack-token
  template.rollout-aborted: |
    email:
      subject: rollout {{.rollout.metadata.name}} was aborted
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
    email:
      subject: rollout {{.rollout.metadata.name}} was aborted
  trigger.on-rollout-aborted: |
    - send: [rollout-aborted]
",
    },
    check,
};

fn check(policy: &Policy, _: &Context, found: &mut Vec<Diagnostic>) {
    let notifications = policy.notifications();
    for subscription in &notifications.subscriptions {
        for (config, key, template) in sent(&notifications, subscription) {
            found.extend(
                lacks(&notifications, subscription, &template)
                    .map(|what| finding(subscription, config, key, &what)),
            );
        }
    }
}

/// The templates that a subscription's trigger sends, read.
fn sent<'a>(all: &Notifications<'a>, subscription: &Subscription<'_>) -> Vec<(&'a Object, &'a Key, Node)> {
    let trigger = all.entries("trigger").find(|(_, name, ..)| Some(*name) == subscription.trigger);
    let sends = trigger.and_then(|(.., node)| node.as_str()).map(inner::sends).unwrap_or_default();
    let templates = all.entries("template").filter(|(_, name, ..)| sends.iter().any(|send| send == name));
    templates
        .filter_map(|(config, _, key, node)| Some((config, key, inner::document(node.as_str()?)?)))
        .collect()
}

/// What the template has not, that the service needs.
fn lacks(all: &Notifications<'_>, subscription: &Subscription<'_>, template: &Node) -> Option<String> {
    let service = subscription.service;
    let mut names = all.entries("service").map(|(_, name, ..)| name);
    let configured = names.find(|name| name.split_once('.').map_or(*name, |(_, name)| name) == service)?;
    let kind = configured.split('.').next().unwrap_or(configured);
    if kind == "webhook" {
        let part = template.get("webhook").and_then(|webhook| webhook.get(service));
        return part.is_none().then(|| format!("`webhook.{service}`"));
    }
    (template.get("message").is_none() && template.get(kind).is_none())
        .then(|| format!("`message` and no `{kind}`"))
}

fn finding(subscription: &Subscription<'_>, config: &Object, key: &Key, what: &str) -> Diagnostic {
    let title = format!("`{}` has nothing to say over `{}`", key.name, subscription.service);
    Diagnostic::warning(RULE.code, title)
        .at(config.span(&key.span), format!("no {what} in here"))
        .and_at(subscription.object.span(&subscription.key.span), "sent because of this")
        .help("give the template that part")
}
