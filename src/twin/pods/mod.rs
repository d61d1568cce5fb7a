//! The kubelet: pods start, get ready, fail their probes, crash, back off, and end.
//!
//! Kubernetes v1.34 pkg/kubelet (prober/worker.go, kuberuntime back-off of 10 s doubling to 5 min), as far as a drill
//! can see it. Every pod plays the fake server: what it answers and how it feels is [`fake_app::fault`], the very
//! function the real one calls. Neighbours: `replicasets` creates and deletes pods, `traffic` sends them requests,
//! `prometheus` scrapes them. Not here: images (any image starts), resources, scheduling, init containers.

mod process;
mod spec;
mod status;

use std::collections::BTreeMap;
use std::time::Duration;

pub use self::process::{Exports, Process};
pub use self::spec::{FAULT_ENV, PodSpec, Probe, ProbeKind};
use super::store::{Key, Kind, Object, Store, text_at};
use crate::clock::{Moment, Seed};

/// What may happen to a pod, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PodTask {
    /// The container starts.
    Start,
    /// A probe is due.
    Probe(ProbeKind),
    /// The process ends by itself.
    Crash,
    /// The process has ended after SIGTERM.
    Ended,
    /// The status is written to the API server.
    Publish,
}

/// A task with the process it was meant for: a restart makes old tasks void.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PodDue {
    /// When.
    pub at: Moment,
    /// Which pod.
    pub key: Key,
    /// Which life of its container.
    pub life: u32,
    /// What.
    pub task: PodTask,
}

/// How pods behave here.
#[derive(Debug, Clone)]
pub struct PodSettings {
    /// From creation to a running container: scheduling, image, start.
    pub start: Duration,
    /// The latency of a healthy server.
    pub healthy: fake_app::fault::Latency,
    /// What every process exports.
    pub exports: process::Exports,
}

/// One pod's life.
#[derive(Debug)]
pub struct Life {
    uid: String,
    ip: String,
    spec: PodSpec,
    /// Counts the container's starts; tasks of an earlier life are void.
    life: u32,
    process: Option<Process>,
    started: Option<Moment>,
    restarts: u32,
    waiting: &'static str,
    last_exit: Option<(u8, Moment)>,
    ready: bool,
    ready_changed: Moment,
    started_up: bool,
    probes: BTreeMap<ProbeKind, Tally>,
    going: bool,
}

/// A probe's results in a row.
#[derive(Debug, Clone, Copy, Default)]
struct Tally {
    successes: u32,
    failures: u32,
}

/// All pods of the node.
#[derive(Debug)]
pub struct Kubelet {
    settings: PodSettings,
    seed: Seed,
    lives: BTreeMap<Key, Life>,
    addresses: u32,
}

const BACKOFF_FIRST: Duration = Duration::from_secs(10);
const BACKOFF_MAX: Duration = Duration::from_secs(300);

impl Kubelet {
    /// A node without pods.
    #[must_use]
    pub fn new(settings: PodSettings, seed: Seed) -> Kubelet {
        Kubelet { settings, seed: seed.child("pods"), lives: BTreeMap::new(), addresses: 0 }
    }

    /// The processes that run now, by pod.
    pub fn running(&self) -> impl Iterator<Item = (&Key, &Process)> {
        self.lives.iter().filter_map(|(key, life)| Some((key, life.process.as_ref()?)))
    }

    /// A pod's process, if it runs.
    #[must_use]
    pub fn process(&self, key: &Key) -> Option<&Process> {
        self.lives.get(key)?.process.as_ref()
    }

    /// A pod's process, to send it something.
    pub fn process_mut(&mut self, key: &Key) -> Option<&mut Process> {
        self.lives.get_mut(key)?.process.as_mut()
    }

