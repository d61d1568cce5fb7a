//! How many pods each revision of a canary is to have now (utils/replicaset/canary.go v1.9.1).
//!
//! Without traffic routing pods are the traffic, so the sizes move towards the weight under `maxSurge` and
//! `maxUnavailable`; with it the stable revision keeps its size unless `dynamicStableScale` is set.

use super::fences;
use super::steps::{self, Share, weight_to_pods};
use super::views::ReplicaSet;
use crate::argo::rollout::{Canary, ProgressThreshold, Rollout, TrafficWeights};

/// A Rollout and its revisions.
#[derive(Debug, Clone, Copy)]
pub(super) struct Revisions<'a> {
    pub(super) rollout: &'a Rollout,
    pub(super) new: Option<&'a ReplicaSet>,
    pub(super) stable: Option<&'a ReplicaSet>,
    /// Neither new nor stable.
    pub(super) other: &'a [ReplicaSet],
}

/// Sizes of the new and the stable revision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sizes {
    pub(super) canary: i32,
    pub(super) stable: i32,
}

impl<'a> Revisions<'a> {
    /// The sizes for now.
    pub(super) fn sizes(&self, weights: Option<&TrafficWeights>) -> Sizes {
        match self.canary().filter(|canary| canary.traffic_routing.is_some()) {
            Some(canary) => self.routed(canary, weights),
            None => self.basic(),
        }
    }

    fn canary(&self) -> Option<&'a Canary> {
        self.rollout.spec.strategy.canary.as_ref()
    }

    /// `CheckStableRSExists`: a stable revision beside the new one.
    pub(super) fn old_stable(&self) -> Option<&'a ReplicaSet> {
        self.stable.filter(|stable| self.new.is_none_or(|new| new.name() != stable.name()))
    }

    /// `AtDesiredReplicaCountsForCanary`: everybody has the size that this step asks for.
    pub(super) fn at_desired_sizes(&self, weights: Option<&TrafficWeights>) -> bool {
        let Some(canary) = self.canary() else { return false };
        let (sizes, routed) = (self.sizes(weights), canary.traffic_routing.is_some());
        let stable_created =
            self.stable.is_some_and(|rs| rs.replicas() == sizes.stable && rs.actual() == sizes.stable);
        // Without a router every pod serves, so those of older revisions must be gone.
        let others_gone = routed || self.other.iter().all(|rs| rs.available() == 0);
        progress_threshold_met(canary.replica_progress_threshold.as_ref(), self.new, sizes.canary)
            && (stable_created || (routed && canary.dynamic_stable_scale))
            && others_gone
    }

    /// `CalculateReplicaCountsForBasicCanary`: one move towards the target.
    fn basic(&self) -> Sizes {
        let wanted = self.basic_target();
        let limit = self.rollout.replicas().saturating_add(fences::max_surge(self.rollout));
        let sizes = self.grown(wanted, limit);
        // Revisions nobody wants go first.
        if self.other_pods() > 0 { sizes } else { self.drained(wanted, sizes, limit) }
    }

    fn other_pods(&self) -> i32 {
        self.other.iter().map(ReplicaSet::replicas).fold(0, i32::saturating_add)
    }

    /// As much less of the side that is to shrink as may be missing. Its own availability does not count: broken pods
    /// must not keep themselves alive.
    fn drained(&self, wanted: Sizes, mut sizes: Sizes, limit: i32) -> Sizes {
        let least = self.rollout.replicas().saturating_sub(fences::max_unavailable(self.rollout));
        let growing = self.new.is_none_or(|new| wanted.canary >= new.replicas());
        let counted = counted(self.new, !growing).saturating_add(counted(self.stable, growing));
        if counted <= least {
            return sizes;
        }
        if !growing {
            sizes.canary = shrunk(self.new, wanted.canary, counted - least, sizes.canary);
            (sizes.canary, sizes.stable) =
                within_limits((self.new, sizes.canary), (self.stable, sizes.stable), limit, least);
        } else if self.old_stable().is_some() {
            sizes.stable = shrunk(self.stable, wanted.stable, counted - least, sizes.stable);
            (sizes.stable, sizes.canary) =
                within_limits((self.stable, sizes.stable), (self.new, sizes.canary), limit, least);
        }
        sizes
    }

    fn basic_target(&self) -> Sizes {
        let replicas = self.rollout.replicas();
        if self.old_stable().is_none() {
            return Sizes { canary: replicas, stable: 0 };
        }
        let weight = match steps::share(self.rollout, self.new, self.stable) {
            Share::Weight(weight) => weight,
            Share::Pods(_) => 0, // Only a router has explicit sizes.
        };
        approximate(replicas, weight, steps::max_weight(self.rollout), fences::max_surge(self.rollout))
    }

    /// As much growth as there is room for, the stable revision first.
    fn grown(&self, wanted: Sizes, limit: i32) -> Sizes {
        let stable = self.old_stable();
        let now = |rs: Option<&ReplicaSet>| rs.map_or(0, ReplicaSet::replicas);
        let total = self.other_pods().saturating_add(now(self.new)).saturating_add(now(stable));
        let mut room = limit.saturating_sub(total).max(0);
        let mut sizes = Sizes { canary: now(self.new), stable: now(stable) };
        if stable.is_some() {
            let more = wanted.stable.saturating_sub(sizes.stable).clamp(0, room);
            sizes.stable += more;
            room -= more;
        }
        if self.new.is_some() {
            sizes.canary += wanted.canary.saturating_sub(sizes.canary).clamp(0, room);
        }
        sizes
    }

    /// `CalculateReplicaCountsForTrafficRoutedCanary`.
    fn routed(&self, canary: &Canary, weights: Option<&TrafficWeights>) -> Sizes {
        let (replicas, max) = (self.rollout.replicas(), canary.max_weight());
        let pods = |weight: i32| weight_to_pods(replicas, weight, max);
        let at_least = |count: i32| match canary.min_pods_per_replica_set {
            Some(least) if count != 0 => count.max(least),
            _ => count,
        };
        let (mut new, weight) = match steps::share(self.rollout, self.new, self.stable) {
            Share::Pods(count) => (count, 0),
            Share::Weight(weight) => (at_least(pods(weight)), weight),
        };
        if !canary.dynamic_stable_scale {
            return Sizes { canary: new, stable: replicas };
        }
        let mut stable = pods(max.saturating_sub(weight));
        if let Some(weights) = weights {
            // Neither side shrinks before its traffic has gone.
            stable = stable.max(pods(weights.stable.weight));
            if self.rollout.status.abort {
                new = new.max(pods(weights.canary.weight));
            }
        }
        Sizes { canary: at_least(new), stable: at_least(stable) }
    }
}

