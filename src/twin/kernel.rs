//! The kernel: a heap of what is due, a clock, and the one loop that moves it.
//!
//! Sans-IO: it is told the time by [`Twin::advance`] and never sleeps, spawns or asks. Everything that happens is a
//! task on the agenda; what tasks write to the store wakes whoever watches; ties break by the order of scheduling.
//! Neighbours: `play` carries out what controllers decide; `cluster::embedded` is the rim that answers HTTP from it.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::analysis;
use super::caches::Caches;
use super::deployments;
use super::endpoints;
use super::experiments;
use super::latency::{Latency, Span};
use super::notifications::Engine;
use super::play::{Asked, Playing};
use super::pods::{Kubelet, PodDue, PodSettings, PodTask};
use super::prometheus::{Prometheus, Scraping};
use super::receivers::{Manner, Receivers};
use super::recorder::Recorder;
use super::replicasets;
use super::rollouts;
use super::routing::Routing;
use super::store::{Key, Kind, Object, Part, Patch, Store};
use super::traffic::Client;
use super::workqueue::Workqueue;
use crate::argo::Version;
use crate::clock::{Moment, Seed};

/// What kind of world this is.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where its chance begins.
    pub seed: Seed,
    /// What its clock shows at first.
    pub epoch: Moment,
    /// The line of controllers to imitate.
    pub version: Version,
    /// How pods behave.
    pub pods: PodSettings,
    /// How Prometheus scrapes.
    pub scraping: Scraping,
    /// Receivers that are not well, by notification service.
    pub receivers: Vec<(String, Manner)>,
    /// The namespace of the rollouts controller and its notification configuration.
    pub controller_namespace: String,
    /// Whether Argo's controllers are at work. Without them Rollouts are mere objects, until somebody else's controller
    /// takes care of them.
    pub argo: bool,
}

/// Who works on keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Actor {
    Rollouts,
    Analysis,
    Notifications,
    ReplicaSets,
    Endpoints,
    Services,
    Deployments,
    Workloads,
    Experiments,
}

impl Actor {
    /// How long its requests take.
    pub(super) fn request(self) -> Span {
        if self.is_argo() { Span::Request } else { Span::KubeRequest }
    }
}

/// What can be due.
#[derive(Debug)]
pub(super) enum Task {
    /// News of an object of this kind reach whoever works on a key.
    News(Kind, Actor, Key, u32),
    /// A key may be worked on.
    Wake(Actor, Key),
    /// The next effect of a reconcile reaches the API server.
    Play(Box<Playing>),
    /// The answers to an `AnalysisRun`'s queries are there.
    Answered(Box<Asked>),
    /// Something happens to a pod.
    Pod(PodDue),
    /// A slice's rules come into force.
    Route(Key, Option<Object>),
    /// A router obeys the present state of an object.
    Obey(Key),
    /// A target is scraped.
    Scrape(Key),
    /// Old Events expire.
    Expire,
    /// Every Rollout is looked at although nothing changed (`--rollout-resync`, 900 s).
    Resync,
}

/// A task and its moment.
#[derive(Debug)]
struct Due {
    at: Moment,
    nth: u64,
    task: Task,
}

impl PartialEq for Due {
    fn eq(&self, other: &Due) -> bool {
        (self.at, self.nth) == (other.at, other.nth)
    }
}

impl Eq for Due {}

