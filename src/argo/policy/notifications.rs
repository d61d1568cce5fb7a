//! Who is told of what: subscriptions on the Rollout, triggers, templates and services in the ConfigMap.
//!
//! Names as in spec 6.4 (argo-rollouts v1.9.1 `utils/record`, notifications-engine `pkg/api/config.go`).

use super::{Object, Policy};
use crate::twin::store::Kind;
use crate::yaml::{Key, Node};

/// The triggers that `notifications-install.yaml` ships, and that a cluster has when the policy brings none.
pub const SHIPPED_TRIGGERS: &[&str] = &[
    "on-analysis-run-error",
    "on-analysis-run-failed",
    "on-analysis-run-running",
    "on-rollout-aborted",
    "on-rollout-completed",
    "on-rollout-paused",
    "on-rollout-step-completed",
    "on-rollout-updated",
    "on-scaling-replica-set",
];

const CONFIG_NAME: &str = "argo-rollouts-notification-configmap";
const SECRET_NAME: &str = "argo-rollouts-notification-secret";
const SUBSCRIBE: &str = "notifications.argoproj.io/subscribe.";

/// What the manifests say about notifications.
#[derive(Debug, Clone, Default)]
pub struct Notifications<'a> {
    /// The ConfigMaps that configure them: the controller's, and with self-service the namespace's own.
    pub configs: Vec<&'a Object>,
    /// The Secrets that their `$key` values come from.
    pub secrets: Vec<&'a Object>,
    /// The subscriptions of the Rollout.
    pub subscriptions: Vec<Subscription<'a>>,
}

/// One annotation by which a Rollout subscribes somebody.
#[derive(Debug, Clone)]
pub struct Subscription<'a> {
    /// The object that carries the annotation.
    pub object: &'a Object,
    /// The annotation's key.
    pub key: &'a Key,
    /// The annotation's value: recipients, separated by `;`.
    pub value: &'a Node,
    /// The trigger; `None` subscribes to the default triggers.
    pub trigger: Option<&'a str>,
    /// The service that delivers.
    pub service: &'a str,
}

impl<'a> Notifications<'a> {
    /// The entries of the ConfigMaps with this prefix: `trigger`, `template` or `service`, by the rest of their key.
    pub fn entries(
        &self,
        prefix: &'static str,
    ) -> impl Iterator<Item = (&'a Object, &'a str, &'a Key, &'a Node)> {
        let configs = self.configs.clone();
        configs.into_iter().flat_map(move |object| {
            let data = object.node.get("data").map(Node::entries).unwrap_or_default();
            data.iter().filter_map(move |(key, node)| {
                let name = key.name.strip_prefix(prefix)?.strip_prefix('.')?;
                Some((object, name, key, node))
            })
        })
    }

    /// The names by which a subscription may call a service: `slack`, or the name of a webhook.
    pub fn service_names(&self) -> impl Iterator<Item = &'a str> {
        // `service.webhook.hook` and `service.email.gmail` are called by their last part.
        self.entries("service").map(|(_, name, ..)| name.split_once('.').map_or(name, |(_, name)| name))
    }
}

pub(super) fn read(policy: &Policy) -> Notifications<'_> {
    let named = |kind, name| policy.of_kind(kind).filter(move |object| object.name == name).collect();
    let subscriptions = policy.rollout().map(subscriptions).unwrap_or_default();
    Notifications {
        configs: named(Kind::ConfigMap, CONFIG_NAME),
        secrets: named(Kind::Secret, SECRET_NAME),
        subscriptions,
    }
}

fn subscriptions(object: &Object) -> Vec<Subscription<'_>> {
    let annotations = object.node.pointer("/metadata/annotations").map(Node::entries).unwrap_or_default();
    annotations
        .iter()
        .filter_map(|(key, value)| {
            let rest = key.name.strip_prefix(SUBSCRIBE)?;
            let (trigger, service) = match rest.split_once('.') {
                Some((trigger, service)) => (Some(trigger), service),
                None => (None, rest),
            };
            Some(Subscription { object, key, value, trigger, service })
        })
        .collect()
}
