//! The twin's API server without its HTTP: objects, versions, and what an API server does to them on the way in.
//!
//! It is told the time. It never notifies anyone: the kernel reads [`Store::changes_after`] and wakes whoever
//! watches. HTTP, tables and streams are `cluster::embedded`'s affair.
//!
//! What is deliberately absent: admission webhooks, quotas, conversion between
//! versions, and the asynchrony of garbage collection: dependents go with their owner, in the order of their keys.

mod admit;
mod apply;
mod defaults;
mod delete;
mod error;
mod kind;
mod object;
mod patch;
mod scale;
pub mod schema;
mod selector;
#[cfg(test)]
mod tests;
mod write;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

pub use self::apply::Applier;
pub use self::defaults::pod_template as default_pod_template;
pub use self::delete::{DeleteOptions, Propagation};
pub use self::error::ApiError;
pub use self::kind::{Kind, KindInfo};
pub use self::object::{Key, Object, labels_of, owner_uid, text_at};
pub use self::patch::Patch;
pub use self::scale::scale_of;
pub use self::selector::{FieldSelector, LabelSelector, Selection};
use crate::clock::Moment;

/// Which part of an object a write addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The object itself.
    Main,
    /// Its `/status` subresource.
    Status,
    /// Its `/scale` subresource.
    Scale,
}

/// One change, in the order of resource versions.
#[derive(Debug, Clone)]
pub struct Change {
    /// The resource version this change created.
    pub version: u64,
    /// Which object.
    pub key: Key,
    /// The object before; `None` when it was created.
    pub old: Option<Object>,
    /// The object after; `None` when it was deleted.
    pub new: Option<Object>,
}

/// The history asked for is no longer kept: list again (HTTP 410).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gone;

/// All objects of the emulated cluster, and the recent history of their changes.
#[derive(Debug, Clone)]
pub struct Store {
    objects: BTreeMap<Key, Object>,
    history: VecDeque<Change>,
    version: u64,
    uids: u64,
    /// Who writes, for the objects whose fields have owners.
    writer: Arc<str>,
}

/// The writer when nobody says who it is: a controller or the kubelet of the twin itself.
const NOBODY: &str = "twin";

/// How many changes are kept for watchers that fall behind. A Rollout is some 30 kB here, so this bounds a soak to
/// tens of megabytes; watchers read at once, and whoever does not lists again.
const HISTORY: usize = 2_000;

/// How long an Event lives, as `kube-apiserver --event-ttl` has it.
const EVENT_TTL: Duration = Duration::from_secs(3600);

/// The namespaces that every cluster has, and that cannot be deleted (but for the last).
const NAMESPACES: [&str; 4] = ["default", "kube-system", "kube-public", "kube-node-lease"];

impl Default for Store {
    fn default() -> Store {
        Store::new()
    }
}

impl Store {
    /// An empty cluster, founded when virtual time begins: nothing but the namespaces every cluster has.
    #[must_use]
    pub fn new() -> Store {
        Store::founded(Moment::VIRTUAL_EPOCH)
    }

    /// An empty cluster, founded at this moment.
    #[must_use]
    pub fn founded(now: Moment) -> Store {
        let mut store = Store {
            objects: BTreeMap::new(),
            history: VecDeque::new(),
            version: 0,
            uids: 0,
            writer: NOBODY.into(),
        };
        for name in NAMESPACES {
            let founded = store.create(now, Kind::Namespace, json!({"metadata": {"name": name}}));
            debug_assert!(founded.is_ok(), "{founded:?}");
        }
        store
    }

    /// A cluster with more namespaces than every cluster has.
    #[cfg(test)]
    pub(crate) fn with_namespaces(names: &[&str]) -> Store {
        let mut store = Store::new();
        for name in names {
            let namespace = serde_json::json!({ "metadata": { "name": name } });
            store
                .create(Moment::VIRTUAL_EPOCH, Kind::Namespace, namespace)
                .expect("a namespace of a new name");
        }
        store
    }

