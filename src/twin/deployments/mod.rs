//! The Deployment controller: an own `ReplicaSet` per pod template, and the way from one to the next.
//!
//! Kubernetes v1.34 pkg/controller/deployment, imitated as far as a Deployment beside a Rollout needs it:
//!
//! ```text
//! sync      one reconcile: paused, scaled, rolled or recreated      sizes    who grows and who shrinks
//! object    a Deployment and its ReplicaSets, as they are read      status   counts, conditions, the deadline
//! revision  the ReplicaSet of a template: found, annotated, made    history  the end of the oldest
//! ```
//!
//! It matters because `workloadRef` leaves a Deployment standing beside the Rollout, and a bad template patched into
//! it rolls out in the Deployment's own pods, outside all analysis. It knows nothing of Rollouts. `rollbackTo` of the
//! long gone extensions API is not imitated.

mod history;
mod object;
mod revision;
mod sizes;
mod status;
mod sync;
#[cfg(test)]
mod tests;

use serde_json::Value;

use super::store::{Change, Key, Kind, Object, Store, text_at};

pub(crate) use self::sync::reconcile;

/// The Deployments a change concerns (the event handlers in deployment_controller.go).
///
/// A pod counts only when it goes: a Deployment that recreates waits for the last one.
#[must_use]
pub(crate) fn concerned(store: &Store, change: &Change) -> Vec<Key> {
    let Some(object) = change.new.as_ref().or(change.old.as_ref()) else { return vec![] };
    match change.key.kind {
        Kind::Deployment => vec![change.key.clone()],
        Kind::ReplicaSet => of_replica_set(store, &change.key, change.new.is_some(), object),
        Kind::Pod if change.new.is_none() => {
            let set = owner(&change.key, object, Kind::ReplicaSet);
            let set = set.and_then(|key| store.get(&key).map(|set| (key, set)));
            set.and_then(|(key, set)| owner(&key, set, Kind::Deployment)).into_iter().collect()
        }
        _ => vec![],
    }
}

/// Its owner, or, when nobody owns it and it lives, whoever might adopt it.
fn of_replica_set(store: &Store, key: &Key, lives: bool, set: &Object) -> Vec<Key> {
    if let Some(owner) = owner(key, set, Kind::Deployment) {
        return vec![owner];
    }
    if !lives || !super::store::owner_uid(set).is_empty() {
        return vec![];
    }
    store.list(Kind::Deployment, Some(&key.namespace)).map(|(key, _)| key.clone()).collect()
}

/// The controlling owner, when it is of this kind.
fn owner(key: &Key, object: &Value, kind: Kind) -> Option<Key> {
    let owners = object.pointer("/metadata/ownerReferences").and_then(Value::as_array);
    let owner = owners.into_iter().flatten().find(|owner| owner["controller"] == true)?;
    (owner["kind"] == kind.info().kind).then(|| key.sibling(kind, text_at(owner, "/name")))
}
