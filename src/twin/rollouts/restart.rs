//! Pods older than `spec.restartAt` are evicted, a few at a time (rollout/restart.go v1.9.1).

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};

use super::context::{Context, RESYNC};
use super::defaults::seconds;
use super::fences;
use super::views::ReplicaSet;
use crate::clock::Moment;
use crate::twin::store::{Kind, labels_of, text_at};

/// How soon to look again while pods remain.
const CHECK: Duration = Duration::from_secs(30);

impl Context<'_> {
    /// `RolloutPodRestarter.Reconcile`; how many pods were evicted. No PodDisruptionBudget is imitated: every eviction
    /// succeeds.
    pub(super) fn restart_pods(&mut self) -> usize {
        let wanted = self.rollout.spec.restart_at.clone();
        let Some(restart_at) = wanted.as_deref().and_then(Moment::parse_rfc3339) else { return 0 };
        if self.now <= restart_at {
            let remaining = restart_at.since(self.now);
            if remaining < RESYNC {
                self.out.requeue_after(remaining + Duration::from_millis(1));
            }
            return 0;
        }
        let done = self.rollout.status.restarted_at.as_deref().and_then(Moment::parse_rfc3339);
        if done == Some(restart_at) {
            return 0;
        }
        let (evicted, remain) = self.evict_older_than(restart_at);
        if remain {
            self.out.requeue_after(CHECK);
        } else {
            self.fresh.restarted_at = wanted;
        }
        evicted
    }

    /// Evicts what may go now; returns how many that were, and whether pods remain that must.
    fn evict_older_than(&mut self, restart_at: Moment) -> (usize, bool) {
        let pods = self.pods_stable_first();
        let available = pods.iter().filter(|pod| self.is_available(pod)).count();
        let total = self.all.iter().map(ReplicaSet::replicas).fold(0, i32::saturating_add);
        let must_stay = self.rollout.replicas().max(total) - fences::max_unavailable(&self.rollout).max(1);
        let mut may_go = i32::try_from(available).unwrap_or(i32::MAX) - must_stay;
        let (mut evicted, mut remain) = (0, false);
        for pod in &pods {
            let created = Moment::parse_rfc3339(text_at(pod, "/metadata/creationTimestamp"));
            if created.is_none_or(|created| created >= restart_at) {
                continue;
            }
            if may_go <= 0 || is_going(pod) {
                remain = true;
                continue;
            }
            self.delete(Kind::Pod, text_at(pod, "/metadata/name"));
            may_go -= 1;
            evicted += 1;
        }
        (evicted, remain)
    }

    /// Upstream sorts the ReplicaSets by priority but lists the pods as the API server does: by name.
    fn pods_stable_first(&self) -> Vec<Value> {
        let owners: BTreeSet<&str> = self.all.iter().map(|rs| text_at(&rs.0, "/metadata/uid")).collect();
        let selector = self.rollout.spec.selector.clone().unwrap_or_default();
        let owned = |pod: &Value| {
            let references = pod.pointer("/metadata/ownerReferences").and_then(Value::as_array);
            references.into_iter().flatten().any(|owner| owners.contains(text_at(owner, "/uid")))
        };
        let pods = self.store.list(Kind::Pod, Some(&self.key.namespace));
        let pods = pods.filter(|(_, pod)| selector.matches(&labels_of(pod)) && owned(pod));
        pods.map(|(_, pod)| (**pod).clone()).collect()
    }

    /// `IsPodAvailable`, and not on its way out.
    fn is_available(&self, pod: &Value) -> bool {
        let conditions = pod.pointer("/status/conditions").and_then(Value::as_array);
        let ready = conditions.into_iter().flatten().find(|one| one["type"] == json!("Ready"));
        let Some(ready) = ready.filter(|one| one["status"] == json!("True") && !is_going(pod)) else {
            return false;
        };
        let wait = self.rollout.spec.min_ready_seconds;
        let since = Moment::parse_rfc3339(text_at(ready, "/lastTransitionTime"));
        wait == 0 || since.is_some_and(|since| since + seconds(wait) < self.now)
    }
}

fn is_going(pod: &Value) -> bool {
    !text_at(pod, "/metadata/deletionTimestamp").is_empty()
}
