//! Which ReplicaSets and AnalysisRuns belong to a Rollout.
//!
//! `ClaimReplicaSets` of Kubernetes and `getAnalysisRunsForRollout` in rollout/analysis.go v1.9.1: what it owns and
//! selects is its own, what it owns but no longer selects is released, what nobody owns and it selects is adopted.

use serde_json::{Value, json};

use super::views::{AnalysisRun, ReplicaSet};
use crate::argo::rollout::{LabelSelector, Rollout};
use crate::twin::effect::Effect;
use crate::twin::store::{Key, Kind, Part, Patch, Store, labels_of, owner_uid};

/// The reference by which a Rollout owns what it creates.
pub(super) fn owner_reference(rollout: &Rollout) -> Value {
    json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "name": rollout.metadata.name,
        "uid": rollout.metadata.uid, "controller": true, "blockOwnerDeletion": true,
    })
}

/// The Rollout's ReplicaSets, oldest first, and the adoptions and releases that come with them.
pub(super) fn replica_sets(store: &Store, rollout: &Rollout, key: &Key) -> (Vec<ReplicaSet>, Vec<Effect>) {
    let selector = rollout.spec.selector.clone().unwrap_or_default();
    let (mut own, mut effects) = (vec![], vec![]);
    for (key, object) in store.list(Kind::ReplicaSet, Some(&key.namespace)) {
        match claim(rollout, &selector, object) {
            Claim::Own => own.push(ReplicaSet((**object).clone())),
            Claim::Adopt => {
                own.push(ReplicaSet((**object).clone()));
                effects.push(reown(key, object, Some(owner_reference(rollout)), &rollout.metadata.uid));
            }
            Claim::Release => effects.push(reown(key, object, None, &rollout.metadata.uid)),
            Claim::Leave => {}
        }
    }
    own.sort_by(|left, right| (left.created(), left.name()).cmp(&(right.created(), right.name())));
    (own, effects)
}

enum Claim {
    Own,
    Adopt,
    Release,
    Leave,
}

fn claim(rollout: &Rollout, selector: &LabelSelector, object: &Value) -> Claim {
    let owner = owner_uid(object);
    let selected = !is_empty(selector) && selector.matches(&labels_of(object));
    let dying = !object["metadata"]["deletionTimestamp"].is_null();
    match (owner.is_empty(), owner == rollout.metadata.uid, selected) {
        (false, true, true) => Claim::Own,
        (false, true, false) if !dying => Claim::Release,
        (true, _, true) if !dying => Claim::Adopt,
        _ => Claim::Leave,
    }
}

/// An empty selector is refused by validation, but ReplicaSets are claimed before that.
fn is_empty(selector: &LabelSelector) -> bool {
    selector.match_labels.is_empty() && selector.match_expressions.is_empty()
}

fn reown(key: &Key, object: &Value, owner: Option<Value>, uid: &str) -> Effect {
    let owners = object.pointer("/metadata/ownerReferences").and_then(Value::as_array);
    let others = owners.into_iter().flatten().filter(|owner| owner["uid"] != json!(uid)).cloned();
    let owners: Vec<Value> = others.chain(owner).collect();
    let patch = Patch::Merge(json!({"metadata": {"ownerReferences": owners}}));
    Effect::Patch { key: key.clone(), part: Part::Main, patch }
}

/// The AnalysisRuns a Rollout owns, by name.
pub(super) fn analysis_runs(store: &Store, rollout: &Rollout, key: &Key) -> Vec<AnalysisRun> {
    let own = |object: &Value| !rollout.metadata.uid.is_empty() && owner_uid(object) == rollout.metadata.uid;
    let runs = store.list(Kind::AnalysisRun, Some(&key.namespace));
    runs.filter(|(_, object)| own(object)).map(|(_, object)| AnalysisRun((**object).clone())).collect()
}