impl PartialOrd for Due {
    fn partial_cmp(&self, other: &Due) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Due {
    /// The heap is a max-heap, so the earliest is the greatest.
    fn cmp(&self, other: &Due) -> Ordering {
        (other.at, other.nth).cmp(&(self.at, self.nth))
    }
}

/// The emulated cluster.
#[derive(Debug)]
pub struct Twin {
    pub(super) settings: Settings,
    now: Moment,
    agenda: BinaryHeap<Due>,
    scheduled: u64,
    pub(super) store: Store,
    pub(super) dispatched: u64,
    pub(super) latency: Latency,
    pub(super) caches: Caches,
    queues: [Workqueue; 9],
    pub(super) pods: Kubelet,
    pub(super) routing: Routing,
    pub(super) prometheus: Prometheus,
    client: Option<Client>,
    loads: u64,
    pub(super) receivers: Receivers,
    /// The notification engine, with the versions of what it was made from.
    pub(super) notifier: Option<(String, Option<Arc<Engine>>)>,
    pub(super) recorder: Recorder,
    /// How often the rollouts controller was started; what an earlier one had under way is void.
    pub(super) life: u32,
    /// Whether it runs.
    pub(super) up: bool,
    /// What a replay plays in place of the world.
    #[cfg(test)]
    pub(super) puppets: super::tests::replay::Puppets,
}

/// How often Events that are over an hour old are removed.
const EXPIRY: Duration = Duration::from_secs(60);
/// How often every Rollout is looked at although nothing changed.
const RESYNC: Duration = Duration::from_secs(900);

impl Twin {
    /// An empty cluster with its controllers running.
    #[must_use]
    pub fn new(settings: Settings) -> Twin {
        let seed = settings.seed.child("twin");
        let mut twin = Twin {
            now: settings.epoch,
            agenda: BinaryHeap::new(),
            scheduled: 0,
            store: Store::founded(settings.epoch),
            dispatched: 0,
            latency: Latency::new(seed),
            caches: Caches::new(seed),
            queues: Default::default(),
            pods: Kubelet::new(settings.pods.clone(), seed),
            routing: Routing::default(),
            prometheus: Prometheus::new(settings.scraping.clone(), seed),
            client: None,
            loads: 0,
            receivers: Receivers::new(settings.receivers.clone()),
            notifier: None,
            recorder: Recorder::default(),
            life: 0,
            up: settings.argo,
            #[cfg(test)]
            puppets: Default::default(),
            settings,
        };
        let namespace = json!({ "metadata": { "name": twin.settings.controller_namespace } });
        // It may be one that every cluster has, which is all that is wanted.
        let _ = twin.store.create(twin.now, Kind::Namespace, namespace);
        twin.schedule(twin.now + EXPIRY, Task::Expire);
        twin.schedule(twin.now + RESYNC, Task::Resync);
        twin
    }

    /// What the twin's clock shows.
    #[must_use]
    pub fn now(&self) -> Moment {
        self.now
    }

    /// The objects.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// When something happens next, if anything will.
    #[must_use]
    pub fn next(&self) -> Option<Moment> {
        self.agenda.peek().map(|due| due.at)
    }

    /// Lets everything happen that is due by `to`, and sets the clock to it.
    pub fn advance(&mut self, to: Moment) {
        while self.agenda.peek().is_some_and(|due| due.at <= to) {
            let Some(due) = self.agenda.pop() else { break };
            self.now = self.now.max(due.at);
            self.perform(due.task);
            self.dispatch();
        }
        self.now = self.now.max(to);
    }

    /// The objects, for a write from outside at the moment the clock shows. [`Twin::settle`] must follow.
    pub fn store_mut(&mut self) -> &mut Store {
        &mut self.store
    }

    /// Tells everybody inside what was written from outside.
    pub fn settle(&mut self) {
        self.dispatch();
    }

    /// Starts a load, replacing the one that runs.
    pub fn start_load(&mut self, load: crate::agent::wire::Load) {
        self.catch_up();
        self.loads += 1;
        self.client = Some(Client::new(load, self.now, self.settings.seed.child("load").nth(self.loads)));
    }

    /// Ends the load.
    pub fn stop_load(&mut self) {
        self.catch_up();
        self.client = None;
    }

    /// What the agent saw: whole seconds of traffic and the inbox.
    pub fn observed(&mut self, seconds: u64, inbox: usize) -> crate::agent::wire::Observed {
        self.catch_up();
        crate::agent::wire::Observed {
            now: self.now.unix_nanos(),
            seconds: self.client.as_mut().map(|client| client.report(seconds)).unwrap_or_default(),
            inbox: self.receivers.read(inbox, self.now),
        }
    }

    /// Asks Prometheus, as its HTTP API would answer.
    pub fn query(&mut self, query: &str, at: Moment) -> Value {
        self.catch_up();
        self.prometheus.api(query, at)
    }

    pub(super) fn schedule(&mut self, at: Moment, task: Task) {
        self.scheduled += 1;
        self.agenda.push(Due { at, nth: self.scheduled, task });
    }

    pub(super) fn after(&mut self, span: Span) -> Moment {
        self.now + self.latency.draw(span)
    }

