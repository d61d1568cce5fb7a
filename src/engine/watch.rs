//! All watches of a run as one stream of object changes.
//!
//! `kube::runtime::watcher` lists, watches, and lists again when it must. A second listing is a gap: what happened in
//! between is unknown, so it is said ([`Seen::Gap`]) and the verdict will not be a PASS because of it.

use std::collections::BTreeSet;
use std::pin::Pin;

use futures::stream::{SelectAll, Stream, StreamExt};
use kube::api::{Api, ApiResource, DynamicObject};
use kube::runtime::watcher;
use serde_json::Value;

/// What a watch saw.
#[derive(Debug)]
pub(crate) enum Seen {
    /// An object is there, new or changed.
    Object {
        /// Its kind.
        kind: &'static str,
        /// Its name.
        name: String,
        /// The object.
        object: Box<Value>,
    },
    /// An object went.
    Gone {
        /// Its kind.
        kind: &'static str,
        /// Its name.
        name: String,
    },
    /// The watch lost its place or failed.
    Gap {
        /// The kind it watches.
        kind: &'static str,
        /// What happened.
        why: String,
    },
    /// The first listing is complete: from here on nothing is missed unnoticed.
    Synced,
}

/// The kinds a drill looks at: group, version, kind, plural.
const KINDS: [(&str, &str, &str, &str); 7] = [
    ("argoproj.io", "v1alpha1", "Rollout", "rollouts"),
    ("argoproj.io", "v1alpha1", "AnalysisRun", "analysisruns"),
    ("apps", "v1", "ReplicaSet", "replicasets"),
    ("", "v1", "Service", "services"),
    ("", "v1", "Pod", "pods"),
    ("discovery.k8s.io", "v1", "EndpointSlice", "endpointslices"),
    ("", "v1", "Event", "events"),
];

type Watching = Pin<Box<dyn Stream<Item = Vec<Seen>> + Send>>;

/// The watches of one namespace.
pub(crate) struct Watches {
    streams: SelectAll<Watching>,
    unsynced: usize,
}

impl Watches {
    /// Begins to watch. The streams do nothing until they are polled.
    #[must_use]
    pub(crate) fn begin(client: &kube::Client, namespace: &str) -> Watches {
        let streams = KINDS.iter().map(|(group, version, kind, plural)| {
            let api_version =
                if group.is_empty() { (*version).to_owned() } else { format!("{group}/{version}") };
            let resource = ApiResource {
                group: (*group).to_owned(),
                version: (*version).to_owned(),
                api_version,
                kind: (*kind).to_owned(),
                plural: (*plural).to_owned(),
            };
            watch(Api::namespaced_with(client.clone(), namespace, &resource), kind)
        });
        Watches { streams: futures::stream::select_all(streams), unsynced: KINDS.len() }
    }

    /// The next changes. [`Seen::Synced`] comes once, when every first listing is complete.
    pub(crate) async fn next(&mut self) -> Vec<Seen> {
        let Some(mut seen) = self.streams.next().await else {
            return vec![Seen::Gap { kind: "all", why: "every watch ended".to_owned() }];
        };
        let synced = seen.iter().filter(|seen| matches!(seen, Seen::Synced)).count();
        seen.retain(|seen| !matches!(seen, Seen::Synced));
        if synced > 0 && self.unsynced > 0 {
            self.unsynced -= 1;
            if self.unsynced == 0 {
                seen.push(Seen::Synced);
            }
        }
        seen
    }
}

/// One kind's watch. What a second listing no longer holds is gone.
fn watch(api: Api<DynamicObject>, kind: &'static str) -> Watching {
    let mut place = Place { kind, known: BTreeSet::new(), listed: BTreeSet::new(), lists: 0 };
    Box::pin(watcher(api, watcher::Config::default()).map(move |event| place.take(event)))
}

/// Where a watch is.
struct Place {
    kind: &'static str,
    known: BTreeSet<String>,
    listed: BTreeSet<String>,
    lists: u32,
}

impl Place {
    fn take(&mut self, event: watcher::Result<watcher::Event<DynamicObject>>) -> Vec<Seen> {
        let kind = self.kind;
        match event {
            Ok(watcher::Event::Init) => {
                self.lists += 1;
                self.listed.clear();
                if self.lists == 1 {
                    return vec![];
                }
                vec![Seen::Gap { kind, why: "the watch lost its place and listed again".to_owned() }]
            }
            Ok(watcher::Event::InitApply(object)) => {
                self.listed.extend(object.metadata.name.clone());
                self.apply(&object)
            }
            Ok(watcher::Event::InitDone) => {
                let gone = self.known.difference(&self.listed).cloned().collect::<Vec<_>>();
                self.known = std::mem::take(&mut self.listed);
                let mut seen: Vec<Seen> = gone.into_iter().map(|name| Seen::Gone { kind, name }).collect();
                if self.lists == 1 {
                    seen.push(Seen::Synced);
                }
                seen
            }
            Ok(watcher::Event::Apply(object)) => self.apply(&object),
            Ok(watcher::Event::Delete(object)) => {
                let name = object.metadata.name.unwrap_or_default();
                self.known.remove(&name);
                vec![Seen::Gone { kind, name }]
            }
            Err(error) => vec![Seen::Gap { kind, why: error.to_string() }],
        }
    }

    fn apply(&mut self, object: &DynamicObject) -> Vec<Seen> {
        let Some(name) = object.metadata.name.clone() else { return vec![] };
        self.known.insert(name.clone());
        let object = serde_json::to_value(object).expect("an object that came as JSON goes back into it");
        vec![Seen::Object { kind: self.kind, name, object: Box::new(object) }]
    }
}
