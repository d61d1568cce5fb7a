//! A bench for the controller alone: a store, a clock, the reconcile loop, and a trivial ReplicaSet controller.
//!
//! It is no kernel: effects are played at once, each request takes four milliseconds, nobody measures and nobody is
//! notified. What it is for is the trace: what an onlooker would have seen, in order.

mod telling;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::{Value, json};

use crate::argo::Version;
use crate::clock::Moment;
use crate::twin::deployments;
use crate::twin::effect::{Effect, WRITTEN};
use crate::twin::rollouts;
use crate::twin::store::{ApiError, Change, Key, Kind, Object, Part, Patch, Store, text_at};

pub(super) const NS: &str = "ns";
const REQUEST: Duration = Duration::from_millis(4);

/// The bench.
pub(super) struct Bench {
    pub(super) store: Store,
    pub(super) now: Moment,
    pub(super) version: Version,
    /// Whether pods become ready by themselves, and after how long; otherwise the story says when.
    pub(super) ready_after: Option<Duration>,
    /// Whether every event is told with its message.
    pub(super) verbose: bool,
    trace: Vec<String>,
    seen: u64,
    timers: BTreeMap<Key, Moment>,
    failures: BTreeMap<Key, u32>,
    /// Pods of a ReplicaSet that become ready at a moment.
    starting: BTreeMap<Key, Moment>,
    woken: BTreeSet<Key>,
    hashes: Vec<String>,
    last_line: String,
}

impl Bench {
    pub(super) fn new() -> Bench {
        Bench {
            store: Store::with_namespaces(&["ns"]),
            now: Moment::VIRTUAL_EPOCH,
            version: Version::V1_9,
            ready_after: Some(Duration::from_secs(2)),
            verbose: false,
            trace: vec![],
            seen: 0,
            timers: BTreeMap::new(),
            failures: BTreeMap::new(),
            starting: BTreeMap::new(),
            woken: BTreeSet::new(),
            hashes: vec![],
            last_line: String::new(),
        }
    }

    /// Everything seen since the last call, one line each.
    pub(super) fn take_trace(&mut self) -> String {
        std::mem::take(&mut self.trace).join("\n")
    }

    pub(super) fn key(kind: Kind, name: &str) -> Key {
        let namespace = if kind.info().namespaced { NS } else { "" };
        Key::new(kind, namespace, name)
    }

    pub(super) fn get(&self, kind: Kind, name: &str) -> Option<&Object> {
        self.store.get(&Bench::key(kind, name))
    }

    /// Somebody creates an object, and the world settles.
    pub(super) fn create(&mut self, kind: Kind, mut object: Value) {
        if kind.info().namespaced {
            object["metadata"]["namespace"] = json!(NS);
        }
        default_ports(kind, &mut object);
        self.store.create(self.now, kind, object).expect("nothing of this name is there");
        self.settle();
    }

    /// Somebody patches an object, and the world settles.
    pub(super) fn patch(&mut self, kind: Kind, name: &str, part: Part, patch: &Patch) {
        self.write_patch(&Bench::key(kind, name), part, patch).expect("a patch that applies");
        self.settle();
    }

    /// A merge patch.
    pub(super) fn merge(&mut self, kind: Kind, name: &str, part: Part, patch: Value) {
        self.patch(kind, name, part, &Patch::Merge(patch));
    }

    /// Somebody deletes an object, and the world settles.
    pub(super) fn delete(&mut self, kind: Kind, name: &str) {
        self.store.delete(self.now, &Bench::key(kind, name)).expect("it is there");
        self.settle();
    }

    fn write_patch(&mut self, key: &Key, part: Part, patch: &Patch) -> Result<Object, ApiError> {
        let old = self.store.get(key).cloned().ok_or_else(|| ApiError::not_found(key))?;
        let mut object = (*old).clone();
        match patch {
            Patch::Json(operations) => {
                for operation in operations.as_array().into_iter().flatten() {
                    apply_json(&mut object, operation);
                }
            }
            patch => object = patch.apply(&old)?,
        }
        default_ports(key.kind, &mut object);
        object["metadata"].as_object_mut().expect("an object has metadata").remove("resourceVersion");
        self.store.update(self.now, key.kind, part, object)
    }

