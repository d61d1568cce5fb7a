//! What an onlooker sees of a run, as tracks: one line of short texts per thing that changes.
//!
//! A recording and the twin are read by the same eyes: lines in the format of `observed.jsonl`. Hashes become v1, v2,
//! … in the order of their appearance; stamps are not looked at; a text that repeats the one before it is one sight.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::Regex;
use serde_json::{Value, json};

use super::stage::NAMESPACE;
use crate::twin::store::{Change, Kind, Object};

/// One thing seen, and when (seconds since the start).
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Seen {
    pub(super) at: f64,
    pub(super) text: String,
}

/// Everything seen, by what it was seen of.
pub(super) type Tracks = BTreeMap<String, Vec<Seen>>;

/// The kinds whose end is seen.
const WATCHED: &[&str] = &[
    "Rollout",
    "ReplicaSet",
    "Service",
    "AnalysisRun",
    "Deployment",
    "Experiment",
    "Ingress",
    "VirtualService",
    "DestinationRule",
];

/// The eyes.
#[derive(Debug, Default)]
pub(super) struct Sight {
    /// Of the Rollout's ReplicaSets.
    hashes: Vec<String>,
    /// Of a Deployment's.
    others: Vec<String>,
    tracks: Tracks,
    /// How many measurements of a metric were seen, and of how many the run had forgotten the first.
    measured: BTreeMap<String, i64>,
}

