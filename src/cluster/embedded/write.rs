//! Creating, changing and deleting: from a body to a store call.

use axum::response::Response;
use bytes::Bytes;
use http::{HeaderMap, StatusCode, header};
use serde_json::{Value, json};

use super::read::key_of;
use super::target::{Sub, Target};
use super::{Host, World, answer, body, params::Params};
use crate::clock::Moment;
use crate::twin::store::schema::{self, FindingKind};
use crate::twin::store::{
    ApiError, DeleteOptions, Key, Kind, Object, Part, Patch, Propagation, Store, scale_of, text_at,
};

/// A write, as it arrived.
pub(super) struct Call<'a> {
    pub(super) target: &'a Target,
    pub(super) params: &'a Params,
    pub(super) headers: &'a HeaderMap,
    pub(super) body: &'a Bytes,
}

impl Call<'_> {
    /// In whose name it is done (k8s.io/apiserver v0.34 `pkg/endpoints/handlers/create.go`, `managerOrUserAgent`).
    pub(super) fn manager(&self) -> &str {
        let agent =
            self.headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let agent = agent.split('/').next().unwrap_or_default();
        let given = [self.params.field_manager.as_str(), agent].into_iter().find(|name| !name.is_empty());
        given.unwrap_or("unknown")
    }

    pub(super) fn part(&self) -> Part {
        match self.target.sub {
            Sub::Part(part) => part,
            Sub::Eviction | Sub::Proxy | Sub::Inside => Part::Main,
        }
    }
}

/// `POST` to a collection.
pub(super) fn create<H: Host>(world: &World<H>, call: &Call<'_>) -> Result<Response, ApiError> {
    let object = addressed(call, body::parse(call.headers, call.body)?)?;
    let kind = call.target.kind;
    if call.target.namespace.is_none() && kind.info().namespaced {
        return Err(answer::method_not_allowed());
    }
    let warnings = validate_fields(call, &object)?;
    let created = commit(world, call, |store, now| store.create(now, kind, object))?;
    Ok(answer::warn(answer::json(StatusCode::CREATED, &created), &warnings))
}

/// `PUT`.
pub(super) fn update<H: Host>(world: &World<H>, call: &Call<'_>) -> Result<Response, ApiError> {
    let object = addressed(call, body::parse(call.headers, call.body)?)?;
    let (kind, part) = (call.target.kind, call.part());
    if kind.is_custom() && part != Part::Scale && text_at(&object, "/metadata/resourceVersion").is_empty() {
        return Err(ApiError::invalid(format!(
            "{} {:?} is invalid: metadata.resourceVersion: Invalid value: 0: must be specified for an update",
            kind.info().resource(),
            text_at(&object, "/metadata/name")
        )));
    }
    let warnings = if part == Part::Main { validate_fields(call, &object)? } else { vec![] };
    let updated = commit(world, call, |store, now| store.update(now, kind, part, object))?;
    Ok(answer::warn(shown(kind, part, &updated), &warnings))
}

/// `PATCH`.
pub(super) fn patch<H: Host>(world: &World<H>, call: &Call<'_>) -> Result<Response, ApiError> {
    let media = body::media_type(call.headers);
    let wrap = match media {
        "application/merge-patch+json" => Patch::Merge,
        "application/json-patch+json" => Patch::Json,
        "application/strategic-merge-patch+json" => Patch::Strategic,
        super::apply::MEDIA => return super::apply::apply(world, call),
        _ => {
            return Err(ApiError::unsupported_media_type(
                "application/json-patch+json, application/merge-patch+json, application/strategic-merge-patch+json, application/apply-patch+yaml",
            ));
        }
    };
    let patch = serde_json::from_slice(call.body)
        .map(wrap)
        .map_err(|error| ApiError::bad_request(format!("error decoding patch: {error}")))?;
    let (key, part) = (key_of(call.target), call.part());
    let mut warnings = vec![];
    if part == Part::Main
        && let Some(old) = world.lock().store().get(&key)
    {
        warnings = validate_fields(call, &patch.apply(old)?)?;
    }
    let patched = commit(world, call, |store, now| store.patch(now, &key, part, &patch))?;
    Ok(answer::warn(shown(key.kind, part, &patched), &warnings))
}

