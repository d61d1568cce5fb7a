//! Sets of fields: what a manager owns, as paths, and as `managedFields` writes them.
//!
//! A path ends at a value that is never split further (a scalar, a list or an object that is one value, an empty
//! object) or at an item of a list that is a map, whose membership is owned like a value. The written form is that of
//! sigs.k8s.io/structured-merge-diff v6 `fieldpath/serialize.go`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde_json::{Map, Value, json};

use super::super::schema::{Manner, Shape};

/// One step into an object.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Step {
    /// A field.
    Field(String),
    /// The item of a list with these keys, an object in JSON.
    Item(String),
    /// The member of a set, in JSON.
    Member(String),
}

/// From the root to a field.
pub(super) type Path = Vec<Step>;

/// A set of fields.
pub(super) type Fields = BTreeSet<Path>;

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Step::Field(name) => write!(f, ".{name}"),
            Step::Item(keys) => {
                let pairs: Map<String, Value> = serde_json::from_str(keys).unwrap_or_default();
                let pairs: Vec<String> = pairs.iter().map(|(key, value)| format!("{key}={value}")).collect();
                write!(f, "[{}]", pairs.join(","))
            }
            Step::Member(value) => write!(f, "[={value}]"),
        }
    }
}

/// A path as conflicts name it: `.spec.containers[name="web"].image`.
pub(super) fn text(path: &[Step]) -> String {
    path.iter().map(ToString::to_string).collect()
}

/// Everything that a value sets, with what it is set to; membership of a list is set to nothing.
pub(super) type Leaves<'v> = BTreeMap<Path, &'v Value>;

/// The leaves of a value.
pub(super) fn leaves<'v>(shape: Shape<'_>, value: &'v Value) -> Leaves<'v> {
    let mut leaves = Leaves::new();
    walk(shape, value, &mut vec![], &mut leaves);
    leaves
}

/// Everything that a value sets.
pub(super) fn of(shape: Shape<'_>, value: &Value) -> Fields {
    leaves(shape, value).into_keys().collect()
}

/// As deep as the value, which its reader bounds.
fn walk<'v>(shape: Shape<'_>, value: &'v Value, path: &mut Path, leaves: &mut Leaves<'v>) {
    match (value, shape.manner()) {
        (Value::Object(map), Manner::Granular) if !map.is_empty() => {
            for (name, inner) in map {
                if is_nobodys(path, name) {
                    continue;
                }
                path.push(Step::Field(name.clone()));
                walk(shape.field(name), inner, path, leaves);
                path.pop();
            }
        }
        (Value::Array(items), manner) => match steps(shape, &manner, items) {
            Some(steps) => {
                for (step, item) in steps.into_iter().zip(items) {
                    path.push(step);
                    leaves.insert(path.clone(), &Value::Null);
                    if item.is_object() {
                        walk(shape.items(), item, path, leaves);
                    }
                    path.pop();
                }
            }
            None => drop(leaves.insert(path.clone(), value)),
        },
        _ => drop(leaves.insert(path.clone(), value)),
    }
}

/// What identifies an object, or is the server's: no manager owns it.
fn is_nobodys(path: &[Step], name: &str) -> bool {
    const META: [&str; 9] = [
        "name",
        "namespace",
        "uid",
        "resourceVersion",
        "generation",
        "creationTimestamp",
        "selfLink",
        "managedFields",
        "deletionTimestamp",
    ];
    match path {
        [] => ["apiVersion", "kind"].contains(&name),
        [Step::Field(meta)] => meta == "metadata" && META.contains(&name),
        _ => false,
    }
}

/// The step to every item of a list, if it is a map or a set and every item has its keys.
pub(super) fn steps(shape: Shape<'_>, manner: &Manner<'_>, items: &[Value]) -> Option<Vec<Step>> {
    match manner {
        Manner::By(keys) => items.iter().map(|item| step_of(shape, keys, item)).collect(),
        Manner::Set => Some(items.iter().map(|item| Step::Member(item.to_string())).collect()),
        Manner::Granular | Manner::Atomic => None,
    }
}

