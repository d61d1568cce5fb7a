//! Which change wakes which Rollout (the event handlers in rollout/controller.go and service/service.go v1.9.1).

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Value, json};

use super::service;
use super::traffic::{self, istio};
use super::views::Service;
use crate::argo::rollout::Rollout;
use crate::twin::effect::Effect;
use crate::twin::store::{Change, Key, Kind, Object, Store, text_at};

/// The Rollouts a change wakes.
///
/// An AnalysisRun wakes its Rollout only when its phase changes, a Service only while it carries the hash.
#[must_use]
pub fn concerned(store: &Store, change: &Change) -> Vec<Key> {
    match change.key.kind {
        Kind::Rollout => vec![change.key.clone()],
        // ... and of an experiment everything.
        Kind::ReplicaSet | Kind::Experiment => parent(change),
        Kind::AnalysisRun => {
            let phase = |object: &Object| text_at(object, "/status/phase").to_owned();
            let updated = change.old.as_ref().zip(change.new.as_ref());
            let same = updated.is_some_and(|(old, new)| phase(old) == phase(new));
            if same { vec![] } else { parent(change) }
        }
        Kind::Service => {
            change.new.as_ref().map(|service| users(store, &change.key, service)).unwrap_or_default()
        }
        Kind::Ingress => {
            change.new.as_ref().map(|ingress| ingress_users(store, &change.key, ingress)).unwrap_or_default()
        }
        Kind::VirtualService => virtual_service_users(store, &change.key),
        Kind::DestinationRule => {
            change.new.as_ref().map(|rule| managing_rollout(store, &change.key, rule)).unwrap_or_default()
        }
        _ => vec![],
    }
}

/// The Rollouts whose traffic a VirtualService shares out.
fn virtual_service_users(store: &Store, key: &Key) -> Vec<Key> {
    let names = |rollout: &Key, object: &Value| {
        let Ok(read) = Rollout::read(object) else { return false };
        let canary = read.spec.strategy.canary.as_ref();
        let istio = canary.and_then(|canary| canary.traffic_routing.as_ref()?.istio.as_ref());
        istio.is_some_and(|istio| istio.services().any(|named| istio::key_of(rollout, named) == *key))
    };
    let rollouts = store.list(Kind::Rollout, None);
    rollouts.filter(|(key, object)| names(key, object)).map(|(key, _)| key.clone()).collect()
}

/// The Rollout that a DestinationRule says it is managed by (`syncDestinationRule`), if that still names it.
fn managing_rollout(store: &Store, key: &Key, rule: &Value) -> Vec<Key> {
    let Some(name) = Service::of(rule.clone()).managed_by().map(str::to_owned) else { return vec![] };
    let rollout = key.sibling(Kind::Rollout, &name);
    let read = store.get(&rollout).and_then(|object| Rollout::read(object).ok());
    read.filter(|read| istio::rule_refers_to(read, &key.name)).map(|_| rollout).into_iter().collect()
}

/// What becomes of a DestinationRule that changed or was released: one whose Rollout does not name it any more is freed
/// of hashes and annotation.
pub(super) fn sync_destination_rule(store: &Store, key: &Key) -> Option<Value> {
    let rule = store.get(key)?;
    Service::of(Object::clone(rule)).managed_by()?;
    let used = !managing_rollout(store, key, rule).is_empty();
    istio::cleaned_rule(rule).filter(|_| !used)
}

/// The Rollouts that share out an Ingress, or made it (`syncIngress` in ingress/ingress.go); only those of the class
/// the controller is told to look after.
fn ingress_users(store: &Store, key: &Key, ingress: &Value) -> Vec<Key> {
    let annotations = ingress.pointer("/metadata/annotations");
    let class = annotations.map_or("", |all| all["kubernetes.io/ingress.class"].as_str().unwrap_or(""));
    let class = if class.is_empty() { text_at(ingress, "/spec/ingressClassName") } else { class };
    if class != "nginx" {
        return vec![];
    }
    let rollouts = store.list(Kind::Rollout, Some(&key.namespace));
    rollouts.filter(|(_, object)| names_ingress(object, &key.name)).map(|(key, _)| key.clone()).collect()
}