    /// The newest resource version.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.version
    }

    /// Does something in somebody's name: `fieldManager`.
    pub fn writing_as<R>(&mut self, manager: &str, write: impl FnOnce(&mut Store) -> R) -> R {
        self.writer = manager.into();
        let written = write(self);
        self.writer = NOBODY.into();
        written
    }

    /// One object, as it stands.
    #[must_use]
    pub fn get(&self, key: &Key) -> Option<&Object> {
        self.objects.get(key)
    }

    /// All objects of a kind, of one namespace or of all, ordered by namespace and name.
    pub fn list<'a>(
        &'a self,
        kind: Kind,
        namespace: Option<&'a str>,
    ) -> impl Iterator<Item = (&'a Key, &'a Object)> {
        let from = Key::new(kind, namespace.unwrap_or(""), "");
        self.objects
            .range(from..)
            .take_while(move |(key, _)| key.kind == kind && namespace.is_none_or(|ns| &*key.namespace == ns))
    }

    /// The changes after a resource version.
    ///
    /// # Errors
    /// [`Gone`] when the history no longer reaches back that far.
    pub fn changes_after(&self, version: u64) -> Result<impl Iterator<Item = &Change>, Gone> {
        let oldest = self.history.front().map_or(self.version + 1, |change| change.version);
        if version + 1 < oldest {
            return Err(Gone);
        }
        let start = self.history.partition_point(|change| change.version <= version);
        Ok(self.history.range(start..))
    }

    /// All objects of a kind as they were at a resource version, ordered by namespace and name.
    ///
    /// # Errors
    /// [`Gone`] when the history no longer reaches back that far.
    pub fn list_at(&self, kind: Kind, namespace: Option<&str>, version: u64) -> Result<Vec<Object>, Gone> {
        let mut objects: BTreeMap<&Key, &Object> = self.list(kind, namespace).collect();
        let later: Vec<&Change> = self.changes_after(version)?.collect();
        let here = |key: &Key| key.kind == kind && namespace.is_none_or(|ns| &*key.namespace == ns);
        for change in later.into_iter().rev().filter(|change| here(&change.key)) {
            match &change.old {
                Some(old) => objects.insert(&change.key, old),
                None => objects.remove(&change.key),
            };
        }
        Ok(objects.into_values().cloned().collect())
    }

    /// The objects as they would be without these changes, for whoever has not heard of them. Their history is not told.
    pub(super) fn without(&self, changes: &BTreeSet<u64>) -> Store {
        let mut objects = self.objects.clone();
        for change in self.history.iter().rev().filter(|change| changes.contains(&change.version)) {
            match &change.old {
                Some(old) => objects.insert(change.key.clone(), old.clone()),
                None => objects.remove(&change.key),
            };
        }
        Store { objects, history: VecDeque::new(), writer: self.writer.clone(), ..*self }
    }

    /// Forgets Events that are older than an hour, as etcd's leases do. Call it now and then.
    pub fn expire(&mut self, now: Moment) {
        let seen = |event: &Value| {
            let stamps =
                ["/series/lastObservedTime", "/lastTimestamp", "/eventTime", "/metadata/creationTimestamp"];
            stamps.iter().filter_map(|at| Moment::parse_rfc3339(text_at(event, at))).max()
        };
        let is_old = |event: &Value| seen(event).is_some_and(|seen| now.since(seen) >= EVENT_TTL);
        let old: Vec<(Key, Object)> = self
            .list(Kind::Event, None)
            .filter(|(_, event)| is_old(event))
            .map(|(key, event)| (key.clone(), event.clone()))
            .collect();
        for (key, event) in old {
            self.commit(key, Some(event), None);
        }
    }

    /// The one way into the history: a new version of an object, or its end.
    fn commit(&mut self, key: Key, old: Option<Object>, new: Option<Value>) -> Object {
        self.version += 1;
        let new = new.map(|mut object| {
            object["metadata"]["resourceVersion"] = json!(self.version.to_string());
            Arc::new(object)
        });
        match &new {
            Some(object) => self.objects.insert(key.clone(), object.clone()),
            None => self.objects.remove(&key),
        };
        let shown = new.clone().or_else(|| old.clone()).expect("a change has an object before or after");
        self.history.push_back(Change { version: self.version, key, old, new });
        if self.history.len() > HISTORY {
            self.history.pop_front();
        }
        shown
    }
}
