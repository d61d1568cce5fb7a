//! A plan for a real cluster: what the twin takes as it stands gets a real image, real receivers and a namespace of its own.
//!
//! Nothing that decides about a rollout is touched here either. What names the policy's namespace follows it into the
//! run's: queries that select by it, and arguments that carry it. Every subscription gets a notification service of its own,
//! so that its deliveries tell by which trigger they came: no protocol says so, and a body may not.

mod queries;

use std::collections::BTreeSet;

use serde_json::Value;

use super::Plan;
use super::objects::{is_cluster_wide, text};
use super::rewire::{IMAGE, RECEIVER};
use super::services::{self, CONFIG_MAP};

/// The Secret that the notification services take their secrets from.
const SECRET: &str = "argo-rollouts-notification-secret";
/// What subscriptions begin with (argoproj/notifications-engine v0.5.0, `pkg/subscriptions/annotations.go`).
const SUBSCRIBE: &str = "notifications.argoproj.io/subscribe.";

/// A place for a run.
#[derive(Debug, Clone)]
pub struct Place<'a> {
    /// The label that everything gets.
    pub mark: (&'a str, &'a str),
    /// The run's namespace, in place of the policy's.
    pub namespace: &'a str,
    /// The image of the stand-in.
    pub image: &'a str,
    /// The address under which each receiver is found by its name.
    pub receivers: &'a str,
    /// Where the controller lives.
    pub controller: &'a str,
    /// Whether the controller reads notification services from a Rollout's own namespace.
    pub self_service: bool,
}

/// A plan that can be carried out on a real cluster.
#[derive(Debug, Clone, PartialEq)]
pub struct Placed {
    /// The plan.
    pub plan: Plan,
    /// The notification services, where they have to lie in the controller's namespace, which others use, too.
    pub notifications: Option<Value>,
}

/// Puts a plan in its place.
#[must_use]
pub fn place(plan: &Plan, place: &Place<'_>) -> Placed {
    let mut placed = Plan { namespace: place.namespace.to_owned(), ..plan.clone() };
    let mut notifications = None;
    let subscriptions = subscriptions(plan);
    placed.objects.clear();
    for object in &plan.objects {
        let mut object = object.clone();
        if is_notification(&object, place) {
            subscriptions.iter().for_each(|subscription| subscription.give_a_service(&mut object));
            receive(&mut object, place.receivers);
            if !place.self_service {
                // The Secret of a shared controller is somebody's; the drill's receivers ask for none.
                notifications = (text(&object, "/kind") == "ConfigMap").then_some(object).or(notifications);
                continue;
            }
            object["metadata"]["namespace"] = place.namespace.into();
        } else if is_unread(&object) {
            placed.changes.push(format!("{CONFIG_MAP} is left out: the controller does not read it there"));
            continue;
        }
        if text(&object, "/kind") == "Rollout" && text(&object, "/metadata/name") == plan.rollout {
            subscriptions.iter().for_each(|subscription| subscription.go_by_it(&mut object));
        }
        follow(&mut object, &plan.namespace, place.namespace, &mut placed.changes);
        settle(&mut object, plan, place);
        placed.objects.push(object);
    }
    Placed { plan: placed, notifications }
}

/// The analyses whose queries select neither a revision nor a namespace, by kind and name: on a cluster they measure
/// whatever else is there, too.
#[must_use]
pub fn boundless(plan: &Plan) -> Vec<String> {
    let boundless = |object: &&Value| {
        let mut found = false;
        queries::each(&mut (*object).clone(), &mut |query| found |= !queries::is_bounded(query));
        found
    };
    let name = |object: &Value| format!("{} `{}`", text(object, "/kind"), text(object, "/metadata/name"));
    plan.objects.iter().filter(boundless).map(name).collect()
}

/// Whether it is what the controller reads about notifications.
fn is_notification(object: &Value, place: &Place<'_>) -> bool {
    let named = matches!(
        (text(object, "/kind"), text(object, "/metadata/name")),
        ("ConfigMap", CONFIG_MAP) | ("Secret", SECRET)
    );
    named && text(object, "/metadata/namespace") == place.controller
}

/// Whether it has the name of what the controller reads, in a place where it does not look. A run's own namespace may be
/// one where it does, and would tell of what nobody is told of elsewhere.
fn is_unread(object: &Value) -> bool {
    text(object, "/kind") == "ConfigMap" && text(object, "/metadata/name") == CONFIG_MAP
}

/// Namespace, label and image.
fn settle(object: &mut Value, plan: &Plan, place: &Place<'_>) {
    let own = text(object, "/metadata/namespace") == plan.namespace;
    let kind = text(object, "/kind").to_owned();
    if own && !is_cluster_wide(&kind) {
        object["metadata"]["namespace"] = place.namespace.into();
    }
    let (label, run) = place.mark;
    object["metadata"]["labels"][label] = run.into();
    // Queries tell revisions apart by a hash of the pods' template: two runs of one release at the same time would be
    // measured as one. Not by a label, which selectors and queries would see.
    for template in ["/spec/template", "/template"] {
        if let Some(template) =
            object.pointer_mut(template).filter(|it| it.pointer("/spec/containers").is_some())
        {
            template["metadata"]["annotations"][label] = run.into();
        }
    }
    replace(object, IMAGE, place.image);
}

