//! Which `ReplicaSets` belong to a controller's object.
//!
//! `ClaimReplicaSets` in pkg/controller/controller_ref_manager.go of Kubernetes v1.34, which Argo Rollouts calls too:
//! what the object owns and selects is its own, what it owns but no longer selects is released, what nobody owns and
//! it selects is adopted. Neighbours: `deployments` and `rollouts` begin every reconcile with it.

use serde_json::{Value, json};

use super::effect::Effect;
use super::store::{Key, Kind, Object, Part, Patch, Store, labels_of, owner_uid};
use crate::argo::rollout::LabelSelector;

/// Who claims.
#[derive(Debug)]
pub(super) struct Claimant<'a> {
    /// Its identity.
    pub(super) uid: &'a str,
    /// The reference by which it owns.
    pub(super) reference: Value,
    /// What it selects; without a selector nothing is.
    pub(super) selector: Option<&'a LabelSelector>,
}

/// The claimant's `ReplicaSets`, oldest first, and the adoptions and releases that come with them.
pub(super) fn replica_sets(
    store: &Store,
    namespace: &str,
    claimant: &Claimant<'_>,
) -> (Vec<Object>, Vec<Effect>) {
    let (mut own, mut effects) = (vec![], vec![]);
    for (key, object) in store.list(Kind::ReplicaSet, Some(namespace)) {
        match claimant.claim(object) {
            Claim::Own => own.push(object.clone()),
            Claim::Adopt => {
                own.push(object.clone());
                effects.push(claimant.reown(key, object, Some(claimant.reference.clone())));
            }
            Claim::Release => effects.push(claimant.reown(key, object, None)),
            Claim::Leave => {}
        }
    }
    let age = |object: &Object| {
        let meta = &object["metadata"];
        (meta["creationTimestamp"].to_string(), meta["name"].to_string())
    };
    own.sort_by_key(age);
    (own, effects)
}

enum Claim {
    Own,
    Adopt,
    Release,
    Leave,
}

impl Claimant<'_> {
    fn claim(&self, object: &Value) -> Claim {
        let owner = owner_uid(object);
        let selected = self.selects(object);
        let dying = !object["metadata"]["deletionTimestamp"].is_null();
        match (owner.is_empty(), owner == self.uid, selected) {
            (false, true, true) => Claim::Own,
            (false, true, false) if !dying => Claim::Release,
            (true, _, true) if !dying => Claim::Adopt,
            _ => Claim::Leave,
        }
    }

    /// An empty selector is refused by validation, but `ReplicaSets` are claimed before that.
    fn selects(&self, object: &Value) -> bool {
        let says = |selector: &&LabelSelector| {
            !selector.match_labels.is_empty() || !selector.match_expressions.is_empty()
        };
        self.selector.filter(says).is_some_and(|selector| selector.matches(&labels_of(object)))
    }

    fn reown(&self, key: &Key, object: &Value, owner: Option<Value>) -> Effect {
        let owners = object.pointer("/metadata/ownerReferences").and_then(Value::as_array);
        let others = owners.into_iter().flatten().filter(|owner| owner["uid"] != json!(self.uid)).cloned();
        let owners: Vec<Value> = others.chain(owner).collect();
        let patch = Patch::Merge(json!({"metadata": {"ownerReferences": owners}}));
        Effect::Patch { key: key.clone(), part: Part::Main, patch }
    }
}
