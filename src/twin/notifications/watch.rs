//! Path B: a controller that looks at every new state of a Rollout.
//!
//! Entries without `when` never fire here. What was told is remembered in an annotation, so that nobody hears the same
//! twice; a trigger that no longer fires is forgotten and may fire again. Deliveries happen outside of the reconcile
//! and delay nothing. Upstream: `pkg/controller/controller.go` and `state.go` of notifications-engine v0.5.0.

mod sha1;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Delivery, Engine, Problem, problem, variables};
use crate::argo::notification::{Condition, Destination, destinations};
use crate::base64;
use crate::clock::Moment;
use crate::twin::effect::Effect;
use crate::twin::store::{Key, Kind, Object, Part, Patch, Store};

/// Where the memory is kept.
const NOTIFIED: &str = "notified.notifications.argoproj.io";
/// How much is remembered.
const HISTORY: usize = 100;

/// One pass over a Rollout: what to send, and what to remember afterwards.
#[derive(Debug, Clone)]
pub struct Watch {
    /// What is to be sent, in order.
    pub notices: Vec<Notice>,
    key: Key,
    annotations: BTreeMap<String, String>,
    memory: BTreeMap<String, i64>,
}

/// One notification, and the entry of the memory it stands for.
#[derive(Debug, Clone, PartialEq)]
pub struct Notice {
    /// The notification, or why there is none.
    pub outcome: Result<Delivery, Problem>,
    key: String,
    once: bool,
}

impl Watch {
    /// Looks at a Rollout after it was created or changed; `None` when nobody subscribed to anything.
    #[must_use]
    pub fn begin(engine: &Engine, store: &Store, now: Moment, rollout: &Object) -> Option<Watch> {
        let to = destinations(&engine.config, rollout);
        let key = Key::of(Kind::Rollout, rollout).ok()?;
        if to.is_empty() {
            return None;
        }
        let annotations = annotations(rollout);
        let memory =
            annotations.get(NOTIFIED).and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
        let mut watch = Watch { notices: vec![], key, annotations, memory };
        let vars = variables(store, rollout, Kind::Rollout);
        for (trigger, to) in &to {
            // A trigger nobody configured is a line in the controller's log and nothing else.
            let conditions = engine.config.triggers.get(trigger).map_or(&[][..], Vec::as_slice);
            for (index, condition) in conditions.iter().enumerate() {
                watch.look(engine, &vars, now, (trigger, index, condition), &distinct(to));
            }
        }
        Some(watch)
    }

    fn look(
        &mut self,
        engine: &Engine,
        vars: &Value,
        now: Moment,
        (trigger, index, condition): (&str, usize, &Condition),
        to: &[Destination],
    ) {
        let language = engine.language;
        let fires =
            !condition.when.is_empty() && (language.when)(&condition.when, vars, now).unwrap_or(false);
        let once = if fires && !condition.once_per.is_empty() {
            (language.once_per)(&condition.once_per, vars, now).unwrap_or_default()
        } else {
            String::new()
        };
        for to in to {
            let key = memory_key(trigger, index, &condition.when, &once, to);
            if !fires {
                self.memory.remove(&key);
            } else if !self.memory.contains_key(&key) {
                self.memory.insert(key.clone(), now.unix_seconds());
                let outcome = engine.compose(vars, trigger, condition, to, now);
                let outcome = outcome.map_err(|why| problem(trigger, to, why));
                self.notices.push(Notice { outcome, key, once: !once.is_empty() });
            }
        }
    }

    /// Remembers what was delivered, one flag per notice (a missing one counts as lost); the patch, if there is one.
    /// What was lost is tried again on the next change, unless it is to be sent once per something.
    #[must_use]
    pub fn settle(mut self, delivered: &[bool]) -> Option<Effect> {
        for (index, notice) in self.notices.iter().enumerate() {
            let arrived = notice.outcome.is_ok() && delivered.get(index).copied().unwrap_or(false);
            if !arrived && !notice.once {
                self.memory.remove(&notice.key);
            }
        }
        self.forget_the_oldest();
        let mut after = self.annotations.clone();
        if self.memory.is_empty() {
            after.remove(NOTIFIED);
        } else {
            after.insert(NOTIFIED.to_owned(), json!(self.memory).to_string());
        }
        if after == self.annotations {
            return None;
        }
        // Upstream writes every annotation it has read, not only its own.
        let mut patch = json!(after);
        if !after.contains_key(NOTIFIED) {
            patch[NOTIFIED] = Value::Null;
        }
        let patch = Patch::Merge(json!({"metadata": {"annotations": patch}}));
        Some(Effect::Patch { key: self.key, part: Part::Main, patch })
    }

    fn forget_the_oldest(&mut self) {
        let mut ages: Vec<(i64, String)> = self.memory.iter().map(|(key, at)| (*at, key.clone())).collect();
        ages.sort();
        for (_, key) in ages.iter().take(self.memory.len().saturating_sub(HISTORY)) {
            self.memory.remove(key);
        }
    }
}

fn annotations(object: &Value) -> BTreeMap<String, String> {
    let map = object.pointer("/metadata/annotations").and_then(Value::as_object);
    let texts = map.into_iter().flatten();
    texts.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect()
}

/// Unlike path A this one tells nobody twice.
fn distinct(to: &[Destination]) -> Vec<Destination> {
    let mut distinct: Vec<Destination> = vec![];
    for destination in to {
        if !distinct.contains(destination) {
            distinct.push(destination.clone());
        }
    }
    distinct
}

fn memory_key(trigger: &str, index: usize, when: &str, once: &str, to: &Destination) -> String {
    let hash = url_safe(&sha1::digest(when.as_bytes()));
    let key = format!("{trigger}:[{index}].{hash}:{}:{}", to.service, to.recipient);
    if once.is_empty() { key } else { format!("{once}:{key}") }
}

/// Base64 for addresses, without padding.
fn url_safe(bytes: &[u8]) -> String {
    base64::encode(bytes).trim_end_matches('=').replace('+', "-").replace('/', "_")
}