impl Sight {
    /// Everything that lines of this format show.
    pub(super) fn of<'a>(lines: impl IntoIterator<Item = &'a Value>) -> Tracks {
        let mut sight = Sight::default();
        for line in lines {
            sight.see(line);
        }
        sight.into_tracks()
    }

    /// What was seen, each hot loop once.
    pub(super) fn into_tracks(self) -> Tracks {
        let tracks = self.tracks.into_iter().map(|(name, sights)| (name, without_loops(sights)));
        tracks.collect()
    }

    /// What was seen so far.
    pub(super) fn tracks(&self) -> &Tracks {
        &self.tracks
    }

    pub(super) fn see(&mut self, line: &Value) {
        let (kind, name) = (text(&line["kind"]), text(&line["name"]));
        if line["type"] == "DELETED" && WATCHED.contains(&kind) {
            let track = format!("{kind} {}", self.plain(name));
            return self.note(line, track, "gone".to_owned());
        }
        match kind {
            "Rollout" => self.rollout(line),
            "ReplicaSet" => self.replica_set(line),
            "Service" => {
                let hash = text(&line["spec"]["selector"]["rollouts-pod-template-hash"]);
                self.note(line, format!("Service {name}"), self.revision(hash));
            }
            "AnalysisRun" => self.run(line),
            "Event" => self.event(line),
            "Delivery" => {
                let body = self.plain(&line["body"].to_string());
                self.add(line, format!("Delivery {name}"), format!("{} {body}", line["answered"]));
            }
            "VirtualService" => self.virtual_service(line),
            "DestinationRule" => self.destination_rule(line),
            "Ingress" => self.ingress(line),
            "Experiment" => self.experiment(line),
            // What did not change is left out.
            "Deployment" if line["spec"].is_object() => {
                let size = line["spec"]["replicas"].to_string();
                self.note(line, format!("Deployment {name}"), size);
            }
            _ => {}
        }
    }

    fn rollout(&mut self, line: &Value) {
        let status = &line["status"];
        self.learn(text(&status["currentPodHash"]));
        if status["phase"].is_null() {
            return;
        }
        let mut words = vec![format!("{} {:?}", text(&status["phase"]), text(&status["message"]))];
        let flag = |name: &str| (status[name] == true).then(|| name.to_owned());
        words.extend(["abort", "controllerPause", "promoteFull"].into_iter().filter_map(flag));
        let hash = |words: &mut Vec<String>, name: &str, value: &Value| {
            if value.is_string() {
                words.push(format!("{name}={}", self.revision(text(value))));
            }
        };
        hash(&mut words, "active", &status["blueGreen"]["activeSelector"]);
        hash(&mut words, "preview", &status["blueGreen"]["previewSelector"]);
        hash(&mut words, "stable", &status["stableRS"]);
        if status["currentStepIndex"].is_i64() {
            words.push(format!("step={}", status["currentStepIndex"]));
        }
        let weights = &status["canary"]["weights"];
        if weights.is_object() {
            words.push(format!("weights={}/{}", weights["canary"]["weight"], weights["stable"]["weight"]));
        }
        let reasons = status["pauseConditions"].as_array().into_iter().flatten();
        words.extend(reasons.map(|pause| format!("pause={}", text(&pause["reason"]))));
        let name = text(&line["name"]).to_owned();
        let sight = self.plain(&words.join(" "));
        self.note(line, format!("Rollout {name}"), sight);
        for condition in status["conditions"].as_array().into_iter().flatten() {
            let field = |field: &str| text(&condition[field]);
            let sight =
                self.plain(&format!("{} {} {:?}", field("status"), field("reason"), field("message")));
            self.note(line, format!("Rollout {name} condition {}", field("type")), sight);
        }
    }

    fn replica_set(&mut self, line: &Value) {
        let labels = &line["metadata"]["labels"];
        self.learn(text(&labels["rollouts-pod-template-hash"]));
        let others = text(&labels["pod-template-hash"]);
        if !others.is_empty() && !self.others.iter().any(|known| known == others) {
            self.others.push(others.to_owned());
        }
        let deadline = &line["metadata"]["annotations"]["scale-down-deadline"];
        let deadline = if text(deadline).is_empty() { "" } else { " until its deadline" };
        let sight = format!("{}{deadline}", line["spec"]["replicas"].as_i64().unwrap_or(0));
        let name = self.plain(text(&line["name"]));
        self.note(line, format!("ReplicaSet {name}"), sight);
    }

    fn run(&mut self, line: &Value) {
        let name = self.plain(text(&line["name"]));
        let status = &line["status"];
        if status["phase"].is_string() {
            let sight = format!("{} {:?}", text(&status["phase"]), stampless(text(&status["message"])));
            let sight = self.plain(&sight);
            self.note(line, format!("AnalysisRun {name}"), sight);
        }
        for result in status["metricResults"].as_array().into_iter().flatten() {
            self.measurements(line, &format!("AnalysisRun {name} metric {}", text(&result["name"])), result);
        }
    }

    /// Every HTTP route: who gets how much, by which header, with which mirror.
    fn virtual_service(&mut self, line: &Value) {
        let routes = line["spec"]["http"].as_array().into_iter().flatten();
        let sight: Vec<String> = routes.map(|route| self.route(route)).collect();
        self.note(line, format!("VirtualService {}", text(&line["name"])), sight.join("; "));
    }

    fn route(&self, route: &Value) -> String {
        let share = |one: &Value| {
            let (to, weight) = (&one["destination"], one["weight"].as_i64().unwrap_or(0));
            let subset = to["subset"].as_str().map(|subset| format!("/{subset}")).unwrap_or_default();
            self.plain(&format!("{}{subset}={weight}", text(&to["host"])))
        };
        let mut shares: Vec<String> = route["route"].as_array().into_iter().flatten().map(share).collect();
        // Upstream adds the destinations of an experiment in the order of a Go map, which is chance.
        shares.sort();
        let mut words = vec![format!("{}: {}", text(&route["name"]), shares.join(" "))];
        for field in ["match", "mirror", "mirrorPercentage"] {
            if !route[field].is_null() {
                words.push(format!("{field}={}", route[field]));
            }
        }
        words.join(" ")
    }

    /// Every subset and its revision.
    fn destination_rule(&mut self, line: &Value) {
        let subsets = line["spec"]["subsets"].as_array().into_iter().flatten();
        let sight: Vec<String> = subsets
            .map(|subset| {
                let hash = text(&subset["labels"]["rollouts-pod-template-hash"]);
                format!("{}={}", text(&subset["name"]), self.revision(hash))
            })
            .collect();
        self.note(line, format!("DestinationRule {}", text(&line["name"])), sight.join(" "));
    }

    /// What the controller annotates; others may annotate what they like.
    fn ingress(&mut self, line: &Value) {
        let annotations = line["metadata"]["annotations"].as_object().into_iter().flatten();
        let canary = annotations.filter(|(key, _)| key.contains("/canary"));
        let sight: Vec<String> = canary.map(|(key, value)| format!("{key}={}", text(value))).collect();
        self.note(line, format!("Ingress {}", text(&line["name"])), sight.join(" "));
    }

    fn experiment(&mut self, line: &Value) {
        let status = &line["status"];
        if status["phase"].is_null() {
            return;
        }
        let mut words = vec![format!("{} {:?}", text(&status["phase"]), text(&status["message"]))];
        for template in status["templateStatuses"].as_array().into_iter().flatten() {
            words.push(format!("{}:{}", text(&template["name"]), text(&template["status"])));
        }
        let (track, sight) = (format!("Experiment {}", text(&line["name"])), words.join(" "));
        let (track, sight) = (self.plain(&track), self.plain(&sight));
        self.note(line, track, sight);
    }

    /// The measurements not seen before. A run keeps the last ten or so; its counters tell how many came before.
    fn measurements(&mut self, line: &Value, track: &str, result: &Value) {
        let taken: Vec<&Value> = result["measurements"].as_array().into_iter().flatten().collect();
        let count = |field: &str| result[field].as_i64().unwrap_or(0);
        let kept = i64::try_from(taken.len()).expect("a few");
        let first = (count("count") + count("error") - kept).max(0);
        let seen = self.measured.get(track).copied().unwrap_or(0);
        for (number, measurement) in (first..).zip(taken) {
            if number < seen {
                continue;
            }
            let field = |field: &str| text(&measurement[field]);
            let message = self.plain(&stampless(field("message")));
            let sight = format!("{} [{}] {message:?}", field("phase"), field("value"));
            self.add(line, track.to_owned(), sight);
            self.measured.insert(track.to_owned(), number + 1);
        }
    }

    fn event(&mut self, line: &Value) {
        let field = |name: &str| text(&line[name]);
        let on = self.plain(field("on"));
        let count = line["count"].as_u64().unwrap_or(1);
        // Only a hot loop switches a Service again; how often it is told before the recorder's budget is spent is luck.
        if field("reason") == "SwitchService" && count > 1 {
            return;
        }
        let times = if count > 1 { format!(" x{count}") } else { String::new() };
        let sight = format!("{} {} {:?}{times}", field("eventType"), field("reason"), field("message"));
        let sight = self.plain(&sight);
        self.add(line, format!("events of {on}"), sight);
    }

    /// Adds a sight unless it is the same as the last.
    fn note(&mut self, line: &Value, track: String, sight: String) {
        if self.tracks.get(&track).and_then(|all| all.last()).is_none_or(|last| last.text != sight) {
            self.add(line, track, sight);
        }
    }

    fn add(&mut self, line: &Value, track: String, text: String) {
        let at = line["t"].as_f64().expect("every line has a time");
        self.tracks.entry(track).or_default().push(Seen { at, text });
    }

    fn learn(&mut self, hash: &str) {
        if !hash.is_empty() && !self.hashes.iter().any(|known| known == hash) {
            self.hashes.push(hash.to_owned());
        }
    }

    fn revision(&self, hash: &str) -> String {
        if hash.is_empty() { "-".to_owned() } else { self.plain(hash) }
    }

    /// A text without hashes.
    fn plain(&self, text: &str) -> String {
        let mut plain = text.to_owned();
        for (letter, hashes) in [("v", &self.hashes), ("d", &self.others)] {
            for (index, hash) in hashes.iter().enumerate() {
                plain = plain.replace(hash.as_str(), &format!("{letter}{}", index + 1));
            }
        }
        plain
    }
}

