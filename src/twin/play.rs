//! Carrying out what controllers decided: one request after the other, each taking a while.
//!
//! An Event blocks for as long as the notification receivers do (spec 6.3 path A): that is how a slow receiver delays
//! the rollback itself. A refused write ends the reconcile with an error, and the key comes back after its back-off.

use std::collections::VecDeque;
use std::time::Duration;

use serde_json::json;

use super::analysis::{Answer, Ask, Asking};
use super::effect::{Effect, Reconciled};
use super::kernel::{Actor, Task, Twin};
use super::latency::Span;
use super::notifications::{self, Delivery, Next, Reply, Sending, ServiceKind};
use super::receivers::Manner;
use super::store::{ApiError, DeleteOptions, Key, Kind, Object, text_at};
use crate::agent::wire::{Arrival, Knock};
use crate::clock::Moment;
use crate::inbox;

/// A reconcile whose effects are under way.
#[derive(Debug)]
pub(super) struct Playing {
    actor: Actor,
    key: Key,
    effects: VecDeque<Effect>,
    outcome: Reconciled,
}

/// An `AnalysisRun` whose queries are under way.
#[derive(Debug)]
pub(super) struct Asked {
    key: Key,
    asking: Box<Asking>,
    answers: Vec<Answer>,
}

impl Twin {
    /// Begins to carry out a reconcile: the first request is on its way.
    pub(super) fn begin_playing(&mut self, actor: Actor, key: &Key, mut outcome: Reconciled) {
        let effects = VecDeque::from(std::mem::take(&mut outcome.effects));
        if effects.is_empty() {
            self.done(actor, key, &outcome);
            return;
        }
        let at = self.after(Span::Request);
        self.schedule(at, Task::Play(Box::new(Playing { actor, key: key.clone(), effects, outcome })));
    }

    /// One effect reaches the API server.
    pub(super) fn play(&mut self, mut playing: Playing) {
        let Some(effect) = playing.effects.pop_front() else {
            self.done(playing.actor, &playing.key, &playing.outcome);
            return;
        };
        let blocked = match self.carry_out(effect) {
            Ok(blocked) => blocked,
            Err(error) => {
                playing.effects.clear();
                playing.outcome.error = Some(error.message);
                Duration::ZERO
            }
        };
        if playing.effects.is_empty() && blocked.is_zero() {
            self.done(playing.actor, &playing.key, &playing.outcome);
            return;
        }
        let at = self.after(Span::Request) + blocked;
        self.schedule(at, Task::Play(Box::new(playing)));
    }

    /// Answers how long the controller is blocked beyond the request itself.
    pub(super) fn carry_out(&mut self, effect: Effect) -> Result<Duration, ApiError> {
        let now = self.now();
        match effect {
            Effect::Create { kind, object } => self.store.create(now, kind, object).map(drop)?,
            Effect::Update { kind, part, object } => self.store.update(now, kind, part, object).map(drop)?,
            Effect::Patch { key, part, patch } => self.store.patch(now, &key, part, &patch).map(drop)?,
            Effect::Delete { key } => {
                self.store.delete_with(now, &key, &DeleteOptions::default()).map(drop)?
            }
            Effect::Event { regarding, kind, warning, reason, message } => {
                self.record(&regarding, kind, warning, reason, &message);
                return Ok(self.notify(&regarding, kind, reason));
            }
        }
        Ok(Duration::ZERO)
    }

    /// Writes the Event object. The recorder does so in the background, so nobody waits for it.
    fn record(&mut self, regarding: &Object, kind: Kind, warning: bool, reason: &str, message: &str) {
        self.events += 1;
        let info = kind.info();
        let meta = &regarding["metadata"];
        let name = text_at(regarding, "/metadata/name");
        let namespace = if info.namespaced { text_at(regarding, "/metadata/namespace") } else { "default" };
        let stamp = self.now().rfc3339();
        let from = if kind == Kind::Deployment { "deployment-controller" } else { "rollouts-controller" };
        let event = json!({
            "metadata": { "name": format!("{name}.{:016x}", self.events), "namespace": namespace },
            "involvedObject": {
                "apiVersion": info.api_version(), "kind": info.kind, "name": name, "namespace": meta["namespace"],
                "uid": meta["uid"], "resourceVersion": meta["resourceVersion"],
            },
            "type": if warning { "Warning" } else { "Normal" },
            "reason": reason, "message": message, "count": 1,
            "firstTimestamp": stamp, "lastTimestamp": stamp,
            "source": { "component": from }, "reportingComponent": from,
        });
        // An Event that cannot be written is lost, as on a cluster: Events are never evidence.
        let now = self.now();
        let _ = self.store.create(now, Kind::Event, event);
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
    fn notifier(&self) -> Option<notifications::Engine> {
        let namespace = &self.settings.controller_namespace;
        notifications::Engine::load(&self.store, namespace, super::language::NOTIFICATIONS).ok().flatten()
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
        let (status, took) = self.meet(&delivery.service);
        let request = &delivery.request;
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
    fn meet(&mut self, service: &str) -> (u16, Duration) {
        match self.receivers.manner(service) {
            None => (200, self.latency.draw(Span::Receiver)),
            Some(Manner::Answers(status, took)) => (status, took),
            // Nobody listens: the refusal comes back at once.
            Some(Manner::Refuses) => (0, Duration::from_millis(1)),
        }
    }

    /// The harness asks whether a receiver is there at all.
    pub fn knock(&mut self, knock: &Knock) {
        let (status, took) = self.meet(&knock.service);
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
        self.schedule(last, Task::Answered(Box::new(Asked { key: key.clone(), asking, answers })));
    }

    fn answer(&mut self, ask: &Ask, at: Moment) -> Answer {
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
        let Asked { key, asking, answers } = asked;
        let reconciled = asking.finish(self.now(), answers);
        self.begin_playing(Actor::Analysis, &key, reconciled);
    }
}
