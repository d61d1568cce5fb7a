//! The event recorder: equal events are counted, many similar ones are combined, and too many are dropped.
//!
//! client-go v0.34 `tools/record/events_cache.go`: an event that was seen before becomes a higher `count`; from the
//! tenth different message of one reason on, all further ones share an Event (`combined from similar events`); and one
//! object may cause 25 writes at once and one in five minutes afterwards, of normal ones and of warnings each. So on a cluster, too, Events are no evidence:
//! what a busy rollout says last is the first to be lost. Notifications are sent all the same; they do not pass here.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::{Value, json};

use super::store::{Key, Kind, Object, Patch, text_at};
use crate::clock::Moment;

/// What is to be recorded.
pub(super) struct Record<'a> {
    pub(super) regarding: &'a Object,
    pub(super) kind: Kind,
    pub(super) warning: bool,
    pub(super) reason: &'a str,
    pub(super) message: &'a str,
}

/// What becomes of it.
pub(super) enum Recorded {
    /// A new Event.
    New(Value),
    /// One more of an Event that was written before: where it is, what changes, and the whole, should it be gone.
    Again(Key, Patch, Value),
}

/// The recorder's memory.
#[derive(Debug, Default)]
pub(super) struct Recorder {
    written: u64,
    similar: BTreeMap<Similar, Messages>,
    seen: BTreeMap<(Similar, Option<String>), Seen>,
    budgets: BTreeMap<(String, bool), Budget>,
}

/// The object, whether it is a warning, and the reason.
type Similar = (String, bool, String);

#[derive(Debug)]
struct Messages {
    different: BTreeSet<String>,
    last: Moment,
}

#[derive(Debug, Clone)]
struct Seen {
    name: String,
    count: u64,
    first: Moment,
}

/// A bucket of 25 that gets one more every five minutes.
#[derive(Debug)]
struct Budget {
    left: f64,
    at: Moment,
}

const BURST: f64 = 25.0;
const REFILL: Duration = Duration::from_secs(300);
const COMBINED_FROM: usize = 10;
const SIMILAR_FOR: Duration = Duration::from_secs(600);

impl Recorder {
    /// The recorder of the next process: it remembers nothing and uses no name twice.
    pub(super) fn restarted(&self) -> Recorder {
        Recorder { written: self.written, ..Recorder::default() }
    }

    /// Takes in one event; `None` means that it is dropped.
    pub(super) fn observe(&mut self, now: Moment, record: &Record<'_>) -> Option<Recorded> {
        let uid = text_at(record.regarding, "/metadata/uid").to_owned();
        let similar = (uid.clone(), record.warning, record.reason.to_owned());
        let combined = self.combines(now, &similar, record.message);
        let message = match combined {
            true => format!("(combined from similar events): {}", record.message),
            false => record.message.to_owned(),
        };
        let known = self.seen.get(&(similar.clone(), (!combined).then(|| message.clone()))).cloned();
        let seen = match &known {
            Some(seen) => Seen { count: seen.count + 1, ..seen.clone() },
            None => Seen { name: self.name(record), count: 1, first: now },
        };
        self.seen.insert((similar, (!combined).then(|| message.clone())), seen.clone());
        if !self.affords(now, (uid, record.warning)) {
            return None;
        }
        let event = event(record, &message, &seen, now);
        Some(match known {
            None => Recorded::New(event),
            Some(_) => Recorded::Again(key(record, &seen.name), again(&message, &seen, now), event),
        })
    }

    /// Whether there are too many different messages of this reason to keep apart.
    fn combines(&mut self, now: Moment, similar: &Similar, message: &str) -> bool {
        let fresh = || Messages { different: BTreeSet::new(), last: now };
        let messages = self.similar.entry(similar.clone()).or_insert_with(fresh);
        if now.since(messages.last) > SIMILAR_FOR {
            *messages = fresh();
        }
        messages.last = now;
        messages.different.insert(message.to_owned());
        if messages.different.len() < COMBINED_FROM {
            return false;
        }
        messages.different.pop_first();
        true
    }

