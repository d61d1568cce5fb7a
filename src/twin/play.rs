//! Carrying out what controllers decided: one request after the other, each taking a while.
//!
//! An Event blocks for as long as the notification receivers do (spec 6.3 path A): that is how a slow receiver delays
//! the rollback itself. A refused write ends the reconcile with an error, and the key comes back after its back-off.

use std::collections::VecDeque;
use std::time::Duration;

use serde_json::{Value, json};

use super::analysis::{Answer, Ask, Asking};
use super::effect::{Effect, Reconciled};
use super::kernel::{Actor, Task, Twin};
use super::latency::Span;
use super::notifications::{self, Delivery};
use super::receivers::Manner;
use super::store::{ApiError, Key, Kind, Object, text_at};
use crate::agent::wire::{Arrival, Knock};

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
    asking: Asking,
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
    fn carry_out(&mut self, effect: Effect) -> Result<Duration, ApiError> {
        let now = self.now();
        match effect {
            Effect::Create { kind, object } => self.store.create(now, kind, object).map(drop)?,
            Effect::Update { kind, part, object } => self.store.update(now, kind, part, object).map(drop)?,
            Effect::Patch { key, part, patch } => self.store.patch(now, &key, part, &patch).map(drop)?,
            Effect::Delete { key } => self.store.delete(now, &key).map(drop)?,
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
        let event = json!({
            "metadata": { "name": format!("{name}.{:016x}", self.events), "namespace": namespace },
            "involvedObject": {
                "apiVersion": info.api_version(), "kind": info.kind, "name": name, "namespace": meta["namespace"],
                "uid": meta["uid"], "resourceVersion": meta["resourceVersion"],
            },
            "type": if warning { "Warning" } else { "Normal" },
            "reason": reason, "message": message, "count": 1,
            "firstTimestamp": stamp, "lastTimestamp": stamp,
            "source": { "component": "rollouts-controller" }, "reportingComponent": "rollouts-controller",
        });
        // An Event that cannot be written is lost, as on a cluster: Events are never evidence.
        let now = self.now();
        let _ = self.store.create(now, Kind::Event, event);
    }
}
