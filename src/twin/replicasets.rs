//! The `ReplicaSet` controller: as many pods as asked for, and a status that counts them.
//!
//! Kubernetes v1.34 pkg/controller/replicaset/replica_set.go: creates what is missing, deletes what is too much
//! (unready pods first, then the youngest), and writes the status the rollouts controller decides by. Neighbours:
//! `pods` makes the pods live, `rollouts` asks for sizes.

use std::time::Duration;

use serde_json::{Value, json};

use super::effect::{Effect, Reconciled};
use super::store::{Change, Key, Kind, Object, Part, Patch, Store, owner_uid, text_at};
use crate::clock::{Moment, Seed};

/// The `ReplicaSet` a change concerns.
#[must_use]
pub(crate) fn concerned(change: &Change) -> Option<Key> {
    let object = change.new.as_ref().or(change.old.as_ref())?;
    match change.key.kind {
        Kind::ReplicaSet => Some(change.key.clone()),
        Kind::Pod => {
            let owners = object.pointer("/metadata/ownerReferences").and_then(Value::as_array);
            let owner = owners.into_iter().flatten().find(|owner| owner["kind"] == "ReplicaSet")?;
            Some(change.key.sibling(Kind::ReplicaSet, text_at(owner, "/name")))
        }
        _ => None,
    }
}

/// One pass over one `ReplicaSet`.
#[must_use]
pub(crate) fn reconcile(store: &Store, now: Moment, key: &Key, seed: Seed) -> Reconciled {
    let mut result = Reconciled::nothing();
    let Some(set) = store.get(key) else { return result };
    let pods = owned_pods(store, set, &key.namespace);
    let alive: Vec<&Object> = pods.iter().filter(|pod| !is_going(pod)).collect();
    let wanted = set.pointer("/spec/replicas").and_then(Value::as_u64).unwrap_or(1);
    let wanted = usize::try_from(wanted).unwrap_or(usize::MAX);
    if text_at(set, "/metadata/deletionTimestamp").is_empty() {
        for nth in alive.len()..wanted.min(alive.len() + MAX_BURST) {
            result.push(Effect::Create { kind: Kind::Pod, object: new_pod(set, store.version(), nth, seed) });
        }
        for pod in surplus(&alive, wanted) {
            result.push(Effect::Delete { key: key.sibling(Kind::Pod, text_at(pod, "/metadata/name")) });
        }
    }
    let (status, next) = status(set, &alive, now);
    if set.get("status") != Some(&status) {
        // A merge would keep counts that fell to nothing, so what is absent is said to be so.
        let mut patch = status;
        for field in ["readyReplicas", "availableReplicas", "fullyLabeledReplicas"] {
            patch.as_object_mut().expect("made above").entry(field).or_insert(Value::Null);
        }
        let patch = Patch::Merge(json!({ "status": patch }));
        result.push(Effect::Patch { key: key.clone(), part: Part::Status, patch });
    }
    if let Some(delay) = next {
        result.requeue_after(delay);
    }
    result
}

/// The one node of the emulated cluster.
const NODE: &str = "twin";

/// At most this many pods are created in one pass (upstream `BurstReplicas`).
const MAX_BURST: usize = 500;

fn owned_pods(store: &Store, set: &Object, namespace: &str) -> Vec<Object> {
    let uid = text_at(set, "/metadata/uid");
    let pods = store.list(Kind::Pod, Some(namespace)).filter(|(_, pod)| owner_uid(pod) == uid);
    pods.map(|(_, pod)| pod.clone()).collect()
}

fn is_going(pod: &Value) -> bool {
    pod.pointer("/metadata/deletionTimestamp").is_some()
}

/// Whom to delete: whoever is not ready goes first, then the youngest (upstream `ActivePodsWithRanks`, abridged to
/// what one node shows).
fn surplus<'a>(alive: &[&'a Object], wanted: usize) -> Vec<&'a Object> {
    let mut ranked: Vec<&Object> = alive.to_vec();
    ranked.sort_by_key(|pod| {
        (
            ready_since(pod).is_some(),
            std::cmp::Reverse(text_at(pod, "/metadata/creationTimestamp").to_owned()),
        )
    });
    ranked.truncate(alive.len().saturating_sub(wanted));
    ranked
}

fn new_pod(set: &Object, version: u64, nth: usize, seed: Seed) -> Value {
    let name = text_at(set, "/metadata/name");
    let suffix = suffix(seed.child(name).nth(version).nth(nth as u64).get());
    let template = &set["spec"]["template"];
    let mut metadata = template["metadata"].clone();
    if !metadata.is_object() {
        metadata = json!({});
    }
    metadata["name"] = json!(format!("{name}-{suffix}"));
    metadata["namespace"] = set["metadata"]["namespace"].clone();
    metadata["ownerReferences"] = json!([{
        "apiVersion": "apps/v1", "kind": "ReplicaSet", "name": name, "uid": set["metadata"]["uid"],
        "controller": true, "blockOwnerDeletion": true,
    }]);
    let mut spec = template["spec"].clone();
    // The scheduler's part: there is one node, and everything fits on it. A pod that has one ends gracefully.
    spec["nodeName"] = json!(NODE);
    json!({ "apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec, "status": { "phase": "Pending" } })
}

/// Five characters as Kubernetes draws them: no vowels, nothing that looks like something else.
fn suffix(mut draw: u64) -> String {
    const ALPHABET: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
    let mut text = String::new();
    for _ in 0..5 {
        let index = usize::try_from(draw % ALPHABET.len() as u64).unwrap_or(0);
        text.push(char::from(ALPHABET[index]));
        draw /= ALPHABET.len() as u64;
    }
    text
}

fn status(set: &Object, alive: &[&Object], now: Moment) -> (Value, Option<Duration>) {
    let min_ready =
        Duration::from_secs(set.pointer("/spec/minReadySeconds").and_then(Value::as_u64).unwrap_or(0));
    let ready: Vec<Moment> = alive.iter().filter_map(|pod| ready_since(pod)).collect();
    let available = ready.iter().filter(|since| now >= **since + min_ready).count();
    let next = ready.iter().map(|since| *since + min_ready).filter(|due| *due > now).min();
    let mut status = json!({
        "replicas": alive.len(), "observedGeneration": set["metadata"]["generation"],
    });
    for (field, count) in [
        ("fullyLabeledReplicas", alive.len()),
        ("readyReplicas", ready.len()),
        ("availableReplicas", available),
    ] {
        if count > 0 {
            status[field] = json!(count);
        }
    }
    (status, next.map(|due| due.since(now)))
}

/// Since when a pod is ready, if it is.
#[must_use]
pub(crate) fn ready_since(pod: &Value) -> Option<Moment> {
    let conditions = pod.pointer("/status/conditions").and_then(Value::as_array)?;
    let ready = conditions.iter().find(|condition| condition["type"] == "Ready")?;
    (ready["status"] == "True")
        .then(|| Moment::parse_rfc3339(text_at(ready, "/lastTransitionTime")))
        .flatten()
}
