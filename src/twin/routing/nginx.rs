//! ingress-nginx: an Ingress, and beside it one that calls itself its canary.
//!
//! ingress-nginx v1.12 (docs "canary", rootfs/etc/nginx/lua/balancer.lua, internal/ingress/controller/controller.go): a
//! canary Ingress is one with the annotation `canary: "true"` and a rule of the same host and path; headers decide before
//! cookies, cookies before the weight; a canary without ready pods gets nothing; a Service without any is a 503. Which
//! Ingress is a canary is told by its annotations and never by its name.

use regex::Regex;
use serde_json::Value;

use super::{Incoming, Routing, Split};
use crate::twin::store::{Key, Kind, Object, text_at};

/// How requests like this one are shared out by the Ingress they come in by.
pub(super) fn split(routing: &Routing, ingress: &Key, prefix: &str, request: &Incoming<'_>) -> Split {
    let Some(object) = routing.routers.get(ingress) else { return Split::answered(404) };
    let Some(place) = place(object, request) else { return Split::answered(404) };
    let pods = |backend: &str| routing.endpoints(&ingress.sibling(Kind::Service, backend)).to_vec();
    let stable = pods(place.backend);
    if stable.is_empty() {
        return Split::answered(503);
    }
    let Some((canary, backend)) = canary(routing, ingress, prefix, &place) else {
        return Split::by_weight(vec![(1, stable)]);
    };
    let canary_pods = pods(backend);
    let (weight, total) = share(&Annotations { object: canary, prefix }, request);
    if canary_pods.is_empty() {
        return Split::by_weight(vec![(1, stable)]);
    }
    Split::by_weight(vec![(weight, canary_pods), (total - weight, stable)])
}

/// A rule's host and path with the Service behind it; both are empty for the default backend.
struct Place<'a> {
    host: &'a str,
    path: &'a str,
    backend: &'a str,
}

fn places(object: &Value) -> impl Iterator<Item = (Place<'_>, &str)> {
    let rules = object.pointer("/spec/rules").and_then(Value::as_array).into_iter().flatten();
    rules.flat_map(|rule| {
        let paths = rule.pointer("/http/paths").and_then(Value::as_array).into_iter().flatten();
        paths.map(|path| {
            let backend = text_at(path, "/backend/service/name");
            let place = Place { host: text_at(rule, "/host"), path: text_at(path, "/path"), backend };
            (place, text_at(path, "/pathType"))
        })
    })
}

/// The rule that a request meets: the longest path wins. A load that names no host means whichever there is.
fn place<'a>(object: &'a Value, request: &Incoming<'_>) -> Option<Place<'a>> {
    let host = request.header("host");
    let path = request.bare_path();
    let fits = |(place, kind): &(Place<'a>, &str)| {
        let same_host = host.is_none_or(|host| place.host.is_empty() || place.host == host);
        same_host && leads(place.path, kind, path)
    };
    let found = places(object).filter(fits).map(|(place, _)| place).max_by_key(|place| place.path.len());
    found.or_else(|| {
        let backend = text_at(object, "/spec/defaultBackend/service/name");
        (!backend.is_empty()).then_some(Place { host: "", path: "", backend })
    })
}

/// Whether a path of a rule leads where a request goes. `Prefix` ends at a slash, what is left to the implementation does not.
fn leads(rule: &str, kind: &str, path: &str) -> bool {
    match kind {
        "Exact" => rule == path,
        "Prefix" => {
            let prefix = rule.trim_end_matches('/');
            path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        }
        _ => path.starts_with(if rule.is_empty() { "/" } else { rule }),
    }
}

/// The first Ingress that calls itself a canary of this place, and the Service it leads to.
fn canary<'a>(
    routing: &'a Routing,
    ingress: &Key,
    prefix: &str,
    place: &Place<'_>,
) -> Option<(&'a Object, &'a str)> {
    let others = routing.routers.iter().filter(|(key, _)| {
        key.kind == Kind::Ingress && key.namespace == ingress.namespace && key.name != ingress.name
    });
    let canaries = others.filter(|(_, object)| Annotations { object, prefix }.get("canary") == Some("true"));
    canaries.into_iter().find_map(|(_, object)| {
        let mut places = places(object).map(|(place, _)| place);
        let same = places.find(|other| other.host == place.host && other.path == place.path)?;
        Some((object, same.backend))
    })
}

/// The annotations that ingress-nginx reads.
struct Annotations<'a> {
    object: &'a Value,
    prefix: &'a str,
}

impl<'a> Annotations<'a> {
    fn get(&self, name: &str) -> Option<&'a str> {
        let annotations = self.object.pointer("/metadata/annotations")?;
        annotations.get(format!("{}/{name}", self.prefix))?.as_str().filter(|value| !value.is_empty())
    }

    fn number(&self, name: &str) -> Option<u64> {
        self.get(name)?.parse().ok()
    }
}

/// What part of the requests goes to the canary: a weight, and what it is a part of.
fn share(annotations: &Annotations<'_>, request: &Incoming<'_>) -> (u64, u64) {
    match by_header(annotations, request).or_else(|| by_cookie(annotations, request)) {
        Some(true) => (1, 1),
        Some(false) => (0, 1),
        None => {
            // A total below 100 is not obeyed.
            let total = annotations.number("canary-weight-total").unwrap_or(100).max(100);
            (annotations.number("canary-weight").unwrap_or(0).min(total), total)
        }
    }
}

/// What the canary's header decides, if it decides anything.
fn by_header(annotations: &Annotations<'_>, request: &Incoming<'_>) -> Option<bool> {
    let value = request.header(annotations.get("canary-by-header")?)?;
    if let Some(wanted) = annotations.get("canary-by-header-value") {
        return (value == wanted).then_some(true);
    }
    if let Some(pattern) = annotations.get("canary-by-header-pattern") {
        // A pattern that is none is logged by the controller and matches nothing.
        return Regex::new(pattern).ok()?.is_match(value).then_some(true);
    }
    always_or_never(value)
}

fn by_cookie(annotations: &Annotations<'_>, request: &Incoming<'_>) -> Option<bool> {
    let name = annotations.get("canary-by-cookie")?;
    let cookies = request.header("cookie")?.split(';').filter_map(|cookie| cookie.trim().split_once('='));
    always_or_never(cookies.into_iter().find(|(key, _)| *key == name)?.1)
}

fn always_or_never(value: &str) -> Option<bool> {
    match value {
        "always" => Some(true),
        "never" => Some(false),
        _ => None,
    }
}
