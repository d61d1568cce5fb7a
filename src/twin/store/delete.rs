//! Deleting objects, and everything that goes with them.
//!
//! A real cluster spreads this over three asynchronous actors: the API server marks, the garbage collector follows
//! owner references, the namespace controller empties namespaces. Here it happens at once and in the order of keys.
//! What stays asynchronous is what waits for somebody: finalizers, and pods that a kubelet has to stop. Upstream:
//! k8s.io/apiserver v0.34 `pkg/registry/rest/delete.go`, k8s.io/kubernetes v1.34 `pkg/controller/garbagecollector`.

use std::collections::VecDeque;
use std::time::Duration;

use serde_json::{Value, json};

use super::object::{self, Key, Object, text_at, texts_at};
use super::{ApiError, Kind, NAMESPACES, Store};
use crate::clock::Moment;

/// What becomes of the objects that an object owns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Propagation {
    /// They are deleted after it.
    #[default]
    Background,
    /// They are deleted first, and it waits for them.
    Foreground,
    /// They stay, without an owner.
    Orphan,
}

/// How to delete.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DeleteOptions {
    /// What becomes of its dependents.
    pub propagation: Propagation,
    /// How many seconds a pod gets to stop; what the pod says when it is `None`. Other kinds need no time.
    pub grace: Option<i64>,
    /// Delete only the object with this uid.
    pub uid: Option<String>,
    /// Delete only this version of the object.
    pub version: Option<String>,
}

const FOREGROUND: &str = "foregroundDeletion";

/// Deletions still to do: each may add those of its dependents.
type Queue = VecDeque<(Key, Propagation, Option<i64>)>;

impl Store {
    /// `DELETE`, at once: a pod gets no time to stop. Dependents follow; finalizers hold it back.
    ///
    /// # Errors
    /// 404 when it is not there, 403 for a namespace every cluster needs.
    pub fn delete(&mut self, now: Moment, key: &Key) -> Result<Object, ApiError> {
        self.delete_with(now, key, &DeleteOptions { grace: Some(0), ..DeleteOptions::default() })
    }

    /// `DELETE` with options. The object as it was when it went, or as it is while it waits to go.
    ///
    /// # Errors
    /// 404 when it is not there, 409 when it is not the one that was meant, 403 for a namespace every cluster needs.
    pub fn delete_with(
        &mut self,
        now: Moment,
        key: &Key,
        options: &DeleteOptions,
    ) -> Result<Object, ApiError> {
        let old = self.objects.get(key).cloned().ok_or_else(|| ApiError::not_found(key))?;
        for (field, wanted) in [("uid", &options.uid), ("resourceVersion", &options.version)] {
            let is = text_at(&old["metadata"], &format!("/{field}"));
            if let Some(wanted) = wanted.as_deref().filter(|wanted| *wanted != is) {
                let name = if field == "uid" { "UID" } else { "ResourceVersion" };
                let why = format!("{name} in precondition: {wanted}, {name} in object meta: {is}");
                return Err(ApiError::precondition(key, &why));
            }
        }
        if key.kind == Kind::Namespace && NAMESPACES[..3].contains(&&*key.name) {
            return Err(ApiError::forbidden(key, "this namespace may not be deleted"));
        }
        self.work_off(now, Queue::from([(key.clone(), options.propagation, options.grace)]));
        Ok(self.objects.get(key).cloned().unwrap_or(old))
    }

    fn work_off(&mut self, now: Moment, mut queue: Queue) {
        while let Some((key, propagation, grace)) = queue.pop_front() {
            self.delete_one(now, &key, propagation, grace, &mut queue);
        }
    }

