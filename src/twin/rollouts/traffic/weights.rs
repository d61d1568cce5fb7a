//! What share of the traffic the new revision is to have (`reconcileTrafficRouting` and
//! `calculateDesiredWeightOnAbortOrStableRollback` in rollout/trafficrouting.go v1.9.1).

use super::super::context::Context;
use super::super::steps;
use super::super::views::ReplicaSet;
use crate::argo::rollout::{TrafficWeights, WeightDestination};

impl Context<'_> {
    /// `IsDynamicallyRollingBackToStable`: the revision that still has traffic while a stable one with
    /// `dynamicStableScale`, back by its template, is too small to take all of it.
    pub(in super::super) fn rolled_back_from(&self) -> Option<String> {
        self.leaves_for(self.new.as_ref()?)
    }

    /// The same for any revision in the place of the new one.
    pub(super) fn leaves_for(&self, new: &ReplicaSet) -> Option<String> {
        let canary = self.canary();
        if !self.rollout.is_fully_promoted()
            || canary.traffic_routing.is_none()
            || !canary.dynamic_stable_scale
        {
            return None;
        }
        let left = &self.rollout.status.canary.weights.as_ref()?.canary.pod_template_hash;
        let small = new.available() < self.rollout.replicas();
        (left != new.hash() && small).then(|| left.clone())
    }

    /// The weight while traffic goes back to the stable revision: nothing at once, or with `dynamicStableScale` as much
    /// as the stable revision cannot carry yet, in the steps of the way up.
    pub(in super::super) fn weight_on_the_way_back(&self) -> i32 {
        let (Some(new), Some(stable)) = (&self.new, &self.stable) else { return 0 };
        if !self.canary().dynamic_stable_scale || self.rollout.replicas() == 0 {
            return 0;
        }
        let max = self.canary().max_weight();
        let carried = self.share_of(stable.available());
        let wanted = steps::desired_weight(&self.rollout, Some(new), Some(stable));
        let left = max.saturating_sub(carried).max(0);
        let Some(weights) = &self.rollout.status.canary.weights else { return left.max(wanted) };
        let now = weights.canary.weight;
        if wanted <= 0 {
            return left.min(now); // Never back up, although stable pods may come and go.
        }
        if carried < max.saturating_sub(wanted) { now } else { wanted.min(now) }
    }

    /// A full promotion skips steps, not pods.
    pub(super) fn weight_of_full_promotion(&self, available: i32) -> i32 {
        if self.canary().dynamic_stable_scale {
            return self.share_of(available);
        }
        self.rollout.status.canary.weights.as_ref().map_or(0, |weights| weights.canary.weight)
    }

    /// The weight of the current step, or the one before while the pods of the current one are not there yet.
    pub(super) fn weight_of_step(&self) -> i32 {
        if steps::position(&self.rollout).is_none() {
            0
        } else if self.revisions().at_desired_sizes(None) {
            steps::set_weight(&self.rollout)
        } else {
            steps::previous_weight(&self.rollout)
        }
    }

    /// What so many pods can carry.
    fn share_of(&self, pods: i32) -> i32 {
        let product = i64::from(self.canary().max_weight()) * i64::from(pods);
        i32::try_from(product / i64::from(self.rollout.replicas().max(1))).unwrap_or(i32::MAX)
    }
}

/// `trafficWeightUpdatedMessage`; empty when only hashes or Services changed.
pub(super) fn describe_change(before: Option<&TrafficWeights>, now: &TrafficWeights) -> String {
    let Some(before) = before else { return format!("to {}", now.canary.weight) };
    let mut details = vec![];
    if before.canary.weight != now.canary.weight {
        details.push(format!("from {} to {}", before.canary.weight, now.canary.weight));
    }
    if before.additional != now.additional {
        let one = |one: &WeightDestination| {
            format!("{{{} {} {}}}", one.weight, one.service_name, one.pod_template_hash)
        };
        let list: Vec<String> = now.additional.iter().map(one).collect();
        details.push(format!("additional: [{}]", list.join(" ")));
    }
    details.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn weights(weight: i32, additional: &[i32]) -> TrafficWeights {
        let share = |weight: &i32| WeightDestination { weight: *weight, ..WeightDestination::default() };
        TrafficWeights {
            canary: share(&weight),
            additional: additional.iter().map(share).collect(),
            ..TrafficWeights::default()
        }
    }

    #[test]
    fn a_change_is_told_from_what_to_what() {
        assert_eq!(describe_change(None, &weights(0, &[])), "to 0");
        assert_eq!(describe_change(Some(&weights(0, &[])), &weights(20, &[])), "from 0 to 20");
        assert_eq!(describe_change(Some(&weights(20, &[])), &weights(20, &[])), "");
        let both = "from 5 to 0, additional: [{1  } {2  }]";
        assert_eq!(describe_change(Some(&weights(5, &[])), &weights(0, &[1, 2])), both);
    }
}
