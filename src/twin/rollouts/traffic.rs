//! Traffic routing: what share the new revision gets, and who carries it out (rollout/trafficrouting.go v1.9.1).
//!
//! Here is the order of things and the record of the weights in the status; [`weights`] decides the share, and a
//! [`Router`] makes it so. None of the routers imitated can verify a weight, so `status.canary.weights.verified` stays
//! empty.

pub(super) mod istio;
mod nginx;
mod router;
mod weights;

use super::context::{Context, Outcome, Stop};
use super::service::Availability;
use super::steps;
use super::views::ReplicaSet;
use crate::argo::rollout::{TrafficWeights, WeightDestination};

pub(super) use self::nginx::canary_ingress_name;
use self::router::Router;

/// What a router is to do.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Target {
    /// The share of the new revision.
    pub(super) weight: i32,
    /// Which revision that is.
    pub(super) canary_hash: String,
    /// Which revision gets the rest.
    pub(super) stable_hash: String,
    /// Shares of experiments, taken from the stable revision's.
    pub(super) additional: Vec<WeightDestination>,
}

impl Context<'_> {
    /// `reconcileTrafficRouting`.
    pub(super) fn reconcile_traffic_routing(&mut self) -> Outcome {
        let routers: Vec<Router> =
            self.canary().traffic_routing.as_ref().map(Router::all).unwrap_or_default();
        if routers.is_empty() {
            self.fresh.canary.weights = None;
            return Ok(());
        }
        for router in routers {
            let target = self.aim(&router)?;
            let max = self.canary().max_weight();
            if !self.can_carry(self.stable.as_ref(), max.saturating_sub(target.weight)) {
                return Ok(());
            }
            self.direct(&router, &target)?;
            self.record_weights(&target);
        }
        Ok(())
    }

    /// The share of each revision. Managed routes go whenever the new revision is not to be reached on purpose.
    fn aim(&mut self, router: &Router) -> Outcome<Target> {
        let hash = |rs: &Option<ReplicaSet>| rs.as_ref().map_or("", ReplicaSet::hash).to_owned();
        let mut target =
            Target { canary_hash: hash(&self.new), stable_hash: hash(&self.stable), ..Target::default() };
        let available = self.new.as_ref().map_or(0, ReplicaSet::available);
        if let Some(left) = self.rolled_back_from() {
            target.weight = self.weight_on_the_way_back();
            target.canary_hash = left;
            return Ok(target);
        } else if self.rollout.is_fully_promoted() {
            // Nobody new to send anything to.
        } else if available == 0 && !self.is_aborted() {
            target.additional = self.experiment_weights();
        } else if self.is_aborted() {
            target.weight = self.weight_on_the_way_back();
            if !self.canary().dynamic_stable_scale || target.weight == 0 {
                let (name, stable) = (self.canary().canary_service.clone(), self.stable.clone());
                self.ensure_service(&name, stable.as_ref(), Availability::Ignored)?;
            }
        } else if self.rollout.status.promote_full {
            target.weight = self.weight_of_full_promotion(available);
        } else {
            target.weight = self.weight_of_step();
            target.additional = self.experiment_weights();
            return Ok(target);
        }
        router.remove_managed_routes(self)?;
        Ok(target)
    }

    /// `checkReplicasAvailable`: a revision has pods enough for its share.
    fn can_carry(&self, rs: Option<&ReplicaSet>, weight: i32) -> bool {
        let Some(rs) = rs else { return false };
        let max = i64::from(self.canary().max_weight().max(1));
        let wanted = i64::from(weight) * i64::from(self.rollout.replicas()) / max;
        let wanted = i32::try_from(wanted).unwrap_or(i32::MAX);
        let threshold = self.canary().replica_progress_threshold.as_ref();
        rs.available() >= wanted || super::counts::progress_threshold_met(threshold, Some(rs), wanted)
    }

    /// Routes, hashes and weights, in that order; but the weight goes first when it must leave pods that are no more.
    fn direct(&mut self, router: &Router, target: &Target) -> Outcome {
        let step = steps::current(&self.rollout).filter(|_| self.rollout.revision() > 1).cloned();
        if let Some(step) = step {
            if let Some(route) = &step.set_header_route {
                router.set_header_route(self, route)?;
            }
            if let Some(route) = &step.set_mirror_route {
                router.set_mirror_route(self, route)?;
            }
        }
        let weighted = |weights: &TrafficWeights| weights.canary.weight > 0;
        let had = self.rollout.status.canary.weights.as_ref().is_some_and(weighted);
        if had && self.new.as_ref().is_none_or(|new| new.available() == 0) {
            self.set_weight(router, target)?;
        }
        router.update_hash(self, target)?;
        self.set_weight(router, target)
    }

    fn set_weight(&mut self, router: &Router, target: &Target) -> Outcome {
        router.set_weight(self, target).map_err(|Stop(error)| {
            self.warn("TrafficRoutingError", super::events::garbled(&error));
            Stop(error)
        })
    }

    /// `calculateWeightStatus`, and the event about a change.
    fn record_weights(&mut self, target: &Target) {
        let canary = self.canary();
        let taken = target.additional.iter().map(|one| one.weight).fold(target.weight, i32::saturating_add);
        let share = |weight: i32, service: &str, hash: &str| WeightDestination {
            weight,
            service_name: service.into(),
            pod_template_hash: hash.into(),
        };
        let stable = canary.max_weight().saturating_sub(taken);
        let weights = TrafficWeights {
            canary: share(target.weight, &canary.canary_service, &target.canary_hash),
            stable: share(stable, &canary.stable_service, &target.stable_hash),
            additional: target.additional.clone(),
            verified: None,
        };
        let before = self.rollout.status.canary.weights.as_ref();
        let known = before.map(|before| TrafficWeights { verified: None, ..before.clone() });
        if known.as_ref() != Some(&weights) {
            let message = format!("Traffic weight updated {}", weights::describe_change(before, &weights));
            self.event("TrafficWeightUpdated", message);
        }
        self.fresh.canary.weights = Some(weights);
    }
}