    fn perform(&mut self, task: Task) {
        match task {
            Task::News(kind, actor, key, life) => self.hear(kind, actor, &key, life),
            Task::Wake(actor, key) => self.work(actor, &key),
            Task::Play(playing) => self.play(*playing),
            Task::Answered(asked) => self.answered(*asked),
            Task::Pod(due) => self.act_on_pod(&due),
            Task::Route(key, slice) => {
                self.catch_up();
                self.routing.apply(&key, slice.as_ref());
            }
            Task::Obey(key) => {
                self.catch_up();
                let object = self.store.get(&key).cloned();
                self.routing.obey(&key, object);
            }
            Task::Scrape(pod) => self.scrape(&pod),
            Task::Expire => {
                self.store.expire(self.now);
                self.schedule(self.now + EXPIRY, Task::Expire);
            }
            Task::Resync => {
                let keys: Vec<Key> =
                    self.store.list(Kind::Rollout, None).map(|(key, _)| key.clone()).collect();
                for key in keys {
                    let now = self.now;
                    self.wake(Kind::Rollout, Actor::Rollouts, &key, now);
                }
                self.schedule(self.now + RESYNC, Task::Resync);
            }
        }
    }

    /// Draws all traffic up to now: called before anything changes that requests depend on, or anybody looks.
    pub(super) fn catch_up(&mut self) {
        if let Some(client) = &mut self.client {
            client.catch_up(self.now, &self.routing, &mut self.pods);
        }
    }

    fn scrape(&mut self, pod: &Key) {
        self.catch_up();
        let object = self.store.get(pod).cloned();
        if let Some(next) =
            self.prometheus.scrape(self.now, pod, object.as_deref(), &self.store, &mut self.pods)
        {
            self.schedule(next, Task::Scrape(pod.clone()));
        }
    }

    fn act_on_pod(&mut self, due: &PodDue) {
        self.catch_up();
        let publish = self.latency.draw(Span::PodStatus);
        for next in self.pods.act(due, publish) {
            self.schedule(next.at, Task::Pod(next));
        }
        match due.task {
            PodTask::Publish if self.pods.knows(&self.store, &due.key) => {
                let Some(status) = self.pods.status(&due.key) else { return };
                let patch = Patch::Merge(json!({ "status": status }));
                // The pod is there: `knows` has just looked.
                let _ = self.store.patch(self.now, &due.key, Part::Status, &patch);
            }
            PodTask::Ended if self.pods.knows(&self.store, &due.key) => self.remove_pod(&due.key),
            PodTask::Start => {
                if let Some(at) = self.prometheus.discover(self.now, &due.key) {
                    self.schedule(at, Task::Scrape(due.key.clone()));
                }
            }
            _ => {}
        }
    }

    /// The kubelet's last word: the pod has ended and its object goes.
    fn remove_pod(&mut self, key: &Key) {
        // The kubelet knows that it is there; gone means somebody was faster.
        let _ = self.store.delete(self.now, key);
    }

    /// How the AnalysisRun controller was started.
    fn controller(&self) -> analysis::Controller {
        let version = self.settings.version;
        analysis::Controller { version, language: super::language::ANALYSIS, prometheus_address: None }
    }

    pub(super) fn queue(&mut self, actor: Actor) -> &mut Workqueue {
        &mut self.queues[actor as usize]
    }

    fn work(&mut self, actor: Actor, key: &Key) {
        let now = self.now;
        if !self.queue(actor).take(key, now) {
            return;
        }
        let version = self.settings.version;
        let reconciled = match actor {
            Actor::Rollouts => rollouts::reconcile(&self.known_to(actor), now, key, version),
            Actor::ReplicaSets => replicasets::reconcile(&self.store, now, key, self.settings.seed),
            Actor::Endpoints => endpoints::reconcile(&self.store, key),
            Actor::Services => rollouts::sync_service(&self.store, key),
            Actor::Deployments => deployments::reconcile(&self.store, now, key),
            Actor::Workloads => rollouts::sync_workload(&self.store, key),
            Actor::Experiments => experiments::reconcile(&self.known_to(actor), now, key),
            Actor::Notifications => self.notify_change(key),
            Actor::Analysis => match analysis::begin(&self.controller(), &self.store, now, key) {
                analysis::Pass::Done(reconciled) => reconciled,
                analysis::Pass::Ask(asking) => return self.ask(key, asking),
            },
        };
        self.begin_playing(actor, key, reconciled);
    }
}
