//! Which ReplicaSets and AnalysisRuns belong to a Rollout (`getReplicaSetsForRollouts` and
//! `getAnalysisRunsForRollout` in rollout v1.9.1).

use serde_json::{Value, json};

use super::views::{AnalysisRun, ReplicaSet};
use crate::argo::rollout::Rollout;
use crate::twin::claim::{self, Claimant};
use crate::twin::effect::Effect;
use crate::twin::store::{Key, Kind, Store, owner_uid};

/// The reference by which a Rollout owns what it creates.
pub(super) fn owner_reference(rollout: &Rollout) -> Value {
    json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "name": rollout.metadata.name,
        "uid": rollout.metadata.uid, "controller": true, "blockOwnerDeletion": true,
    })
}

/// The Rollout's ReplicaSets, oldest first, and the adoptions and releases that come with them.
pub(super) fn replica_sets(store: &Store, rollout: &Rollout, key: &Key) -> (Vec<ReplicaSet>, Vec<Effect>) {
    let claimant = Claimant {
        uid: &rollout.metadata.uid,
        reference: owner_reference(rollout),
        selector: rollout.spec.selector.as_ref(),
    };
    let (own, effects) = claim::replica_sets(store, &key.namespace, &claimant);
    (own.into_iter().map(|object| ReplicaSet((*object).clone())).collect(), effects)
}

/// The AnalysisRuns a Rollout owns, by name.
pub(super) fn analysis_runs(store: &Store, rollout: &Rollout, key: &Key) -> Vec<AnalysisRun> {
    let own = |object: &Value| !rollout.metadata.uid.is_empty() && owner_uid(object) == rollout.metadata.uid;
    let runs = store.list(Kind::AnalysisRun, Some(&key.namespace));
    runs.filter(|(_, object)| own(object)).map(|(_, object)| AnalysisRun((**object).clone())).collect()
}
