//! Creating and changing objects.

use std::sync::Arc;

use serde_json::{Value, json};

use super::object::{self, Key, Object, text_at, texts_at};
use super::{ApiError, Kind, Part, Patch, Store, admit, apply, scale};
use crate::clock::{Moment, Seed};

/// What a name is generated from, without vowels and look-alikes (k8s.io/apimachinery v0.34 `util/rand`).
const NAME_ALPHABET: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";

impl Store {
    /// `POST`.
    ///
    /// # Errors
    /// As an API server: a namespace that is not there (404), a missing or bad name (422), an object that exists (409),
    /// a resource version (400), and whatever the kind's schema and rules refuse (400 or 422).
    pub fn create(&mut self, now: Moment, kind: Kind, object: Value) -> Result<Object, ApiError> {
        self.create_owned(now, kind, object, None)
    }

    /// Creates an object whose fields may have owners already.
    pub(super) fn create_owned(
        &mut self,
        now: Moment,
        kind: Kind,
        mut object: Value,
        managed: Option<Value>,
    ) -> Result<Object, ApiError> {
        if !object["metadata"].is_object() {
            return Err(ApiError::no_object());
        }
        if !["", "0"].contains(&text_at(&object, "/metadata/resourceVersion")) {
            return Err(ApiError::bad_request("resourceVersion should not be set on objects to be created"));
        }
        self.generate_name(&mut object);
        let key = Key::of(kind, &object)?;
        admit::name_rules(&key)?;
        self.check_namespace(&key)?;
        if self.objects.contains_key(&key) {
            return Err(ApiError::already_exists(&key));
        }
        self.dress(now, &key, &mut object);
        admit::admit(&key, None, &mut object, self.uids + 1)?;
        apply::set_managed(&mut object, managed);
        self.uids += 1;
        Ok(self.commit(key, None, Some(object)))
    }

    /// What only the server writes on a new object.
    fn dress(&self, now: Moment, key: &Key, object: &mut Value) {
        let info = key.kind.info();
        object["apiVersion"] = json!(info.api_version());
        object["kind"] = json!(info.kind);
        if info.status_subresource {
            object.as_object_mut().expect("`create` refuses what has no metadata").remove("status");
        }
        object::strip_server_fields(object);
        let meta = &mut object["metadata"];
        meta["uid"] = json!(format!("{:08x}-0000-4000-8000-{:012x}", key.kind as u32, self.uids + 1));
        meta["creationTimestamp"] = json!(now.rfc3339());
        if key.kind.has_generation() {
            meta["generation"] = json!(1);
        }
        if !info.namespaced {
            meta.as_object_mut().expect("checked by `create`").remove("namespace");
        }
    }

    /// The suffix depends on what was created before and on nothing else.
    fn generate_name(&self, object: &mut Value) {
        let prefix = text_at(object, "/metadata/generateName");
        if prefix.is_empty() || !text_at(object, "/metadata/name").is_empty() {
            return;
        }
        let mut draw = Seed::new(self.uids).child(prefix).get();
        let mut name = prefix.get(..58).unwrap_or(prefix).to_owned();
        for _ in 0..5 {
            let letters = NAME_ALPHABET.len() as u64;
            name.push(char::from(NAME_ALPHABET[usize::try_from(draw % letters).unwrap_or(0)]));
            draw /= letters;
        }
        object["metadata"]["name"] = json!(name);
    }

    fn check_namespace(&self, key: &Key) -> Result<(), ApiError> {
        if !key.kind.info().namespaced {
            return Ok(());
        }
        if key.namespace.is_empty() {
            return Err(ApiError::bad_request("an empty namespace may not be set during creation"));
        }
        let namespace = Key::new(Kind::Namespace, "", &key.namespace);
        let found = self.objects.get(&namespace).ok_or_else(|| ApiError::not_found(&namespace))?;
        if object::is_terminating(found) {
            let why = format!(
                "unable to create new content in namespace {} because it is being terminated",
                key.namespace
            );
            return Err(ApiError::forbidden(key, &why));
        }
        Ok(())
    }

    /// `PUT`. For [`Part::Scale`] the object is a `Scale`.
    ///
    /// # Errors
    /// 404 when it is not there, 409 when `metadata.resourceVersion` is given and stale or `metadata.uid` is another's,
    /// and whatever the kind's schema and rules refuse.
    pub fn update(&mut self, now: Moment, kind: Kind, part: Part, object: Value) -> Result<Object, ApiError> {
        if !object["metadata"].is_object() {
            return Err(ApiError::no_object());
        }
        let key = Key::of(kind, &object)?;
        let old = self.existing(&key, part)?;
        let object = if part == Part::Scale {
            check_identity(&key, &old, &object)?;
            scale::scaled(&old, &object)?
        } else {
            object
        };
        self.replace(now, key, &old, part, object)
    }

