//! Server-side apply: a configuration with an owner, merged field by field.
//!
//! As k8s.io/apimachinery v0.34 `pkg/util/managedfields` and structured-merge-diff do: an applied field belongs to its
//! manager; setting another manager's field to another value is a conflict unless forced; a field that a manager no
//! longer applies, and that nobody else owns, goes. Ownership is kept from an object's first apply on, as servers did
//! that were upgraded to it (`skipnonapplied.go`): what was there before belongs to `before-first-apply`, and is not
//! held against `kubectl` where its own last-applied annotation has it (`lastappliedmanager.go`).
//!
//! What it does not do: clients cannot write or reset `managedFields`; fields are not converted between versions;
//! references to Secrets and ConfigMaps inside a pod are merged by field although upstream takes them as one value; the
//! conflict is told in the message of its Status, not in its causes.

mod fields;
mod merge;
mod owners;
#[cfg(test)]
mod tests;

use serde_json::{Value, json};

use self::fields::{Fields, Path, Step};
use self::merge::merge;
use self::owners::{Operation, Owner};
use super::object::text_at;
use super::schema::Shape;
use super::{ApiError, Key, Object, Part, Store};
use crate::clock::Moment;

/// Who applies, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applier {
    /// `fieldManager`.
    pub manager: String,
    /// Whether conflicts are won.
    pub force: bool,
}

/// Fields of a configuration that belong to somebody else, with their owner.
type Conflicts = Vec<(String, String, Path)>;

const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

impl Store {
    /// `PATCH` with `application/apply-patch+yaml`. Answers the object and whether it is new.
    ///
    /// # Errors
    /// 409 when a field belongs to another manager and has another value, 404 for a subresource of an object that is
    /// not there, and whatever creating and updating refuse.
    pub fn apply(
        &mut self,
        now: Moment,
        key: &Key,
        part: Part,
        mut config: Value,
        who: &Applier,
    ) -> Result<(Object, bool), ApiError> {
        check(&config)?;
        keep_part(key, part, &mut config);
        let shape = Shape::of(key.kind);
        let fields = fields::of(shape, &config);
        let Some(live) = self.get(key).cloned() else {
            if part != Part::Main {
                return Err(ApiError::not_found(key));
            }
            let mut owners = vec![];
            owners::set(&mut owners, who.owner(key, part, fields, now));
            let created = self.create_owned(now, key.kind, config, Some(owners::write(&owners)))?;
            return Ok((created, true));
        };
        let mut owners = owners::read(&live);
        if owners.is_empty() {
            owners.push(before_first_apply(shape, &live, now));
        }
        let conflicts = conflicts(shape, &owners, &live, &config, who, part);
        if !conflicts.is_empty() && !who.force && !is_kubectls_own(shape, &live, &conflicts, who) {
            return Err(conflict(&conflicts));
        }
        let mut merged = (*live).clone();
        merge(shape, &mut merged, &config);
        for (_, _, path) in &conflicts {
            for owner in &mut owners {
                owner.fields.remove(path);
            }
        }
        fields::remove(shape, &mut merged, &abandoned(&owners, &fields, who, part));
        owners::set(&mut owners, who.owner(key, part, fields, now));
        let object =
            self.replace_owned(now, key.clone(), &live, part, merged, Some(owners::write(&owners)))?;
        Ok((object, false))
    }
}

impl Applier {
    fn owner(&self, key: &Key, part: Part, fields: Fields, now: Moment) -> Owner {
        Owner {
            manager: self.manager.clone(),
            operation: Operation::Apply,
            subresource: subresource(part).to_owned(),
            api_version: key.kind.info().api_version(),
            time: now.rfc3339(),
            fields,
        }
    }
}

/// The name of a part in `managedFields`.
pub(super) fn subresource(part: Part) -> &'static str {
    match part {
        Part::Main => "",
        Part::Status => "status",
        Part::Scale => "scale",
    }
}

fn check(config: &Value) -> Result<(), ApiError> {
    if config["metadata"].get("managedFields").is_some_and(|given| !given.is_null()) {
        return Err(ApiError::bad_request("metadata.managedFields must be nil"));
    }
    if text_at(config, "/apiVersion").is_empty() || text_at(config, "/kind").is_empty() {
        return Err(ApiError::bad_request("an applied configuration must have apiVersion and kind"));
    }
    Ok(())
}

/// A configuration for one part of an object says nothing about the other.
fn keep_part(key: &Key, part: Part, config: &mut Value) {
    let Some(map) = config.as_object_mut() else { return };
    match part {
        Part::Status => {
            map.retain(|field, _| ["apiVersion", "kind", "metadata", "status"].contains(&field.as_str()))
        }
        Part::Main | Part::Scale if key.kind.info().status_subresource => drop(map.remove("status")),
        Part::Main | Part::Scale => {}
    }
}