fn names_ingress(rollout: &Value, name: &str) -> bool {
    let Ok(rollout) = Rollout::read(rollout) else { return false };
    let canary = rollout.spec.strategy.canary.as_ref();
    let nginx = canary.and_then(|canary| canary.traffic_routing.as_ref()?.nginx.as_ref());
    nginx.is_some_and(|nginx| {
        nginx.ingresses().any(|stable| {
            stable == name || traffic::canary_ingress_name(&rollout.metadata.name, stable) == name
        })
    })
}

/// The Rollout that owns the object.
fn parent(change: &Change) -> Vec<Key> {
    let Some(object) = change.new.as_ref().or(change.old.as_ref()) else { return vec![] };
    let owners = object.pointer("/metadata/ownerReferences").and_then(Value::as_array);
    let owner = owners.into_iter().flatten().find(|owner| owner["controller"] == json!(true));
    let rollout = owner.filter(|owner| owner["kind"] == json!("Rollout"));
    rollout.map(|owner| change.key.sibling(Kind::Rollout, text_at(owner, "/name"))).into_iter().collect()
}

/// The Rollout that steers a Service; nobody, unless the Service carries the hash.
pub(super) fn users(store: &Store, key: &Key, service: &Value) -> Vec<Key> {
    let service = Service::of(service.clone());
    if service.selected().is_none() {
        return vec![];
    }
    let named = (Kind::Service, service.name().to_owned());
    let refers = |rollout: &Value| services_of(rollout).contains(&named);
    if let Some(name) = service.managed_by() {
        let rollout = key.sibling(Kind::Rollout, name);
        return store.get(&rollout).filter(|object| refers(object)).map(|_| rollout).into_iter().collect();
    }
    let rollouts = store.list(Kind::Rollout, Some(&key.namespace));
    rollouts.filter(|(_, object)| refers(object)).map(|(key, _)| key.clone()).take(1).collect()
}

/// The Services a Rollout names, and its DestinationRule.
fn services_of(rollout: &Value) -> BTreeSet<(Kind, String)> {
    let Ok(rollout) = Rollout::read(rollout) else { return BTreeSet::new() };
    let services = service::named(&rollout).into_iter().map(|(_, name)| (Kind::Service, name.to_owned()));
    let canary = rollout.spec.strategy.canary.as_ref();
    let istio = canary.and_then(|canary| canary.traffic_routing.as_ref()?.istio.as_ref());
    let rule = istio.and_then(|istio| istio.destination_rule.as_ref());
    services.chain(rule.map(|rule| (Kind::DestinationRule, rule.name.clone()))).collect()
}

/// The Services and DestinationRules that a change of a Rollout leaves without it: they are looked at (by
/// [`sync_service`](super::sync_service)) although they did not change themselves.
#[must_use]
pub fn released_services(change: &Change) -> Vec<Key> {
    if change.key.kind != Kind::Rollout {
        return vec![];
    }
    // Most changes are of the status, and say nothing about Services.
    if spec(change.old.as_ref()) == spec(change.new.as_ref()) {
        return vec![];
    }
    let names =
        |object: &Option<Object>| object.as_ref().map(|object| services_of(object)).unwrap_or_default();
    let (gone, kept) = (names(&change.old), names(&change.new));
    gone.difference(&kept).map(|(kind, name)| change.key.sibling(*kind, name)).collect()
}

fn spec(object: Option<&Object>) -> &Value {
    object.map_or(&Value::Null, |object| &object["spec"])
}

/// The event a Rollout gets when a controller first sees it: on creation, and again whenever a controller starts.
#[must_use]
pub fn first_sight(rollout: &Object) -> Effect {
    let (namespace, name) = (text_at(rollout, "/metadata/namespace"), text_at(rollout, "/metadata/name"));
    let message = format!("Rollout resource added to informer: {namespace}/{name}");
    event(rollout, "RolloutAddedToInformer", message)
}