    /// A pod appeared, changed or went: the kubelet's watch.
    pub fn observe(&mut self, now: Moment, key: &Key, new: Option<&Object>) -> Vec<PodDue> {
        let Some(pod) = new else {
            self.lives.remove(key);
            return vec![];
        };
        if !self.lives.contains_key(key) {
            return vec![self.admit(now, key, pod)];
        }
        let going = pod.pointer("/metadata/deletionTimestamp").is_some();
        let life = self.lives.get_mut(key).expect("looked up above");
        if !going || life.going {
            return vec![];
        }
        life.going = true;
        if let Some(process) = &mut life.process {
            process.drain();
        }
        // The server drains: it goes on answering until its connections are done or the grace is over.
        let drain = life.process.as_ref().map_or(Duration::ZERO, |_| process::DRAIN.min(life.spec.grace));
        let at = now + drain;
        vec![PodDue { at, key: key.clone(), life: life.life, task: PodTask::Ended }]
    }

    /// A task is due. Answers with what follows from it.
    pub fn act(&mut self, due: &PodDue, publish: Duration) -> Vec<PodDue> {
        let now = due.at;
        let Some(life) = self.lives.get_mut(&due.key) else { return vec![] };
        if life.life != due.life && due.task != PodTask::Publish {
            return vec![];
        }
        let mut next = Next { now, key: &due.key, life: life.life, dues: vec![], publish };
        match due.task {
            PodTask::Start => life.start(now, &self.settings, &mut next),
            PodTask::Probe(kind) => life.probe(now, kind, &mut next),
            PodTask::Crash => {
                let code = life.process.as_ref().and_then(|process| process.health(now).crashed).unwrap_or(1);
                life.exit(now, code, &mut next);
            }
            // The kernel removes the pod when it sees an ended one.
            PodTask::Ended => life.process = None,
            PodTask::Publish => {}
        }
        next.dues
    }

    /// A pod's status as the kubelet would write it, or `None` when it knows no such pod.
    #[must_use]
    pub fn status(&self, key: &Key) -> Option<serde_json::Value> {
        self.lives.get(key).map(status::of)
    }

    /// Takes in a new pod.
    fn admit(&mut self, now: Moment, key: &Key, pod: &Object) -> PodDue {
        self.addresses += 1;
        let ip = format!("10.244.{}.{}", (self.addresses >> 8) & 0xff, self.addresses & 0xff);
        let life = Life {
            uid: text_at(pod, "/metadata/uid").to_owned(),
            ip,
            spec: PodSpec::read(pod),
            life: 0,
            process: None,
            started: None,
            restarts: 0,
            waiting: "ContainerCreating",
            last_exit: None,
            ready: false,
            ready_changed: now,
            started_up: false,
            probes: BTreeMap::new(),
            going: false,
        };
        let jitter = Duration::from_millis(self.seed.child(&key.name).get() % 300);
        self.lives.insert(key.clone(), life);
        PodDue { at: now + self.settings.start + jitter, key: key.clone(), life: 0, task: PodTask::Start }
    }

    /// Whether the API server still holds the pod this kubelet knows under that name.
    #[must_use]
    pub fn knows(&self, store: &Store, key: &Key) -> bool {
        debug_assert_eq!(key.kind, Kind::Pod, "the kubelet keeps pods");
        let uid = store.get(key).map(|pod| text_at(pod, "/metadata/uid"));
        uid.is_some_and(|uid| self.lives.get(key).is_some_and(|life| life.uid == uid))
    }
}

/// Collects what follows from a task.
struct Next<'a> {
    now: Moment,
    key: &'a Key,
    life: u32,
    dues: Vec<PodDue>,
    publish: Duration,
}

impl Next<'_> {
    fn at(&mut self, at: Moment, task: PodTask) {
        self.dues.push(PodDue { at, key: self.key.clone(), life: self.life, task });
    }

    fn publish(&mut self) {
        self.at(self.now + self.publish, PodTask::Publish);
    }
}

