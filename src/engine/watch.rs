//! All watches of a run as one stream of object changes.
//!
//! `kube::runtime::watcher` lists, watches, resumes after a broken connection, and lists again when its place in history
//! is gone. Resuming loses nothing, but what comes is late ([`Seen::Trouble`]). A second listing that shows anything
//! changed is a gap: what happened in between is unknown, so it is said ([`Seen::Gap`]), and the verdict will not be a
//! PASS because of it.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::time::Duration;

use futures::stream::{SelectAll, Stream, StreamExt};
use kube::api::{Api, ApiResource, DynamicObject};
use kube::runtime::utils::Backoff;
use kube::runtime::{WatchStreamExt as _, watcher};
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
    /// The watch lost its place, and something had happened meanwhile.
    Gap {
        /// The kind it watches.
        kind: &'static str,
        /// What happened.
        why: String,
    },
    /// The watch is cut off for now, and tries again.
    Trouble {
        /// The kind it watches.
        kind: &'static str,
        /// What the API server said.
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
    let mut place = Place { kind, known: BTreeMap::new(), listing: None, is_synced: false };
    let events = watcher(api, watcher::Config::default()).backoff(Again::default());
    Box::pin(events.map(move |event| place.take(event)))
}

/// How long a watch waits before it tries again: not long, for every second of it is a second of blindness.
#[derive(Default)]
struct Again(u32);

impl Again {
    const FIRST: Duration = Duration::from_millis(100);
    const LAST: Duration = Duration::from_secs(1);
}

impl Iterator for Again {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        self.0 = self.0.saturating_add(1);
        Some(Again::FIRST.saturating_mul(self.0).min(Again::LAST))
    }
}

impl Backoff for Again {
    fn reset(&mut self) {
        self.0 = 0;
    }
}

/// Where a watch is: what it knows, by name and version.
struct Place {
    kind: &'static str,
    known: BTreeMap<String, String>,
    listing: Option<Listing>,
    is_synced: bool,
}

/// A listing under way.
#[derive(Default)]
struct Listing {
    listed: BTreeMap<String, String>,
    changed: u32,
}

impl Place {
    fn take(&mut self, event: watcher::Result<watcher::Event<DynamicObject>>) -> Vec<Seen> {
        let kind = self.kind;
        match event {
            Ok(watcher::Event::Init) => {
                self.listing = Some(Listing::default());
                vec![]
            }
            Ok(watcher::Event::InitApply(object)) => self.listed(&object),
            Ok(watcher::Event::InitDone) => self.end_of_list(),
            Ok(watcher::Event::Apply(object)) => {
                self.known.insert(name(&object), version(&object));
                vec![self.seen(&object)]
            }
            Ok(watcher::Event::Delete(object)) => {
                let name = name(&object);
                self.known.remove(&name);
                vec![Seen::Gone { kind, name }]
            }
            Err(error) => vec![Seen::Trouble { kind, why: error.to_string() }],
        }
    }

    fn listed(&mut self, object: &DynamicObject) -> Vec<Seen> {
        let (name, version) = (name(object), version(object));
        let is_new = self.known.get(&name) != Some(&version);
        let listing = self.listing.get_or_insert_default();
        listing.listed.insert(name, version);
        listing.changed += u32::from(is_new);
        if is_new { vec![self.seen(object)] } else { vec![] }
    }

    fn end_of_list(&mut self) -> Vec<Seen> {
        let kind = self.kind;
        let Listing { listed, mut changed } = self.listing.take().unwrap_or_default();
        let gone: Vec<String> =
            self.known.keys().filter(|name| !listed.contains_key(*name)).cloned().collect();
        changed = changed.saturating_add(u32::try_from(gone.len()).unwrap_or(u32::MAX));
        self.known = listed;
        let mut seen: Vec<Seen> = gone.into_iter().map(|name| Seen::Gone { kind, name }).collect();
        if !self.is_synced {
            self.is_synced = true;
            seen.push(Seen::Synced);
        } else if changed > 0 && kind != "Event" {
            // Events are told and not believed: a lost one hides nothing.
            let why = format!("the watch lost its place and listed again, and {changed} objects had changed");
            seen.push(Seen::Gap { kind, why });
        }
        seen
    }

    fn seen(&self, object: &DynamicObject) -> Seen {
        let name = name(object);
        let object = serde_json::to_value(object).expect("an object that came as JSON goes back into it");
        Seen::Object { kind: self.kind, name, object: Box::new(object) }
    }
}

fn name(object: &DynamicObject) -> String {
    object.metadata.name.clone().unwrap_or_default()
}

fn version(object: &DynamicObject) -> String {
    object.metadata.resource_version.clone().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(name: &str, version: &str) -> DynamicObject {
        let object = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "resourceVersion": version}});
        serde_json::from_value(object).unwrap()
    }

    fn place() -> Place {
        Place { kind: "Pod", known: BTreeMap::new(), listing: None, is_synced: false }
    }

    /// Lists these, and tells in a word each what was seen.
    fn list(place: &mut Place, objects: &[(&str, &str)]) -> Vec<String> {
        let mut seen = place.take(Ok(watcher::Event::Init));
        for (name, version) in objects {
            seen.extend(place.take(Ok(watcher::Event::InitApply(object(name, version)))));
        }
        seen.extend(place.take(Ok(watcher::Event::InitDone)));
        seen.iter().map(word).collect()
    }

    fn word(seen: &Seen) -> String {
        match seen {
            Seen::Object { name, .. } => name.clone(),
            Seen::Gone { name, .. } => format!("-{name}"),
            Seen::Gap { .. } => "gap".to_owned(),
            Seen::Trouble { .. } => "trouble".to_owned(),
            Seen::Synced => "synced".to_owned(),
        }
    }

    #[test]
    fn a_first_list_that_had_to_be_begun_again_is_no_gap() {
        let mut place = place();
        assert!(place.take(Ok(watcher::Event::Init)).is_empty());
        assert_eq!(list(&mut place, &[("a", "1")]), ["a", "synced"]);
    }

    #[test]
    fn a_list_that_shows_what_was_known_loses_nothing() {
        let mut place = place();
        list(&mut place, &[("a", "1"), ("b", "2")]);
        assert_eq!(list(&mut place, &[("a", "1"), ("b", "2")]), [] as [&str; 0]);
    }

    #[test]
    fn a_list_that_shows_a_change_says_that_there_was_a_gap() {
        let mut place = place();
        list(&mut place, &[("a", "1"), ("b", "2")]);
        assert_eq!(list(&mut place, &[("a", "3"), ("b", "2")]), ["a", "gap"]);
        assert_eq!(list(&mut place, &[("a", "3")]), ["-b", "gap"]);
    }

    #[test]
    fn trying_again_is_never_slow() {
        let mut again = Again::default();
        let waits: Vec<u128> = again.by_ref().take(12).map(|wait| wait.as_millis()).collect();
        assert_eq!((waits[0], waits[1], waits[11]), (100, 200, 1000));
        again.reset();
        assert_eq!(again.next(), Some(Again::FIRST));
    }
}