/// The event a Rollout gets when it is gone. Upstream's message says name before namespace.
#[must_use]
pub fn farewell(rollout: &Object) -> Effect {
    let (namespace, name) = (text_at(rollout, "/metadata/namespace"), text_at(rollout, "/metadata/name"));
    event(rollout, "RolloutDeleted", format!("Rollout {name}/{namespace} is deleted."))
}

fn event(rollout: &Object, reason: &'static str, message: String) -> Effect {
    Effect::Event { regarding: Arc::clone(rollout), kind: Kind::Rollout, warning: false, reason, message }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(value: Value) -> Option<Object> {
        Some(Arc::new(value))
    }

    fn store() -> Store {
        let mut store = Store::with_namespaces(&["ns"]);
        let now = crate::clock::Moment::VIRTUAL_EPOCH;
        for (name, service) in [("app", "app-active"), ("other", "other-active")] {
            let rollout = json!({
                "metadata": {"name": name, "namespace": "ns"},
                "spec": {"strategy": {"blueGreen": {"activeService": service}}},
            });
            store.create(now, Kind::Rollout, rollout).expect("created");
        }
        store
    }

    fn check(kind: Kind, old: Option<Object>, new: Option<Object>, woken: &[&str]) {
        let change = Change { version: 1, key: Key::new(kind, "ns", "app-active"), old, new };
        let keys = concerned(&store(), &change);
        let names: Vec<&str> = keys.iter().map(|key| &*key.name).collect();
        assert_eq!(names, woken);
        assert!(keys.iter().all(|key| key.kind == Kind::Rollout));
    }

    fn run(phase: &str) -> Option<Object> {
        let owner = json!([{"kind": "Rollout", "name": "app", "controller": true}]);
        object(json!({"metadata": {"ownerReferences": owner}, "status": {"phase": phase}}))
    }

    fn service(meta: Value, selector: Value) -> Option<Object> {
        let mut meta = meta;
        meta["name"] = json!("app-active");
        object(json!({"metadata": meta, "spec": {"selector": selector}}))
    }

    #[test]
    fn a_measurement_does_not_wake_a_rollout_but_a_phase_does() {
        check(Kind::AnalysisRun, run("Running"), run("Running"), &[]);
        check(Kind::AnalysisRun, run("Running"), run("Failed"), &["app"]);
        check(Kind::AnalysisRun, None, run(""), &["app"]);
        check(Kind::AnalysisRun, run("Failed"), None, &["app"]);
    }

    #[test]
    fn a_service_without_the_hash_wakes_nobody() {
        check(Kind::Service, None, service(json!({}), json!({"app": "a"})), &[]);
        check(Kind::Service, None, service(json!({}), json!({"rollouts-pod-template-hash": "x"})), &["app"]);
    }

    #[test]
    fn a_service_managed_by_a_rollout_that_does_not_name_it_wakes_nobody() {
        let managed = json!({"annotations": {"argo-rollouts.argoproj.io/managed-by-rollouts": "other"}});
        check(Kind::Service, None, service(managed, json!({"rollouts-pod-template-hash": "x"})), &[]);
    }

    #[test]
    fn a_service_that_a_rollout_no_longer_names_is_released() {
        let rollout =
            |service: &str| object(json!({"spec": {"strategy": {"blueGreen": {"activeService": service}}}}));
        let key = Key::new(Kind::Rollout, "ns", "app");
        let change = Change { version: 1, key, old: rollout("a"), new: rollout("b") };
        assert_eq!(released_services(&change), [Key::new(Kind::Service, "ns", "a")]);
    }

    #[test]
    fn garbage_wakes_nobody() {
        check(Kind::ReplicaSet, None, object(json!(7)), &[]);
        check(Kind::Pod, None, object(json!({})), &[]);
    }
}
