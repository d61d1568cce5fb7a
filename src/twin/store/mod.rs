//! The twin's API server without its HTTP: objects, versions, and what an API server does to them on the way in.
//!
//! It is told the time. It never notifies anyone: the kernel reads [`Store::changes_after`] and wakes whoever
//! watches. HTTP, tables and streams are `cluster::embedded`'s affair.

mod error;
mod kind;
mod object;
mod patch;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use serde_json::{Value, json};

pub use self::error::ApiError;
pub use self::kind::{Kind, KindInfo};
pub use self::object::{Key, Object, labels_of, owner_uid, text_at};
pub use self::patch::Patch;
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
#[derive(Debug, Default)]
pub struct Store {
    objects: BTreeMap<Key, Object>,
    history: VecDeque<Change>,
    version: u64,
    uids: u64,
}

/// How many changes are kept for watchers that fall behind.
const HISTORY: usize = 10_000;

impl Store {
    /// An empty cluster.
    #[must_use]
    pub fn new() -> Store {
        Store::default()
    }

    /// The newest resource version.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.version
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

    /// `POST`.
    ///
    /// # Errors
    /// As an API server: a missing name (422) or an object that exists (409).
    pub fn create(&mut self, now: Moment, kind: Kind, mut object: Value) -> Result<Object, ApiError> {
        let key = Key::of(kind, &object)?;
        if self.objects.contains_key(&key) {
            return Err(ApiError::already_exists(&key));
        }
        self.uids += 1;
        let info = kind.info();
        object["apiVersion"] = json!(info.api_version());
        object["kind"] = json!(info.kind);
        if info.status_subresource {
            object.as_object_mut().expect("Key::of refuses what is not an object").remove("status");
        }
        let meta = &mut object["metadata"];
        meta["uid"] = json!(format!("{:08x}-0000-4000-8000-{:012x}", kind as u32, self.uids));
        meta["creationTimestamp"] = json!(now.rfc3339());
        meta["generation"] = json!(1);
        Ok(self.commit(key, None, Some(object)))
    }

    /// `PUT`.
    ///
    /// # Errors
    /// 404 when it is not there, 409 when `metadata.resourceVersion` is given and stale.
    pub fn update(&mut self, now: Moment, kind: Kind, part: Part, object: Value) -> Result<Object, ApiError> {
        let key = Key::of(kind, &object)?;
        let old = self.objects.get(&key).cloned().ok_or_else(|| ApiError::not_found(&key))?;
        let given = text_at(&object, "/metadata/resourceVersion");
        if !given.is_empty() && given != text_at(&old, "/metadata/resourceVersion") {
            return Err(ApiError::conflict(&key));
        }
        self.replace(now, key, &old, part, object)
    }

    /// `PATCH`.
    ///
    /// # Errors
    /// 404 when it is not there, 422 when the patch does not apply.
    pub fn patch(&mut self, now: Moment, key: &Key, part: Part, patch: &Patch) -> Result<Object, ApiError> {
        let old = self.objects.get(key).cloned().ok_or_else(|| ApiError::not_found(key))?;
        let object = patch.apply(&old)?;
        self.replace(now, key.clone(), &old, part, object)
    }

    /// `DELETE`, at once.
    ///
    /// # Errors
    /// 404 when it is not there.
    pub fn delete(&mut self, _now: Moment, key: &Key) -> Result<Object, ApiError> {
        let old = self.objects.get(key).cloned().ok_or_else(|| ApiError::not_found(key))?;
        self.commit(key.clone(), Some(old.clone()), None);
        Ok(old)
    }

    /// Keeps what a client may not touch, bumps the generation, and writes only if something changed.
    fn replace(
        &mut self,
        _now: Moment,
        key: Key,
        old: &Object,
        part: Part,
        mut object: Value,
    ) -> Result<Object, ApiError> {
        object::keep_server_fields(key.kind, old, part, &mut object);
        if object == **old {
            return Ok(old.clone());
        }
        Ok(self.commit(key, Some(old.clone()), Some(object)))
    }

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
