//! What befell the recorded pods: when each was running, ready, unready, restarted.
//!
//! Pods are found again by the place of their ReplicaSet among all ReplicaSets and by their own place within it. Up to
//! its first readiness a pod's fate counts from its creation, since that is how long it took to start; what comes
//! later happened at a moment, whoever created it.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::sight::text;
use crate::clock::Moment;

/// A pod's condition from some moment on.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct State {
    phase: String,
    ready: bool,
    restarts: i64,
    waiting: String,
}

/// When a state begins.
#[derive(Debug, Clone, Copy)]
pub(super) enum When {
    /// So many seconds after the pod was created.
    After(f64),
    /// At this second of the recording.
    At(f64),
}

/// One recorded pod.
#[derive(Debug, Default)]
struct Fate {
    name: String,
    created: f64,
    states: Vec<(f64, State)>,
}

/// All recorded pods, by ReplicaSet and place.
#[derive(Debug, Default)]
pub(super) struct Fates {
    sets: Vec<String>,
    pods: BTreeMap<usize, Vec<Fate>>,
}

impl Fates {
    pub(super) fn read(observed: &[Value]) -> Fates {
        let mut fates = Fates::default();
        for line in observed {
            match (text(&line["kind"]), text(&line["type"])) {
                ("ReplicaSet", "ADDED") => fates.sets.push(text(&line["name"]).to_owned()),
                ("Pod", "ADDED" | "MODIFIED") if line["deleting"] != true => fates.pod(line),
                _ => {}
            }
        }
        fates
    }

    fn pod(&mut self, line: &Value) {
        let name = text(&line["name"]);
        let at = line["t"].as_f64().expect("a time");
        let Some(set) = self.sets.iter().position(|set| name.rsplit_once('-').is_some_and(|(of, _)| of == set))
        else {
            return;
        };
        let pods = self.pods.entry(set).or_default();
        if pods.iter().all(|fate| fate.name != name) {
            pods.push(Fate { name: name.to_owned(), created: at, states: vec![] });
        }
        let fate = pods.iter_mut().find(|fate| fate.name == name).expect("it was just added");
        let state = State {
            phase: text(&line["podPhase"]).to_owned(),
            ready: line["ready"] == "True",
            restarts: line["restarts"].as_i64().unwrap_or(0),
            waiting: text(&line["waiting"][0]).to_owned(),
        };
        if fate.states.last().is_none_or(|(_, last)| *last != state) {
            fate.states.push((at, state));
        }
    }

    /// The place of a recorded ReplicaSet.
    pub(super) fn set(&self, name: &str) -> Option<usize> {
        self.sets.iter().position(|set| set == name)
    }

    /// Where a recorded pod stands: its ReplicaSet's place and its own.
    pub(super) fn place(&self, name: &str) -> Option<(usize, usize)> {
        let of = |(set, pods): (&usize, &Vec<Fate>)| {
            pods.iter().position(|fate| fate.name == name).map(|place| (*set, place))
        };
        self.pods.iter().find_map(of)
    }

    /// What befalls the pod at this place, in order.
    pub(super) fn of(&self, set: usize, place: usize) -> Vec<(When, State)> {
        let pods = self.pods.get(&set).map_or(&[][..], Vec::as_slice);
        // A pod that nobody recorded starts as its last sibling did.
        let Some(fate) = pods.get(place).or(pods.last()) else { return vec![] };
        let mut was_ready = false;
        let mut states = vec![];
        for (at, state) in &fate.states {
            let when = if was_ready { When::At(*at) } else { When::After(at - fate.created) };
            was_ready |= state.ready;
            states.push((when, state.clone()));
        }
        states
    }
}

impl State {
    /// As the kubelet would write it.
    pub(super) fn status(&self, since: Moment) -> Value {
        let ready = if self.ready { "True" } else { "False" };
        let condition =
            |kind: &str| json!({"type": kind, "status": ready, "lastTransitionTime": since.rfc3339()});
        let state = match self.waiting.as_str() {
            "" => json!({"running": {}}),
            reason => json!({"waiting": {"reason": reason}}),
        };
        json!({"status": {
            "phase": self.phase, "podIP": "10.0.0.1", "podIPs": [{"ip": "10.0.0.1"}],
            "conditions": [condition("ContainersReady"), condition("Ready")],
            "containerStatuses": [{"name": "app", "ready": self.ready, "restartCount": self.restarts, "state": state}],
        }})
    }
}
