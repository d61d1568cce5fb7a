//! Selectors of Services (rollout/service.go and service/service.go v1.9.1).

use std::time::Duration;

use serde_json::{Value, json};

use super::context::{Context, Outcome, Stop};
use super::events::garbled;
use super::views::{ReplicaSet, Service};
use super::wake;
use crate::argo::rollout::{HASH_LABEL, MANAGED_BY, Rollout};
use crate::clock::Moment;
use crate::twin::effect::{Effect, Reconciled};
use crate::twin::store::{Key, Kind, Part, Patch, Store};

impl Context<'_> {
    /// The preview Service follows the new revision, unless progress is halted.
    pub(super) fn reconcile_preview_service(&mut self) -> Outcome {
        let name = self.bluegreen().preview_service.clone();
        if name.is_empty() || self.is_halted() {
            return Ok(());
        }
        let hash = self.new_rs()?.hash().to_owned();
        self.switch_service(&name, &hash)
    }

    /// The active Service moves only when every pod of the new revision is available, in either direction.
    pub(super) fn reconcile_active_service(&mut self) -> Outcome {
        let new = self.new_rs()?;
        let saturated = new.is_saturated(self.rollout.replicas());
        if self.is_halted() || !self.is_ready_for_pause(&new) || !saturated {
            return Ok(());
        }
        let name = self.bluegreen().active_service.clone();
        let proven = self.completed_blue_green_pause() && self.completed_pre_promotion_analysis();
        let hash = if self.rollout.status.abort {
            self.rollout.status.stable_rs.clone()
        } else if proven || self.is_fast_tracked(&new) {
            new.hash().to_owned()
        } else {
            self.selected(&name)
        };
        self.switch_service(&name, &hash)
    }

    /// `switchServiceSelector`.
    fn switch_service(&mut self, name: &str, hash: &str) -> Outcome {
        let Some(service) = self.service(name) else {
            return Err(Stop(format!("service \"{name}\" not found")));
        };
        let (selected, managed) = (service.selected().map(str::to_owned), service.managed_by().is_some());
        if managed && selected.as_deref() == Some(hash) {
            return Ok(());
        }
        let mut patch = json!({"spec": {"selector": {HASH_LABEL: hash}}});
        if !managed {
            patch["metadata"] = json!({"annotations": {MANAGED_BY: self.rollout.metadata.name}});
        }
        self.patch(Kind::Service, name, Part::Main, Patch::Strategic(patch));
        let before = selected.unwrap_or_default();
        let message = format!("Switched selector for service '{name}' from '{before}' to '{hash}'");
        self.event("SwitchService", garbled(&message));
        if let Some(service) = self.services.get_mut(name) {
            service.select(hash);
        }
        Ok(())
    }
}

