//! Carrying out what controllers decided: one request after the other, each taking a while.
//!
//! An Event blocks for as long as the notification receivers do (spec 6.3 path A): that is how a slow receiver delays
//! the rollback itself. A refused write ends the reconcile with an error, and the key comes back after its back-off.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::analysis::{Answer, Ask, Asking};
use super::effect::{Effect, Reconciled, WRITTEN};
use super::kernel::{Actor, Task, Twin};
use super::latency::Span;
use super::notifications::{self, Delivery, Next, Reply, Sending, ServiceKind};
use super::recorder::{Record, Recorded};
use super::store::{ApiError, DeleteOptions, Key, Kind, Object, Part, text_at};
use crate::agent::wire::{Arrival, Knock, Manner};
use crate::clock::Moment;
use crate::inbox;

/// A reconcile whose effects are under way.
#[derive(Debug)]
pub(super) struct Playing {
    life: u32,
    actor: Actor,
    key: Key,
    effects: VecDeque<Effect>,
    written: Written,
    outcome: Reconciled,
}

impl Playing {
    /// What has to pass before the next effect, if anything has to.
    ///
    /// Nobody waits for an Event to be written. What requests of the rollouts controller were measured to take has the
    /// Events between them in it; those after the last one cost nothing.
    fn pace(&self) -> Option<Span> {
        let is_event = |effect: &Effect| matches!(effect, Effect::Event { .. });
        match self.effects.front() {
            // Only the answer to the last request is on its way; watchers may be told before the controller is.
            None => Some(Span::Response),
            Some(next) if is_event(next) => {
                let more = self.effects.iter().any(|effect| !is_event(effect));
                (more && self.actor == Actor::Rollouts).then_some(Span::Request)
            }
            Some(_) => Some(self.actor.request()),
        }
    }
}

/// The versions that a reconcile's own requests returned, by kind and name: what upstream keeps of an answer, it
/// writes again.
#[derive(Debug, Default)]
pub(super) struct Written(BTreeMap<(Kind, String), Value>);

impl Written {
    fn remember(&mut self, answer: &Object) {
        let kind = Kind::of_type(text_at(answer, "/apiVersion"), text_at(answer, "/kind"));
        let Some(kind) = kind else { return };
        let name = text_at(answer, "/metadata/name").to_owned();
        self.0.insert((kind, name), answer["metadata"]["resourceVersion"].clone());
    }

    /// The version of an object that was written, as a number.
    fn version(&self, key: &Key) -> Option<u64> {
        self.0.get(&(key.kind, key.name.to_string()))?.as_str()?.parse().ok()
    }

    fn put_in(&self, kind: Kind, object: &mut Value) {
        if object["metadata"]["resourceVersion"] != WRITTEN {
            return;
        }
        let version = self.0.get(&(kind, text_at(object, "/metadata/name").to_owned()));
        object["metadata"]["resourceVersion"] = version.cloned().unwrap_or(Value::Null);
    }
}

/// An `AnalysisRun` whose queries are under way.
#[derive(Debug)]
pub(super) struct Asked {
    life: u32,
    key: Key,
    asking: Box<Asking>,
    answers: Vec<Answer>,
}

impl Twin {
    /// Begins to carry out a reconcile: the first request is on its way.
    pub(super) fn begin_playing(&mut self, actor: Actor, key: &Key, mut outcome: Reconciled) {
        let effects = VecDeque::from(std::mem::take(&mut outcome.effects));
        let at = match (effects.is_empty(), actor) {
            (true, Actor::Rollouts) if outcome.error.is_some() => self.after(Span::Failure),
            (true, _) => return self.done(actor, key, &outcome),
            (false, _) => self.after(actor.request()),
        };
        let life = self.life;
        self.schedule(
            at,
            Task::Play(Box::new(Playing {
                life,
                actor,
                key: key.clone(),
                effects,
                written: Written::default(),
                outcome,
            })),
        );
    }

    /// One effect reaches the API server.
    pub(super) fn play(&mut self, mut playing: Playing) {
        if playing.actor.is_argo() && !self.lives(playing.life) {
            return;
        }
        #[cfg(test)]
        if let Some(at) = playing.effects.front().and_then(|effect| self.puppets.hold(effect, self.now())) {
            return self.schedule(at, Task::Play(Box::new(playing)));
        }
        let Some(effect) = playing.effects.pop_front() else {
            self.write_back(&playing);
            self.done(playing.actor, &playing.key, &playing.outcome);
            return;
        };
        let blocked = match self.carry_out(effect, &mut playing.written) {
            Ok(blocked) => blocked,
            Err(error) => {
                playing.effects.clear();
                playing.outcome.error = Some(error.message);
                Duration::ZERO
            }
        };
        let at = match playing.pace() {
            Some(span) => self.after(span),
            None => self.now(),
        };
        self.schedule(at + blocked, Task::Play(Box::new(playing)));
    }

