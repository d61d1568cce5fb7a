//! The `EndpointSlice` controller: which ready pods a Service selects.
//!
//! Kubernetes v1.34 pkg/controller/endpointslice, one slice per Service. Neighbours: `routing` turns slices into what
//! new connections reach, a moment later.

use serde_json::{Value, json};

use super::effect::{Effect, Reconciled};
use super::replicasets::ready_since;
use super::store::{Change, Key, Kind, Object, Part, Store, text_at};

/// The Services a change concerns: itself, or those that select the pod before or after.
#[must_use]
pub(crate) fn concerned(store: &Store, change: &Change) -> Vec<Key> {
    match change.key.kind {
        Kind::Service => vec![change.key.clone()],
        Kind::Pod => {
            let versions = [change.old.as_ref(), change.new.as_ref()];
            let services = store.list(Kind::Service, Some(&change.key.namespace));
            let touched =
                services.filter(|(_, service)| versions.iter().flatten().any(|pod| selects(service, pod)));
            touched.map(|(key, _)| key.clone()).collect()
        }
        _ => vec![],
    }
}

/// Whether a Service's selector matches a pod. A Service without one selects nothing.
#[must_use]
pub(crate) fn selects(service: &Value, pod: &Value) -> bool {
    let Some(selector) = service.pointer("/spec/selector").and_then(Value::as_object) else { return false };
    let labels = &pod["metadata"]["labels"];
    !selector.is_empty()
        && selector.iter().all(|(key, value)| labels[key.as_str()].as_str() == value.as_str())
}

/// One pass over one Service.
#[must_use]
pub(crate) fn reconcile(store: &Store, key: &Key) -> Reconciled {
    let mut result = Reconciled::nothing();
    let slice_key = slice_key(key);
    let old = store.get(&slice_key);
    let Some(service) = store.get(key) else {
        if old.is_some() {
            result.push(Effect::Delete { key: slice_key });
        }
        return result;
    };
    if service.pointer("/spec/selector").is_none_or(|selector| !selector.is_object()) {
        return result;
    }
    let wanted = slice(store, &slice_key, service);
    match old {
        None => result.push(Effect::Create { kind: Kind::EndpointSlice, object: wanted }),
        Some(old) if old["endpoints"] != wanted["endpoints"] || old["ports"] != wanted["ports"] => {
            result.push(Effect::Update { kind: Kind::EndpointSlice, part: Part::Main, object: wanted });
        }
        Some(_) => {}
    }
    result
}

/// The slice of a Service. Real ones end in five random characters; one slice per Service needs none.
#[must_use]
pub(crate) fn slice_key(service: &Key) -> Key {
    service.sibling(Kind::EndpointSlice, &format!("{}-slice", service.name))
}

fn slice(store: &Store, key: &Key, service: &Object) -> Value {
    let pods = store.list(Kind::Pod, Some(&key.namespace)).filter(|(_, pod)| selects(service, pod));
    let endpoints: Vec<Value> = pods.filter_map(|(_, pod)| endpoint(pod)).collect();
    let ports = service.pointer("/spec/ports").cloned().unwrap_or_else(|| json!([]));
    json!({
        "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
        "metadata": {
            "name": &*key.name, "namespace": &*key.namespace,
            "labels": { "kubernetes.io/service-name": service["metadata"]["name"], "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io" },
            "ownerReferences": [{
                "apiVersion": "v1", "kind": "Service", "name": service["metadata"]["name"],
                "uid": service["metadata"]["uid"], "controller": true, "blockOwnerDeletion": true,
            }],
        },
        "endpoints": endpoints,
        "ports": ports.as_array().into_iter().flatten().map(|port| json!({
            "name": port.get("name").cloned().unwrap_or_else(|| json!("")), "protocol": "TCP", "port": port.get("targetPort").filter(|port| port.is_u64()).unwrap_or(&port["port"]),
        })).collect::<Vec<_>>(),
    })
}

/// A pod with an address is an endpoint; it is ready while it is and nobody deletes it.
fn endpoint(pod: &Object) -> Option<Value> {
    let address = text_at(pod, "/status/podIP");
    if address.is_empty() {
        return None;
    }
    let going = pod.pointer("/metadata/deletionTimestamp").is_some();
    let serving = ready_since(pod).is_some();
    Some(json!({
        "addresses": [address],
        "conditions": { "ready": serving && !going, "serving": serving, "terminating": going },
        "targetRef": { "kind": "Pod", "name": pod["metadata"]["name"], "namespace": pod["metadata"]["namespace"], "uid": pod["metadata"]["uid"] },
    }))
}
