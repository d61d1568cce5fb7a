//! The defaults of built-in kinds, as far as a controller or a reader relies on them.
//!
//! From k8s.io/kubernetes v1.34 `pkg/apis/{core,apps}/v1/defaults.go`. Custom resources have the defaults of their
//! schema instead: a Rollout's pod template stays as it was written, and the ReplicaSet made from it does not.
//! The schema check comes first, so what has the wrong type never gets here; what has no schema is handled with care.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::kind::Kind;
use super::object::text_at;
use crate::base64;

/// Sets the defaults of a built-in kind. `serial` numbers the object, for what the server allocates.
pub(super) fn apply(kind: Kind, object: &mut Value, serial: u64) {
    match kind {
        Kind::Namespace => namespace(object),
        Kind::Service => service(object, serial),
        Kind::Secret => secret(object),
        Kind::Pod => {
            pod_spec(&mut object["spec"], "Always");
            set(object, "status", json!({"phase": "Pending"}));
        }
        Kind::ReplicaSet => {
            set(&mut object["spec"], "replicas", json!(1));
            template(object, "Always");
            set(object, "status", json!({"replicas": 0}));
        }
        Kind::Deployment => deployment(object),
        Kind::PodTemplate => pod_template(&mut object["template"]),
        Kind::Job => job(object),
        Kind::Event => set(object, "type", json!("Normal")),
        Kind::Ingress => ingress(object),
        _ => {}
    }
}

/// Sets a field that is not there. Whatever is no object is left for the schema to complain about.
fn set(object: &mut Value, field: &str, value: Value) {
    if object.is_null() {
        *object = Value::Object(Map::new());
    }
    if let Some(map) = object.as_object_mut()
        && map.get(field).is_none_or(Value::is_null)
    {
        map.insert(field.to_owned(), value);
    }
}

fn set_all(object: &mut Value, fields: &[(&str, Value)]) {
    for (field, value) in fields {
        set(object, field, value.clone());
    }
}

fn items<'a>(object: &'a mut Value, field: &str) -> impl Iterator<Item = &'a mut Value> {
    object.get_mut(field).and_then(Value::as_array_mut).into_iter().flatten()
}

fn namespace(object: &mut Value) {
    let name = text_at(object, "/metadata/name").to_owned();
    let meta = &mut object["metadata"];
    set(meta, "labels", json!({}));
    set(&mut meta["labels"], "kubernetes.io/metadata.name", json!(name));
    set_all(
        object,
        &[("spec", json!({"finalizers": ["kubernetes"]})), ("status", json!({"phase": "Active"}))],
    );
}

fn service(object: &mut Value, serial: u64) {
    let spec = &mut object["spec"];
    set_all(
        spec,
        &[
            ("type", json!("ClusterIP")),
            ("sessionAffinity", json!("None")),
            ("internalTrafficPolicy", json!("Cluster")),
        ],
    );
    for port in items(spec, "ports") {
        set(port, "protocol", json!("TCP"));
        let number = port["port"].clone();
        set(port, "targetPort", number);
    }
    if spec["type"] != "ExternalName" {
        // 10.96.0.0/12, kubeadm's range; the first addresses belong to the API server and the DNS.
        let host = 16 + serial % 0xf_ff00;
        let address = format!("10.{}.{}.{}", 96 + (host >> 16), (host >> 8) & 255, host & 255);
        if text_at(spec, "/clusterIP").is_empty() {
            spec["clusterIP"] = json!(address);
        }
        let address = spec["clusterIP"].clone();
        let families = [("ipFamilies", json!(["IPv4"])), ("ipFamilyPolicy", json!("SingleStack"))];
        set(spec, "clusterIPs", json!([address]));
        set_all(spec, &families);
    }
    set(object, "status", json!({"loadBalancer": {}}));
}