impl Life {
    fn start(&mut self, now: Moment, settings: &PodSettings, next: &mut Next<'_>) {
        if self.going {
            return;
        }
        let Some(process) = Process::start(now, self.life, &self.spec, settings) else {
            self.started = Some(now);
            self.exit(now, REFUSED, next);
            return;
        };
        if let Some(after) = process.crash_after() {
            next.at(now + after, PodTask::Crash);
        }
        self.process = Some(process);
        self.started = Some(now);
        self.waiting = "";
        self.probes.clear();
        self.started_up = self.spec.probe(ProbeKind::Startup).is_none();
        for probe in &self.spec.probes {
            next.at(now + probe.initial_delay, PodTask::Probe(probe.kind));
        }
        if self.started_up && self.spec.probe(ProbeKind::Readiness).is_none() {
            self.set_ready(now, true);
        }
        next.publish();
    }

    /// prober/worker.go `doProbe`: consecutive results reach a threshold before anything changes.
    fn probe(&mut self, now: Moment, kind: ProbeKind, next: &mut Next<'_>) {
        let (Some(probe), Some(process)) = (self.spec.probe(kind), self.process.as_ref()) else { return };
        next.at(now + probe.period, PodTask::Probe(kind));
        if kind != ProbeKind::Startup && !self.started_up {
            return;
        }
        let health = process.health(now);
        let well = if kind == ProbeKind::Liveness { health.live } else { health.ready };
        let tally = self.probes.entry(kind).or_default();
        *tally = if well {
            Tally { successes: tally.successes + 1, failures: 0 }
        } else {
            Tally { successes: 0, failures: tally.failures + 1 }
        };
        let (passed, failed) = (tally.successes >= probe.successes, tally.failures >= probe.failures);
        match kind {
            ProbeKind::Readiness if passed && !self.ready => self.turn_ready(now, true, next),
            ProbeKind::Readiness if failed && self.ready => self.turn_ready(now, false, next),
            ProbeKind::Startup if passed && !self.started_up => {
                self.started_up = true;
                if self.spec.probe(ProbeKind::Readiness).is_none() {
                    self.turn_ready(now, true, next);
                }
            }
            ProbeKind::Startup if failed && !self.started_up => self.exit(now, KILLED, next),
            ProbeKind::Liveness if failed => self.exit(now, KILLED, next),
            _ => {}
        }
    }

    fn turn_ready(&mut self, now: Moment, ready: bool, next: &mut Next<'_>) {
        self.set_ready(now, ready);
        next.publish();
    }

    fn set_ready(&mut self, now: Moment, ready: bool) {
        if self.ready != ready {
            self.ready = ready;
            self.ready_changed = now;
        }
    }

    /// The process ended: it comes back after the back-off, which a long life resets (kuberuntime, 10 min).
    fn exit(&mut self, now: Moment, code: u8, next: &mut Next<'_>) {
        let lasted = self.started.map_or(Duration::ZERO, |started| now.since(started));
        self.process = None;
        self.last_exit = Some((code, now));
        self.set_ready(now, false);
        self.life += 1;
        next.life = self.life;
        next.publish();
        if !self.spec.restarts || self.going {
            self.waiting = "";
            return;
        }
        if lasted > BACKOFF_MAX * 2 {
            self.restarts = 0;
        }
        // The first restart comes at once, the second after 10 s, then doubling.
        let wait = match self.restarts {
            0 => Duration::from_secs(1),
            n => BACKOFF_FIRST.saturating_mul(1 << (n - 1).min(8)).min(BACKOFF_MAX),
        };
        self.waiting = if self.restarts == 0 { "" } else { "CrashLoopBackOff" };
        self.restarts += 1;
        next.at(now + wait, PodTask::Start);
    }
}

/// The exit code of a server that cannot read its configuration.
const REFUSED: u8 = 2;
/// The exit code of a container that was killed.
const KILLED: u8 = 137;
