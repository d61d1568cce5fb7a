//! What a Rollout refers to by name.

use std::ops::Range;

use super::Object;
use crate::twin::store::Kind;
use crate::yaml::Node;

/// A name by which a Rollout refers to another object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// What it must be.
    pub kind: Kind,
    /// Its name.
    pub name: String,
    /// The field that says so, such as `activeService`.
    pub field: &'static str,
    /// Where in the Rollout's text.
    pub range: Range<usize>,
}

/// Where names stand, and what they name. `*` is every item of a list.
const NAMED: &[(&str, Kind, &str)] = &[
    ("spec/strategy/blueGreen/activeService", Kind::Service, "activeService"),
    ("spec/strategy/blueGreen/previewService", Kind::Service, "previewService"),
    ("spec/strategy/canary/canaryService", Kind::Service, "canaryService"),
    ("spec/strategy/canary/stableService", Kind::Service, "stableService"),
    ("spec/strategy/canary/pingPong/pingService", Kind::Service, "pingService"),
    ("spec/strategy/canary/pingPong/pongService", Kind::Service, "pongService"),
    ("spec/strategy/canary/trafficRouting/nginx/stableIngress", Kind::Ingress, "stableIngress"),
    ("spec/strategy/canary/trafficRouting/nginx/stableIngresses/*", Kind::Ingress, "stableIngresses"),
    ("spec/strategy/canary/trafficRouting/alb/ingress", Kind::Ingress, "ingress"),
    ("spec/strategy/canary/trafficRouting/alb/ingresses/*", Kind::Ingress, "ingresses"),
    ("spec/strategy/canary/trafficRouting/alb/rootService", Kind::Service, "rootService"),
    ("spec/strategy/canary/trafficRouting/istio/virtualService/name", Kind::VirtualService, "virtualService"),
    (
        "spec/strategy/canary/trafficRouting/istio/virtualServices/*/name",
        Kind::VirtualService,
        "virtualServices",
    ),
    (
        "spec/strategy/canary/trafficRouting/istio/destinationRule/name",
        Kind::DestinationRule,
        "destinationRule",
    ),
];

/// Every reference but those to templates, which carry more than a name.
pub(super) fn of_rollout(rollout: &Object) -> Vec<Reference> {
    let mut found = vec![];
    for &(path, kind, field) in NAMED {
        let segments: Vec<&str> = path.split('/').collect();
        follow(&rollout.node, &segments, &mut |node| {
            if let Some(name) = node.as_str().filter(|name| !name.is_empty()) {
                found.push(Reference { kind, name: name.into(), field, range: node.span.clone() });
            }
        });
    }
    found.extend(workload(rollout));
    found
}

fn follow<'a>(node: &'a Node, segments: &[&str], found: &mut impl FnMut(&'a Node)) {
    match segments {
        [] => found(node),
        ["*", rest @ ..] => node.items().iter().for_each(|item| follow(item, rest, found)),
        [key, rest @ ..] => {
            if let Some(node) = node.get(key) {
                follow(node, rest, found);
            }
        }
    }
}

fn workload(rollout: &Object) -> Option<Reference> {
    let workload = rollout.node.pointer("/spec/workloadRef")?;
    let kind = Kind::of_type(workload.text("apiVersion")?, workload.text("kind")?)?;
    let name = workload.get("name")?;
    Some(Reference { kind, name: name.as_str()?.into(), field: "workloadRef", range: name.span.clone() })
}
