//! Folds object changes into facts.
//!
//! Pure: (object before, object after, when) in, entries out. It is fed by watches, so it sees what a watcher sees,
//! in the order a watcher sees it, and it never asks which world it is in.

use std::collections::BTreeMap;

use serde_json::Value;

use super::event::{AnalysisSeen, Entry, Event, Instant, Measured, PodSeen, RolloutSeen, Switched};

/// The label that ties `ReplicaSet`s, pods, runs and Service selectors to a revision (spec 1.5).
pub const HASH_LABEL: &str = "rollouts-pod-template-hash";

/// The environment variable by which a release names itself; the response header says the same.
pub const REVISION_ENV: &str = "REVISION";

/// Remembers just enough of the world to tell changes from repetitions.
#[derive(Debug, Default)]
pub struct Recorder {
    rollout: String,
    revisions: BTreeMap<String, String>,
    seen: BTreeMap<String, Value>,
}

impl Recorder {
    /// A recorder for the Rollout with this name.
    #[must_use]
    pub fn new(rollout: &str) -> Recorder {
        Recorder { rollout: rollout.to_owned(), ..Recorder::default() }
    }

    /// The facts in one object's change; `new` is `None` when it was deleted.
    ///
    /// The object's own last state is remembered here, so a watcher that lists again after a gap repeats nothing.
    pub fn observe(&mut self, at: Instant, kind: &str, name: &str, new: Option<&Value>) -> Vec<Entry> {
        let id = format!("{kind}/{name}");
        let old = match new {
            Some(new) => self.seen.insert(id, new.clone()),
            None => self.seen.remove(&id),
        }
        .unwrap_or(Value::Null);
        let gone = Value::Null;
        let new = new.unwrap_or(&gone);
        let events = match kind {
            "Rollout" if name == self.rollout => self.rollout(&old, new),
            "Service" => self.service(name, &old, new),
            "ReplicaSet" => self.replica_set(&old, new),
            "Pod" => self.pod(name, &old, new),
            "AnalysisRun" => self.analysis_run(name, &old, new),
            "EndpointSlice" => endpoints(&old, new),
            "Event" => told(&old, new),
            _ => vec![],
        };
        events.into_iter().map(|event| Entry { at, event }).collect()
    }

    /// The name of the revision with this hash: what its template calls itself, or the hash.
    fn revision(&self, hash: &str) -> String {
        self.revisions.get(hash).cloned().unwrap_or_else(|| hash.to_owned())
    }

    fn rollout(&self, old: &Value, new: &Value) -> Vec<Event> {
        let before = self.rollout_seen(old);
        let after = self.rollout_seen(new);
        let mut events = vec![];
        if before != after && !new.is_null() {
            events.push(Event::Rollout(after));
        }
        let weight = |object: &Value| {
            let weight = object.pointer("/status/canary/weights/canary/weight");
            u32::try_from(weight.and_then(Value::as_u64).unwrap_or(0)).unwrap_or(0)
        };
        if weight(old) != weight(new) {
            events.push(Event::Weight { from: weight(old), to: weight(new) });
        }
        events
    }

    fn rollout_seen(&self, rollout: &Value) -> RolloutSeen {
        let status = &rollout["status"];
        let hash = |pointer: &str| self.revision(text(status, pointer));
        let mut conditions = status["conditions"].as_array().into_iter().flatten();
        let progressing = conditions.rfind(|condition| condition["type"] == "Progressing");
        let pauses = status["pauseConditions"].as_array().into_iter().flatten();
        RolloutSeen {
            phase: text(status, "/phase").to_owned(),
            message: text(status, "/message").to_owned(),
            abort: status["abort"] == true,
            progressing: progressing.map_or("", |condition| text(condition, "/reason")).to_owned(),
            current: hash("/currentPodHash"),
            stable: hash("/stableRS"),
            active: hash("/blueGreen/activeSelector"),
            preview: hash("/blueGreen/previewSelector"),
            step: status["currentStepIndex"].as_u64().and_then(|step| u32::try_from(step).ok()),
            pauses: pauses.map(|pause| text(pause, "/reason").to_owned()).collect(),
            counting_down: is_counting_down(rollout),
        }
    }