    /// Lets the world go on until nothing happens any more by now.
    pub(super) fn settle(&mut self) {
        for _ in 0..5_000 {
            self.observe();
            let due = self.timers.iter().filter(|(_, at)| **at <= self.now).map(|(key, _)| key.clone());
            let due: Vec<Key> = due.collect();
            self.timers.retain(|key, _| !due.contains(key));
            self.woken.extend(due);
            match self.woken.pop_first() {
                Some(key) => self.reconcile(&key),
                None if self.play_world() => {}
                None => return,
            }
        }
        panic!("the world does not settle:\n{}", self.trace.join("\n"));
    }

    /// Lets time pass.
    pub(super) fn wait(&mut self, duration: Duration) {
        let end = self.now + duration;
        self.settle();
        while let Some(next) = self.next_moment().filter(|next| *next <= end) {
            self.now = self.now.max(next);
            self.settle();
        }
        self.now = self.now.max(end);
        self.settle();
    }

    pub(super) fn seconds(&mut self, seconds: u64) {
        self.wait(Duration::from_secs(seconds));
    }

    fn next_moment(&self) -> Option<Moment> {
        self.timers.values().chain(self.starting.values()).min().copied()
    }

    fn reconcile(&mut self, key: &Key) {
        let outcome = match key.kind {
            Kind::Deployment => deployments::reconcile(&self.store, self.now, key),
            _ => rollouts::reconcile(&self.store, self.now, key, self.version),
        };
        let mut error = outcome.error;
        for effect in outcome.effects {
            if let Err(refusal) = self.play(effect) {
                error = Some(refusal.message);
                break;
            }
        }
        if let Some(delay) = outcome.requeue_after {
            let at = self.now + delay;
            let timer = self.timers.entry(key.clone()).or_insert(at);
            *timer = at.min(*timer);
        }
        self.back_off(key, error);
    }

    /// Exponential back-off per key, from 8 ms to 10 s.
    fn back_off(&mut self, key: &Key, error: Option<String>) {
        let Some(error) = error else {
            self.failures.remove(key);
            return;
        };
        let line = format!("error: {error}");
        if self.last_line != line {
            self.say(line);
        }
        let failures = self.failures.entry(key.clone()).or_insert(0);
        let delay = Duration::from_millis(8 << (*failures).min(20)).min(Duration::from_secs(10));
        *failures += 1;
        let at = self.now + delay;
        let timer = self.timers.entry(key.clone()).or_insert(at);
        *timer = at.min(*timer);
    }

    fn play(&mut self, effect: Effect) -> Result<(), ApiError> {
        self.now = self.now + REQUEST;
        match effect {
            Effect::Create { kind, object } => self.store.create(self.now, kind, object).map(drop),
            Effect::Update { kind, part, mut object } => {
                // Nobody else writes on the bench, so what was written last is what is there.
                if object["metadata"]["resourceVersion"] == WRITTEN {
                    object["metadata"]
                        .as_object_mut()
                        .expect("an object has metadata")
                        .remove("resourceVersion");
                }
                self.store.update(self.now, kind, part, object).map(drop)
            }
            Effect::Patch { key, part, patch } => self.write_patch(&key, part, &patch).map(drop),
            Effect::Delete { key } => self.store.delete(self.now, &key).map(drop),
            // A Deployment's sizes are told already.
            Effect::Event { kind: Kind::Deployment, .. } => Ok(()),
            Effect::Event { reason, message, warning, .. } => {
                self.observe();
                self.say(event_line(reason, warning, &message, self.verbose));
                Ok(())
            }
        }
    }

    fn say(&mut self, line: String) {
        let mut line = line;
        for (index, hash) in self.hashes.iter().enumerate() {
            line = line.replace(hash, &format!("v{}", index + 1));
        }
        self.last_line.clone_from(&line);
        self.trace.push(line);
    }

    /// Tells of changes not told yet, and remembers whom they wake.
    fn observe(&mut self) {
        let changes: Vec<Change> = self.store.changes_after(self.seen).expect("recent").cloned().collect();
        for change in changes {
            self.seen = change.version;
            self.tell(&change);
            let mut woken = rollouts::concerned(&self.store, &change);
            woken.extend(deployments::concerned(&self.store, &change));
            if let Some(lender) = rollouts::lends(&self.store, &change) {
                let told = rollouts::sync_workload(&self.store, &lender).effects;
                told.into_iter().for_each(|effect| self.play(effect).expect("a Rollout that is there"));
            }
            let services = rollouts::released_services(&change);
            let touched = (change.key.kind == Kind::Service).then(|| change.key.clone());
            for service in services.into_iter().chain(touched) {
                let outcome = rollouts::sync_service(&self.store, &service);
                outcome
                    .effects
                    .into_iter()
                    .for_each(|effect| self.play(effect).expect("a Service that is there"));
            }
            self.woken.extend(woken);
        }
    }

