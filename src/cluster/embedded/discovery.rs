//! What the server says it serves.
//!
//! The plain documents only: a client that asks for aggregated discovery gets them too and, as client-go does, falls
//! back by their content type.

use serde_json::{Value, json};

use super::authorize::REVIEWS;
use crate::twin::store::{Kind, KindInfo};

/// The version reported: the one the recordings were made with.
pub(super) fn version() -> Value {
    json!({
        "major": "1", "minor": "34", "gitVersion": "v1.34.4+firedrill", "gitCommit": "", "gitTreeState": "clean",
        "buildDate": "2026-01-01T00:00:00Z", "goVersion": "", "compiler": "rustc", "platform": "twin/virtual",
    })
}

/// `/api`.
pub(super) fn core_versions() -> Value {
    json!({"kind": "APIVersions", "versions": ["v1"],
           "serverAddressByClientCIDRs": [{"clientCIDR": "0.0.0.0/0", "serverAddress": ""}]})
}

/// `/apis`.
pub(super) fn groups() -> Value {
    let names = group_versions();
    let groups: Vec<Value> = names.iter().filter_map(|(group, _)| self::group(group)).collect();
    json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": groups})
}

/// `/apis/{group}`.
pub(super) fn group(name: &str) -> Option<Value> {
    let (_, preferred) = group_versions().into_iter().find(|(group, _)| *group == name)?;
    let served = |version: &str| json!({"groupVersion": format!("{name}/{version}"), "version": version});
    let kind = Kind::ALL.iter().map(|kind| kind.info()).find(|info| info.group == name);
    let versions: Vec<Value> = match kind {
        Some(info) => info.versions().map(served).collect(),
        None => vec![served(preferred)],
    };
    Some(json!({"kind": "APIGroup", "apiVersion": "v1", "name": name, "versions": versions,
                "preferredVersion": served(preferred)}))
}

/// `/api/v1` or `/apis/{group}/{version}`.
pub(super) fn resources(group: &str, version: &str) -> Option<Value> {
    let infos = Kind::ALL.iter().map(|kind| kind.info());
    let mut served: Vec<Value> =
        infos.filter(|info| info.group == group && info.is_served_as(version)).flat_map(resource).collect();
    let reviews = REVIEWS.iter().filter(|review| review.group == group && review.version == version);
    served.extend(reviews.map(|review| {
        json!({"name": review.plural, "singularName": review.kind.to_lowercase(), "namespaced": false,
               "kind": review.kind, "verbs": ["create"]})
    }));
    let group_version = if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") };
    (!served.is_empty()).then(|| {
        json!({"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": group_version, "resources": served})
    })
}

/// The named groups, in the order of their first kind.
fn group_versions() -> Vec<(&'static str, &'static str)> {
    let mut groups: Vec<(&str, &str)> = vec![];
    let named = Kind::ALL
        .iter()
        .map(|kind| (kind.info().group, kind.info().version))
        .chain(REVIEWS.iter().map(|review| (review.group, review.version)));
    for group in named.filter(|(group, _)| !group.is_empty()) {
        if !groups.contains(&group) {
            groups.push(group);
        }
    }
    groups
}

fn resource(info: &'static KindInfo) -> Vec<Value> {
    let verbs = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];
    let sub = |name: &str, verbs: &[&str]| {
        json!({"name": format!("{}/{name}", info.plural), "singularName": "", "namespaced": info.namespaced,
               "kind": info.kind, "verbs": verbs})
    };
    let mut main = json!({"name": info.plural, "singularName": info.singular, "namespaced": info.namespaced,
                          "kind": info.kind, "verbs": verbs});
    if !info.short_names.is_empty() {
        main["shortNames"] = json!(info.short_names);
    }
    if matches!(info.id, Kind::Pod | Kind::Service | Kind::ReplicaSet | Kind::Deployment | Kind::Job) {
        main["categories"] = json!(["all"]);
    }
    let mut served = vec![main];
    if info.status_subresource {
        served.push(sub("status", &["get", "patch", "update"]));
    }
    if info.scale_subresource {
        let mut scale = sub("scale", &["get", "patch", "update"]);
        scale["group"] = json!("autoscaling");
        scale["version"] = json!("v1");
        scale["kind"] = json!("Scale");
        served.push(scale);
    }
    if info.id == Kind::Pod {
        let mut eviction = sub("eviction", &["create"]);
        eviction["group"] = json!("policy");
        eviction["version"] = json!("v1");
        eviction["kind"] = json!("Eviction");
        served.push(eviction);
    }
    served
}
