//! The `ReplicaSet` of the current template: found, annotated, or made (`getNewReplicaSet` in sync.go v1.34).

use serde_json::{Value, json};

use super::object::{DESIRED, HASH_LABEL, HISTORY, MAX, REVISION, Set};
use super::sync::Sync;
use crate::twin::effect::Effect;
use crate::twin::rollouts::deployment_template_hash;
use crate::twin::store::{ApiError, Kind, Part, owner_uid};

/// A revision history grows no longer than this (`maxRevHistoryLengthInChars`).
const HISTORY_CHARS: usize = 2_000;

impl Sync<'_> {
    fn next_revision(&self) -> i64 {
        self.old.iter().filter_map(Set::revision).max().unwrap_or(0).max(0) + 1
    }

    /// The new `ReplicaSet` carries the highest revision, and the Deployment says the same.
    pub(super) fn sync_revision(&mut self) {
        let Some(mut new) = self.new.clone() else { return };
        let annotated = self.annotate(&mut new, self.next_revision(), true);
        let ready = self.deployment.min_ready_seconds();
        if annotated || new.0["spec"]["minReadySeconds"].as_i64().unwrap_or(0) != ready {
            new.0["spec"]["minReadySeconds"] = json!(ready);
            self.put(&new);
            self.new = Some(new.written());
            return;
        }
        self.revision = new.annotation(REVISION).map(str::to_owned);
        if self.deployment.deadline().is_some() && self.condition("Progressing").is_none() {
            let message = format!("Found new replica set \"{}\"", new.name());
            self.set_condition("Progressing", "True", "FoundNewReplicaSet", &message);
        }
    }

    /// `SetNewReplicaSetAnnotations`; returns whether anything changed.
    fn annotate(&self, set: &mut Set, revision: i64, exists: bool) -> bool {
        let mut changed = false;
        for (key, value) in self.deployment.inherited() {
            changed |= set.annotate(key, value);
        }
        let before = set.annotation(REVISION).map(str::to_owned);
        let Some(number) = set.revision() else { return false };
        if number < revision {
            set.annotate(REVISION, &revision.to_string());
            changed = true;
            if let Some(before) = before {
                remember(set, &before);
            }
        }
        if !exists {
            changed |= self.annotate_sizes(set);
        }
        changed
    }

    /// The sizes a `ReplicaSet` was last scaled for.
    pub(super) fn annotate_sizes(&self, set: &mut Set) -> bool {
        let wanted = self.deployment.replicas;
        let desired = set.annotate(DESIRED, &wanted.to_string());
        set.annotate(MAX, &(wanted + self.deployment.surge).to_string()) || desired
    }

    /// Makes the `ReplicaSet` of the current template. An error when somebody else has its name.
    pub(super) fn create_new(&mut self) -> Result<(), String> {
        let revision = self.next_revision();
        let mut set = self.made();
        set.0["spec"]["replicas"] = json!(self.new_size(&set));
        self.annotate(&mut set, revision, false);
        match self.store.get(&self.key.sibling(Kind::ReplicaSet, set.name())).cloned() {
            None => {
                self.out.push(Effect::Create { kind: Kind::ReplicaSet, object: set.0.clone() });
                if set.size() > 0 {
                    let message = format!("Scaled up replica set {} from 0 to {}", set.name(), set.size());
                    self.event("ScalingReplicaSet", message);
                }
                if self.deployment.deadline().is_some() {
                    let message = format!("Created new replica set \"{}\"", set.name());
                    self.set_condition("Progressing", "True", "NewReplicaSetCreated", &message);
                }
            }
            Some(object) => {
                let mine = owner_uid(&object) == self.deployment.uid();
                set = Set((*object).clone());
                if !mine || !set.carries(self.deployment.template()) {
                    return Err(self.count_collision(set.name()));
                }
            }
        }
        self.revision = Some(revision.to_string());
        self.new = Some(set.written());
        Ok(())
    }

    /// The next attempt hashes differently.
    fn count_collision(&mut self, name: &str) -> String {
        let count = self.deployment.collisions().unwrap_or(0).saturating_add(1);
        let mut object = self.deployment.object.clone();
        object["status"]["collisionCount"] = json!(count);
        self.out.push(Effect::Update { kind: Kind::Deployment, part: Part::Status, object });
        ApiError::already_exists(&self.key.sibling(Kind::ReplicaSet, name)).message
    }

    fn made(&self) -> Set {
        let deployment = &self.deployment;
        let hash = deployment_template_hash(deployment.template(), deployment.collisions());
        let mut template = deployment.template().clone();
        template["metadata"]["labels"][HASH_LABEL] = json!(hash);
        let mut selector = deployment.selector.clone();
        selector.match_labels.insert(HASH_LABEL.into(), hash.clone());
        let mut object = json!({
            "apiVersion": "apps/v1", "kind": "ReplicaSet",
            "metadata": {
                "name": named(deployment.name(), &hash), "namespace": &*self.key.namespace,
                "labels": template["metadata"]["labels"], "ownerReferences": [deployment.reference()],
            },
            "spec": {"replicas": 0, "selector": selector, "template": template},
        });
        if deployment.min_ready_seconds() != 0 {
            object["spec"]["minReadySeconds"] = json!(deployment.min_ready_seconds());
        }
        Set(object)
    }

    pub(super) fn put(&mut self, set: &Set) {
        let object: Value = set.0.clone();
        self.out.push(Effect::Update { kind: Kind::ReplicaSet, part: Part::Main, object });
    }
}

/// `generateReplicaSetName`: a name that would be too long loses the end of the Deployment's.
fn named(deployment: &str, hash: &str) -> String {
    let room = 253_usize.saturating_sub(hash.len() + 1);
    let kept: String = deployment.chars().take(room).collect();
    format!("{kept}-{hash}")
}

/// A revision that is served again is remembered; the oldest memories go first.
fn remember(set: &mut Set, revision: &str) {
    let history = set.annotation(HISTORY).unwrap_or("").to_owned();
    let mut revisions: Vec<&str> = history.split(',').filter(|one| !one.is_empty()).collect();
    revisions.push(revision);
    while revisions.len() > 1 && revisions.join(",").len() > HISTORY_CHARS {
        revisions.remove(0);
    }
    set.annotate(HISTORY, &revisions.join(","));
}