/// Every text that begins with one of ours begins with the real one.
fn replace(value: &mut Value, ours: &str, real: &str) {
    match value {
        Value::String(text) => {
            if let Some(rest) = text.strip_prefix(ours) {
                *text = format!("{real}{rest}");
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| replace(item, ours, real)),
        Value::Object(fields) => fields.values_mut().for_each(|field| replace(field, ours, real)),
        _ => {}
    }
}

/// What names the policy's namespace names the run's.
fn follow(object: &mut Value, from: &str, to: &str, changes: &mut Vec<String>) {
    let (kind, name) = (text(object, "/kind").to_owned(), text(object, "/metadata/name").to_owned());
    let mut followed = BTreeSet::new();
    queries::each(object, &mut |query| {
        if let Some(moved) = queries::moved(query, from, to) {
            *query = moved;
            followed.insert("a query");
        }
    });
    queries::each_argument(object, &mut |argument, value| {
        if argument.contains("namespace") && value == from {
            *value = to.to_owned();
            followed.insert("an argument");
        }
    });
    changes.extend(
        followed.into_iter().map(|what| {
            format!("{kind} `{name}`: {what} names the run's namespace `{to}` instead of `{from}`")
        }),
    );
}

/// Receivers get their real address.
fn receive(object: &mut Value, receivers: &str) {
    for value in
        object.get_mut("data").and_then(Value::as_object_mut).into_iter().flat_map(|data| data.values_mut())
    {
        if let Some(text) = value.as_str().filter(|text| text.contains(RECEIVER)) {
            *value = text.replace(RECEIVER, receivers).into();
        }
    }
}

/// That somebody wants to hear of a trigger by a service.
struct Subscription {
    trigger: String,
    service: String,
    /// The name of the service that only this subscription uses.
    alias: String,
}

/// The subscriptions of the Rollout under test that name their trigger.
fn subscriptions(plan: &Plan) -> Vec<Subscription> {
    let rollout = plan
        .objects
        .iter()
        .find(|object| text(object, "/kind") == "Rollout" && text(object, "/metadata/name") == plan.rollout);
    let annotations = rollout.and_then(|rollout| rollout.pointer("/metadata/annotations")?.as_object());
    let keys = annotations.into_iter().flat_map(|annotations| annotations.keys());
    let named = keys.filter_map(|key| key.strip_prefix(SUBSCRIBE)?.split_once('.'));
    let received = named.filter(|(_, service)| plan.receivers.iter().any(|receiver| receiver == service));
    received
        .enumerate()
        .map(|(nth, (trigger, service))| Subscription {
            trigger: trigger.to_owned(),
            service: service.to_owned(),
            alias: format!("drill{nth}"),
        })
        .collect()
}

impl Subscription {
    /// A service like the one it named, at an address that tells the trigger; and templates that know it.
    fn give_a_service(&self, config: &mut Value) {
        let Some(data) = config.get_mut("data").and_then(Value::as_object_mut) else { return };
        let Subscription { trigger, service, alias } = self;
        let theirs = data.iter().find_map(|(name, value)| {
            let key = services::key(name).filter(|key| key.name == service)?;
            Some((format!("service.{}.{alias}", key.kind), value.as_str()?.to_owned()))
        });
        if let Some((name, options)) = theirs {
            let address = format!("{RECEIVER}/{service}");
            data.insert(name, options.replace(&address, &format!("{address}~{trigger}")).into());
        }
        for (_, template) in data.iter_mut().filter(|(name, _)| name.starts_with("template.")) {
            // A template that is no mapping is the policy's own mistake, which the notifier has to meet as written.
            let parsed = serde_saphyr::from_str::<Value>(template.as_str().unwrap_or_default());
            let Ok(mut fields @ Value::Object(_)) = parsed else { continue };
            let Some(webhook) = fields.get_mut("webhook").and_then(Value::as_object_mut) else { continue };
            if let Some(theirs) = webhook.get(service).cloned() {
                webhook.insert(alias.clone(), theirs);
                *template = fields.to_string().into();
            }
        }
    }

    /// The Rollout goes by that service.
    fn go_by_it(&self, rollout: &mut Value) {
        let annotations = rollout.pointer_mut("/metadata/annotations").and_then(Value::as_object_mut);
        let Some(annotations) = annotations else { return };
        let Subscription { trigger, service, alias } = self;
        if let Some(recipients) = annotations.remove(&format!("{SUBSCRIBE}{trigger}.{service}")) {
            annotations.insert(format!("{SUBSCRIBE}{trigger}.{alias}"), recipients);
        }
    }
}

#[cfg(test)]
mod tests;
