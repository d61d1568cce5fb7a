//! Who grows and who shrinks (rolling.go, recreate.go and `scale` in sync.go v1.34).
//!
//! The copies here take over every write, as upstream's do: the next decision of the same pass counts with it.

use serde_json::json;

use super::object::{DESIRED, MAX, Set};
use super::sync::Sync;

impl Sync<'_> {
    fn total(&self) -> i64 {
        self.all().map(Set::size).sum()
    }

    fn min_available(&self) -> i64 {
        self.deployment.replicas - self.deployment.unavailable
    }

    /// `NewRSNewReplicas`: as big as the surge allows beside what is there.
    pub(super) fn new_size(&self, new: &Set) -> i64 {
        let wanted = self.deployment.replicas;
        if self.deployment.recreates {
            return wanted;
        }
        let others: i64 = self.old.iter().map(Set::size).sum();
        let room = wanted + self.deployment.surge - others - new.size();
        if room <= 0 { new.size() } else { new.size() + room.min(wanted - new.size()) }
    }

    /// `scaleReplicaSet`: the copy as it is afterwards, and whether its size changed.
    fn scale(&mut self, set: &mut Set, size: i64) -> bool {
        let before = set.size();
        let stale = self.annotate_sizes(set);
        if before == size && !stale {
            return false;
        }
        set.0["spec"]["replicas"] = json!(size);
        self.put(set);
        *set = set.clone().written();
        if before != size {
            let way = if before < size { "up" } else { "down" };
            let message = format!("Scaled {way} replica set {} from {before} to {size}", set.name());
            self.event("ScalingReplicaSet", message);
        }
        before != size
    }

    /// The same, but nothing is written for the annotations alone (`scaleReplicaSetAndRecordEvent`).
    fn resize(&mut self, set: &mut Set, size: i64) -> bool {
        set.size() != size && self.scale(set, size)
    }

    /// `reconcileNewReplicaSet`.
    pub(super) fn grow_new(&mut self) -> bool {
        let Some(mut new) = self.new.clone() else { return false };
        let wanted = self.deployment.replicas;
        let size = if new.size() > wanted { wanted } else { self.new_size(&new) };
        let scaled = self.resize(&mut new, size);
        self.new = Some(new);
        scaled
    }

    /// `reconcileOldReplicaSets`: pods that are of no use go first, then as many as availability allows.
    pub(super) fn shrink_old(&mut self) -> bool {
        let Some(new) = &self.new else { return false };
        if self.old.iter().all(|set| set.size() == 0) {
            return false;
        }
        let budget = self.total() - self.min_available() - (new.size() - new.available());
        if budget <= 0 {
            return false;
        }
        let useless = self.take_from_old(budget, |set| set.size() - set.available());
        let available: i64 = self.all().map(Set::available).sum();
        let spare = self.take_from_old(available - self.min_available(), Set::size);
        useless + spare > 0
    }

    /// Takes up to `budget` pods from the old `ReplicaSets`, the oldest first, of each no more than it can give.
    fn take_from_old(&mut self, budget: i64, gives: impl Fn(&Set) -> i64) -> i64 {
        let mut old = std::mem::take(&mut self.old);
        old.sort_by(|left, right| left.age().cmp(&right.age()));
        let mut taken = 0;
        for set in old.iter_mut().filter(|set| set.size() > 0) {
            let take = gives(set).min(budget - taken).max(0);
            self.resize(set, set.size() - take);
            taken += take;
        }
        self.old = old;
        taken
    }

    /// `scaleDownOldReplicaSetsForRecreate`.
    pub(super) fn empty_old(&mut self) -> bool {
        self.take_from_old(i64::MAX, Set::size) > 0
    }

    /// `scaleUpNewReplicaSetForRecreate`.
    pub(super) fn fill_new(&mut self) {
        if let Some(mut new) = self.new.take() {
            self.resize(&mut new, self.deployment.replicas);
            self.new = Some(new);
        }
    }

    /// `scale`: a new size is for the only active `ReplicaSet`, or for all in proportion, so that scaling in the middle
    /// of an update does not hasten it.
    pub(super) fn scale_all(&mut self) {
        let active = self.all().filter(|set| set.size() > 0).count();
        if active <= 1 {
            return self.scale_active_or_latest();
        }
        if self.is_saturated() {
            self.take_from_old(i64::MAX, Set::size);
        } else if !self.deployment.recreates {
            self.scale_in_proportion();
        }
    }

    /// `FindActiveOrLatest`.
    fn scale_active_or_latest(&mut self) {
        let wanted = self.deployment.replicas;
        let old = self.old.iter().position(|set| set.size() > 0);
        let newest = || self.old.iter().enumerate().max_by(|left, right| left.1.age().cmp(&right.1.age()));
        match (&self.new, old) {
            (Some(_), None) => self.fill_new(),
            (None, None) => {
                if let Some((index, _)) = newest() {
                    self.resize_old(index, wanted);
                }
            }
            (_, Some(index)) => self.resize_old(index, wanted),
        }
    }

    fn resize_old(&mut self, index: usize, size: i64) {
        let mut set = self.old[index].clone();
        self.resize(&mut set, size);
        self.old[index] = set;
    }

    /// `IsSaturated`.
    fn is_saturated(&self) -> bool {
        let wanted = self.deployment.replicas;
        self.new.as_ref().is_some_and(|new| {
            new.size() == wanted && new.noted(DESIRED) == Some(wanted) && new.available() == wanted
        })
    }

    fn scale_in_proportion(&mut self) {
        let wanted = self.deployment.replicas;
        let allowed = if wanted > 0 { wanted + self.deployment.surge } else { 0 };
        let to_add = allowed - self.total();
        let mut sets: Vec<Set> = self.all().filter(|set| set.size() > 0).cloned().collect();
        // Of two that are as big, the newer one grows first and the older one shrinks first.
        sets.sort_by(|left, right| {
            let by_age = left.age().cmp(&right.age());
            right.size().cmp(&left.size()).then(if to_add > 0 { by_age.reverse() } else { by_age })
        });
        let mut added = 0;
        let mut sizes: Vec<i64> = vec![];
        for set in &sets {
            let share = self.proportion(set, to_add, added);
            sizes.push(set.size() + share);
            added += share;
        }
        if let Some(largest) = sizes.first_mut() {
            *largest = (*largest + to_add - added).max(0);
        }
        for (mut set, size) in sets.into_iter().zip(sizes) {
            self.scale(&mut set, size);
            let one = self.new.iter_mut().chain(&mut self.old).find(|one| one.name() == set.name());
            if let Some(one) = one {
                *one = set;
            }
        }
    }

    /// `GetReplicaSetProportion`.
    fn proportion(&self, set: &Set, to_add: i64, added: i64) -> i64 {
        if to_add == added {
            return 0;
        }
        let (share, left) = (self.fraction(set), to_add - added);
        if to_add > 0 { share.min(left) } else { share.max(left) }
    }

    /// `getReplicaSetFraction`: the size of before, in proportion to what the Deployment may have now.
    fn fraction(&self, set: &Set) -> i64 {
        let wanted = self.deployment.replicas;
        if wanted == 0 {
            return -set.size();
        }
        let known = set.noted(MAX).filter(|max| *max > 0);
        let before = known.or_else(|| self.deployment.status()["replicas"].as_i64()).unwrap_or(0);
        if before == 0 {
            return 0;
        }
        // Rounded half up, as upstream rounds a fraction that is never negative.
        let now = set.size().saturating_mul(wanted + self.deployment.surge);
        (now.saturating_mul(2) + before).div_euclid(before.saturating_mul(2)) - set.size()
    }
}
