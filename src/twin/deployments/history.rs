//! The end of the oldest `ReplicaSets` (`cleanupDeployment` in sync.go v1.34).

use super::object::Set;
use super::sync::Sync;
use crate::twin::effect::Effect;
use crate::twin::store::{Kind, text_at};

impl Sync<'_> {
    /// Deletes empty `ReplicaSets` beyond the limit, the oldest revision first.
    pub(super) fn clean_up(&mut self) {
        let Some(limit) = self.deployment.history_limit() else { return };
        let alive = |set: &&Set| text_at(&set.0, "/metadata/deletionTimestamp").is_empty();
        let mut old: Vec<&Set> = self.old.iter().filter(alive).collect();
        old.sort_by_key(|set| (set.revision().unwrap_or(0), set.age()));
        let surplus = old.len().saturating_sub(limit);
        let empty = old.into_iter().take(surplus).filter(|set| {
            let generation = set.0["metadata"]["generation"].as_i64().unwrap_or(0);
            set.size() == 0 && set.count("replicas") == 0 && generation <= set.count("observedGeneration")
        });
        let names: Vec<String> = empty.map(|set| set.name().to_owned()).collect();
        for name in names {
            self.out.push(Effect::Delete { key: self.key.sibling(Kind::ReplicaSet, &name) });
        }
    }
}
