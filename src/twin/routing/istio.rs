//! Istio: the http routes of a VirtualService, with the subsets of a DestinationRule.
//!
//! Istio 1.24 (docs reference "Virtual Service", "Destination Rule"): the first route that matches is taken; its
//! destinations share by weight; a subset is those pods of the host that carry its labels; a mirror gets copies and
//! nobody waits for its answers. Without a VirtualService the Service itself is reached. A match by anything but path,
//! method and headers is not understood here; the planner refuses it.

use regex::Regex;
use serde_json::Value;

use super::{Incoming, Mirror, Routing, Split};
use crate::twin::store::{Key, Kind, text_at};

/// How requests like this one are shared out by a VirtualService.
pub(super) fn split(
    routing: &Routing,
    service: &Key,
    virtual_service: &Key,
    request: &Incoming<'_>,
) -> Split {
    let Some(object) = routing.routers.get(virtual_service) else {
        return Split::by_weight(vec![(1, routing.endpoints(service).to_vec())]);
    };
    let mut routes = object.pointer("/spec/http").and_then(Value::as_array).into_iter().flatten();
    let Some(route) = routes.find(|route| matches(route, request)) else {
        return Split::answered(404);
    };
    let pods = |destination: &Value| pods(routing, virtual_service, destination);
    let destinations = route["route"].as_array().map_or(&[][..], Vec::as_slice);
    // A single destination gets everything, whatever its weight says or leaves unsaid.
    let weight = |one: &Value| if destinations.len() == 1 { 1 } else { one["weight"].as_u64().unwrap_or(0) };
    let shares = destinations.iter().map(|one| (weight(one), pods(&one["destination"])));
    let mut split = Split::by_weight(shares.collect());
    split.mirrors = mirrors(route).map(|(percent, to)| Mirror { percent, pods: pods(to) }).collect();
    split
}

/// The pods of a destination: those of its host, or of a subset of them.
fn pods(routing: &Routing, near: &Key, destination: &Value) -> Vec<Key> {
    let service = host(near, text_at(destination, "/host"));
    let all = routing.endpoints(&service);
    let subset = text_at(destination, "/subset");
    if subset.is_empty() {
        return all.to_vec();
    }
    let Some(labels) = labels(routing, near, &service, subset) else { return vec![] };
    let carries = |pod: &&Key| {
        let own = routing.labels.get(pod);
        labels
            .iter()
            .all(|(name, value)| own.and_then(|own| own.get(name)).map(String::as_str) == value.as_str())
    };
    all.iter().filter(carries).cloned().collect()
}

/// The labels of a subset; `None` when no DestinationRule for the host has it.
fn labels(
    routing: &Routing,
    near: &Key,
    service: &Key,
    subset: &str,
) -> Option<serde_json::Map<String, Value>> {
    let rules = routing.routers.iter().filter(|(key, _)| key.kind == Kind::DestinationRule);
    let mut rules = rules.filter(|(key, rule)| {
        (key.namespace == near.namespace || key.namespace == service.namespace)
            && host(key, text_at(rule, "/spec/host")) == *service
    });
    let (_, rule) = rules.next()?;
    let mut subsets = rule.pointer("/spec/subsets")?.as_array()?.iter();
    let found = subsets.find(|one| text_at(one, "/name") == subset)?;
    Some(found["labels"].as_object().cloned().unwrap_or_default())
}

/// The Service a host means, seen from an object: `name`, `name.namespace` or the whole DNS name.
fn host(near: &Key, host: &str) -> Key {
    let mut parts = host.split('.');
    let name = parts.next().unwrap_or_default();
    Key::new(Kind::Service, parts.next().unwrap_or(&near.namespace), name)
}

/// The destinations of copies with their percentage, in the old spelling and in the new one.
fn mirrors(route: &Value) -> impl Iterator<Item = (f64, &Value)> {
    let percent = |value: &Value| value.pointer("/value").and_then(Value::as_f64).unwrap_or(100.0);
    let old = route.get("mirror").filter(|mirror| !mirror.is_null());
    let old = old.map(|mirror| (percent(&route["mirrorPercentage"]), mirror));
    let new = route["mirrors"].as_array().into_iter().flatten();
    old.into_iter().chain(new.map(move |one| (percent(&one["percentage"]), &one["destination"])))
}

/// Whether a route takes such a request: one of its matches does, or it has none.
fn matches(route: &Value, request: &Incoming<'_>) -> bool {
    let Some(all) = route["match"].as_array().filter(|all| !all.is_empty()) else { return true };
    all.iter().any(|one| {
        let headers = one["headers"].as_object().into_iter().flatten();
        let without = one["withoutHeaders"].as_object().into_iter().flatten();
        let has = |(name, wanted): (&String, &Value)| {
            request.header(name).is_some_and(|value| meets(value, wanted, false))
        };
        let case = one["ignoreUriCase"] == true;
        one.get("uri").is_none_or(|wanted| meets(request.bare_path(), wanted, case))
            && one.get("method").is_none_or(|wanted| meets(request.method, wanted, false))
            && headers.into_iter().all(has)
            && !without.into_iter().any(has)
    })
}

/// Istio's `StringMatch`; an empty one asks for presence alone.
fn meets(value: &str, wanted: &Value, ignore_case: bool) -> bool {
    let fold = |text: &str| if ignore_case { text.to_lowercase() } else { text.to_owned() };
    let text = |key: &str| wanted.get(key).and_then(Value::as_str);
    match (text("exact"), text("prefix"), text("regex")) {
        (Some(exact), ..) => fold(value) == fold(exact),
        (_, Some(prefix), _) => fold(value).starts_with(&fold(prefix)),
        // Envoy's expressions match the whole value.
        (.., Some(pattern)) => {
            Regex::new(&format!("^(?:{pattern})$")).is_ok_and(|regex| regex.is_match(value))
        }
        _ => true,
    }
}
