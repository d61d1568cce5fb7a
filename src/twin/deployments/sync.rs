//! One reconcile (`syncDeployment` in deployment_controller.go v1.34).
//!
//! Upstream writes the status up to three times in one pass, and its own version conflicts make it come back; here a
//! pass writes it once, at its end.

use std::sync::Arc;

use serde_json::Value;

use super::object::{DESIRED, Deployment, Set};
use crate::clock::Moment;
use crate::twin::claim::{self, Claimant};
use crate::twin::effect::{Effect, Reconciled};
use crate::twin::store::{Key, Kind, Store, owner_uid, text_at};

/// What one reconcile knows and has decided so far.
#[derive(Debug)]
pub(super) struct Sync<'a> {
    pub(super) store: &'a Store,
    pub(super) now: Moment,
    pub(super) key: Key,
    pub(super) deployment: Deployment,
    /// The `ReplicaSet` of the current template.
    pub(super) new: Option<Set>,
    /// All others.
    pub(super) old: Vec<Set>,
    /// The conditions so far.
    pub(super) conditions: Vec<Value>,
    /// The revision the Deployment will say it is.
    pub(super) revision: Option<String>,
    pub(super) out: Reconciled,
}

/// Compares a Deployment with the world and decides what to do next.
#[must_use]
pub(crate) fn reconcile(store: &Store, now: Moment, key: &Key) -> Reconciled {
    let Some(object) = store.get(key) else { return Reconciled::nothing() };
    let deployment = match Deployment::read(object) {
        Ok(deployment) => deployment,
        Err(error) => return Reconciled { error: Some(error), ..Reconciled::default() },
    };
    if deployment.selector == crate::argo::rollout::LabelSelector::default() {
        // An API server refuses it, so nobody waits for this Deployment's status.
        return Reconciled::nothing();
    }
    let mut sync = Sync::new(store, now, key, deployment);
    let outcome = sync.run();
    match outcome {
        Ok(()) => sync.write(),
        Err(error) => sync.out.error = Some(error),
    }
    sync.out
}

impl<'a> Sync<'a> {
    fn new(store: &'a Store, now: Moment, key: &Key, deployment: Deployment) -> Sync<'a> {
        let claimant = Claimant {
            uid: deployment.uid(),
            reference: deployment.reference(),
            selector: Some(&deployment.selector),
        };
        let (own, effects) = claim::replica_sets(store, &key.namespace, &claimant);
        let mut old: Vec<Set> = own.into_iter().map(|object| Set((*object).clone())).collect();
        // The oldest that fits, should there be several.
        let new = old.iter().position(|set| set.carries(deployment.template())).map(|at| old.remove(at));
        let conditions = deployment.status()["conditions"].as_array().cloned().unwrap_or_default();
        let out = Reconciled { effects, ..Reconciled::default() };
        let key = key.clone();
        Sync { store, now, key, deployment, new, old, conditions, revision: None, out }
    }

    fn run(&mut self) -> Result<(), String> {
        self.sync_revision();
        if self.deployment.is_deleted() {
            return Ok(());
        }
        self.tell_pause();
        if self.deployment.is_paused() {
            self.scale_all();
            self.clean_up();
            return Ok(());
        }
        if self.is_scaled() {
            self.scale_all();
            return Ok(());
        }
        if self.deployment.recreates { self.recreate() } else { self.roll() }
    }

    /// `isScalingEvent`: the size wanted is not the one that a `ReplicaSet` was last scaled for.
    fn is_scaled(&self) -> bool {
        let mut active = self.all().filter(|set| set.size() > 0);
        active.any(|set| set.noted(DESIRED).is_some_and(|size| size != self.deployment.replicas))
    }

    /// `rolloutRolling`: up if it can, else down if it may.
    fn roll(&mut self) -> Result<(), String> {
        if self.new.is_none() {
            self.create_new()?;
        }
        let moved = self.grow_new() || self.shrink_old();
        if !moved && self.is_complete(self.deployment.status()) {
            self.clean_up();
        }
        self.estimate_progress();
        Ok(())
    }

    /// `rolloutRecreate`: down, wait for the last pod, up.
    fn recreate(&mut self) -> Result<(), String> {
        if !self.empty_old() && !self.are_old_pods_left() {
            if self.new.is_none() {
                self.create_new()?;
            }
            self.fill_new();
            if self.is_complete(self.deployment.status()) {
                self.clean_up();
            }
        }
        self.estimate_progress();
        Ok(())
    }

    /// `oldPodsRunning`: a pod that is being stopped still runs.
    fn are_old_pods_left(&self) -> bool {
        let ended = |pod: &Value| ["Failed", "Succeeded"].contains(&text_at(pod, "/status/phase"));
        let mut pods = self.store.list(Kind::Pod, Some(&self.key.namespace));
        self.old.iter().any(|set| set.count("replicas") > 0)
            || pods.any(|(_, pod)| !ended(pod) && self.old.iter().any(|set| set.uid() == owner_uid(pod)))
    }

    /// Every `ReplicaSet`.
    pub(super) fn all(&self) -> impl Iterator<Item = &Set> {
        self.old.iter().chain(&self.new)
    }

    pub(super) fn event(&mut self, reason: &'static str, message: String) {
        let regarding = Arc::new(self.deployment.object.clone());
        let kind = Kind::Deployment;
        self.out.push(Effect::Event { regarding, kind, warning: false, reason, message });
    }
}