    fn delete_one(
        &mut self,
        now: Moment,
        key: &Key,
        propagation: Propagation,
        grace: Option<i64>,
        queue: &mut Queue,
    ) {
        let Some(old) = self.objects.get(key).cloned() else { return };
        let waits = match propagation {
            Propagation::Background => false,
            Propagation::Orphan => {
                self.orphan(&old);
                false
            }
            Propagation::Foreground => {
                let dependents = self.dependents(key, &old);
                queue.extend(dependents.iter().map(|key| (key.clone(), propagation, None)));
                !dependents.is_empty()
            }
        };
        let content = if key.kind == Kind::Namespace { self.content(&key.name) } else { vec![] };
        let grace = grace_of(key.kind, &old, grace);
        let held = !texts_at(&old, "/metadata/finalizers").is_empty();
        if held || waits || !content.is_empty() || grace > 0 {
            self.mark(now, key, &old, grace, waits);
            queue.extend(content.into_iter().map(|key| (key, Propagation::Background, None)));
        } else {
            self.remove(now, key, &old, queue);
        }
    }

    /// Sets the deletion timestamp, or brings it forward.
    fn mark(&mut self, now: Moment, key: &Key, old: &Object, grace: i64, foreground: bool) {
        let mut new = (**old).clone();
        let meta = &mut new["metadata"];
        let sooner = meta["deletionGracePeriodSeconds"].as_i64().is_some_and(|given| grace < given);
        if !object::is_terminating(old) || sooner {
            let at = now + Duration::from_secs(grace.unsigned_abs());
            meta["deletionTimestamp"] = json!(at.rfc3339());
            meta["deletionGracePeriodSeconds"] = json!(grace);
            if let Some(generation) = meta["generation"].as_i64().filter(|_| !sooner) {
                meta["generation"] = json!(generation + 1);
            }
        }
        let mut finalizers = texts_at(old, "/metadata/finalizers");
        if foreground && !finalizers.contains(&FOREGROUND) {
            finalizers.push(FOREGROUND);
            meta["finalizers"] = json!(finalizers);
        }
        if key.kind == Kind::Namespace {
            new["status"]["phase"] = json!("Terminating");
        }
        if new != **old {
            self.commit(key.clone(), Some(old.clone()), Some(new));
        }
    }

    /// The end of an object, and what it sets free or takes along.
    fn remove(&mut self, now: Moment, key: &Key, old: &Object, queue: &mut Queue) {
        let dependents = self.dependents(key, old);
        self.commit(key.clone(), Some(old.clone()), None);
        let uid = text_at(old, "/metadata/uid");
        for dependent in dependents {
            if self.disown(&dependent, uid) {
                queue.push_back((dependent, Propagation::Background, None));
            }
        }
        for owner in self.waiting_owners(key, old) {
            self.release(now, &owner, queue);
        }
        self.finish_namespace(now, &key.namespace, queue);
    }

    /// Called after a write: the last finalizer may have gone.
    pub(super) fn finish_if_released(&mut self, now: Moment, key: &Key) {
        let Some(object) = self.objects.get(key).cloned() else { return };
        let held = !texts_at(&object, "/metadata/finalizers").is_empty();
        let stops = object["metadata"]["deletionGracePeriodSeconds"].as_i64().is_some_and(|grace| grace > 0);
        if object::is_terminating(&object) && !held && !stops && key.kind != Kind::Namespace {
            let mut queue = Queue::new();
            self.remove(now, key, &object, &mut queue);
            self.work_off(now, queue);
        }
    }

    /// A namespace that is being deleted goes with the last object in it.
    fn finish_namespace(&mut self, now: Moment, name: &str, queue: &mut Queue) {
        let key = Key::new(Kind::Namespace, "", name);
        let Some(namespace) = self.objects.get(&key).cloned() else { return };
        let held = !texts_at(&namespace, "/metadata/finalizers").is_empty();
        if object::is_terminating(&namespace) && !held && self.content(name).is_empty() {
            self.remove(now, &key, &namespace, queue);
        }
    }

    fn content(&self, namespace: &str) -> Vec<Key> {
        self.objects.keys().filter(|key| &*key.namespace == namespace).cloned().collect()
    }

    /// The objects that name this one as an owner, in the order of their keys.
    fn dependents(&self, key: &Key, object: &Value) -> Vec<Key> {
        let uid = text_at(object, "/metadata/uid");
        let near = |other: &Key| !key.kind.info().namespaced || other.namespace == key.namespace;
        let owned = |(other, object): &(&Key, &Object)| {
            other.kind != Kind::Event && near(other) && owners_of(object).any(|owner| owner["uid"] == uid)
        };
        self.objects.iter().filter(owned).map(|(key, _)| key.clone()).collect()
    }

