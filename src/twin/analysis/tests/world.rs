//! A world with one AnalysisRun: a store, a queue of one key, a clock, and the scripted provider.

use std::time::Duration;

use serde_json::Value;

use super::judge::LANGUAGE;
use crate::argo::Version;
use crate::clock::Moment;
use crate::twin::analysis::{Controller, Pass, begin};
use crate::twin::effect::{Effect, Reconciled};
use crate::twin::store::{Key, Kind, Part, Patch, Store};
use crate::twin::tests::replay::Provider;

/// How long a request to the API server takes.
const REQUEST: Duration = Duration::from_millis(4);

/// Something that is done to the run from outside.
#[derive(Debug, Clone)]
pub(super) struct Action {
    pub(super) at: Moment,
    pub(super) patch: Value,
}

/// What happened.
#[derive(Debug, Default)]
pub(super) struct Story {
    /// Every status written, with its moment.
    pub(super) statuses: Vec<(Moment, Value)>,
    /// Every event: reason, whether it is a warning, message.
    pub(super) events: Vec<(String, bool, String)>,
    /// Whether the run was deleted.
    pub(super) deleted: bool,
}

pub(super) fn controller() -> Controller {
    Controller { version: Version::V1_9, language: LANGUAGE, prometheus_address: None }
}

#[derive(Debug)]
pub(super) struct World {
    store: Store,
    key: Key,
    provider: Provider,
    actions: Vec<Action>,
    story: Story,
}

impl World {
    /// Creates the objects; the run is the last of them.
    pub(super) fn new(objects: Vec<Value>, actions: Vec<Action>, start: Moment) -> World {
        let mut store = Store::with_namespaces(&["drill"]);
        let mut key = None;
        for mut object in objects {
            object["metadata"]["namespace"] = "drill".into();
            let kind =
                Kind::of_type(object["apiVersion"].as_str().unwrap(), object["kind"].as_str().unwrap());
            let kind = kind.expect("a kind of the twin");
            let created = store.create(start, kind, object).unwrap();
            key = Some(Key::of(kind, &created).unwrap());
        }
        World { store, key: key.unwrap(), provider: Provider::default(), actions, story: Story::default() }
    }

    /// Goes on after these calls of the provider.
    pub(super) fn after<'a>(mut self, calls: impl Iterator<Item = &'a str>) -> World {
        calls.for_each(|name| self.provider.count(name));
        self
    }

    pub(super) fn play(mut self, start: Moment, end: Moment) -> Story {
        let mut wake = Some(start);
        loop {
            let action = self.actions.first().map(|action| action.at);
            let Some(next) = [wake, action].into_iter().flatten().min().filter(|next| *next <= end) else {
                return self.story;
            };
            if action == Some(next) {
                self.act();
                wake = Some(next);
                continue;
            }
            wake = self.reconcile(next);
        }
    }

    fn act(&mut self) {
        let Action { at, patch } = self.actions.remove(0);
        let _ = self.store.patch(at, &self.key, Part::Main, &Patch::Merge(patch));
    }

    /// One reconcile; the next one comes at once when the run was written meanwhile.
    fn reconcile(&mut self, now: Moment) -> Option<Moment> {
        let seen = self.store.version();
        let (reconciled, now) = match begin(&controller(), &self.store, now, &self.key) {
            Pass::Done(reconciled) => (reconciled, now),
            Pass::Ask(asking) => {
                let answers: Vec<_> = asking.asks.iter().map(|ask| self.provider.answer(ask, now)).collect();
                let done = answers.iter().map(|answer| answer.at).max().unwrap();
                while self.actions.first().is_some_and(|action| action.at <= done) {
                    self.act();
                }
                (asking.finish(done, answers), done)
            }
        };
        assert_eq!(reconciled.error, None);
        let later = reconciled.requeue_after.map(|delay| now + delay);
        let now = self.apply(reconciled, now);
        if self.store.version() == seen { later } else { Some(now) }
    }

    fn apply(&mut self, reconciled: Reconciled, mut now: Moment) -> Moment {
        for effect in reconciled.effects {
            match effect {
                Effect::Event { warning, reason, message, .. } => {
                    self.story.events.push((reason.to_owned(), warning, message));
                }
                Effect::Patch { key, part, patch } => {
                    now = now + REQUEST;
                    let object = self.store.patch(now, &key, part, &patch).unwrap();
                    self.story.statuses.push((now, object["status"].clone()));
                }
                Effect::Delete { key } => {
                    self.store.delete(now, &key).unwrap();
                    self.story.deleted = true;
                }
                other => panic!("unexpected {other:?}"),
            }
        }
        now
    }
}
