//! The twin as the stage of a recording: the same objects, acts, fates and answers; then what was seen, line by line.

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;

use serde_json::{Value, json};

use super::acts::{self, Act, seconds};
use super::fates::{Fates, Places, State, When};
use super::load::Load;
use super::provider::Provider;
use super::puppets::Heard;
use super::receivers::{self, Receiver};
use super::script::{Anchor, Script};
use super::sight::{Sight, Tracks, line, text};
use crate::argo::Version;
use crate::clock::{Moment, Seed};
use crate::inbox;
use crate::twin::caches::Caches;
use crate::twin::pods::{Exports, PodSettings};
use crate::twin::prometheus::{Role, Scraping};
use crate::twin::receivers::Manner;
use crate::twin::recordings::notification_config;
use crate::twin::store::{Change, Key, Kind, Part, Patch, text_at};
use crate::twin::{Settings, Twin};

/// The namespace of a replay; a recording says `NAMESPACE`.
pub(super) const NAMESPACE: &str = "namespace-of-the-replay";
const CONTROLLER: &str = "argo-rollouts";

/// What is going to happen.
#[derive(Debug, Clone)]
pub(super) enum Cue {
    Act(Act),
    Pod(Key, State),
    /// The receiver behind the flaky service goes or comes, and does so again so many seconds later.
    Sink(Vec<(f64, bool)>),
}

/// In these throws some watches are late; in the others all are in time, as in most worlds.
const LATE: Range<u64> = 8..13;

/// How long an act waits for its anchor when the twin is late.
const PATIENCE: f64 = 2.0;

/// The stage.
pub(super) struct Stage {
    twin: Twin,
    throw: u64,
    start: Moment,
    /// What happens at a moment of the twin's.
    cues: BTreeMap<(Moment, usize), Cue>,
    /// What happened at a second of the recording, in order, with what it waited for.
    script: BTreeMap<(Moment, usize), (Cue, Option<Anchor>)>,
    cued: usize,
    /// By how many seconds the twin is behind the recording.
    behind: f64,
    sight: Sight,
    receivers: BTreeMap<String, Receiver>,
    fates: Fates,
    load: Load,
    sets: Places,
    pods: BTreeMap<String, Vec<String>>,
    read: u64,
    ended: bool,
}

/// After how many seconds of a play it is asked whether it is worth going on.
const HOPE: f64 = 5.0;

/// Plays a recording and answers with what was seen, to its end or until it is hopeless.
pub(super) fn play(script: &Script, throw: u64, is_hopeless: impl Fn(&Tracks) -> bool) -> Tracks {
    let nth = if LATE.contains(&throw) { throw - LATE.start } else { throw };
    let load = Load::of(&script.gaps, nth);
    let mut stage = Stage::new(script.start, throw, script.fates.clone(), load);
    for (at, cue, anchor) in &script.cues {
        stage.script(*at, cue.clone(), anchor.clone());
    }
    if script.notifies {
        stage.install_notifications();
    }
    let mut asked = 0.0;
    while !stage.ended {
        stage.step();
        if stage.seconds() > asked + HOPE {
            asked = stage.seconds();
            if is_hopeless(stage.sight.tracks()) {
                break;
            }
        }
    }
    stage.finish()
}

impl Stage {
    fn new(start: Moment, throw: u64, fates: Fates, load: Load) -> Stage {
        let mut twin = Twin::new(settings(start, throw));
        twin.puppets.script = Some(Provider::default());
        twin.caches = if LATE.contains(&throw) { Caches::late(Seed::new(throw)) } else { Caches::default() };
        let namespace = json!({"metadata": {"name": NAMESPACE}});
        twin.store_mut().create(start, Kind::Namespace, namespace).expect("a new namespace");
        twin.settle();
        let read = twin.store().version();
        let (cues, sets, pods) = (BTreeMap::new(), Places::default(), BTreeMap::new());
        Stage {
            twin,
            throw,
            start,
            cues,
            script: BTreeMap::new(),
            cued: 0,
            behind: 0.0,
            receivers: BTreeMap::new(),
            sight: Sight::default(),
            fates,
            load,
            sets,
            pods,
            read,
            ended: false,
        }
    }

    /// The notifications of the recordings. Nobody hears of a Rollout that does not subscribe.
    fn install_notifications(&mut self) {
        let mut config = notification_config();
        self.receivers = receivers::of(&config);
        for (service, receiver) in &self.receivers {
            self.twin.receivers.turn(service, self.start, receiver.manner);
        }
        config["metadata"] = json!({"name": "argo-rollouts-notification-configmap", "namespace": CONTROLLER});
        let secret = json!({"metadata": {"name": "argo-rollouts-notification-secret", "namespace": CONTROLLER},
            "data": {"slack-token": "dG9rZW4="}});
        let store = self.twin.store_mut();
        store.create(self.start, Kind::ConfigMap, config).expect("a new ConfigMap");
        store.create(self.start, Kind::Secret, secret).expect("a new Secret");
    }

