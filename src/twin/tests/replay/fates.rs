//! What befell the recorded pods: when each was running, ready, unready, restarted.
//!
//! Pods are found again by the place of their ReplicaSet among those of its owner and by their own place within it. Up to
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
#[derive(Debug, Clone, Default)]
struct Fate {
    name: String,
    created: f64,
    states: Vec<(f64, State)>,
}

/// A ReplicaSet by its place: the kind of its owner, and the how-manieth of it that is.
pub(super) type Place = (String, usize);

/// ReplicaSets and their places. Two controllers may create theirs at the same moment, so each is counted by itself.
#[derive(Debug, Clone, Default)]
pub(super) struct Places(Vec<(String, Place)>);

impl Places {
    /// Takes in a new ReplicaSet.
    pub(super) fn add(&mut self, name: &str, owner: &str) {
        let number = self.0.iter().filter(|(_, (of, _))| of == owner).count();
        self.0.push((name.to_owned(), (owner.to_owned(), number)));
    }

    /// The place of a ReplicaSet. One that was created again keeps its place.
    pub(super) fn of(&self, name: &str) -> Option<&Place> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, place)| place)
    }

    /// The ReplicaSet at a place.
    pub(super) fn at(&self, place: &Place) -> Option<&str> {
        self.0.iter().find(|(_, known)| known == place).map(|(name, _)| name.as_str())
    }
}

/// All recorded pods, by ReplicaSet and place.
#[derive(Debug, Clone, Default)]
pub(super) struct Fates {
    pub(super) sets: Places,
    pods: BTreeMap<Place, Vec<Fate>>,
}

impl Fates {
    pub(super) fn read(observed: &[Value]) -> Fates {
        let mut fates = Fates::default();
        for line in observed {
            match (text(&line["kind"]), text(&line["type"])) {
                ("ReplicaSet", "ADDED") => {
                    let owner = text(&line["metadata"]["ownerReferences"][0]);
                    let owner = owner.split('/').next().expect("the first of a split");
                    fates.sets.add(text(&line["name"]), owner);
                }
                ("Pod", "ADDED" | "MODIFIED") if line["deleting"] != true => fates.pod(line),
                _ => {}
            }
        }
        fates
    }

    fn pod(&mut self, line: &Value) {
        let name = text(&line["name"]);
        let at = line["t"].as_f64().expect("a time");
        let set = name.rsplit_once('-').and_then(|(set, _)| self.sets.of(set));
        let Some(set) = set.cloned() else { return };
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

    /// Where a recorded pod stands: its ReplicaSet's place and its own.
    pub(super) fn place(&self, name: &str) -> Option<(&Place, usize)> {
        self.pods.iter().find_map(|(set, pods)| Some((set, pods.iter().position(|fate| fate.name == name)?)))
    }

    /// When the pods of the ReplicaSet at this place were created.
    pub(super) fn births(&self, set: &Place) -> impl Iterator<Item = f64> {
        self.pods.get(set).into_iter().flatten().map(|fate| fate.created)
    }

    /// What befalls the pod at this place, in order.
    pub(super) fn of(&self, set: &Place, place: usize) -> Vec<(When, State)> {
        let pods = self.pods.get(set).map_or(&[][..], Vec::as_slice);
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
