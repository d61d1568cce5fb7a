//! The subsets of a DestinationRule (`UpdateHash` in rollout/trafficrouting/istio/istio.go v1.9.1).

use serde_json::{Value, json};

use super::super::super::context::{Context, Outcome, Stop};
use super::super::super::views::ReplicaSet;
use super::super::Target;
use crate::argo::rollout::{HASH_LABEL, Istio, IstioDestinationRule, MANAGED_BY};
use crate::twin::store::{ApiError, Kind, Part, text_at};

impl Context<'_> {
    /// `UpdateHash`: each subset selects its revision.
    pub(in super::super) fn update_istio_hash(&mut self, istio: &Istio, target: &Target) -> Outcome {
        if let Some(name) = self.keeps_subsets(target) {
            let error = format!("delaying destination rule switch: ReplicaSet {name} not fully available");
            return Err(Stop(error));
        }
        let Some(named) = &istio.destination_rule else { return Ok(()) };
        let old = self.destination_rule(named)?;
        let mut new = old.clone();
        annotate(&mut new, &self.rollout.metadata.name);
        let subsets = old.pointer("/spec/subsets").and_then(Value::as_array).cloned().unwrap_or_default();
        // Upstream compares in a form in which a subset with fields of its own is always different.
        let odd = subsets.iter().any(has_more);
        new["spec"]["subsets"] = json!(with_hashes(subsets, named, target));
        if odd || new != old {
            self.update(Kind::DestinationRule, Part::Main, new);
            let message = format!(
                "DestinationRule {} subset updated ({}: {}, {}: {})",
                named.name,
                named.canary_subset_name,
                target.canary_hash,
                named.stable_subset_name,
                target.stable_hash
            );
            self.event("UpdatedDestinationRule", message);
        }
        Ok(())
    }

    /// `shouldDelayDestinationRuleUpdate`: without Services to protect them, subsets do not move while a revision with
    /// traffic lacks pods.
    fn keeps_subsets(&self, target: &Target) -> Option<String> {
        let canary = self.canary();
        if !canary.canary_service.is_empty() || !canary.stable_service.is_empty() {
            return None;
        }
        let stable = self.all.iter().find(|rs| rs.hash() == target.stable_hash);
        let back =
            self.rollout.status.abort || stable.is_some_and(|stable| self.leaves_for(stable).is_some());
        let lacks = |rs: &&ReplicaSet| {
            let hash = rs.hash();
            let has_traffic = !hash.is_empty() && (hash == target.stable_hash || hash == target.canary_hash);
            let left = back && hash == target.canary_hash;
            rs.replicas() != 0
                && has_traffic
                && !left
                && !(rs.available() != 0 && rs.replicas() <= rs.available())
        };
        self.all.iter().find(lacks).map(|rs| rs.name().to_owned())
    }

    pub(super) fn destination_rule(&mut self, named: &IstioDestinationRule) -> Outcome<Value> {
        let key = self.key.sibling(Kind::DestinationRule, &named.name);
        let found = self.store.get(&key).map(|object| (**object).clone());
        found.ok_or_else(|| {
            self.warn("DestinationRuleNotFound", format!("DestinationRule `{}` not found", named.name));
            Stop(ApiError::not_found(&key).message)
        })
    }

    /// `isReplicaSetReferencedByIstioDestinationRule`.
    pub(in super::super::super) fn is_in_destination_rule(&self, hash: &str) -> bool {
        let routing = self.canary().traffic_routing.as_ref();
        let named = routing.and_then(|routing| routing.istio.as_ref()?.destination_rule.as_ref());
        let rule =
            named.and_then(|named| self.store.get(&self.key.sibling(Kind::DestinationRule, &named.name)));
        let subsets = rule.and_then(|rule| rule.pointer("/spec/subsets")?.as_array());
        subsets.into_iter().flatten().any(|subset| subset["labels"][HASH_LABEL] == json!(hash))
    }
}

fn annotate(rule: &mut Value, rollout: &str) {
    let annotations = &mut rule["metadata"]["annotations"];
    if !annotations.is_object() {
        *annotations = json!({});
    }
    annotations[MANAGED_BY] = json!(rollout);
}

fn has_more(subset: &Value) -> bool {
    subset.as_object().is_some_and(|subset| subset.keys().any(|key| key != "name" && key != "labels"))
}

/// The subsets of the revisions and of experiments; any other goes.
fn with_hashes(subsets: Vec<Value>, named: &IstioDestinationRule, target: &Target) -> Vec<Value> {
    let mut missing: Vec<_> = target.additional.iter().collect();
    let mut kept = vec![];
    for mut subset in subsets {
        let name = text_at(&subset, "/name").to_owned();
        let hash = if name == named.canary_subset_name {
            target.canary_hash.clone()
        } else if name == named.stable_subset_name {
            target.stable_hash.clone()
        } else if let Some(nth) = missing.iter().position(|one| one.service_name == name) {
            missing.remove(nth).pod_template_hash.clone()
        } else {
            continue;
        };
        label(&mut subset, &hash);
        kept.push(subset);
    }
    let new = missing
        .into_iter()
        .map(|one| json!({"name": one.service_name, "labels": {HASH_LABEL: one.pod_template_hash}}));
    kept.extend(new);
    kept
}

fn label(subset: &mut Value, hash: &str) {
    let labels = &mut subset["labels"];
    if !labels.is_object() {
        *labels = json!({});
    }
    match labels.as_object_mut() {
        Some(labels) if hash.is_empty() => drop(labels.remove(HASH_LABEL)),
        _ => labels[HASH_LABEL] = json!(hash),
    }
}

/// Whether a Rollout names this DestinationRule.
pub(in super::super::super) fn refers_to(rollout: &crate::argo::rollout::Rollout, name: &str) -> bool {
    let canary = rollout.spec.strategy.canary.as_ref();
    let routing = canary.and_then(|canary| canary.traffic_routing.as_ref());
    let rule = routing.and_then(|routing| routing.istio.as_ref()?.destination_rule.as_ref());
    rule.is_some_and(|rule| rule.name == name)
}

/// A DestinationRule without what a Rollout put into it; `None` when there is nothing of the kind (`syncDestinationRule`
/// in rollout/trafficrouting/istio/controller.go v1.9.1).
pub(in super::super::super) fn cleaned(rule: &Value) -> Option<Value> {
    let mut clean = rule.clone();
    if let Some(annotations) = clean.pointer_mut("/metadata/annotations").and_then(Value::as_object_mut) {
        annotations.remove(MANAGED_BY);
    }
    let subsets = clean.pointer_mut("/spec/subsets").and_then(Value::as_array_mut);
    for labels in subsets.into_iter().flatten().filter_map(|subset| subset.get_mut("labels")?.as_object_mut())
    {
        labels.remove(HASH_LABEL);
    }
    (clean != *rule).then_some(clean)
}