    fn cue(&mut self, at: Moment, cue: Cue) {
        self.cued += 1;
        self.cues.insert((at, self.cued), cue);
    }

    fn script(&mut self, at: f64, cue: Cue, anchor: Option<Anchor>) {
        self.cued += 1;
        self.script.insert((self.start + seconds(at), self.cued), (cue, anchor));
    }

    /// The next thing that happens: a cue, or whatever the twin has to do.
    fn step(&mut self) {
        let load = self.load.at(self.seconds() - self.behind);
        let latency = &mut self.twin.latency;
        (latency.load, latency.kube_load, latency.watch_load) = (load.argo, load.kube, load.watch);
        let scripted = self.next_scripted();
        let cued = self.cues.first_key_value().map(|((at, _), _)| *at);
        let own = self.twin.next();
        let soonest = [Some(scripted), cued, own].into_iter().flatten().min().unwrap_or(scripted);
        self.twin.advance(soonest);
        if soonest == scripted {
            let ((at, _), (cue, _)) = self.script.pop_first().expect("the end is scripted");
            self.behind = self.seconds() - at.since(self.start).as_secs_f64();
            self.perform(cue);
        } else if Some(soonest) == cued {
            let (_, cue) = self.cues.pop_first().expect("looked at above");
            self.perform(cue);
        }
        self.twin.settle();
        self.look();
    }

    /// When the next thing of the script happens: as long after what it waited for as in the recording.
    fn next_scripted(&self) -> Moment {
        let (&(at, _), (_, anchor)) = self.script.first_key_value().expect("the end is scripted");
        let at = at.since(self.start).as_secs_f64();
        let seen =
            |anchor: &Anchor| self.sight.tracks().get(&anchor.track)?.get(anchor.number).map(|seen| seen.at);
        let due = match anchor {
            None => at + self.behind,
            Some(anchor) => seen(anchor).map_or(at + self.behind + PATIENCE, |seen| seen + anchor.before),
        };
        (self.start + seconds(due)).max(self.twin.now())
    }

    fn perform(&mut self, cue: Cue) {
        let now = self.twin.now();
        match cue {
            Cue::Pod(key, state) => {
                // A pod that is gone has no status any more.
                let _ =
                    self.twin.store_mut().patch(now, &key, Part::Status, &Patch::Merge(state.status(now)));
            }
            Cue::Sink(turns) => {
                for (service, receiver) in self.receivers.iter().filter(|(_, receiver)| receiver.sinks) {
                    for (later, there) in &turns {
                        let manner = if *there { receiver.manner } else { Some(Manner::Refuses) };
                        self.twin.receivers.turn(service, now + seconds(*later), manner);
                    }
                }
            }
            Cue::Act(Act::Apply(object)) => self.apply(object),
            Cue::Act(Act::Patch(kind, name, part, patch)) => {
                let key = key(kind, &name);
                let done = self.twin.store_mut().patch(now, &key, part, &patch);
                done.unwrap_or_else(|error| panic!("{key:?}: {}", error.message));
            }
            Cue::Act(Act::Delete(kind, name)) => self.delete(&key(kind, &self.today(&name))),
            Cue::Act(Act::Evict(name)) => {
                if let Some(name) = self.counterpart(&name) {
                    self.delete(&key(Kind::Pod, &name));
                }
            }
            Cue::Act(Act::ControllerDies) => self.twin.stop_controller(),
            Cue::Act(Act::ControllerLeads) => self.twin.start_controller(),
            Cue::Act(Act::End) => self.ended = true,
        }
    }

    fn delete(&mut self, key: &Key) {
        let now = self.twin.now();
        let done = self.twin.store_mut().delete(now, key);
        done.unwrap_or_else(|error| panic!("{key:?}: {}", error.message));
    }

    /// As `kubectl apply` would: what the manifest says replaces what was there.
    fn apply(&mut self, mut object: Value) {
        let kind =
            Kind::of_type(text(&object["apiVersion"]), text(&object["kind"])).expect("a kind of the twin");
        if kind.info().namespaced {
            object["metadata"]["namespace"] = json!(NAMESPACE);
        }
        let channel = object["metadata"]["annotations"].to_string().replace("CHANNEL", "NAMESPACE-alerts");
        if let Ok(annotations @ Value::Object(_)) = serde_json::from_str(&channel) {
            object["metadata"]["annotations"] = annotations;
        }
        let now = self.twin.now();
        let key = key(kind, text_at(&object, "/metadata/name"));
        let done = match self.twin.store().get(&key).cloned() {
            None => self.twin.store_mut().create(now, kind, object),
            Some(old) => {
                let mut new = (*old).clone();
                new["spec"] = object["spec"].clone();
                self.twin.store_mut().update(now, kind, Part::Main, new)
            }
        };
        done.unwrap_or_else(|error| panic!("{key:?}: {}", error.message));
    }

