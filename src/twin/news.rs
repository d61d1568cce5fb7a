//! News: what was written reaches whoever watches, and they queue up for work.
//!
//! ```text
//! a write ──watch──► an informer's handler ──the limiter──► a queue ──► a reconcile (`kernel`)
//!                                                            ▲ timers, back-offs ┘
//! ```
//!
//! The limiter counts when news arrive and not when they are made: what arrives during a reconcile that succeeds after
//! many errors waits for ten seconds, and what arrives a moment later does not (rollout/controller.go v1.9.1).

use super::deployments;
use super::effect::Reconciled;
use super::endpoints;
use super::experiments;
use super::kernel::{Actor, Task, Twin};
use super::latency::Span;
use super::play::Written;
use super::replicasets;
use super::rollouts;
use super::routing::is_routing;
use super::store::{Change, Key, Kind};
use crate::clock::Moment;

impl Actor {
    /// Whether news of an object pay the limiter, too (`AddRateLimited`); those of experiments do not
    /// (experiments/controller.go v1.9.1).
    fn limits(self, news: Kind) -> bool {
        self == Actor::Rollouts && news != Kind::Experiment
    }
}

/// From a write to the queues.
impl Twin {
    /// Tells everybody who watches what the last task wrote.
    pub(super) fn dispatch(&mut self) {
        while self.dispatched < self.store.version() {
            let Ok(changes) = self.store.changes_after(self.dispatched) else { break };
            let changes: Vec<Change> = changes.cloned().collect();
            self.dispatched = self.store.version();
            for change in &changes {
                self.tell(change);
            }
        }
    }

    fn tell(&mut self, change: &Change) {
        match change.key.kind {
            Kind::Pod => {
                self.catch_up();
                self.routing.label(&change.key, change.new.as_ref());
                for due in self.pods.observe(self.now(), &change.key, change.new.as_ref()) {
                    self.schedule(due.at, Task::Pod(due));
                }
            }
            Kind::EndpointSlice => {
                let at = self.after(Span::Routing);
                self.schedule(at, Task::Route(change.key.clone(), change.new.clone()));
            }
            kind if is_routing(kind) => {
                let at = self.after(Span::Router);
                self.schedule(at, Task::Obey(change.key.clone()));
            }
            _ => {}
        }
        self.wake_controllers(change);
        self.greet(change);
    }

    /// The rollouts controller's informer sees a Rollout for the first or the last time.
    fn greet(&mut self, change: &Change) {
        if change.key.kind != Kind::Rollout || !self.up {
            return;
        }
        let effect = match (&change.old, &change.new) {
            (None, Some(new)) => rollouts::first_sight(new),
            (Some(old), None) => rollouts::farewell(old),
            _ => return,
        };
        // The informer's events are told at once and by nobody's reconcile, so nothing waits for them.
        let _ = self.carry_out(effect, &mut Written::default());
    }

    fn wake_controllers(&mut self, change: &Change) {
        let news = change.key.kind;
        // An informer's handlers run when its cache has taken the change in.
        let cached = self.send_to_cache(change);
        let mut woken: Vec<(Actor, Key, Span)> = vec![];
        woken.extend(replicasets::concerned(change).map(|key| (Actor::ReplicaSets, key, Span::Watch)));
        for key in deployments::concerned(&self.store, change) {
            woken.push((Actor::Deployments, key, Span::Watch));
        }
        // An informer's own handler: no queue is in between.
        woken.extend(rollouts::lends(&self.store, change).map(|key| (Actor::Workloads, key, Span::Response)));
        for key in endpoints::concerned(&self.store, change) {
            woken.push((Actor::Endpoints, key, Span::Endpoints));
        }
        woken.extend(experiments::concerned(change).map(|key| (Actor::Experiments, key, Span::Watch)));
        for key in rollouts::concerned(&self.store, change) {
            woken.push((Actor::Rollouts, key, Span::Watch));
        }
        if matches!(change.key.kind, Kind::Service | Kind::DestinationRule) {
            woken.push((Actor::Services, change.key.clone(), Span::Watch));
        }
        woken.extend(
            rollouts::released_services(change).into_iter().map(|key| (Actor::Services, key, Span::Watch)),
        );
        if change.key.kind == Kind::AnalysisRun {
            woken.push((Actor::Analysis, change.key.clone(), Span::Watch));
        }
        if change.key.kind == Kind::Rollout && change.new.is_some() {
            woken.push((Actor::Notifications, change.key.clone(), Span::Watch));
        }
        for (actor, key, span) in woken {
            let mut at = self.after(span);
            // Their own queues come first, and ask the API server for the Rollout (service/service.go and
            // rollout/trafficrouting/istio/controller.go v1.9.1).
            if actor == Actor::Rollouts && matches!(news, Kind::Service | Kind::DestinationRule) {
                at = at + self.latency.draw(Span::Request);
            }
            let at = if actor.is_argo() { cached.map_or(at, |cached| at.max(cached)) } else { at };
            self.wake(news, actor, &key, at);
        }
    }
}

/// The queues.
impl Twin {
    /// News of an object of this kind will reach whoever works on the key.
    pub(super) fn wake(&mut self, news: Kind, actor: Actor, key: &Key, at: Moment) {
        if self.up || !actor.is_argo() {
            self.schedule(at, Task::News(news, actor, key.clone(), self.life));
        }
    }

    pub(super) fn hear(&mut self, news: Kind, actor: Actor, key: &Key, life: u32) {
        if actor.is_argo() && !self.lives(life) {
            return;
        }
        let now = self.now();
        let queue = self.queue(actor);
        let due = if actor.limits(news) { queue.add_limited(key, now) } else { queue.add(key, now) };
        self.wake_at(due, actor, key);
    }

    fn wake_at(&mut self, due: Option<Moment>, actor: Actor, key: &Key) {
        if let Some(due) = due {
            self.schedule(due, Task::Wake(actor, key.clone()));
        }
    }

    /// Ends a reconcile: the key goes back to its queue, to come again when it is due.
    pub(super) fn done(&mut self, actor: Actor, key: &Key, reconciled: &Reconciled) {
        let now = self.now();
        let queue = self.queue(actor);
        let timer = reconciled.requeue_after.and_then(|delay| queue.add_at(key, now + delay));
        let backoff = match reconciled.error {
            Some(_) => queue.add_limited(key, now),
            None => {
                queue.forget(key);
                None
            }
        };
        let again = queue.done(key, now);
        for due in [timer, backoff, again] {
            self.wake_at(due, actor, key);
        }
    }
}
