//! Routes that steps begin and end: by header, and mirrors (`SetHeaderRoute`, `SetMirrorRoute` and `orderRoutes` in
//! rollout/trafficrouting/istio/istio.go v1.9.1).

use serde_json::{Map, Value, json};

use super::{choose, name_of, routes};
use crate::argo::rollout::{HeaderRoute, IstioVirtualService, MirrorRoute, StringMatch};

/// Where these routes lead to.
pub(super) struct Canary {
    pub(super) host: String,
    pub(super) subset: String,
}

impl Canary {
    fn destination(&self, port: Option<&Value>) -> Map<String, Value> {
        let mut destination = Map::from_iter([("host".into(), json!(self.host))]);
        destination.extend(port.map(|port| ("port".into(), json!({"number": port}))));
        if !self.subset.is_empty() {
            destination.insert("subset".into(), json!(self.subset));
        }
        destination
    }
}

const NO_HTTP: &str = "spec.http not found";

/// A route by header; without matches it ends.
pub(super) fn set_header(
    service: &mut Value,
    named: &IstioVirtualService,
    route: &HeaderRoute,
    canary: &Canary,
) -> Result<(), String> {
    remove(service, &route.name)?;
    if route.matches.is_empty() {
        return Ok(());
    }
    let shared = shared_destinations(service, named).unwrap_or_default();
    let matches = route.matches.iter().map(|one| {
        let value = one.header_value.clone().unwrap_or_default();
        json!({"headers": {&one.header_name: value}})
    });
    let destination = json!({"weight": 100, "destination": canary.destination(port_of(&shared))});
    let new = json!({
        "name": route.name, "match": matches.collect::<Vec<Value>>(), "route": [destination],
    });
    http_mut(service)?.push(new);
    Ok(())
}

/// A mirror: a copy of the shared route that also tells the new revision; without matches it ends.
pub(super) fn set_mirror(
    service: &mut Value,
    named: &IstioVirtualService,
    route: &MirrorRoute,
    canary: &Canary,
) -> Result<(), String> {
    remove(service, &route.name)?;
    if route.matches.is_empty() {
        return Ok(());
    }
    let shared = shared_destinations(service, named)?;
    let matches: Vec<Value> = route
        .matches
        .iter()
        .map(|one| {
            let mut words = Map::new();
            let word = |text: &Option<StringMatch>| text.as_ref().map(|text| json!(text));
            words.extend(word(&one.method).map(|text| ("method".into(), text)));
            words.extend(word(&one.path).map(|text| ("uri".into(), text)));
            if !one.headers.is_empty() {
                words.insert("headers".into(), json!(one.headers));
            }
            Value::Object(words)
        })
        .collect();
    let new = json!({
        "name": route.name, "match": matches, "route": shared.iter().map(plain).collect::<Vec<Value>>(),
        "mirror": canary.destination(port_of(&shared)),
        "mirrorPercentage": {"value": route.percentage.unwrap_or(100)},
    });
    http_mut(service)?.insert(0, new);
    Ok(())
}

/// What upstream knows of a destination; a weight of zero is left out.
fn plain(destination: &Value) -> Value {
    let mut of = Map::new();
    for field in ["host", "subset", "port"] {
        if let Some(value) = destination["destination"].get(field).filter(|value| !value.is_null()) {
            of.insert(field.into(), value.clone());
        }
    }
    let mut plain = json!({ "destination": of });
    if let Some(weight) = destination["weight"].as_i64().filter(|weight| *weight != 0) {
        plain["weight"] = json!(weight);
    }
    plain
}

/// The destinations of the first route that is shared out.
fn shared_destinations(service: &Value, named: &IstioVirtualService) -> Result<Vec<Value>, String> {
    let http = routes(service, "http").ok_or(NO_HTTP)?;
    let first = choose::http(&named.routes, http)?.into_iter().next().and_then(|index| http.get(index));
    Ok(first.and_then(|route| route["route"].as_array()).cloned().unwrap_or_default())
}

fn port_of(destinations: &[Value]) -> Option<&Value> {
    let port = destinations.first()?.pointer("/destination/port/number")?;
    Some(port).filter(|port| port.as_u64() != Some(0))
}

fn http_mut(service: &mut Value) -> Result<&mut Vec<Value>, String> {
    service.pointer_mut("/spec/http").and_then(Value::as_array_mut).ok_or_else(|| NO_HTTP.to_owned())
}

fn remove(service: &mut Value, name: &str) -> Result<(), String> {
    http_mut(service)?.retain(|route| name_of(route) != name);
    Ok(())
}

/// Ends all managed routes; whether there were any.
pub(super) fn remove_all(service: &mut Value, managed: Vec<String>) -> bool {
    let Ok(http) = http_mut(service) else { return false };
    let before = http.len();
    http.retain(|route| !managed.iter().any(|name| name == name_of(route)));
    http.len() < before
}

/// Managed routes come first, in the order in which the Rollout names them. Routes of the same name are found again
/// for each of them, as upstream.
pub(super) fn order(service: &mut Value, managed: Vec<String>) {
    let Ok(http) = http_mut(service) else { return };
    if managed.is_empty() {
        return;
    }
    let is_managed = |route: &&Value| managed.iter().any(|name| name == name_of(route));
    let first = managed.iter().flat_map(|name| http.iter().filter(move |route| name_of(route) == name));
    let names: Vec<&str> = first.chain(http.iter().filter(|route| !is_managed(route))).map(name_of).collect();
    let again = |name: &&str| {
        let name = name.to_string();
        http.iter().filter(move |route| name_of(route) == name).cloned()
    };
    let ordered: Vec<Value> = names.iter().flat_map(again).collect();
    *http = ordered;
}
