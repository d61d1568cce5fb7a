//! The rollouts controller dies, and another one takes over.
//!
//! A process that is killed loses what it had under way: requests not yet sent, timers, back-offs, and the memory of
//! its event recorder. What it had written stays. Its successor lists everything first, so every Rollout is added to
//! its informer and every key is worked on once (argo-rollouts v1.9.1, controller/controller.go `Run` after
//! `WaitForCacheSync`). How long nobody leads is for the caller to say: with leader election, 16 to 19 s.

use super::kernel::{Actor, Twin};
use super::latency::Span;
use super::play::Written;
use super::rollouts;
use super::store::{Key, Kind};
use super::workqueue::Workqueue;

/// The parts of the rollouts controller.
const ARGO: &[Actor] = &[
    Actor::Rollouts,
    Actor::Analysis,
    Actor::Notifications,
    Actor::Services,
    Actor::Workloads,
    Actor::Experiments,
];

impl Actor {
    /// Whether this is a part of the rollouts controller, and dies with it.
    pub(super) fn is_argo(self) -> bool {
        ARGO.contains(&self)
    }
}

impl Twin {
    /// The rollouts controller dies.
    pub fn stop_controller(&mut self) {
        self.up = false;
        self.life += 1;
        self.recorder = self.recorder.restarted();
        for actor in ARGO {
            *self.queue(*actor) = Workqueue::default();
        }
    }

    /// A new one leads.
    pub fn start_controller(&mut self) {
        self.up = true;
        self.caches.list();
        for (kind, actors) in LISTED {
            let keys: Vec<Key> = self.store.list(*kind, None).map(|(key, _)| key.clone()).collect();
            for key in keys {
                if let Some(rollout) = self.store.get(&key).filter(|_| *kind == Kind::Rollout) {
                    // The informer's events are told at once and by nobody's reconcile.
                    let _ = self.carry_out(rollouts::first_sight(rollout), &mut Written::default());
                }
                for actor in *actors {
                    let at = self.after(Span::Watch);
                    self.wake(*kind, *actor, &key, at);
                }
            }
        }
        self.settle();
    }

    /// Whether the controller that began something still runs.
    pub(super) fn lives(&self, life: u32) -> bool {
        self.up && self.life == life
    }
}

/// What a new controller lists, and who works on it.
const LISTED: &[(Kind, &[Actor])] = &[
    (Kind::Rollout, &[Actor::Rollouts, Actor::Notifications]),
    (Kind::AnalysisRun, &[Actor::Analysis]),
    (Kind::Service, &[Actor::Services]),
];
