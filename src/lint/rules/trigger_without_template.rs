//! A trigger that fires with nothing to say.

use super::super::inner;
use super::super::{Context, Manual, Rule};
use crate::argo::policy::{Object, Policy};
use crate::diag::Diagnostic;
use crate::suggest;
use crate::yaml::Key;

pub(super) const RULE: Rule = Rule {
    code: "FD017",
    name: "trigger-without-template",
    summary: "a trigger sends a template that does not exist",
    manual: Manual {
        what: "Triggers of the notification ConfigMap whose `send` is empty or names a template that is not \
              there.",
        why: "The trigger fires, and no message comes of it.",
        example: "\
apiVersion: v1
kind: ConfigMap
metadata:
  name: argo-rollouts-notification-configmap
data:
  service.slack: |
    token: $slack-token
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
    let templates: Vec<&str> = notifications.entries("template").map(|(_, name, ..)| name).collect();
    for (config, _, key, node) in notifications.entries("trigger") {
        let sends = inner::sends(node.as_str().unwrap_or_default());
        if sends.is_empty() {
            found.push(says_nothing(config, key));
        }
        for name in sends.iter().filter(|name| !templates.contains(&name.as_str())) {
            found.push(finding(config, key, name, &templates));
        }
    }
}

fn says_nothing(config: &Object, key: &Key) -> Diagnostic {
    Diagnostic::warning(RULE.code, format!("`{}` sends nothing", key.name))
        .at(config.span(&key.span), "no `send` in here")
        .help("a trigger is a list of `- send: [template]`, each with a `when` or without")
}

fn finding(config: &Object, key: &Key, name: &str, templates: &[&str]) -> Diagnostic {
    let diagnostic = Diagnostic::warning(
        RULE.code,
        format!("`{}` sends a template that is not there: `{name}`", key.name),
    )
    .at(config.span(&key.span), "no message comes of this");
    match suggest::nearest(name, templates.iter().copied()) {
        Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
        None => diagnostic.help(format!("add `template.{name}` to the ConfigMap")),
    }
}