    /// A pass that succeeds puts what it wrote of its Rollout into the cache, ahead of the watch.
    fn write_back(&mut self, playing: &Playing) {
        if let (Actor::Rollouts, None) = (playing.actor, &playing.outcome.error)
            && let Some(version) = playing.written.version(&playing.key)
        {
            self.caches.write_back(&playing.key, version);
        }
    }

    /// Answers how long the controller is blocked beyond the request itself.
    pub(super) fn carry_out(&mut self, effect: Effect, written: &mut Written) -> Result<Duration, ApiError> {
        let now = self.now();
        let answer = match effect {
            Effect::Create { kind, object } => self.store.create(now, kind, object)?,
            Effect::Update { kind, part, mut object } => {
                written.put_in(kind, &mut object);
                self.store.update(now, kind, part, object)?
            }
            Effect::Patch { key, part, patch } => self.store.patch(now, &key, part, &patch)?,
            Effect::Delete { key } => {
                return self.store.delete_with(now, &key, &DeleteOptions::default()).map(|_| Duration::ZERO);
            }
            Effect::Event { regarding, kind, warning, reason, message } => {
                self.record(&regarding, kind, warning, reason, &message);
                return Ok(self.notify(&regarding, kind, reason));
            }
        };
        written.remember(&answer);
        Ok(Duration::ZERO)
    }

    /// Writes the Event object. The recorder does so in the background, so nobody waits for it.
    fn record(&mut self, regarding: &Object, kind: Kind, warning: bool, reason: &str, message: &str) {
        let now = self.now();
        let record = Record { regarding, kind, warning, reason, message };
        let Some(recorded) = self.recorder.observe(now, &record) else { return };
        // An Event that cannot be written is lost, as on a cluster: Events are never evidence.
        let _ = match recorded {
            Recorded::New(event) => self.store.create(now, Kind::Event, event),
            Recorded::Again(key, patch, event) => match self.store.get(&key) {
                Some(_) => self.store.patch(now, &key, Part::Main, &patch),
                None => self.store.create(now, Kind::Event, event),
            },
        };
    }
}

/// Notifications: who is told, how receivers treat it, and how long the controller waits for them.
impl Twin {
    /// Path A: sends what an event makes the controller send, one delivery after the other. Answers how long that
    /// blocks the reconcile; what arrives is in the inbox with the moment of its arrival.
    fn notify(&mut self, regarding: &Object, kind: Kind, reason: &str) -> Duration {
        if !matches!(kind, Kind::Rollout | Kind::AnalysisRun | Kind::Experiment) {
            return Duration::ZERO;
        }
        let Some(engine) = self.notifier() else { return Duration::ZERO };
        let deliveries = notifications::on_event(&engine, &self.store, self.now(), regarding, kind, reason);
        let mut blocked = Duration::ZERO;
        for delivery in deliveries.into_iter().flatten() {
            let (took, _) = self.deliver(delivery, blocked);
            blocked += took;
        }
        blocked
    }

    /// Path B: one pass of the controller that looks at every new state of a Rollout.
    pub(super) fn notify_change(&mut self, key: &Key) -> Reconciled {
        let mut reconciled = Reconciled::nothing();
        let Some(rollout) = self.store.get(key).cloned() else { return reconciled };
        let Some(engine) = self.notifier() else { return reconciled };
        let Some(watch) = notifications::Watch::begin(&engine, &self.store, self.now(), &rollout) else {
            return reconciled;
        };
        let mut blocked = Duration::ZERO;
        let mut delivered = vec![];
        for notice in &watch.notices {
            let Ok(delivery) = notice.outcome.clone() else {
                delivered.push(false);
                continue;
            };
            let (took, arrived) = self.deliver(delivery, blocked);
            blocked += took;
            delivered.push(arrived);
        }
        reconciled.effects.extend(watch.settle(&delivered));
        reconciled
    }

    /// The notification engine as its ConfigMap stands now. One that cannot be read sends nothing, as upstream.
    fn notifier(&mut self) -> Option<Arc<notifications::Engine>> {
        let version = notifications::Engine::version(&self.store, &self.settings.controller_namespace);
        if self.notifier.as_ref().is_none_or(|(known, _)| *known != version) {
            let namespace = &self.settings.controller_namespace;
            let engine = notifications::Engine::load(&self.store, namespace, super::language::NOTIFICATIONS);
            self.notifier = Some((version, engine.ok().flatten().map(Arc::new)));
        }
        self.notifier.as_ref().and_then(|(_, engine)| engine.clone())
    }