/// A hot loop of two alternating sights is seen once: how often it turned, and where it stopped, is a matter of luck.
pub(super) fn without_loops(sights: Vec<Seen>) -> Vec<Seen> {
    let mut seen: Vec<Seen> = vec![];
    let mut turning: Option<(String, String)> = None;
    for sight in sights {
        if turning.as_ref().is_some_and(|(one, two)| sight.text == *one || sight.text == *two) {
            continue;
        }
        turning = match &seen[..] {
            [.., one, two, three] if sight.text == two.text && three.text == one.text => {
                Some((one.text.clone(), two.text.clone()))
            }
            _ => None,
        };
        match turning {
            Some(_) => drop(seen.pop()),
            None => seen.push(sight),
        }
    }
    seen
}

pub(super) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or("")
}

/// A string answer quotes the moment it was evaluated.
fn stampless(message: &str) -> String {
    static STAMP: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\[\d+(\.\d+)?,").expect("a pattern"));
    STAMP.replace_all(message, "[TIME,").into_owned()
}

/// A change on the twin as the recorder would have written it, of the kinds that are looked at.
pub(super) fn line(change: &Change, at: f64) -> Option<Value> {
    let kind = change.key.kind.info().kind;
    let object: &Object = change.new.as_ref().or(change.old.as_ref())?;
    let type_ = match (&change.old, &change.new) {
        (None, _) => "ADDED",
        (_, None) => "DELETED",
        _ => "MODIFIED",
    };
    if change.key.namespace.as_ref() != NAMESPACE {
        return None;
    }
    let mut line = json!({"t": at, "kind": kind, "name": change.key.name.as_ref(), "type": type_});
    let parts: &[&str] = match change.key.kind {
        Kind::Pod | Kind::EndpointSlice => return None,
        // Only what the rollouts controller says was recorded.
        Kind::Event if object["source"]["component"] != "rollouts-controller" => return None,
        Kind::Event => {
            let on = &object["involvedObject"];
            line["on"] = json!(format!("{}/{}", text(&on["kind"]), text(&on["name"])));
            line["eventType"] = object["type"].clone();
            &["reason", "message", "count"]
        }
        Kind::Rollout | Kind::AnalysisRun | Kind::Experiment => &["status"],
        Kind::ReplicaSet => {
            line["spec"] = json!({"replicas": object["spec"]["replicas"]});
            &["metadata"]
        }
        _ => &["metadata", "spec"],
    };
    for part in parts {
        line[*part] = object[*part].clone();
    }
    Some(line)
}
