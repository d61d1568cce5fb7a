//! What was done during a recording, as things to do to the twin.

use std::time::Duration;

use serde_json::Value;

use super::sight::text;
use crate::twin::store::{Kind, Part, Patch};

/// One thing to do.
#[derive(Debug, Clone)]
pub(super) enum Act {
    Apply(Value),
    Patch(Kind, String, Part, Patch),
    Delete(Kind, String),
    Evict(String),
    ControllerDies,
    ControllerLeads,
    End,
}

/// A killed process writes for a while before the kill arrives (0.14 s in `ctl-killed-between-abort-and-switch`).
const KILL: f64 = 0.15;

/// Everything that was done, with its time, in order.
pub(super) fn read(given: &[Value], actions: &[Value], observed: &[Value]) -> Vec<(f64, Act)> {
    let mut acts = vec![];
    let mut first = true;
    for (number, action) in actions.iter().enumerate() {
        let at = action["t"].as_f64().expect("a time");
        match text(&action["do"]) {
            "apply" => {
                let manifests = action["manifests"].as_array().cloned();
                let objects = if first { given.to_vec() } else { manifests.unwrap_or_default() };
                first = false;
                let known = objects.into_iter().filter(|object| kind_of(text(&object["kind"])).is_some());
                // One after the other, also where one of them was there before and nobody saw when it was applied.
                let next = actions.get(number + 1).and_then(|next| next["t"].as_f64());
                let before = next.map_or(f64::MAX, |next| (next - 0.02).max(at));
                let mut last = at;
                acts.extend(known.map(|object| {
                    last = applied(&object, at, observed).max(last).min(before);
                    (last, Act::Apply(object))
                }));
            }
            "delete" => acts.extend(deletion(action).map(|act| (at, act))),
            "evict-pod" => {
                let pods = action["pods"].as_array().into_iter().flatten();
                acts.extend(pods.map(|pod| (at, Act::Evict(text(pod).to_owned()))));
            }
            "kill-controller" => acts.extend(death(at, observed)),
            "scale-controller" if action["replicas"] == 0 => acts.extend(death(at, observed)),
            "end" => acts.push((at, Act::End)),
            // Pods' fates and receivers are played from what was seen; a controller that is asked for leads later.
            "set-pod-readiness" | "sink-down" | "sink-up" | "note" | "scale-controller" => {}
            _ => acts.extend(writes(action, at)),
        }
    }
    acts.sort_by(|(one, _), (other, _)| one.total_cmp(other));
    acts
}

/// When an applied object was seen first; `kubectl apply` takes a while for a long file.
fn applied(object: &Value, at: f64, observed: &[Value]) -> f64 {
    let (kind, name) = (&object["kind"], &object["metadata"]["name"]);
    let seen = observed.iter().find(|line| {
        line["kind"] == *kind
            && line["name"] == *name
            && line["type"] == "ADDED"
            && line["t"].as_f64() >= Some(at - 0.5)
    });
    seen.and_then(|line| line["t"].as_f64()).unwrap_or(at)
}

/// A controller dies, and the next one leads when it is first heard.
fn death(at: f64, observed: &[Value]) -> Vec<(f64, Act)> {
    let heard = observed.iter().find(|line| {
        line["reason"] == "RolloutAddedToInformer" && line["t"].as_f64().is_some_and(|t| t > at)
    });
    let back = heard.and_then(|line| line["t"].as_f64());
    let mut acts = vec![(at + KILL, Act::ControllerDies)];
    acts.extend(back.map(|t| (t - 0.02, Act::ControllerLeads)));
    acts
}

/// A kind of the twin. What it has no kind for, a quota for instance, it sees in what becomes of the pods.
fn kind_of(name: &str) -> Option<Kind> {
    Kind::ALL.iter().copied().find(|kind| kind.info().kind == name)
}

fn deletion(action: &Value) -> Option<Act> {
    object(action).map(|(kind, name)| Act::Delete(kind, name))
}

fn object(action: &Value) -> Option<(Kind, String)> {
    let (kind, name) = text(&action["object"]).split_once('/')?;
    Some((kind_of(kind)?, name.to_owned()))
}

/// The requests of an action: its own patch, or those of the CLI.
fn writes(action: &Value, at: f64) -> Vec<(f64, Act)> {
    let mut acts = vec![];
    for request in action["requests"].as_array().into_iter().flatten() {
        if request["verb"] == "PATCH" && request["status"] == 200 {
            acts.push((request["t"].as_f64().unwrap_or(at), request_act(request)));
        }
    }
    if let (true, false, Some((kind, name))) = (acts.is_empty(), action["patch"].is_null(), object(action)) {
        acts.push((at, Act::Patch(kind, name, Part::Main, patch(text(&action["type"]), &action["patch"]))));
    }
    acts
}

fn request_act(request: &Value) -> Act {
    let mut segments: Vec<&str> = text(&request["path"]).split('/').collect();
    let status = segments.last() == Some(&"status");
    if status {
        segments.pop();
    }
    let name = segments.pop().expect("a name");
    let plural = segments.pop().expect("a plural");
    let kind = Kind::ALL.iter().find(|kind| kind.info().plural == plural).expect("a kind");
    let part = if status { Part::Status } else { Part::Main };
    Act::Patch(*kind, name.to_owned(), part, patch(text(&request["contentType"]), &request["body"]))
}

fn patch(kind: &str, body: &Value) -> Patch {
    match kind {
        kind if kind.contains("json-patch") || kind == "json" => Patch::Json(body.clone()),
        kind if kind.contains("strategic") => Patch::Strategic(body.clone()),
        _ => Patch::Merge(body.clone()),
    }
}

/// When the receiver behind the flaky service went and came: seconds, and whether it is there.
pub(super) fn sinks(actions: &[Value]) -> Vec<(f64, bool)> {
    let turns = actions.iter().filter_map(|action| {
        let at = action["t"].as_f64().expect("a time");
        match text(&action["do"]) {
            "sink-down" => Some((at, false)),
            "sink-up" => Some((at, true)),
            _ => None,
        }
    });
    turns.collect()
}

/// Seconds as a duration.
pub(super) fn seconds(t: f64) -> Duration {
    Duration::from_secs_f64(t.max(0.0))
}