fn step_of(shape: Shape<'_>, keys: &[&str], item: &Value) -> Option<Step> {
    let item = item.as_object()?;
    let value = |key: &&str| {
        let given = item.get(*key).filter(|value| !value.is_null()).cloned();
        Some(((*key).to_owned(), given.or_else(|| shape.items().default(key))?))
    };
    let identity: Map<String, Value> = keys.iter().map(value).collect::<Option<_>>()?;
    Some(Step::Item(Value::Object(identity).to_string()))
}

/// Removes what is at these paths, and the objects and lists that are empty without it.
pub(super) fn remove(shape: Shape<'_>, value: &mut Value, gone: &Fields) {
    if !gone.is_empty() {
        prune(shape, value, &mut vec![], gone);
    }
}

/// Answers whether anything went.
fn prune(shape: Shape<'_>, value: &mut Value, path: &mut Path, gone: &Fields) -> bool {
    let mut any = false;
    let mut stays = |shape: Shape<'_>, step: Step, inner: &mut Value| {
        path.push(step);
        let is_gone = gone.contains(path);
        let lost = !is_gone && prune(shape, inner, path, gone);
        path.pop();
        any |= is_gone || lost;
        !(is_gone || lost && is_empty(inner))
    };
    match (value, shape.manner()) {
        (Value::Object(map), Manner::Granular) => {
            map.retain(|name, inner| stays(shape.field(name), Step::Field(name.clone()), inner));
        }
        (Value::Array(items), manner) => {
            let mut steps = steps(shape, &manner, items).unwrap_or_default().into_iter();
            items.retain_mut(|item| steps.next().is_none_or(|step| stays(shape.items(), step, item)));
        }
        _ => {}
    }
    any
}

fn is_empty(value: &Value) -> bool {
    value.as_object().is_some_and(Map::is_empty) || value.as_array().is_some_and(Vec::is_empty)
}

/// `fieldsV1`.
pub(super) fn write(fields: &Fields) -> Value {
    let mut root = Map::new();
    for path in fields {
        let mut node = &mut root;
        for step in path {
            let key = match step {
                Step::Field(name) => format!("f:{name}"),
                Step::Item(keys) => format!("k:{keys}"),
                Step::Member(value) => format!("v:{value}"),
            };
            let next = node.entry(key).or_insert_with(|| json!({}));
            let Value::Object(next) = next else { return json!({}) };
            node = next;
        }
        // Paths come in order, so a path that others go on from is met before them.
        node.insert(".".into(), json!({}));
    }
    Value::Object(simple(root))
}

/// A dot that stands alone says nothing.
fn simple(node: Map<String, Value>) -> Map<String, Value> {
    let only_dot = node.len() == 1 && node.contains_key(".");
    let inner = |(key, value): (String, Value)| match value {
        Value::Object(map) => (key, Value::Object(simple(map))),
        other => (key, other),
    };
    if only_dot { Map::new() } else { node.into_iter().map(inner).collect() }
}

/// Reads `fieldsV1`; what is not in its notation is left out.
pub(super) fn read(written: &Value) -> Fields {
    let mut fields = Fields::new();
    descend(written, &mut vec![], &mut fields);
    fields
}

fn descend(node: &Value, path: &mut Path, fields: &mut Fields) {
    let children = node.as_object().into_iter().flatten();
    let mut is_leaf = true;
    for (key, child) in children {
        let step = match key.split_once(':') {
            Some(("f", name)) => Step::Field(name.to_owned()),
            Some(("k", keys)) => Step::Item(keys.to_owned()),
            Some(("v", value)) => Step::Member(value.to_owned()),
            _ => {
                fields.insert(path.clone());
                continue;
            }
        };
        is_leaf = false;
        path.push(step);
        descend(child, path, fields);
        path.pop();
    }
    if is_leaf && !path.is_empty() {
        fields.insert(path.clone());
    }
}