    fn service(&self, name: &str, old: &Value, new: &Value) -> Vec<Event> {
        let hash = |object: &Value| {
            let selector = object.pointer("/spec/selector").and_then(|selector| selector.get(HASH_LABEL));
            selector.and_then(Value::as_str).unwrap_or("").to_owned()
        };
        let (from, to) = (hash(old), hash(new));
        if from == to {
            return vec![];
        }
        let (from, to) = (self.revision(&from), self.revision(&to));
        vec![Event::Switched(Switched { service: name.to_owned(), from, to })]
    }

    fn replica_set(&mut self, old: &Value, new: &Value) -> Vec<Event> {
        let hash = label(if new.is_null() { old } else { new }).to_owned();
        if hash.is_empty() {
            // A Deployment's own, beside a Rollout that borrows its template: no revision of the Rollout.
            return vec![];
        }
        if !self.revisions.contains_key(&hash) && !new.is_null() {
            let revision = revision_env(new).unwrap_or(&hash).to_owned();
            self.revisions.insert(hash.clone(), revision);
        }
        let size = |object: &Value| {
            u32::try_from(object.pointer("/spec/replicas").and_then(Value::as_u64).unwrap_or(0))
                .unwrap_or(u32::MAX)
        };
        let (from, to) = (size(old), size(new));
        if from == to {
            return vec![];
        }
        vec![Event::Scaled { revision: self.revision(&hash), from, to }]
    }

    fn pod(&self, name: &str, old: &Value, new: &Value) -> Vec<Event> {
        let hash = label(if new.is_null() { old } else { new });
        if hash.is_empty() {
            return vec![];
        }
        let revision = self.revision(hash);
        let seen = |object: &Value| pod_seen(name, &revision, object);
        let (before, after) = (seen(old), seen(new));
        if before == after && old.is_null() == new.is_null() { vec![] } else { vec![Event::Pod(after)] }
    }

    fn analysis_run(&self, name: &str, old: &Value, new: &Value) -> Vec<Event> {
        if new.is_null() {
            return vec![];
        }
        let revision = self.revision(label(new));
        let mut events = measured(name, &revision, old, new);
        let phase = |object: &Value| text(object, "/status/phase").to_owned();
        if old.is_null() || phase(old) != phase(new) {
            let kind =
                new.pointer("/metadata/labels/rollout-type").and_then(Value::as_str).unwrap_or("").to_owned();
            let message = text(new, "/status/message").to_owned();
            events.push(Event::Analysis(AnalysisSeen {
                name: name.to_owned(),
                kind,
                revision,
                phase: phase(new),
                message,
            }));
        }
        events
    }
}

/// Whether a canary waits at a step that says for how long.
fn is_counting_down(rollout: &Value) -> bool {
    let mut pauses =
        rollout.pointer("/status/pauseConditions").and_then(Value::as_array).into_iter().flatten();
    let index = rollout.pointer("/status/currentStepIndex").and_then(Value::as_u64);
    let duration = index
        .and_then(|index| rollout.pointer(&format!("/spec/strategy/canary/steps/{index}/pause/duration")));
    duration.is_some_and(|duration| !duration.is_null())
        && pauses.any(|pause| text(pause, "/reason") == "CanaryPauseStep")
}

fn text<'a>(object: &'a Value, pointer: &str) -> &'a str {
    object.pointer(pointer).and_then(Value::as_str).unwrap_or("")
}

fn label(object: &Value) -> &str {
    let labels = object.pointer("/metadata/labels");
    labels.and_then(|labels| labels.get(HASH_LABEL)).and_then(Value::as_str).unwrap_or("")
}

/// The name a pod template gives itself.
#[must_use]
pub fn revision_env(owner: &Value) -> Option<&str> {
    let containers = owner.pointer("/spec/template/spec/containers")?.as_array()?;
    let env = containers.iter().flat_map(|container| container["env"].as_array().into_iter().flatten());
    env.into_iter().find(|var| var["name"] == REVISION_ENV).and_then(|var| var["value"].as_str())
}

fn pod_seen(name: &str, revision: &str, pod: &Value) -> PodSeen {
    let status = &pod["status"];
    let conditions = status["conditions"].as_array().into_iter().flatten();
    let ready =
        conditions.into_iter().any(|condition| condition["type"] == "Ready" && condition["status"] == "True");
    let containers = || status["containerStatuses"].as_array().into_iter().flatten();
    let restarts = containers().filter_map(|container| container["restartCount"].as_u64()).sum::<u64>();
    let waiting = containers()
        .map(|container| text(container, "/state/waiting/reason"))
        .find(|reason| !reason.is_empty());
    let running = containers().any(|container| container["state"].get("running").is_some());
    PodSeen {
        name: name.to_owned(),
        revision: revision.to_owned(),
        ready,
        restarts: u32::try_from(restarts).unwrap_or(u32::MAX),
        waiting: waiting.filter(|reason| *reason != "ContainerCreating").unwrap_or("").to_owned(),
        going: pod.is_null() || pod.pointer("/metadata/deletionTimestamp").is_some(),
        running,
    }
}

