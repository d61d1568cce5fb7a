//! Which ReplicaSets, AnalysisRuns and Experiments belong to a Rollout (`getReplicaSetsForRollouts`,
//! `getAnalysisRunsForRollout` and `getExperimentsForRollout` in rollout v1.9.1).

use serde_json::{Value, json};

use super::views::{AnalysisRun, Experiment, ReplicaSet};
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
    (own.into_iter().map(ReplicaSet::of).collect(), effects)
}

/// The AnalysisRuns a Rollout owns, by name.
pub(super) fn analysis_runs(store: &Store, rollout: &Rollout, key: &Key) -> Vec<AnalysisRun> {
    owned(store, rollout, key, Kind::AnalysisRun).into_iter().map(AnalysisRun).collect()
}

/// The Experiments a Rollout owns, by name.
pub(super) fn experiments(store: &Store, rollout: &Rollout, key: &Key) -> Vec<Experiment> {
    owned(store, rollout, key, Kind::Experiment).into_iter().map(Experiment).collect()
}

fn owned(store: &Store, rollout: &Rollout, key: &Key, kind: Kind) -> Vec<Value> {
    let own = |object: &Value| !rollout.metadata.uid.is_empty() && owner_uid(object) == rollout.metadata.uid;
    let all = store.list(kind, Some(&key.namespace));
    all.filter(|(_, object)| own(object)).map(|(_, object)| (**object).clone()).collect()
}