/// `ReplicaProgressThresholdMet`: enough of a revision is available; all of it unless a threshold says otherwise.
pub(super) fn progress_threshold_met(
    threshold: Option<&ProgressThreshold>,
    rs: Option<&ReplicaSet>,
    wanted: i32,
) -> bool {
    let Some(rs) = rs else { return false };
    let available = rs.available();
    let Some(threshold) = threshold.filter(|threshold| threshold.value >= 0) else {
        return rs.replicas() == wanted && available == wanted;
    };
    if threshold.kind == "Percent" {
        // Exact where upstream compares floating point numbers with a small tolerance.
        return wanted == 0 || i64::from(available) * 100 >= i64::from(threshold.value) * i64::from(wanted);
    }
    available >= threshold.value
}

/// `approximateWeightedCanaryStableReplicaCounts`: the pods whose shares come closest to the weight. With surge one
/// pod more than wanted may run, if that is closer.
fn approximate(replicas: i32, weight: i32, max_weight: i32, surge: i32) -> Sizes {
    if replicas == 0 {
        return Sizes { canary: 0, stable: 0 };
    }
    let up = weight_to_pods(replicas, weight, max_weight);
    let product = i64::from(replicas) * i64::from(weight);
    let down = i32::try_from(product.div_euclid(i64::from(max_weight.max(1)))).unwrap_or(i32::MAX);
    let zero_allowed = weight == max_weight || weight == 0 || (replicas == 1 && surge == 0);
    let mut options = vec![];
    if up < replicas || zero_allowed {
        options.push((up, replicas));
    }
    if !tied(weight, max_weight, replicas) && (down != 0 || zero_allowed) {
        options.push((down, replicas));
    }
    if surge > 0 {
        let more = replicas.saturating_add(1);
        options.push((up, more));
        if !tied(weight, max_weight, more) && (down != 0 || zero_allowed) {
            options.push((down, more));
        }
    }
    let distance = |(canary, total): &(i32, i32)| {
        let actual = f64::from(canary.saturating_mul(max_weight)) / f64::from(*total);
        (actual - f64::from(weight)).abs()
    };
    // The first of several that are equally close.
    let best = options.into_iter().min_by(|left, right| distance(left).total_cmp(&distance(right)));
    best.map_or(Sizes { canary: 0, stable: replicas }, |(canary, total)| Sizes {
        canary,
        stable: total - canary,
    })
}

/// `floorCeilingTied`: rounding up and down are equally far away. Computed in floating point, as upstream does.
fn tied(weight: i32, max_weight: i32, total: i32) -> bool {
    let exact = f64::from(total) * (f64::from(weight) / f64::from(max_weight));
    exact.fract().total_cmp(&0.5).is_eq()
}

/// `GetReplicasForScaleDown`: the pods of a revision that count when another one is to shrink.
fn counted(rs: Option<&ReplicaSet>, ignore_availability: bool) -> i32 {
    let Some(rs) = rs else { return 0 };
    if rs.replicas() < rs.available() || ignore_availability { rs.replicas() } else { rs.available() }
}

/// `calculateScaleDownReplicaCount`.
fn shrunk(rs: Option<&ReplicaSet>, wanted: i32, room: i32, size: i32) -> i32 {
    match rs {
        Some(rs) if rs.replicas() > wanted => wanted.max(rs.replicas().saturating_sub(room)),
        _ => size,
    }
}

/// `adjustReplicaWithinLimits`: the side that grows gives way to the surge limit, as far as enough pods stay
/// available; the side that shrinks gives way to the rest.
fn within_limits(
    drain: (Option<&ReplicaSet>, i32),
    adjust: (Option<&ReplicaSet>, i32),
    limit: i32,
    least: i32,
) -> (i32, i32) {
    let (drained, mut drain_size) = drain;
    let (Some(adjusted), mut size) = adjust else { return (drain_size, adjust.1) };
    let over = |size: i32, drain_size: i32| size.saturating_add(drain_size).saturating_sub(limit).max(0);
    let drain_available = drained.map_or(0, |rs| rs.available().min(drain_size));
    size -= over(size, drain_size);
    let available = drain_available.saturating_add(adjusted.available().min(size));
    let lost = adjusted.available().saturating_sub(size).max(0);
    size += lost.min(least.saturating_sub(available).max(0));
    drain_size -= over(size, drain_size);
    (drain_size, size)
}

#[cfg(test)]
mod tests;
