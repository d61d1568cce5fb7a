//! What the rollouts controller knows: a cache for each kind, and each has a watch of its own.
//!
//! ```text
//! a write ──a kind's watch──► its cache ──read by──► a pass (`kernel`)
//!                               └──its handlers──► news (`news`)
//! ```
//!
//! A pass reads its caches (client-go v0.34 `tools/cache`), so it knows what has arrived and no more: a Service that was
//! made just before its Rollout may be missing, and what the last pass wrote of a ReplicaSet may not be known to the
//! next, whose own write is then refused as stale. As a rule watches are quicker than what they tell of, and in most
//! worlds a pass knows everything; in some, drawn from the seed, some watches are late.
//!
//! Not everything is. What a pass that succeeds wrote of its Rollout it puts into the cache itself
//! (`writeBackToInformer` in rollout/controller.go v1.9.1), and so does any with a Service's selector
//! (`switchServiceSelector` in rollout/service.go changes the cache's own copy); whether a name for an AnalysisRun or an
//! Experiment is taken it learns from the API server. Kubernetes' own controllers know everything: they count what
//! they expect. So do, here, the rollouts controller's lesser parts: AnalysisRuns, notifications, released Services.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use rand::Rng;
use rand_xoshiro::Xoshiro256PlusPlus;

use super::kernel::{Actor, Twin};
use super::latency::Span;
use super::store::{Change, Key, Kind, Store, owner_uid};
use crate::clock::{Moment, Seed};

/// In one world of so many watches are late.
const LATE_IN: u64 = 4;
/// How late at most, as a multiple of what a watch usually takes. Even a late watch is not late every time.
const LATEST: u64 = 12;

/// The kinds that can be late: half of them are where any is.
const LATE: &[Kind] = &[
    Kind::Rollout,
    Kind::Service,
    Kind::ReplicaSet,
    Kind::Ingress,
    Kind::VirtualService,
    Kind::DestinationRule,
    Kind::AnalysisTemplate,
    Kind::Experiment,
];

/// The caches.
#[derive(Debug, Default)]
pub(super) struct Caches {
    /// The late watches: what they take at most, as a multiple of the usual, and the chance of each.
    late: BTreeMap<Kind, (u64, Xoshiro256PlusPlus)>,
    /// What is on its way.
    coming: Vec<Coming>,
}

/// A change on its way to a cache.
#[derive(Debug)]
struct Coming {
    version: u64,
    key: Key,
    at: Moment,
}

impl Caches {
    /// The caches of the world of this seed.
    pub(super) fn new(seed: Seed) -> Caches {
        let seed = seed.child("caches");
        if seed.rng().next_u64().is_multiple_of(LATE_IN) {
            Caches::late(seed.child("late"))
        } else {
            Caches::default()
        }
    }

    /// Caches whose watches are late, as this seed has it.
    pub(super) fn late(seed: Seed) -> Caches {
        let mut rng = seed.rng();
        let late = LATE.iter().filter_map(|kind| {
            let by = (rng.next_u64() % (2 * LATEST) + 1).checked_sub(LATEST).filter(|by| *by > 0)?;
            Some((*kind, (by, seed.nth(*kind as u64).rng())))
        });
        Caches { late: late.collect(), coming: vec![] }
    }

    /// A new controller lists everything before it begins.
    pub(super) fn list(&mut self) {
        self.coming.clear();
    }

    /// Takes in what a pass wrote of its Rollout, up to this version.
    pub(super) fn write_back(&mut self, rollout: &Key, version: u64) {
        self.coming.retain(|one| one.key != *rollout || one.version > version);
    }
}

impl Actor {
    /// Whether it reads objects of this kind from a cache.
    fn caches(self, kind: Kind) -> bool {
        match self {
            Actor::Rollouts => kind != Kind::Experiment,
            Actor::Experiments => matches!(kind, Kind::Experiment | Kind::ReplicaSet),
            _ => false,
        }
    }
}

impl Twin {
    /// Sends a change to its cache. Answers when it arrives, if that is not at once.
    pub(super) fn send_to_cache(&mut self, change: &Change) -> Option<Moment> {
        let kind = change.key.kind;
        let (by, rng) = self.caches.late.get_mut(&kind)?;
        if kind == Kind::Service && change.old.is_some() && change.new.is_some() {
            return None;
        }
        // The canary Ingress: a pass that finds it there after all asks the API server (`SetWeight` in
        // rollout/trafficrouting/nginx/nginx.go).
        let made = change.new.as_ref().filter(|_| kind == Kind::Ingress && change.old.is_none());
        if made.is_some_and(|new| !owner_uid(new).is_empty()) {
            return None;
        }
        let late = rng.next_u64() % (*by + 1);
        let now = self.now();
        let at = now + self.latency.draw(Span::Watch) * u32::try_from(late).unwrap_or(0);
        let coming = &mut self.caches.coming;
        coming.retain(|one| one.at > now);
        // A watch keeps the order of what it tells.
        let before = coming.iter().filter(|one| one.key.kind == kind).map(|one| one.at).max();
        let at = before.map_or(at, |before| before.max(at));
        coming.push(Coming { version: change.version, key: change.key.clone(), at });
        Some(at)
    }

    /// The objects as this part of the rollouts controller knows them now.
    pub(super) fn known_to(&self, actor: Actor) -> Cow<'_, Store> {
        let coming = self.caches.coming.iter();
        let unknown = coming.filter(|one| one.at > self.now() && actor.caches(one.key.kind));
        let unknown: BTreeSet<u64> = unknown.map(|one| one.version).collect();
        if unknown.is_empty() { Cow::Borrowed(&self.store) } else { Cow::Owned(self.store.without(&unknown)) }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::twin::tests::{apply, pass, twin};

    fn template(twin: &mut Twin) -> Key {
        let object = json!({
            "metadata": {"name": "check", "namespace": "default"},
            "spec": {"metrics": [{"name": "up", "provider": {"prometheus": {"query": "up"}}}]},
        });
        apply(twin, Kind::AnalysisTemplate, object);
        Key::new(Kind::AnalysisTemplate, "default", "check")
    }

    #[test]
    fn in_most_worlds_a_write_is_known_at_once() {
        let in_time = |twin: &Twin| twin.caches.late.is_empty();
        let mut twin = (1..).map(twin).find(in_time).expect("most are");
        let key = template(&mut twin);
        assert!(twin.known_to(Actor::Rollouts).get(&key).is_some());
        let late = (0..1000).filter(|seed| !Caches::new(Seed::new(*seed)).late.is_empty()).count();
        assert!((200..300).contains(&late), "{late}");
    }

    #[test]
    fn in_some_it_is_known_a_moment_later() {
        let mut worlds = (1..).map(|seed| {
            let mut twin = twin(seed);
            let key = template(&mut twin);
            (twin, key)
        });
        let is_late = |(twin, key): &(Twin, Key)| twin.known_to(Actor::Rollouts).get(key).is_none();
        let (mut twin, key) = worlds.find(is_late).expect("some are");
        assert!(twin.store().get(&key).is_some());
        assert!(twin.known_to(Actor::ReplicaSets).get(&key).is_some());
        pass(&mut twin, 1);
        assert!(twin.known_to(Actor::Rollouts).get(&key).is_some());
    }
}
