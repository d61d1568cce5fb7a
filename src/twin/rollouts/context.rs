//! What one reconcile knows and has decided so far (rollout/context.go v1.9.1).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::pause::PauseContext;
use super::views::{AnalysisRun, Experiment, ReplicaSet, Service};
use crate::argo::Version;
use crate::argo::rollout::{BlueGreen, Canary, Rollout, RolloutStatus};
use crate::clock::Moment;
use crate::twin::effect::{Effect, Reconciled};
use crate::twin::store::{Key, Kind, Part, Patch, Store};

/// A reconcile that ended early, with the sentence the controller would log.
#[derive(Debug)]
pub(super) struct Stop(pub(super) String);

/// What every stage answers.
pub(super) type Outcome<T = ()> = Result<T, Stop>;

/// How often every Rollout is looked at without a cause (`--rollout-resync`).
pub(super) const RESYNC: Duration = Duration::from_secs(900);

/// The AnalysisRuns a Rollout's status names.
#[derive(Debug, Clone, Default)]
pub(super) struct CurrentRuns {
    pub(super) pre: Option<AnalysisRun>,
    pub(super) post: Option<AnalysisRun>,
    pub(super) step: Option<AnalysisRun>,
    pub(super) background: Option<AnalysisRun>,
}

impl CurrentRuns {
    /// Those that exist, in upstream's order.
    pub(super) fn iter(&self) -> impl Iterator<Item = &AnalysisRun> {
        self.pre.iter().chain(&self.post).chain(&self.step).chain(&self.background)
    }
}

/// One reconcile.
#[derive(Debug)]
pub(super) struct Context<'a> {
    pub(super) store: &'a Store,
    pub(super) now: Moment,
    pub(super) version: Version,
    pub(super) key: Key,
    /// The Rollout as upstream's `c.rollout`: replaced only where upstream takes over a server's answer.
    pub(super) rollout: Rollout,
    /// All ReplicaSets, as they were at the start, oldest first; a created one comes last.
    pub(super) all: Vec<ReplicaSet>,
    /// The ReplicaSet of the current template.
    pub(super) new: Option<ReplicaSet>,
    /// The stable ReplicaSet.
    pub(super) stable: Option<ReplicaSet>,
    /// Everything that is not the new one.
    pub(super) older: Vec<ReplicaSet>,
    /// Neither new nor stable.
    pub(super) other: Vec<ReplicaSet>,
    /// The Services the strategy names, with the selectors they will have after the effects so far.
    pub(super) services: BTreeMap<String, Service>,
    /// VirtualServices that were written, as they will be after the effects so far.
    pub(super) routes: BTreeMap<Key, Value>,
    pub(super) current_runs: CurrentRuns,
    pub(super) other_runs: Vec<AnalysisRun>,
    /// The Experiment the status names, if it is there.
    pub(super) experiment: Option<Experiment>,
    pub(super) other_experiments: Vec<Experiment>,
    pub(super) pause: PauseContext,
    /// The status to come, as far as stages before the last have decided it.
    pub(super) fresh: RolloutStatus,
    pub(super) out: Reconciled,
}

impl Context<'_> {
    /// The blue-green strategy. Stages that ask run only under it.
    pub(super) fn bluegreen(&self) -> &BlueGreen {
        static NONE: std::sync::LazyLock<BlueGreen> = std::sync::LazyLock::new(BlueGreen::default);
        self.rollout.spec.strategy.blue_green.as_ref().unwrap_or(&NONE)
    }

    /// The canary strategy. Stages that ask run only under it.
    pub(super) fn canary(&self) -> &Canary {
        static NONE: std::sync::LazyLock<Canary> = std::sync::LazyLock::new(Canary::default);
        self.rollout.spec.strategy.canary.as_ref().unwrap_or(&NONE)
    }

    /// Whether the strategy is a canary.
    pub(super) fn is_canary(&self) -> bool {
        self.rollout.spec.strategy.canary.is_some()
    }

    /// The new ReplicaSet. The stages after its creation run only with one.
    pub(super) fn new_rs(&self) -> Outcome<ReplicaSet> {
        self.new.clone().ok_or_else(|| Stop("the new ReplicaSet is missing".into()))
    }

    /// The hash of the new ReplicaSet, empty without one.
    pub(super) fn new_hash(&self) -> String {
        self.new.as_ref().map(|rs| rs.hash().to_owned()).unwrap_or_default()
    }

    pub(super) fn service(&self, name: &str) -> Option<&Service> {
        self.services.get(name)
    }

    /// The hash the Service with this name selects, empty when there is none.
    pub(super) fn selected(&self, name: &str) -> String {
        self.service(name).and_then(Service::selected).unwrap_or("").to_owned()
    }

    pub(super) fn create(&mut self, kind: Kind, object: Value) {
        self.out.push(Effect::Create { kind, object });
    }

    pub(super) fn update(&mut self, kind: Kind, part: Part, object: Value) {
        self.out.push(Effect::Update { kind, part, object });
    }

    pub(super) fn patch(&mut self, kind: Kind, name: &str, part: Part, patch: Patch) {
        let key = self.key.sibling(kind, name);
        self.out.push(Effect::Patch { key, part, patch });
    }

    pub(super) fn delete(&mut self, kind: Kind, name: &str) {
        let key = self.key.sibling(kind, name);
        self.out.push(Effect::Delete { key });
    }

    /// `PUT`s the Rollout and goes on with the server's answer.
    pub(super) fn put_rollout(&mut self, part: Part) {
        let object = self.rollout.to_value();
        if part == Part::Main && self.spec_differs(&object) {
            self.rollout.metadata.generation += 1;
        }
        self.update(Kind::Rollout, part, object);
        self.rollout.metadata.resource_version.clear();
    }

    /// Whether the server will count this write as a new generation.
    fn spec_differs(&self, object: &Value) -> bool {
        self.store.get(&self.key).is_some_and(|stored| stored["spec"] != object["spec"])
    }

    /// Records an event about the Rollout as it is known now.
    pub(super) fn event(&mut self, reason: &'static str, message: String) {
        self.record(false, reason, message);
    }

    /// Records a warning about the Rollout as it is known now.
    pub(super) fn warn(&mut self, reason: &'static str, message: String) {
        self.record(true, reason, message);
    }

    fn record(&mut self, warning: bool, reason: &'static str, message: String) {
        let regarding = Arc::new(self.rollout.to_value());
        self.out.push(Effect::Event { regarding, kind: Kind::Rollout, warning, reason, message });
    }

    /// How many pods of these ReplicaSets exist.
    pub(super) fn actual(sets: &[ReplicaSet]) -> i32 {
        sets.iter().map(ReplicaSet::actual).fold(0, i32::saturating_add)
    }

    /// How many pods of these ReplicaSets are available.
    pub(super) fn available(sets: &[ReplicaSet]) -> i32 {
        sets.iter().map(ReplicaSet::available).fold(0, i32::saturating_add)
    }

    /// The ReplicaSet with a hash, as it was at the start.
    pub(super) fn by_hash(&self, hash: &str) -> Option<&ReplicaSet> {
        self.all.iter().rfind(|rs| !hash.is_empty() && rs.hash() == hash)
    }
}