    fn affords(&mut self, now: Moment, whose: (String, bool)) -> bool {
        let budget = self.budgets.entry(whose).or_insert(Budget { left: BURST, at: now });
        let earned = now.since(budget.at).as_secs_f64() / REFILL.as_secs_f64();
        *budget = Budget { left: (budget.left + earned).min(BURST), at: now };
        let affords = budget.left >= 1.0;
        if affords {
            budget.left -= 1.0;
        }
        affords
    }

    fn name(&mut self, record: &Record<'_>) -> String {
        self.written += 1;
        format!("{}.{:016x}", text_at(record.regarding, "/metadata/name"), self.written)
    }
}

fn key(record: &Record<'_>, name: &str) -> Key {
    Key::new(Kind::Event, namespace(record), name)
}

fn namespace<'a>(record: &'a Record<'_>) -> &'a str {
    match record.kind.info().namespaced {
        true => text_at(record.regarding, "/metadata/namespace"),
        false => "default",
    }
}

fn again(message: &str, seen: &Seen, now: Moment) -> Patch {
    Patch::Merge(json!({ "message": message, "count": seen.count, "lastTimestamp": now.rfc3339() }))
}

fn event(record: &Record<'_>, message: &str, seen: &Seen, now: Moment) -> Value {
    let info = record.kind.info();
    let meta = &record.regarding["metadata"];
    let from = if record.kind == Kind::Deployment { "deployment-controller" } else { "rollouts-controller" };
    json!({
        "metadata": { "name": seen.name, "namespace": namespace(record) },
        "involvedObject": {
            "apiVersion": info.api_version(), "kind": info.kind, "name": meta["name"],
            "namespace": meta["namespace"], "uid": meta["uid"], "resourceVersion": meta["resourceVersion"],
        },
        "type": if record.warning { "Warning" } else { "Normal" },
        "reason": record.reason, "message": message, "count": seen.count,
        "firstTimestamp": seen.first.rfc3339(), "lastTimestamp": now.rfc3339(),
        "source": { "component": from }, "reportingComponent": from,
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    const T0: Moment = Moment::VIRTUAL_EPOCH;

    fn rollout() -> Object {
        Arc::new(json!({"metadata": {"name": "web", "namespace": "shop", "uid": "u"}}))
    }

    /// What is written of events with these messages, one a second.
    fn written(messages: impl IntoIterator<Item = String>) -> Vec<Option<(String, u64)>> {
        let (mut recorder, regarding) = (Recorder::default(), rollout());
        let texts = messages.into_iter().enumerate().map(|(second, message)| {
            let record = Record {
                regarding: &regarding,
                kind: Kind::Rollout,
                warning: false,
                reason: "Scaled",
                message: &message,
            };
            let now = T0 + Duration::from_secs(second as u64);
            let event = match recorder.observe(now, &record)? {
                Recorded::New(event) | Recorded::Again(_, _, event) => event,
            };
            Some((text_at(&event, "/message").to_owned(), event["count"].as_u64().unwrap()))
        });
        texts.collect()
    }

    #[test]
    fn equal_events_are_counted() {
        let all = written(["a", "b", "a"].map(str::to_owned));
        let expect = [("a", 1), ("b", 1), ("a", 2)].map(|(text, count)| Some((text.to_owned(), count)));
        assert_eq!(all, expect);
    }

    #[test]
    fn from_the_tenth_message_of_a_reason_on_they_share_an_event() {
        let all = written((0..12).map(|n| n.to_string()));
        assert_eq!(all[8], Some(("8".into(), 1)));
        assert_eq!(all[9], Some(("(combined from similar events): 9".into(), 1)));
        assert_eq!(all[11], Some(("(combined from similar events): 11".into(), 3)));
    }

    #[test]
    fn the_26th_event_of_an_object_is_lost_and_in_five_minutes_one_more_is_written() {
        let all = written((0..330).map(|_| "a".to_owned()));
        assert_eq!(all.iter().take(25).flatten().count(), 25);
        assert_eq!(all[25..300].iter().flatten().count(), 0);
        assert_eq!(all[300], Some(("a".into(), 301)));
        assert_eq!(all[301..].iter().flatten().count(), 0);
    }
}