fn before_first_apply(shape: Shape<'_>, live: &Value, now: Moment) -> Owner {
    Owner {
        manager: "before-first-apply".to_owned(),
        operation: Operation::Update,
        subresource: String::new(),
        api_version: text_at(live, "/apiVersion").to_owned(),
        time: now.rfc3339(),
        fields: fields::of(shape, live),
    }
}

fn conflicts(
    shape: Shape<'_>,
    owners: &[Owner],
    live: &Value,
    config: &Value,
    who: &Applier,
    part: Part,
) -> Conflicts {
    let (is, wanted) = (fields::leaves(shape, live), fields::leaves(shape, config));
    let others = owners.iter().filter(|owner| !owner.is(&who.manager, Operation::Apply, subresource(part)));
    let mut found = vec![];
    for owner in others {
        let owned = wanted.iter().filter(|(path, _)| owner.fields.contains(*path));
        let differs = owned.filter(|(path, value)| is.get(*path) != Some(value));
        found.extend(
            differs.map(|(path, _)| (owner.manager.clone(), owner.api_version.clone(), path.clone())),
        );
    }
    found
}

/// Whoever applied with `kubectl apply` goes on with `kubectl apply --server-side`.
fn is_kubectls_own(shape: Shape<'_>, live: &Value, conflicts: &Conflicts, who: &Applier) -> bool {
    let last = live["metadata"]["annotations"][LAST_APPLIED].as_str();
    let last: Option<Value> = last.and_then(|text| serde_json::from_str(text).ok());
    let own = last.map(|last| fields::of(shape, &last)).unwrap_or_default();
    who.manager == "kubectl" && conflicts.iter().all(|(_, _, path)| own.contains(path))
}

/// As k8s.io/apimachinery v0.34 `pkg/util/managedfields/internal/conflict.go` puts it.
fn conflict(conflicts: &Conflicts) -> ApiError {
    let many = if conflicts.len() == 1 { "conflict" } else { "conflicts" };
    let mut message = format!("Apply failed with {} {many}:", conflicts.len());
    for (nth, (manager, version, path)) in conflicts.iter().enumerate() {
        let lead = if conflicts.len() == 1 { " " } else { "\n- " };
        let same = nth > 0 && conflicts[nth - 1].0 == *manager;
        if same {
            message.push_str(&format!("\n- {}", fields::text(path)));
        } else {
            message.push_str(&format!(
                "{lead}conflict with {manager:?} using {version}: {}",
                fields::text(path)
            ));
        }
    }
    ApiError { code: 409, reason: "Conflict", message }
}

/// What the manager applied before and does not apply now, as far as nobody else owns it or something in it.
fn abandoned(owners: &[Owner], fields: &Fields, who: &Applier, part: Part) -> Fields {
    let is_own = |owner: &&Owner| owner.is(&who.manager, Operation::Apply, subresource(part));
    let Some(before) = owners.iter().find(is_own) else { return Fields::new() };
    let still_owned = |path: &Path| {
        let others = owners.iter().filter(|owner| !is_own(owner)).map(|owner| &owner.fields);
        // Everything below a path follows it in the order of paths.
        let within =
            |set: &Fields| set.range(path.clone()..).next().is_some_and(|next| next.starts_with(path));
        within(fields) || others.into_iter().any(within)
    };
    let gone = before.fields.difference(fields).filter(|path| !still_owned(path) && !is_key(path));
    gone.cloned().collect()
}

/// A key of an item that stays is part of the item's identity.
fn is_key(path: &Path) -> bool {
    match path.as_slice() {
        [.., Step::Item(keys), Step::Field(name)] => {
            serde_json::from_str::<Value>(keys).is_ok_and(|keys| keys.get(name).is_some())
        }
        _ => false,
    }
}

/// The `managedFields` of a new version that was written and not applied; `None` while nobody has applied.
pub(super) fn managed(
    key: &Key,
    old: &Value,
    new: &Value,
    manager: &str,
    part: Part,
    now: Moment,
) -> Option<Value> {
    old["metadata"].get("managedFields")?;
    Some(owners::after_write(Shape::of(key.kind), old, new, manager, subresource(part), now))
}

/// Sets what is managed; an empty list is none.
pub(super) fn set_managed(object: &mut Value, managed: Option<Value>) {
    let Some(meta) = object["metadata"].as_object_mut() else { return };
    match managed {
        Some(Value::Array(entries)) if !entries.is_empty() => {
            meta.insert("managedFields".into(), json!(entries));
        }
        _ => drop(meta.remove("managedFields")),
    }
}