pub(super) fn shown(kind: Kind, part: Part, object: &Object) -> Response {
    match part {
        Part::Scale => answer::json(StatusCode::OK, &scale_of(kind, object)),
        Part::Main | Part::Status => answer::json(StatusCode::OK, object),
    }
}

/// `DELETE` of one object.
pub(super) fn delete<H: Host>(world: &World<H>, call: &Call<'_>) -> Result<Response, ApiError> {
    if call.part() != Part::Main {
        return Err(answer::method_not_allowed());
    }
    let (key, options) = (key_of(call.target), delete_options(call)?);
    let (object, gone) = commit(world, call, |store, now| {
        let object = store.delete_with(now, &key, &options)?;
        Ok((object, store.get(&key).is_none()))
    })?;
    let answered = if gone { answer::deleted(&key, &object) } else { (*object).clone() };
    Ok(answer::json(StatusCode::OK, &answered))
}

/// `DELETE` of a collection: everything selected, in order.
pub(super) fn delete_collection<H: Host>(world: &World<H>, call: &Call<'_>) -> Result<Response, ApiError> {
    let (kind, options) = (call.target.kind, delete_options(call)?);
    let selection = call.params.selection(kind)?;
    let namespace = call.target.namespace.as_deref();
    let deleted = commit(world, call, |store, now| {
        let selected = |(_, object): &(&Key, &Object)| selection.matches(object);
        let keys: Vec<Key> =
            store.list(kind, namespace).filter(selected).map(|(key, _)| key.clone()).collect();
        // One that went along with an earlier one is not missing.
        let deleted = keys.iter().filter_map(|key| match store.delete_with(now, key, &options) {
            Err(error) if error.code == 404 => None,
            other => Some(other),
        });
        deleted.collect::<Result<Vec<Object>, ApiError>>()
    })?;
    let info = kind.info();
    let list = json!({"kind": format!("{}List", info.kind), "apiVersion": info.api_version(), "metadata": {},
                      "items": deleted.iter().map(|object| (**object).clone()).collect::<Vec<_>>()});
    Ok(answer::json(StatusCode::OK, &list))
}

/// `POST pods/{name}/eviction`: there are no disruption budgets here, so it is a deletion.
pub(super) fn evict<H: Host>(world: &World<H>, call: &Call<'_>) -> Result<Response, ApiError> {
    let eviction = body::parse(call.headers, call.body)?;
    let key = key_of(call.target);
    let options = options_of(&eviction["deleteOptions"], call.params)?;
    commit(world, call, |store, now| store.delete_with(now, &key, &options))?;
    Ok(answer::json(
        StatusCode::CREATED,
        &json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}),
    ))
}

/// Writes, tells the world, or with `dryRun=All` does it to a copy.
pub(super) fn commit<H: Host, R>(
    world: &World<H>,
    call: &Call<'_>,
    write: impl FnOnce(&mut Store, Moment) -> Result<R, ApiError>,
) -> Result<R, ApiError> {
    match call.params.dry_run.as_deref() {
        None => world.act(|host| {
            let now = host.now();
            let written = host.store_mut().writing_as(call.manager(), |store| write(store, now))?;
            host.settle();
            Ok(written)
        }),
        Some("All") => {
            let host = world.lock();
            let (mut copy, now) = (host.store().clone(), host.now());
            drop(host);
            copy.writing_as(call.manager(), |store| write(store, now))
        }
        Some(other) => {
            Err(ApiError::invalid(format!("dryRun: Unsupported value: {other:?}: supported values: \"All\"")))
        }
    }
}

