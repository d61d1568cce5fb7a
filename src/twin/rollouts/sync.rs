//! Revisions, the birth of a ReplicaSet, and scaling (rollout/sync.go v1.9.1).

use std::sync::Arc;

use serde_json::{Value, json};

use super::affinity;
use super::annotations;
use super::claim::owner_reference;
use super::conditions::{self, kinds};
use super::context::{Context, Outcome, Stop};
use super::ephemeral;
use super::newrs;
use super::views::{DEADLINE, DESIRED, ReplicaSet};
use crate::argo::rollout::{ConditionStatus, HASH_LABEL, PodMetadata, REVISION};
use crate::twin::store::{ApiError, Kind, Part, owner_uid};

impl Context<'_> {
    /// `syncReplicaSetRevision`: the new ReplicaSet carries the highest revision, and the Rollout says the same.
    pub(super) fn sync_revision(&mut self) -> Outcome {
        let Some(mut new) = self.new.clone() else { return Ok(()) };
        let annotated = annotations::sync_new(&self.rollout, &mut new, self.next_revision(), true);
        let ready = new.0.pointer("/spec/minReadySeconds").and_then(Value::as_i64).unwrap_or(0);
        let ready_differs = ready != i64::from(self.rollout.spec.min_ready_seconds);
        if annotated || ready_differs || affinity::needs_update(new.template(), &self.rollout) {
            self.put_new(new);
            return Ok(());
        }
        self.set_rollout_revision(new.annotation(REVISION).unwrap_or("").to_owned());
        if self.rollout.status.condition(kinds::PROGRESSING).is_none() {
            let message = format!("Found new replica set \"{}\"", new.name());
            self.put_progressing("FoundNewReplicaSet", &message);
        }
        Ok(())
    }

    fn put_new(&mut self, mut new: ReplicaSet) {
        new.0["spec"]["minReadySeconds"] = json!(self.rollout.spec.min_ready_seconds);
        affinity::inject(&mut new.0["spec"]["template"], &self.rollout);
        self.update(Kind::ReplicaSet, Part::Main, new.0.clone().into_value());
        self.new = Some(new.written());
    }

    fn next_revision(&self) -> i64 {
        self.older.iter().filter_map(ReplicaSet::revision).max().unwrap_or(0).max(0) + 1
    }

    fn set_rollout_revision(&mut self, revision: String) {
        if self.rollout.metadata.annotations.get(REVISION) == Some(&revision) {
            return;
        }
        let message = format!("Rollout updated to revision {revision}");
        self.rollout.metadata.annotations.insert(REVISION.into(), revision);
        self.put_rollout(Part::Main);
        self.event("RolloutUpdated", message);
    }

    fn put_progressing(&mut self, reason: &str, message: &str) {
        let condition = conditions::new(kinds::PROGRESSING, ConditionStatus::True, reason, message, self.now);
        conditions::set(&mut self.rollout.status, condition);
        self.put_rollout(Part::Status);
    }

    /// `createDesiredReplicaSet`; returns whether one was created.
    pub(super) fn create_new_replica_set(&mut self) -> Outcome<bool> {
        let revision = self.next_revision();
        let rs = self.desired_replica_set(revision);
        let name = rs.name().to_owned();
        let existing = self.store.get(&self.key.sibling(Kind::ReplicaSet, &name));
        let created = existing.is_none();
        let rs = match existing {
            None => {
                self.create(Kind::ReplicaSet, rs.0.clone().into_value());
                rs.written()
            }
            Some(object) if self.is_mine(object) => ReplicaSet::of(Arc::clone(object)),
            Some(_) => return Err(self.count_collision(&name)),
        };
        self.set_rollout_revision(revision.to_string());
        if created {
            self.event("NewReplicaSetCreated", format!("Created ReplicaSet {name} (revision {revision})"));
            self.put_progressing("NewReplicaSetCreated", &format!("Created new replica set \"{name}\""));
        }
        self.older = newrs::others(&self.all, Some(&rs), None);
        self.stable = newrs::find_stable(&self.rollout, Some(&rs), &self.older);
        self.other = newrs::others(&self.all, Some(&rs), self.stable.as_ref());
        self.all.retain(|one| one.name() != name);
        self.all.push(rs.clone());
        self.new = Some(rs);
        Ok(created)
    }

    fn is_mine(&self, object: &Value) -> bool {
        owner_uid(object) == self.rollout.metadata.uid
            && newrs::same_template(&object["spec"]["template"], &self.rollout.spec.template)
    }

    /// Somebody else has this name: the next attempt hashes differently.
    fn count_collision(&mut self, name: &str) -> Stop {
        let count = self.rollout.status.collision_count.unwrap_or(0);
        self.rollout.status.collision_count = Some(count.saturating_add(1));
        self.put_rollout(Part::Status);
        Stop(ApiError::already_exists(&self.key.sibling(Kind::ReplicaSet, name)).message)
    }

    fn desired_replica_set(&self, revision: i64) -> ReplicaSet {
        let (spec, hash) = (&self.rollout.spec, newrs::template_hash(&self.rollout));
        let mut template = spec.template.clone();
        affinity::inject(&mut template, &self.rollout);
        template["metadata"]["labels"][HASH_LABEL] = json!(hash);
        let mut selector = spec.selector.clone().unwrap_or_default();
        selector.match_labels.insert(HASH_LABEL.into(), hash.clone());
        let mut object = json!({
            "apiVersion": "apps/v1", "kind": "ReplicaSet",
            "metadata": {
                "name": format!("{}-{hash}", self.rollout.metadata.name),
                "namespace": &*self.key.namespace,
                "labels": template["metadata"]["labels"],
                "ownerReferences": [owner_reference(&self.rollout)],
            },
            "spec": {"replicas": 0, "selector": selector, "template": template},
            "status": {"replicas": 0},
        });
        if spec.min_ready_seconds != 0 {
            object["spec"]["minReadySeconds"] = json!(spec.min_ready_seconds);
        }
        let mut rs = ReplicaSet::of(object);
        annotations::sync_new(&self.rollout, &mut rs, revision, false);
        ephemeral::sync_replica_set(&rs, self.birth_metadata()).0
    }

    /// Beside a stable ReplicaSet a new one is a preview or canary; without one it will be stable itself.
    fn birth_metadata(&self) -> Option<&PodMetadata> {
        let (new, stable) = self.ephemeral_metadata();
        if self.stable.is_some() { new } else { stable }
    }

    /// `isScalingEvent`: somebody changed `spec.replicas` since new or stable were last scaled.
    pub(super) fn is_scaling_event(&mut self) -> Outcome<bool> {
        self.sync_revision()?;
        let wanted = self.rollout.replicas();
        let active = self.new.iter().chain(&self.stable).filter(|rs| rs.replicas() > 0);
        Ok(active.filter_map(ReplicaSet::desired).any(|desired| desired != wanted))
    }

    /// `syncReplicasOnly`: sizes and nothing else; Services, pauses and analyses wait for the next reconcile.
    pub(super) fn sync_replicas_only(&mut self) -> Outcome {
        self.sync_revision()?;
        let mut new = self.rollout.status.clone();
        let mut active = None;
        if self.is_canary() {
            self.reconcile_canary_replica_sets()?;
        } else {
            self.reconcile_replica_sets()?;
            active = self.by_hash(&new.blue_green.active_selector);
        }
        let counts = active.map(|active| (active.actual(), active.available()));
        (new.hpa_replicas, new.available_replicas) =
            counts.unwrap_or((Context::actual(&self.all), Context::available(&self.all)));
        self.persist(new);
        Ok(())
    }

    /// `scaleReplicaSetAndRecordEvent`; whether the size changed. The copies here stay as they were, as upstream's do.
    pub(super) fn scale(&mut self, rs: &ReplicaSet, size: i32) -> bool {
        let (wanted, before) = (self.rollout.replicas(), rs.replicas());
        if before == size && !annotations::desired_is_stale(rs, wanted) {
            return false;
        }
        let mut copy = rs.clone();
        copy.0["spec"]["replicas"] = json!(size);
        copy.annotate(DESIRED, &wanted.to_string());
        if size == 0 && !self.should_delay_scale_down_on_abort() {
            copy.remove_annotation(DEADLINE);
        }
        self.update(Kind::ReplicaSet, Part::Main, copy.0.into_value());
        if before != size {
            let (up, name, revision) =
                (if before < size { "up" } else { "down" }, rs.name(), rs.revision().unwrap_or(0));
            let message =
                format!("Scaled {up} ReplicaSet {name} (revision {revision}) from {before} to {size}");
            self.event("ScalingReplicaSet", message);
        }
        before != size
    }
}