impl Context<'_> {
    /// `reconcilePingAndPongService`: of ping and pong, the one that is not stable follows the new revision.
    pub(super) fn reconcile_ping_pong_service(&mut self) -> Outcome {
        let Some(pair) = self.canary().ping_pong.clone() else { return Ok(()) };
        if self.rollout.is_fully_promoted() {
            return Ok(());
        }
        let stable_is_ping = self.rollout.status.canary.stable_ping_pong == "ping";
        let name = if stable_is_ping { pair.pong_service } else { pair.ping_service };
        let new = self.new.clone();
        self.ensure_service(&name, new.as_ref(), Availability::Ignored)
    }

    /// `reconcileStableAndCanaryService`. Without traffic routing an abort turns the canary Service to stable.
    pub(super) fn reconcile_stable_and_canary_services(&mut self) -> Outcome {
        let canary = self.canary();
        let names = (canary.stable_service.clone(), canary.canary_service.clone());
        let basic = canary.traffic_routing.is_none();
        let (new, stable) = (self.new.clone(), self.stable.clone());
        self.ensure_service(&names.0, stable.as_ref(), Availability::Needed)?;
        if self.is_aborted() && basic {
            return self.ensure_service(&names.1, stable.as_ref(), Availability::Needed);
        }
        if self.rolled_back_from().is_some() || self.would_only_flip() {
            return Ok(()); // The stable revision is still too small for all of the traffic, or see there.
        }
        self.ensure_service(&names.1, new.as_ref(), Availability::Needed)
    }

    /// After an abort with traffic routing upstream turns the canary Service to the new revision here and back to
    /// stable in the same reconcile, whose writes wake the next, for as long as a pod of the new revision is available:
    /// dozens of writes a second. The first second or two of that are imitated: the stamp has no fractions.
    fn would_only_flip(&self) -> bool {
        let since = self.rollout.status.aborted_at.as_deref().and_then(Moment::parse_rfc3339);
        let long = since.is_some_and(|since| since + Duration::from_secs(2) <= self.now);
        let weights = self.rollout.status.canary.weights.as_ref();
        let back = !self.canary().dynamic_stable_scale
            || weights
                .is_some_and(|weights| weights.canary.weight == 0 && self.weight_on_the_way_back() == 0);
        self.is_aborted() && long && back && self.canary().traffic_routing.is_some()
    }

    /// `ensureSVCTargets`: a Service is adopted once its revision is complete, and moves to one with a pod at least.
    pub(super) fn ensure_service(
        &mut self,
        name: &str,
        rs: Option<&ReplicaSet>,
        availability: Availability,
    ) -> Outcome {
        let Some(rs) = rs.filter(|_| !name.is_empty()) else { return Ok(()) };
        let Some(service) = self.service(name) else {
            return Err(Stop(format!("service \"{name}\" not found")));
        };
        if service.selected().unwrap_or("") == rs.hash() {
            return Ok(());
        }
        let complete = rs.replicas() != 0 && rs.available() != 0 && rs.replicas() <= rs.available();
        let enough = if service.managed_by().is_some() { rs.available() > 0 } else { complete };
        if availability == Availability::Needed && !enough {
            return Ok(());
        }
        self.switch_service(name, rs.hash())
    }
}

/// Whether a Service may be turned to a revision that nobody can reach yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Availability {
    Needed,
    Ignored,
}

/// The Services a Rollout names, each with the field that names it, in the order in which upstream looks at them.
pub(super) fn named(rollout: &Rollout) -> Vec<(&'static str, &str)> {
    let strategy = &rollout.spec.strategy;
    let names = match (&strategy.blue_green, &strategy.canary) {
        (Some(green), _) => {
            vec![("activeService", &green.active_service), ("previewService", &green.preview_service)]
        }
        (None, Some(canary)) => {
            let mut names =
                vec![("stableService", &canary.stable_service), ("canaryService", &canary.canary_service)];
            let pair = canary.ping_pong.iter();
            names.extend(pair.flat_map(|pair| {
                [("pingPong.pingService", &pair.ping_service), ("pingPong.pongService", &pair.pong_service)]
            }));
            names
        }
        (None, None) => vec![],
    };
    names
        .into_iter()
        .filter(|(_, name)| !name.is_empty())
        .map(|(field, name)| (field, name.as_str()))
        .collect()
}

/// What the Service controller does about a Service (and Istio's about a DestinationRule, alike) that changed or was released: one that carries the hash although
/// no Rollout names it is freed of hash and annotation (`syncService`). Waking the Rollout is [`super::concerned`]'s.
#[must_use]
pub fn sync_service(store: &Store, key: &Key) -> Reconciled {
    let mut out = Reconciled::nothing();
    if key.kind == Kind::DestinationRule {
        let clean = wake::sync_destination_rule(store, key).into_iter();
        let update = |object| Effect::Update { kind: key.kind, part: Part::Main, object };
        out.effects.extend(clean.map(update));
        return out;
    }
    let Some(object) = store.get(key) else { return out };
    let service = Service::of(std::sync::Arc::clone(object));
    // Without the annotation upstream's patch takes away an annotation that is not there.
    let free = service.selected().is_none() || service.managed_by().is_none();
    if free || !wake::users(store, key, object).is_empty() {
        return out;
    }
    let patch = json!({
        "spec": {"selector": {HASH_LABEL: Value::Null}},
        "metadata": {"annotations": {MANAGED_BY: Value::Null}},
    });
    out.push(Effect::Patch { key: key.clone(), part: Part::Main, patch: Patch::Merge(patch) });
    out
}