/// The object must be what its address says; what it leaves out, the address fills in.
pub(super) fn addressed(call: &Call<'_>, mut object: Value) -> Result<Value, ApiError> {
    if !object.is_object() {
        return Err(ApiError::bad_request("the object provided is unrecognized: it must be a JSON object"));
    }
    let info = call.target.kind.info();
    let (version, kind) = match call.part() {
        Part::Scale => ("autoscaling/v1".to_owned(), "Scale"),
        Part::Main | Part::Status => (info.api_version(), info.kind),
    };
    let given = text_at(&object["apiVersion"], "").rsplit_once('/').unwrap_or_default();
    if version == info.api_version() && given.0 == info.group && info.is_served_as(given.1) {
        object["apiVersion"] = json!(version);
    }
    for (field, wanted) in [("apiVersion", version.as_str()), ("kind", kind)] {
        let given = text_at(&object[field], "");
        if !given.is_empty() && given != wanted {
            return Err(ApiError::bad_request(format!(
                "the {field} in the data ({given}) does not match the expected {field} ({wanted})"
            )));
        }
    }
    let meta = object.as_object_mut().expect("checked above").entry("metadata").or_insert_with(|| json!({}));
    let namespace = if info.namespaced { call.target.namespace.as_deref() } else { None };
    for (field, wanted) in [("namespace", namespace), ("name", call.target.name.as_deref())] {
        let Some((wanted, meta)) = wanted.zip(meta.as_object_mut()) else { continue };
        let given = meta.get(field).and_then(Value::as_str).unwrap_or_default();
        if !given.is_empty() && given != wanted {
            return Err(ApiError::bad_request(format!(
                "the {field} of the provided object ({given}) does not match the {field} sent on the request ({wanted})"
            )));
        }
        meta.insert(field.to_owned(), json!(wanted));
    }
    Ok(object)
}

/// `fieldValidation`: unknown fields are an error, a warning or nothing; they are dropped in any case.
pub(super) fn validate_fields(call: &Call<'_>, object: &Value) -> Result<Vec<String>, ApiError> {
    let info = call.target.kind.info();
    let unknown = || {
        let findings = schema::check(call.target.kind, object).into_iter();
        findings
            .filter(|finding| finding.kind == FindingKind::Unknown)
            .map(|f| f.to_string())
            .collect::<Vec<_>>()
    };
    match call.params.field_validation.as_str() {
        "Ignore" => Ok(vec![]),
        "" | "Warn" => Ok(unknown()),
        "Strict" => match unknown() {
            fields if fields.is_empty() => Ok(vec![]),
            fields => Err(ApiError::bad_request(format!(
                "{} in version {:?} cannot be handled as a {}: strict decoding error: {}",
                info.kind,
                info.version,
                info.kind,
                fields.join(", ")
            ))),
        },
        other => Err(ApiError::invalid(format!(
            "fieldValidation: Unsupported value: {other:?}: supported values: \"Ignore\", \"Strict\", \"Warn\""
        ))),
    }
}

fn delete_options(call: &Call<'_>) -> Result<DeleteOptions, ApiError> {
    let body = if call.body.is_empty() { Value::Null } else { body::parse(call.headers, call.body)? };
    options_of(&body, call.params)
}

fn options_of(body: &Value, params: &Params) -> Result<DeleteOptions, ApiError> {
    let text = |pointer: &str| body.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    let policy = text("/propagationPolicy").or_else(|| params.propagation.clone());
    let propagation = match policy.as_deref() {
        None | Some("" | "Background") => Propagation::Background,
        Some("Foreground") => Propagation::Foreground,
        Some("Orphan") => Propagation::Orphan,
        Some(other) => {
            return Err(ApiError::invalid(format!(
                "DeleteOptions.meta.k8s.io \"\" is invalid: propagationPolicy: Invalid value: {other:?}: allowed values are Foreground, Background, Orphan"
            )));
        }
    };
    Ok(DeleteOptions {
        propagation,
        grace: body["gracePeriodSeconds"].as_i64().or(params.grace),
        uid: text("/preconditions/uid"),
        version: text("/preconditions/resourceVersion"),
    })
}