    /// Makes one delivery, attempt by attempt, beginning `after` from now. Answers how long it took and whether it
    /// arrived.
    fn deliver(&mut self, delivery: Delivery, after: Duration) -> (Duration, bool) {
        let mut sending = Sending::new(delivery);
        let mut took = Duration::ZERO;
        // Slack asks for patience without end; a run has one.
        while took < PATIENCE {
            let at = self.now() + after + took;
            let (reply, answered_in) = self.receive(&sending.delivery, at);
            took += answered_in;
            match sending.reply(&reply) {
                Next::Delivered => return (took, true),
                Next::Lost(_) => return (took, false),
                Next::Again(wait) => took += wait,
            }
        }
        (took, false)
    }

    /// A receiver meets one attempt.
    fn receive(&mut self, delivery: &Delivery, at: Moment) -> (Reply, Duration) {
        let (status, took) = self.meet(&delivery.service, at);
        let request = &delivery.request;
        #[cfg(test)]
        self.puppets.heard.push(super::tests::replay::Heard {
            at: at + took,
            service: delivery.service.clone(),
            status,
            body: request.body.clone(),
        });
        let message = inbox::read(path_of(&request.url), &request.headers, &request.body);
        let to = match delivery.recipient.is_empty() {
            true => message.recipient,
            false => delivery.recipient.clone(),
        };
        self.receivers.keep(Arrival {
            at: (at + took).unix_nanos(),
            by: delivery.service.clone(),
            to,
            trigger: Some(delivery.trigger.clone()),
            status,
            body: message.text,
            knock: false,
        });
        let reply = match (status, delivery.kind) {
            (0, _) => Reply::Unreachable("connect: connection refused".to_owned()),
            (status, ServiceKind::Slack) => {
                Reply::Answer { status, retry_after: None, body: SLACK_OK.to_owned() }
            }
            (status, ServiceKind::Webhook) => {
                Reply::Answer { status, retry_after: None, body: String::new() }
            }
        };
        (reply, took)
    }

    /// What a call to a receiver comes to: the status, 0 when there is none, and how long it takes.
    fn meet(&mut self, service: &str, at: Moment) -> (u16, Duration) {
        let (status, took) = self.receivers.meet(service, at);
        (status, took.unwrap_or_else(|| self.latency.draw(Span::Receiver)))
    }

    /// From now on receivers treat their callers so; those that are not named are well.
    pub fn treat(&mut self, manners: BTreeMap<String, Manner>) {
        let now = self.now();
        self.receivers.treat(manners, now);
    }

    /// The harness asks whether a receiver is there at all.
    pub fn knock(&mut self, knock: &Knock) {
        let (status, took) = self.meet(&knock.service, self.now());
        self.receivers.keep(Arrival {
            at: (self.now() + took).unix_nanos(),
            by: knock.service.clone(),
            to: String::new(),
            trigger: None,
            status,
            body: "firedrill knocks".to_owned(),
            knock: true,
        });
    }
}

/// The path of an address: what a receiver sees of it.
fn path_of(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.find('/').map_or("/", |slash| &rest[slash..])
}

/// How long a delivery may take before it counts as lost.
const PATIENCE: Duration = Duration::from_secs(600);

/// What Slack says when all is well.
const SLACK_OK: &str = r#"{"ok":true}"#;

/// Analysis: questions under way.
impl Twin {
    /// Asks all questions of a run at once; the answers are there when the slowest of them is.
    pub(super) fn ask(&mut self, key: &Key, asking: Box<Asking>) {
        let asked = asking.asks.clone();
        let mut answers = vec![];
        for ask in &asked {
            let at = self.after(Span::Query);
            answers.push(self.answer(ask, at));
        }
        let last = answers.iter().map(|answer| answer.at).max().unwrap_or(self.now());
        let life = self.life;
        self.schedule(last, Task::Answered(Box::new(Asked { life, key: key.clone(), asking, answers })));
    }

    fn answer(&mut self, ask: &Ask, at: Moment) -> Answer {
        #[cfg(test)]
        if let Some(script) = &mut self.puppets.script {
            return script.answer(ask, at);
        }
        self.catch_up();
        let now = self.now();
        let outcome = match ask.range {
            None => self.prometheus.ask(&ask.query, now),
            Some(range) => self.prometheus.ask_range(&ask.query, range),
        };
        Answer { at, outcome, warnings: vec![] }
    }

    /// The answers are there.
    pub(super) fn answered(&mut self, asked: Asked) {
        let Asked { life, key, asking, answers } = asked;
        if !self.lives(life) {
            return;
        }
        let reconciled = asking.finish(self.now(), answers);
        self.begin_playing(Actor::Analysis, &key, reconciled);
    }
}