fn secret(object: &mut Value) {
    set(object, "type", json!("Opaque"));
    let Some(Value::Object(plain)) = object.as_object_mut().and_then(|map| map.remove("stringData")) else {
        return;
    };
    set(object, "data", json!({}));
    for (key, value) in plain {
        if let (Some(text), Some(data)) = (value.as_str(), object["data"].as_object_mut()) {
            data.insert(key, json!(base64::encode(text.as_bytes())));
        }
    }
}

fn deployment(object: &mut Value) {
    let spec = &mut object["spec"];
    set_all(
        spec,
        &[
            ("replicas", json!(1)),
            ("revisionHistoryLimit", json!(10)),
            ("progressDeadlineSeconds", json!(600)),
            ("strategy", json!({"type": "RollingUpdate"})),
        ],
    );
    set(&mut spec["strategy"], "type", json!("RollingUpdate"));
    if spec["strategy"]["type"] == "RollingUpdate" {
        set(&mut spec["strategy"], "rollingUpdate", json!({}));
        let quarter = [("maxSurge", json!("25%")), ("maxUnavailable", json!("25%"))];
        set_all(&mut spec["strategy"]["rollingUpdate"], &quarter);
    }
    template(object, "Always");
    set(object, "status", json!({}));
}

fn job(object: &mut Value) {
    let fields = BTreeMap::from([("completions", 1), ("parallelism", 1), ("backoffLimit", 6)]);
    for (field, value) in fields {
        set(&mut object["spec"], field, json!(value));
    }
    set(&mut object["spec"], "suspend", json!(false));
    template(object, "");
    set(object, "status", json!({}));
}

fn ingress(object: &mut Value) {
    set(object, "status", json!({"loadBalancer": {}}));
}

fn template(object: &mut Value, restart: &str) {
    if object["spec"]["template"].is_object() {
        pod_spec(&mut object["spec"]["template"]["spec"], restart);
    }
}

/// Sets what an API server adds to a pod template, so that templates can be compared as the
/// controllers compare them: after defaulting.
pub fn pod_template(template: &mut Value) {
    if template.is_object() {
        pod_spec(&mut template["spec"], "Always");
    }
}

fn pod_spec(spec: &mut Value, restart: &str) {
    if !restart.is_empty() {
        set(spec, "restartPolicy", json!(restart));
    }
    set_all(
        spec,
        &[
            ("dnsPolicy", json!("ClusterFirst")),
            ("schedulerName", json!("default-scheduler")),
            ("securityContext", json!({})),
            ("terminationGracePeriodSeconds", json!(30)),
        ],
    );
    for list in ["initContainers", "containers"] {
        items(spec, list).for_each(container);
    }
}

fn container(container: &mut Value) {
    let pull = if is_floating(text_at(container, "/image")) { "Always" } else { "IfNotPresent" };
    set_all(
        container,
        &[
            ("imagePullPolicy", json!(pull)),
            ("resources", json!({})),
            ("terminationMessagePath", json!("/dev/termination-log")),
            ("terminationMessagePolicy", json!("File")),
        ],
    );
    items(container, "ports").for_each(|port| set(port, "protocol", json!("TCP")));
    for probe in ["livenessProbe", "readinessProbe", "startupProbe"] {
        if container[probe].is_object() {
            self::probe(&mut container[probe]);
        }
    }
}

fn probe(probe: &mut Value) {
    let numbers =
        [("timeoutSeconds", 1), ("periodSeconds", 10), ("successThreshold", 1), ("failureThreshold", 3)];
    for (field, value) in numbers {
        // Zero means unset for these.
        if probe[field] == json!(0) {
            probe[field] = Value::Null;
        }
        set(probe, field, json!(value));
    }
    if probe["httpGet"].is_object() {
        set_all(&mut probe["httpGet"], &[("path", json!("/")), ("scheme", json!("HTTP"))]);
    }
    if probe["grpc"].is_object() {
        set(&mut probe["grpc"], "service", json!(""));
    }
}

/// No tag, or `latest`, and no digest.
fn is_floating(image: &str) -> bool {
    let name = image.rsplit('/').next().unwrap_or(image);
    !image.contains('@') && name.split_once(':').is_none_or(|(_, tag)| tag == "latest")
}