    /// Drops one owner; true when no living owner is left, and the dependent should go too.
    fn disown(&mut self, key: &Key, uid: &str) -> bool {
        let Some(old) = self.objects.get(key).cloned() else { return false };
        let alive = |owner: &&Value| {
            let kind = Kind::of_type(text_at(owner, "/apiVersion"), text_at(owner, "/kind"));
            let found = kind.and_then(|kind| {
                let namespace = if kind.info().namespaced { &*key.namespace } else { "" };
                self.objects.get(&Key::new(kind, namespace, text_at(owner, "/name")))
            });
            owner["uid"] != uid && found.is_some_and(|found| found["metadata"]["uid"] == owner["uid"])
        };
        let left: Vec<Value> = owners_of(&old).filter(alive).cloned().collect();
        if left.is_empty() {
            return true;
        }
        let mut new = (*old).clone();
        new["metadata"]["ownerReferences"] = Value::Array(left);
        self.commit(key.clone(), Some(old), Some(new));
        false
    }

    fn orphan(&mut self, owner: &Object) {
        let uid = text_at(owner, "/metadata/uid");
        let kind = Kind::of_type(text_at(owner, "/apiVersion"), text_at(owner, "/kind"));
        let Some(key) = kind.and_then(|kind| Key::of(kind, owner).ok()) else { return };
        for dependent in self.dependents(&key, owner) {
            let Some(old) = self.objects.get(&dependent).cloned() else { continue };
            let left: Vec<Value> = owners_of(&old).filter(|owner| owner["uid"] != uid).cloned().collect();
            let mut new = (*old).clone();
            match new["metadata"].as_object_mut() {
                Some(meta) if left.is_empty() => drop(meta.remove("ownerReferences")),
                Some(meta) => drop(meta.insert("ownerReferences".into(), Value::Array(left))),
                None => {}
            }
            self.commit(dependent, Some(old), Some(new));
        }
    }

    /// Owners of a removed object that were waiting for it.
    fn waiting_owners(&self, key: &Key, object: &Value) -> Vec<Key> {
        let waits = |owner: &Value| {
            let kind = Kind::of_type(text_at(owner, "/apiVersion"), text_at(owner, "/kind"))?;
            let namespace = if kind.info().namespaced { &*key.namespace } else { "" };
            let key = Key::new(kind, namespace, text_at(owner, "/name"));
            let found = self.objects.get(&key)?;
            let foreground = texts_at(found, "/metadata/finalizers").contains(&FOREGROUND);
            (foreground && found["metadata"]["uid"] == owner["uid"]).then_some(key)
        };
        owners_of(object).filter_map(waits).collect()
    }

    /// Takes the foreground finalizer from an owner that has no dependents left.
    fn release(&mut self, now: Moment, key: &Key, queue: &mut Queue) {
        let Some(old) = self.objects.get(key).cloned() else { return };
        if !self.dependents(key, &old).is_empty() {
            return;
        }
        let left: Vec<&str> =
            texts_at(&old, "/metadata/finalizers").into_iter().filter(|name| *name != FOREGROUND).collect();
        if left.is_empty() {
            self.remove(now, key, &old, queue);
            return;
        }
        let mut new = (*old).clone();
        new["metadata"]["finalizers"] = json!(left);
        self.commit(key.clone(), Some(old), Some(new));
    }
}

fn owners_of(object: &Value) -> impl Iterator<Item = &Value> {
    object["metadata"]["ownerReferences"].as_array().into_iter().flatten()
}

/// How long a deletion waits for a kubelet: only for pods that have one and still run.
fn grace_of(kind: Kind, pod: &Value, asked: Option<i64>) -> i64 {
    let ended = ["Succeeded", "Failed"].contains(&text_at(pod, "/status/phase"));
    if kind != Kind::Pod || ended || text_at(pod, "/spec/nodeName").is_empty() {
        return 0;
    }
    let own = pod["spec"]["terminationGracePeriodSeconds"].as_i64();
    asked.or(own).unwrap_or(30).clamp(0, 86_400)
}