fn measured(run: &str, revision: &str, old: &Value, new: &Value) -> Vec<Event> {
    let mut events = vec![];
    for metric in new.pointer("/status/metricResults").and_then(Value::as_array).into_iter().flatten() {
        let name = text(metric, "/name");
        // Counters go on when retention drops old measurements, so what is new is told by them.
        let before = taken(old, name);
        let now = taken(new, name);
        let measurements = metric["measurements"].as_array().map_or(&[][..], Vec::as_slice);
        let fresh = usize::try_from(now.saturating_sub(before)).unwrap_or(0).min(measurements.len());
        let finished =
            measurements.iter().filter(|m| !text(m, "/phase").is_empty() && text(m, "/phase") != "Running");
        let finished: Vec<_> = finished.collect();
        let first = finished.len().saturating_sub(fresh);
        for (offset, measurement) in finished[first..].iter().enumerate() {
            events.push(Event::Measured(Measured {
                run: run.to_owned(),
                revision: revision.to_owned(),
                metric: name.to_owned(),
                nth: before + offset as u64,
                phase: text(measurement, "/phase").to_owned(),
                value: text(measurement, "/value").to_owned(),
                message: text(measurement, "/message").to_owned(),
                dry_run: metric["dryRun"] == true,
            }));
        }
    }
    events
}

/// How many measurements of a metric have been taken, errors included.
fn taken(run: &Value, metric: &str) -> u64 {
    let results = run.pointer("/status/metricResults").and_then(Value::as_array).into_iter().flatten();
    let Some(result) = results.into_iter().find(|result| result["name"] == metric) else { return 0 };
    ["count", "error"].iter().filter_map(|field| result[*field].as_u64()).sum()
}

fn endpoints(old: &Value, new: &Value) -> Vec<Event> {
    let ready = |slice: &Value| {
        let endpoints = slice["endpoints"].as_array().into_iter().flatten();
        u32::try_from(
            endpoints
                .filter(|endpoint| endpoint.pointer("/conditions/ready") != Some(&Value::Bool(false)))
                .count(),
        )
        .unwrap_or(u32::MAX)
    };
    let object = if new.is_null() { old } else { new };
    let service =
        object.pointer("/metadata/labels").and_then(|labels| labels.get("kubernetes.io/service-name"));
    let Some(service) = service.and_then(Value::as_str) else { return vec![] };
    if ready(old) == ready(new) {
        vec![]
    } else {
        vec![Event::Endpoints { service: service.to_owned(), ready: ready(new) }]
    }
}

fn told(old: &Value, new: &Value) -> Vec<Event> {
    if !old.is_null() || new.is_null() {
        return vec![];
    }
    vec![Event::Told {
        about: format!("{}/{}", text(new, "/involvedObject/kind"), text(new, "/involvedObject/name")),
        reason: text(new, "/reason").to_owned(),
        message: text(new, "/message").to_owned(),
        warning: new["type"] == "Warning",
    }]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// A ReplicaSet of three pods whose template calls itself v1.
    fn set(labels: Value) -> Value {
        let env = json!([{"name": REVISION_ENV, "value": "v1"}]);
        let template = json!({"spec": {"containers": [{"env": env}]}});
        json!({"metadata": {"labels": labels}, "spec": {"replicas": 3, "template": template}})
    }

    #[test]
    fn a_deployments_own_replica_set_is_no_revision_of_the_rollout() {
        let mut recorder = Recorder::new("app");
        let lender = set(json!({"pod-template-hash": "a"}));
        assert_eq!(recorder.observe(Instant::default(), "ReplicaSet", "app-a", Some(&lender)), []);
        assert_eq!(recorder.revision(""), "");
        let own = set(json!({HASH_LABEL: "b"}));
        let entries = recorder.observe(Instant::default(), "ReplicaSet", "app-b", Some(&own));
        let scaled = Event::Scaled { revision: "v1".to_owned(), from: 0, to: 3 };
        assert_eq!(entries.into_iter().map(|entry| entry.event).collect::<Vec<_>>(), [scaled]);
    }
}