    /// Pods exist at once and become ready after a while; terminated runs end. Returns whether anything changed.
    fn play_world(&mut self) -> bool {
        if self.ready_after.is_none() {
            return false;
        }
        let before = self.store.version();
        let sets: Vec<(Key, Object)> = self
            .store
            .list(Kind::ReplicaSet, None)
            .map(|(key, object)| (key.clone(), object.clone()))
            .collect();
        for (key, object) in sets {
            self.play_replica_set(&key, &object);
        }
        let runs: Vec<(Key, Object)> = self
            .store
            .list(Kind::AnalysisRun, None)
            .map(|(key, object)| (key.clone(), object.clone()))
            .collect();
        for (key, object) in runs {
            let phase = text_at(&object, "/status/phase");
            let ended = rollouts::views::is_completed(phase);
            if object["spec"]["terminate"] == json!(true) && !ended {
                self.set_run(&key.name, "Successful", "Run Terminated");
            } else if phase.is_empty() {
                self.set_run(&key.name, "Running", "");
            }
        }
        self.store.version() != before
    }

    fn play_replica_set(&mut self, key: &Key, object: &Value) {
        let wanted = object["spec"]["replicas"].as_i64().unwrap_or(1);
        let number = |field: &str| object["status"][field].as_i64().unwrap_or(0);
        if number("replicas") != wanted {
            let after = self.ready_after.unwrap_or_default();
            self.starting.insert(key.clone(), self.now + after);
            self.set_replica_set(&key.name, wanted, number("readyReplicas").min(wanted));
        } else if self.starting.get(key).is_some_and(|at| *at <= self.now) {
            self.starting.remove(key);
            self.set_replica_set(&key.name, wanted, wanted);
        } else if number("observedGeneration") != object["metadata"]["generation"].as_i64().unwrap_or(0) {
            self.set_replica_set(&key.name, wanted, number("readyReplicas"));
        }
    }

    /// The ReplicaSet controller reports.
    pub(super) fn set_replica_set(&mut self, name: &str, replicas: i64, ready: i64) {
        let key = Bench::key(Kind::ReplicaSet, name);
        let generation = self.store.get(&key).map_or(Value::Null, |rs| rs["metadata"]["generation"].clone());
        let status = json!({
            "replicas": replicas, "readyReplicas": ready, "availableReplicas": ready,
            "observedGeneration": generation,
        });
        let patch = Patch::Merge(json!({"status": status}));
        self.write_patch(&key, Part::Status, &patch).expect("a ReplicaSet that is there");
    }

    /// The AnalysisRun controller reports.
    pub(super) fn set_run(&mut self, name: &str, phase: &str, message: &str) {
        let patch = Patch::Merge(json!({"status": {"phase": phase, "message": message}}));
        self.write_patch(&Bench::key(Kind::AnalysisRun, name), Part::Main, &patch)
            .expect("a run that is there");
    }
}

/// An event; the messages that only repeat what the lines around them say are left out.
fn event_line(reason: &str, warning: bool, message: &str, verbose: bool) -> String {
    let mark = if warning { "!" } else { "" };
    let telling =
        reason.starts_with("AnalysisRun") || ["RolloutAborted", "RolloutCompleted"].contains(&reason);
    if telling || verbose {
        format!("event {reason}{mark}: {message}")
    } else {
        format!("event {reason}{mark}")
    }
}

/// The CRD's only default that matters here.
fn default_ports(kind: Kind, object: &mut Value) {
    if kind != Kind::Rollout {
        return;
    }
    let containers = object.pointer_mut("/spec/template/spec/containers").and_then(Value::as_array_mut);
    for container in containers.into_iter().flatten() {
        for port in container["ports"].as_array_mut().into_iter().flatten().filter_map(Value::as_object_mut) {
            port.entry("protocol").or_insert(json!("TCP"));
        }
    }
}

/// `add`, `remove` and `replace` on objects: all that is asked for here.
fn apply_json(object: &mut Value, operation: &Value) {
    let path = text_at(operation, "/path");
    let (parent, field) = path.rsplit_once('/').expect("a path below the root");
    let parent = object.pointer_mut(parent).expect("the parent is there");
    match (parent, text_at(operation, "/op")) {
        (Value::Object(map), "remove") => drop(map.remove(field).expect("it is there")),
        (Value::Object(map), _) => drop(map.insert(field.into(), operation["value"].clone())),
        (other, _) => panic!("no such patch here: {operation} on {other}"),
    }
}
