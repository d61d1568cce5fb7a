//! Who owns which fields of an object: `metadata.managedFields`.

use serde_json::{Value, json};

use super::super::object::text_at;
use super::super::schema::Shape;
use super::fields::{self, Fields};
use crate::clock::Moment;

/// How a manager came to own its fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operation {
    Apply,
    Update,
}

/// One entry.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Owner {
    pub(super) manager: String,
    pub(super) operation: Operation,
    pub(super) subresource: String,
    pub(super) api_version: String,
    pub(super) time: String,
    pub(super) fields: Fields,
}

impl Owner {
    pub(super) fn is(&self, manager: &str, operation: Operation, subresource: &str) -> bool {
        self.manager == manager && self.operation == operation && self.subresource == subresource
    }
}

/// Reads the entries of an object.
pub(super) fn read(object: &Value) -> Vec<Owner> {
    let entries = object.pointer("/metadata/managedFields").and_then(Value::as_array);
    let entry = |entry: &Value| Owner {
        manager: text_at(entry, "/manager").to_owned(),
        operation: if entry["operation"] == "Apply" { Operation::Apply } else { Operation::Update },
        subresource: text_at(entry, "/subresource").to_owned(),
        api_version: text_at(entry, "/apiVersion").to_owned(),
        time: text_at(entry, "/time").to_owned(),
        fields: fields::read(&entry["fieldsV1"]),
    };
    entries.into_iter().flatten().map(entry).collect()
}

/// Writes them, without those that own nothing any more.
pub(super) fn write(owners: &[Owner]) -> Value {
    let entry = |owner: &Owner| {
        let mut entry = json!({
            "manager": owner.manager,
            "operation": match owner.operation { Operation::Apply => "Apply", Operation::Update => "Update" },
            "apiVersion": owner.api_version, "time": owner.time,
            "fieldsType": "FieldsV1", "fieldsV1": fields::write(&owner.fields),
        });
        if !owner.subresource.is_empty() {
            entry["subresource"] = json!(owner.subresource);
        }
        entry
    };
    owners.iter().filter(|owner| !owner.fields.is_empty()).map(entry).collect()
}

/// Sets what an entry owns; its time changes only if that does.
pub(super) fn set(owners: &mut Vec<Owner>, new: Owner) {
    let old = owners.iter_mut().find(|owner| owner.is(&new.manager, new.operation, &new.subresource));
    match old {
        Some(old) if old.fields == new.fields => {}
        Some(old) => *old = new,
        None => owners.push(new),
    }
}

/// What a write that was no apply changes: its manager owns what it set, and nobody owns what it removed.
pub(super) fn after_write(
    shape: Shape<'_>,
    old: &Value,
    new: &Value,
    manager: &str,
    subresource: &str,
    now: Moment,
) -> Value {
    let (before, after) = (fields::leaves(shape, old), fields::leaves(shape, new));
    let changed = after.iter().filter(|(path, value)| before.get(*path) != Some(value));
    let changed: Fields = changed.map(|(path, _)| path.clone()).collect();
    let mut owners = read(old);
    for owner in &mut owners {
        let is_writer = owner.is(manager, Operation::Update, subresource);
        owner.fields.retain(|path| after.contains_key(path) && (is_writer || !changed.contains(path)));
    }
    let own = owners.iter().find(|owner| owner.is(manager, Operation::Update, subresource));
    let fields: Fields =
        own.into_iter().flat_map(|owner| owner.fields.iter().cloned()).chain(changed).collect();
    let owner = Owner {
        manager: manager.to_owned(),
        operation: Operation::Update,
        subresource: subresource.to_owned(),
        api_version: text_at(new, "/apiVersion").to_owned(),
        time: now.rfc3339(),
        fields,
    };
    set(&mut owners, owner);
    write(&owners)
}
