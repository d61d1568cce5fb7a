//! Labels and annotations that pods wear while they are preview or active, canary or stable
//! (rollout/ephemeralmetadata.go and `SyncEphemeralPodMetadata` in utils/replicaset/canary.go v1.9.1).

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::context::{Context, Outcome};
use super::views::ReplicaSet;
use crate::argo::rollout::PodMetadata;
use crate::twin::store::{Kind, Part, labels_of, owner_uid};

/// Where a ReplicaSet remembers what its pods wear.
const WORN: &str = "rollout.argoproj.io/ephemeral-metadata";

impl Context<'_> {
    /// Stable pods wear the active metadata, others the preview's, the rest none. Stable, not active: while the
    /// post-promotion analysis runs, pods that serve users still wear the preview's.
    pub(super) fn reconcile_ephemeral_metadata(&mut self) -> Outcome {
        let (preview, active) = self.ephemeral_metadata();
        let (preview, active) = (preview.cloned(), active.cloned());
        let (preview, active) = (preview.as_ref(), active.as_ref());
        let stable = &self.rollout.status.stable_rs;
        if stable.is_empty() || *stable == self.new_hash() {
            self.dress(self.new.clone(), active);
        } else {
            self.dress(self.new.clone(), preview);
            self.dress(self.stable.clone(), active);
        }
        for rs in self.other.clone() {
            self.dress(Some(rs), None);
        }
        Ok(())
    }

    /// What the pods of a new revision wear, and those of the stable one.
    pub(super) fn ephemeral_metadata(&self) -> (Option<&PodMetadata>, Option<&PodMetadata>) {
        if self.is_canary() {
            let canary = self.canary();
            return (canary.canary_metadata.as_ref(), canary.stable_metadata.as_ref());
        }
        let strategy = self.bluegreen();
        (strategy.preview_metadata.as_ref(), strategy.active_metadata.as_ref())
    }

    fn dress(&mut self, rs: Option<ReplicaSet>, wanted: Option<&PodMetadata>) {
        let Some(rs) = rs else { return };
        let worn = worn(&rs);
        if worn.is_none() && wanted.is_none() {
            return;
        }
        let (dressed, changed) = sync_replica_set(&rs, wanted);
        if changed {
            self.update(Kind::ReplicaSet, Part::Main, dressed.0.into_value());
        }
        let uid = rs.0["metadata"]["uid"].as_str().unwrap_or("").to_owned();
        let selector: crate::argo::rollout::LabelSelector =
            serde_json::from_value(rs.0["spec"]["selector"].clone()).unwrap_or_default();
        let pods = self.store.list(Kind::Pod, Some(&self.key.namespace));
        let own = pods
            .filter(|(_, pod)| !uid.is_empty() && owner_uid(pod) == uid && selector.matches(&labels_of(pod)));
        let mut pods: Vec<Value> = own.map(|(_, pod)| (**pod).clone()).collect();
        for pod in &mut pods {
            if sync(&mut pod["metadata"], worn.as_ref(), wanted) {
                self.update(Kind::Pod, Part::Main, pod.clone());
            }
        }
    }
}

fn worn(rs: &ReplicaSet) -> Option<PodMetadata> {
    serde_json::from_str(rs.annotation(WORN)?).ok()
}

/// A ReplicaSet whose future pods wear this, and whether that is a change (`SyncReplicaSetEphemeralPodMetadata`).
pub(super) fn sync_replica_set(rs: &ReplicaSet, wanted: Option<&PodMetadata>) -> (ReplicaSet, bool) {
    let (mut copy, worn) = (rs.clone(), worn(rs));
    let is_plain = worn.is_none() && wanted.is_none();
    if is_plain
        || !rs.template().is_object()
        || !sync(&mut copy.0["spec"]["template"]["metadata"], worn.as_ref(), wanted)
    {
        return (rs.clone(), false);
    }
    match wanted {
        Some(wanted) => copy.annotate(WORN, &json!(wanted).to_string()),
        None => copy.remove_annotation(WORN),
    }
    (copy, true)
}

/// Puts on what is wanted and takes off what was put on before; everything else belongs to others.
fn sync(metadata: &mut Value, worn: Option<&PodMetadata>, wanted: Option<&PodMetadata>) -> bool {
    if !metadata.is_object() && !metadata.is_null() {
        return false;
    }
    let none = PodMetadata::default();
    let (worn, wanted) = (worn.unwrap_or(&none), wanted.unwrap_or(&none));
    let annotations = sync_map(metadata, "annotations", &worn.annotations, &wanted.annotations);
    sync_map(metadata, "labels", &worn.labels, &wanted.labels) || annotations
}

fn sync_map(
    metadata: &mut Value,
    field: &str,
    worn: &BTreeMap<String, String>,
    wanted: &BTreeMap<String, String>,
) -> bool {
    let mut changed = false;
    for (key, value) in wanted {
        if metadata[field].get(key).and_then(Value::as_str).unwrap_or("") != value {
            if !metadata[field].is_object() {
                metadata[field] = json!({});
            }
            metadata[field][key] = json!(value);
            changed = true;
        }
    }
    for key in worn.keys().filter(|key| !wanted.contains_key(*key)) {
        let map = metadata.get_mut(field).and_then(Value::as_object_mut);
        changed |= map.and_then(|map| map.remove(key)).is_some();
    }
    changed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metadata(labels: Value) -> PodMetadata {
        serde_json::from_value(json!({"labels": labels})).expect("metadata")
    }

    fn labels(rs: &ReplicaSet) -> Value {
        rs.0["spec"]["template"]["metadata"]["labels"].clone()
    }

    #[test]
    fn what_was_put_on_is_taken_off_again_and_nothing_else() {
        let rs = ReplicaSet::of(json!({"spec": {"template": {"metadata": {"labels": {"app": "a"}}}}}));
        let (preview, changed) = sync_replica_set(&rs, Some(&metadata(json!({"role": "preview", "x": "1"}))));
        assert!(changed);
        assert_eq!(labels(&preview), json!({"app": "a", "role": "preview", "x": "1"}));
        let (active, changed) = sync_replica_set(&preview, Some(&metadata(json!({"role": "active"}))));
        assert!(changed);
        assert_eq!(labels(&active), json!({"app": "a", "role": "active"}));
        assert!(!sync_replica_set(&active, Some(&metadata(json!({"role": "active"})))).1);
        let (plain, changed) = sync_replica_set(&active, None);
        assert!(changed);
        assert_eq!(labels(&plain), json!({"app": "a"}));
        assert_eq!(plain.annotation(WORN), None);
    }

    #[test]
    fn garbage_wears_nothing() {
        let rs = ReplicaSet::of(json!({"spec": {"template": {"metadata": 7}}}));
        assert!(!sync_replica_set(&rs, Some(&metadata(json!({"a": "b"})))).1);
    }
}