    /// The twin's name of an object that a recording calls `name`: ReplicaSets are found by their place.
    fn today(&self, name: &str) -> String {
        self.fates.sets.of(name).and_then(|place| self.sets.at(place)).unwrap_or(name).to_owned()
    }

    fn counterpart(&self, pod: &str) -> Option<String> {
        let (set, place) = self.fates.place(pod)?;
        self.pods.get(self.sets.at(set)?)?.get(place).cloned()
    }

    /// Takes down what has changed.
    fn look(&mut self) {
        let changes: Vec<Change> =
            self.twin.store().changes_after(self.read).expect("read at once").cloned().collect();
        self.read = self.twin.store().version();
        for change in changes {
            self.follow(&change);
            if let Some(line) = line(&change, self.seconds()) {
                self.sight.see(&line);
            }
        }
    }

    fn seconds(&self) -> f64 {
        self.twin.now().since(self.start).as_secs_f64()
    }

    /// New ReplicaSets take their place, and new pods meet their fate.
    fn follow(&mut self, change: &Change) {
        let (None, Some(new)) = (&change.old, &change.new) else { return };
        let name = text_at(new, "/metadata/name").to_owned();
        match change.key.kind {
            Kind::ReplicaSet => {
                self.sets.add(&name, text_at(new, "/metadata/ownerReferences/0/kind"));
                let place = self.sets.of(&name).expect("it was just added");
                // Every third throw has kube-controller-manager at its own pace.
                if self.throw % 3 != 2 {
                    let births = self.fates.births(place).map(|at| self.start + seconds(at + self.behind));
                    self.twin.puppets.births.insert(name, births.collect());
                }
            }
            Kind::Pod => {
                let set = text_at(new, "/metadata/ownerReferences/0/name").to_owned();
                let siblings = self.pods.entry(set.clone()).or_default();
                siblings.push(name);
                let place = siblings.len() - 1;
                let Some(set) = self.sets.of(&set).cloned() else { return };
                let now = self.twin.now();
                for (at, state) in self.fates.of(&set, place) {
                    let cue = Cue::Pod(change.key.clone(), state);
                    match at {
                        When::After(seconds) => self.cue(now + acts::seconds(seconds), cue),
                        When::At(second) => self.script(second, cue, None),
                    }
                }
            }
            _ => {}
        }
    }

    /// Everything that was seen, deliveries at last.
    fn finish(mut self) -> Tracks {
        let mut heard = std::mem::take(&mut self.twin.puppets.heard);
        heard.sort_by_key(|heard| heard.at);
        for Heard { at, service, status, body } in heard {
            if status == 0 || at > self.twin.now() {
                continue;
            }
            let name = self.receivers.get(&service).map_or(service.as_str(), |receiver| &receiver.name);
            let body = match service.as_str() {
                "slack" => form(&body),
                _ => serde_json::from_str(&body).unwrap_or(json!(body)),
            };
            let at = at.since(self.start).as_secs_f64();
            self.sight
                .see(&json!({"t": at, "kind": "Delivery", "name": name, "answered": status, "body": body}));
        }
        let mut tracks = self.sight.into_tracks();
        for seen in tracks.values_mut().flatten() {
            seen.text = seen.text.replace(NAMESPACE, "NAMESPACE");
        }
        tracks
    }
}

/// How a form is announced.
const TYPE: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

/// What Slack is told: a form with a channel and a text.
fn form(body: &str) -> Value {
    let message = inbox::read("/slack/api/chat.postMessage", &[(TYPE.0.to_owned(), TYPE.1.to_owned())], body);
    json!({"channel": message.recipient, "text": message.text})
}

fn key(kind: Kind, name: &str) -> Key {
    Key::new(kind, if kind.info().namespaced { NAMESPACE } else { "" }, name)
}

fn settings(start: Moment, throw: u64) -> Settings {
    Settings {
        seed: Seed::new(throw),
        epoch: start,
        argo: true,
        version: Version::V1_9,
        pods: PodSettings {
            // The recording says when pods start; the twin's own kubelet never does it.
            start: Duration::from_secs(10 * 365 * 86_400),
            healthy: fake_app::fault::Latency::healthy(),
            exports: Exports::default(),
        },
        scraping: Scraping {
            interval: Duration::from_secs(3600),
            role: Role::Pods,
            retention: Duration::from_secs(3600),
        },
        receivers: vec![],
        controller_namespace: CONTROLLER.to_owned(),
    }
}
