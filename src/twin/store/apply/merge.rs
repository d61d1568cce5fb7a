//! What an applied configuration makes of an object.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::super::schema::{Manner, Shape};
use super::fields::{self, Step};

/// Lays a configuration over an object: objects merge, lists that are maps merge by their keys, the rest replaces.
/// As deep as the configuration, which its reader bounds.
pub(super) fn merge(shape: Shape<'_>, live: &mut Value, config: &Value) {
    match (config, shape.manner()) {
        (Value::Object(fields), Manner::Granular) => {
            if !live.is_object() {
                *live = Value::Object(Map::new());
            }
            let map = live.as_object_mut().expect("made an object above");
            for (name, value) in fields {
                merge(shape.field(name), map.entry(name.clone()).or_insert(Value::Null), value);
            }
        }
        (Value::Array(items), manner) => *live = list(shape, &manner, live, items),
        _ => *live = config.clone(),
    }
}

/// The configuration's items in their order, and behind them those that are somebody else's.
fn list(shape: Shape<'_>, manner: &Manner<'_>, live: &Value, config: &[Value]) -> Value {
    let old = live.as_array().map_or(&[][..], Vec::as_slice);
    let steps = fields::steps(shape, manner, config).zip(fields::steps(shape, manner, old));
    let Some((wanted, there)) = steps else { return Value::Array(config.to_vec()) };
    let places: BTreeMap<&Step, usize> = there.iter().enumerate().map(|(at, step)| (step, at)).collect();
    let kept: BTreeSet<&Step> = wanted.iter().collect();
    let mut merged: Vec<Value> = vec![];
    for (step, item) in wanted.iter().zip(config) {
        let mut value = places.get(step).map_or(Value::Null, |at| old[*at].clone());
        merge(shape.items(), &mut value, item);
        merged.push(value);
    }
    let others = there.iter().zip(old).filter(|(step, _)| !kept.contains(step));
    merged.extend(others.map(|(_, item)| item.clone()));
    Value::Array(merged)
}
