//! What an onlooker would have seen of a change, one line each.

use serde_json::{Value, json};

use super::Bench;
use crate::argo::rollout::{HASH_LABEL, Rollout};
use crate::twin::rollouts;
use crate::twin::store::{Change, Key, Kind, text_at};

impl Bench {
    pub(super) fn tell(&mut self, change: &Change) {
        let (old, new) = (change.old.as_deref(), change.new.as_deref());
        match change.key.kind {
            Kind::Rollout => self.tell_rollout(change),
            Kind::Service => self.tell_service(&change.key, old, new),
            Kind::Deployment => self.tell_deployment(&change.key, old, new),
            Kind::ReplicaSet => self.tell_replica_set(&change.key, old, new),
            Kind::AnalysisRun => self.tell_run(&change.key, old, new),
            Kind::Ingress => self.tell_ingress(&change.key, new),
            Kind::Pod => {
                let deleted = new.is_none();
                if deleted {
                    self.say(format!("pod {} deleted", change.key.name));
                }
            }
            _ => {}
        }
    }

    fn tell_rollout(&mut self, change: &Change) {
        let line =
            |object: &Value| Rollout::read(object).map(|rollout| summary(&rollout)).unwrap_or_default();
        match (&change.old, &change.new) {
            (None, Some(new)) => self.play(rollouts::first_sight(new)).expect("an event"),
            (Some(old), None) => self.play(rollouts::farewell(old)).expect("an event"),
            (Some(old), Some(new)) if line(old) != line(new) => self.say(line(new)),
            _ => {}
        }
    }

    fn tell_service(&mut self, key: &Key, old: Option<&Value>, new: Option<&Value>) {
        let hash = |object: Option<&Value>| {
            object
                .and_then(|object| object["spec"]["selector"][HASH_LABEL].as_str())
                .unwrap_or("-")
                .to_owned()
        };
        if new.is_some() && hash(old) != hash(new) {
            self.say(format!("{} -> {}", key.name, hash(new)));
        }
    }

    /// Only the weight of a canary Ingress is of interest.
    fn tell_ingress(&mut self, key: &Key, new: Option<&Value>) {
        let weight = |object: &Value| {
            object["metadata"]["annotations"]["nginx.ingress.kubernetes.io/canary-weight"].clone()
        };
        match new.map(weight) {
            Some(Value::String(weight)) => self.say(format!("ingress {} {weight}", key.name)),
            None => self.say(format!("ingress {} deleted", key.name)),
            Some(_) => {}
        }
    }

    fn tell_deployment(&mut self, key: &Key, old: Option<&Value>, new: Option<&Value>) {
        let Some(new) = new else { return self.say(format!("deployment {} deleted", key.name)) };
        let line = |object: &Value| {
            let available = object["status"]["availableReplicas"].as_i64().unwrap_or(0);
            format!("deployment {} replicas={} available={available}", key.name, object["spec"]["replicas"])
        };
        if old.map(line) != Some(line(new)) {
            self.say(line(new));
        }
    }

    /// A ReplicaSet of a Deployment has no name in a story but its owner's.
    fn tell_lenders_set(&mut self, key: &Key, owner: &str, old: Option<&Value>, new: Option<&Value>) {
        let size = |object: &Value| object["spec"]["replicas"].as_i64().unwrap_or(-1);
        match (old, new) {
            (_, None) => {
                self.starting.remove(key);
                self.say(format!("rs (of {owner}) deleted"));
            }
            (None, Some(new)) => self.say(format!("rs (of {owner}) created {}", size(new))),
            (Some(old), Some(new)) if size(old) != size(new) => {
                self.say(format!("rs (of {owner}) {} -> {}", size(old), size(new)));
            }
            _ => {}
        }
    }

    fn tell_replica_set(&mut self, key: &Key, old: Option<&Value>, new: Option<&Value>) {
        let owner = new.or(old).map(|set| set["metadata"]["ownerReferences"][0].clone()).unwrap_or_default();
        if owner["kind"] == json!("Deployment") {
            return self.tell_lenders_set(key, text_at(&owner, "/name"), old, new);
        }
        let Some(new) = new else {
            self.starting.remove(key);
            return self.say(format!("rs {} deleted", key.name));
        };
        let hash = new["metadata"]["labels"][HASH_LABEL].as_str().unwrap_or("-").to_owned();
        if !self.hashes.contains(&hash) {
            self.hashes.push(hash);
        }
        let size = |object: &Value| object["spec"]["replicas"].as_i64().unwrap_or(-1);
        let deadline =
            |object: &Value| text_at(object, "/metadata/annotations/scale-down-deadline").to_owned();
        let Some(old) = old else { return self.say(format!("rs {} created", key.name)) };
        if size(old) != size(new) {
            self.say(format!("rs {} {} -> {}", key.name, size(old), size(new)));
        }
        if deadline(old) != deadline(new) {
            let word = if deadline(new).is_empty() { "removed" } else { "set" };
            self.say(format!("rs {} deadline {word}", key.name));
        }
    }

    fn tell_run(&mut self, key: &Key, old: Option<&Value>, new: Option<&Value>) {
        let terminated = |object: &Value| object["spec"]["terminate"] == json!(true);
        match (old, new) {
            (None, Some(_)) => self.say(format!("ar {} created", key.name)),
            (Some(_), None) => self.say(format!("ar {} deleted", key.name)),
            (Some(old), Some(new)) => {
                if !terminated(old) && terminated(new) {
                    self.say(format!("ar {} terminated", key.name));
                }
                let phase = text_at(new, "/status/phase");
                if text_at(old, "/status/phase") != phase {
                    self.say(format!("ar {} {phase}", key.name));
                }
            }
            (None, None) => {}
        }
    }
}

/// What an onlooker of the Rollout sees.
fn summary(rollout: &Rollout) -> String {
    let status = &rollout.status;
    let or_dash = |text: &str| if text.is_empty() { "-".to_owned() } else { text.to_owned() };
    let pauses: Vec<&str> = status.pause_conditions.iter().map(|pause| pause.reason.as_str()).collect();
    let mut line = format!("{} \"{}\"", or_dash(&status.phase), status.message);
    if status.abort {
        line.push_str(" abort");
    }
    if status.controller_pause {
        line.push_str(" controllerPause");
    }
    if !pauses.is_empty() {
        line.push_str(&format!(" pause={}", pauses.join(",")));
    }
    if rollout.spec.strategy.blue_green.is_some() {
        let green = &status.blue_green;
        let (active, preview) = (or_dash(&green.active_selector), or_dash(&green.preview_selector));
        line.push_str(&format!(" active={active} preview={preview}"));
    }
    if let Some(step) = status.current_step_index {
        line.push_str(&format!(" step={step}"));
    }
    if let Some(weights) = &status.canary.weights {
        line.push_str(&format!(" weights={}/{}", weights.canary.weight, weights.stable.weight));
    }
    let (current, stable) = (or_dash(&status.current_pod_hash), or_dash(&status.stable_rs));
    line.push_str(&format!(" current={current} stable={stable}"));
    line
}