    /// `PATCH`. For [`Part::Scale`] the patch is one of a `Scale`.
    ///
    /// # Errors
    /// 404 when it is not there, 415 for a strategic patch of a custom resource, 422 when the patch does not apply,
    /// 409 when it carries a stale resource version, and whatever the kind's schema and rules refuse.
    pub fn patch(&mut self, now: Moment, key: &Key, part: Part, patch: &Patch) -> Result<Object, ApiError> {
        let old = self.existing(key, part)?;
        if key.kind.is_custom() && matches!(patch, Patch::Strategic(_)) {
            return Err(ApiError::unsupported_media_type(
                "application/json-patch+json, application/merge-patch+json",
            ));
        }
        let object = if part == Part::Scale {
            let scale = scale::scale_of(key.kind, &old).expect("`existing` refuses kinds without a scale");
            scale::scaled(&old, &patch.apply(&scale)?)?
        } else {
            patch.apply(&old)?
        };
        if !object["metadata"].is_object() {
            return Err(ApiError::no_object());
        }
        self.replace(now, key.clone(), &old, part, object)
    }

    /// The object, if it is there and has such a part.
    fn existing(&self, key: &Key, part: Part) -> Result<Object, ApiError> {
        let info = key.kind.info();
        let has_part = match part {
            Part::Main => true,
            Part::Status => info.status_subresource,
            Part::Scale => info.scale_subresource,
        };
        if !has_part {
            let message = "the server could not find the requested resource".to_owned();
            return Err(ApiError { code: 404, reason: "NotFound", message });
        }
        self.objects.get(key).cloned().ok_or_else(|| ApiError::not_found(key))
    }

    /// Keeps what a client may not touch, bumps the generation, and writes only if something changed.
    fn replace(
        &mut self,
        now: Moment,
        key: Key,
        old: &Object,
        part: Part,
        object: Value,
    ) -> Result<Object, ApiError> {
        self.replace_owned(now, key, old, part, object, None)
    }

    /// The same, when it is known who owns what. Otherwise what changed belongs to the writer.
    pub(super) fn replace_owned(
        &mut self,
        now: Moment,
        key: Key,
        old: &Object,
        part: Part,
        mut object: Value,
        managed: Option<Value>,
    ) -> Result<Object, ApiError> {
        check_identity(&key, old, &object)?;
        object::keep_server_fields(key.kind, old, part, &mut object);
        // Unchanged since it was admitted, so there is nothing to admit. Most writes of a busy controller end here.
        if object == **old && managed.is_none() {
            return Ok(old.clone());
        }
        admit::admit(&key, Some(old), &mut object, self.uids)?;
        check_finalizers(&key, old, &object)?;
        object::bump_generation(key.kind, old, &mut object);
        let managed = managed.or_else(|| apply::managed(&key, old, &object, &self.writer, part, now));
        apply::set_managed(&mut object, managed);
        if object == **old {
            return Ok(old.clone());
        }
        let new = self.commit(key.clone(), Some(Arc::clone(old)), Some(object));
        self.finish_if_released(now, &key);
        Ok(new)
    }
}

/// The object a client means must be the one that is there, in the version it has seen if it says which.
fn check_identity(key: &Key, old: &Value, given: &Value) -> Result<(), ApiError> {
    let (uid, is) = (text_at(given, "/metadata/uid"), text_at(old, "/metadata/uid"));
    if !uid.is_empty() && uid != is {
        let why = format!("UID in precondition: {uid}, UID in object meta: {is}");
        return Err(ApiError::precondition(key, &why));
    }
    let version = text_at(given, "/metadata/resourceVersion");
    if !["", "0"].contains(&version) && version != text_at(old, "/metadata/resourceVersion") {
        return Err(ApiError::conflict(key));
    }
    Ok(())
}

/// What is being deleted can lose finalizers, but it cannot get new ones.
fn check_finalizers(key: &Key, old: &Value, new: &Value) -> Result<(), ApiError> {
    let had = texts_at(old, "/metadata/finalizers");
    let fresh: Vec<&str> =
        texts_at(new, "/metadata/finalizers").into_iter().filter(|name| !had.contains(name)).collect();
    if object::is_terminating(old) && !fresh.is_empty() {
        let cause = format!(
            "metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers {fresh:?}"
        );
        return Err(admit::invalid(key, &[cause]));
    }
    Ok(())
}
