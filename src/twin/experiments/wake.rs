//! Which change wakes which Experiment (the event handlers in experiments/controller.go v1.9.1).

use serde_json::{Value, json};

use super::object::is_final;
use crate::twin::store::{Change, Key, Kind, Object, text_at};

/// The Experiment a change wakes: its own changes, those of its ReplicaSets' numbers, and the ends of its runs.
#[must_use]
pub fn concerned(change: &Change) -> Option<Key> {
    let object = change.new.as_ref().or(change.old.as_ref())?;
    match change.key.kind {
        Kind::Experiment => Some(change.key.clone()),
        Kind::ReplicaSet => {
            let same = change
                .old
                .as_ref()
                .zip(change.new.as_ref())
                .is_some_and(|(old, new)| numbers(old) == numbers(new));
            if same { None } else { parent(change, object) }
        }
        Kind::AnalysisRun if is_final(text_at(object, "/status/phase")) => parent(change, object),
        _ => None,
    }
}

fn numbers(set: &Object) -> [i64; 4] {
    let fields = ["/spec/replicas", "/status/replicas", "/status/readyReplicas", "/status/availableReplicas"];
    fields.map(|field| set.pointer(field).and_then(Value::as_i64).unwrap_or(0))
}

fn parent(change: &Change, object: &Value) -> Option<Key> {
    let owners = object.pointer("/metadata/ownerReferences").and_then(Value::as_array);
    let owner = owners.into_iter().flatten().find(|owner| owner["controller"] == json!(true))?;
    (owner["kind"] == json!("Experiment"))
        .then(|| change.key.sibling(Kind::Experiment, text_at(owner, "/name")))
}
