//! The policy's objects with a stand-in server in place of the user's.
//!
//! Nothing that decides about a rollout is touched: strategy, analysis, probes, replicas, labels, Services. What only the real image could
//! use is taken out (commands, volumes, secrets, placement), because it would keep the stand-in from starting on a drill ground; each
//! such change is listed. A probe by command or by gRPC becomes an HTTP probe with the same timing: the stand-in has no shell.

use serde_json::{Map, Value, json};

use super::objects::{Manifest, is_cluster_wide, list, rank, runs_pods, text};
use super::rollout::{Rollout, Serving};
use super::{Desk, services};
use crate::scenario::Profile;

/// Stands for the image of the stand-in; whoever installs the plan puts the real one in its place.
pub const IMAGE: &str = "firedrill.invalid/fake-app";
/// Stands for the address of the receiver; whoever installs the plan puts the real one in its place.
pub const RECEIVER: &str = "http://receiver.firedrill.invalid";

/// Where the fault is in the `env` of the stand-in: releases patch it there.
pub(super) const FAULT_INDEX: usize = 0;
/// And the revision.
pub(super) const REVISION_INDEX: usize = 1;

/// Fields of a pod that name things a drill ground does not have.
const POD_FIELDS: &[&str] = &[
    "initContainers",
    "volumes",
    "imagePullSecrets",
    "serviceAccountName",
    "serviceAccount",
    "nodeSelector",
    "affinity",
    "tolerations",
    "topologySpreadConstraints",
    "priorityClassName",
    "runtimeClassName",
    "schedulerName",
];
/// Fields of a container that only its own image understands.
const CONTAINER_FIELDS: &[&str] = &[
    "command",
    "args",
    "envFrom",
    "volumeMounts",
    "volumeDevices",
    "lifecycle",
    "workingDir",
    "resources",
    "securityContext",
];
const PROBES: &[&str] = &["readinessProbe", "livenessProbe", "startupProbe"];

pub(super) struct Rewired {
    pub(super) objects: Vec<Value>,
    pub(super) changes: Vec<String>,
}

pub(super) fn policy(
    desk: &Desk<'_>,
    rollout: &Rollout<'_>,
    serving: &Serving,
    profiles: &[Profile],
) -> Rewired {
    let mut changes = Vec::new();
    let (mut order, others): (Vec<_>, Vec<_>) =
        desk.manifests.iter().partition(|m| is_under_test(rollout, m) || !runs_pods(m.kind()));
    order.sort_by_key(|manifest| rank(manifest.kind()));
    changes.extend(
        others.iter().map(|m| format!("{} `{}` is left out: it is not under test", m.kind(), m.name())),
    );
    if let Some(lender) = rollout.lender {
        let (kind, name) = (lender.kind(), lender.name());
        changes.push(format!("releases change {kind} `{name}`, whose pod template the Rollout borrows"));
    }
    let namespace = desk.namespace(rollout);
    let own = text(&rollout.manifest.object, "/metadata/namespace");
    let objects = order
        .into_iter()
        .map(|manifest| {
            let mut object = manifest.object.clone();
            if std::ptr::eq(manifest, rollout.template()) {
                let pod = object.pointer_mut(&format!("{}/spec", rollout.template_pointer()));
                template(pod, serving, profiles, &mut changes);
            }
            services::redirect(manifest, &mut object, &mut changes);
            // An object that names another namespace than the Rollout's, such as Argo's own, stays there.
            let theirs = [own, ""].contains(&text(&object, "/metadata/namespace"));
            if let Some(Value::Object(metadata)) = object.get_mut("metadata").filter(|_| theirs)
                && !is_cluster_wide(manifest.kind())
            {
                metadata.insert("namespace".into(), namespace.as_str().into());
            }
            object
        })
        .collect();
    Rewired { objects, changes }
}

fn is_under_test(rollout: &Rollout<'_>, manifest: &Manifest) -> bool {
    std::ptr::eq(manifest, rollout.manifest) || std::ptr::eq(manifest, rollout.template())
}

fn template(pod: Option<&mut Value>, serving: &Serving, profiles: &[Profile], changes: &mut Vec<String>) {
    let Some(pod) = pod.and_then(Value::as_object_mut) else { return };
    remove(pod, POD_FIELDS, "the pod", changes);
    let Some(containers) = pod.get_mut("containers").and_then(Value::as_array_mut) else { return };
    for (index, container) in containers.iter_mut().enumerate() {
        let alone = index == serving.index;
        let metrics = if alone { profiles } else { &[] };
        stand_in(container, alone, metrics, changes);
    }
}

fn stand_in(container: &mut Value, serves: bool, profiles: &[Profile], changes: &mut Vec<String>) {
    let name = text(container, "/name").to_owned();
    let ports = ports(container, serves);
    let liveness = text(container, "/livenessProbe/httpGet/path").to_owned();
    let Some(fields) = container.as_object_mut() else { return };
    remove(fields, CONTAINER_FIELDS, &format!("container `{name}`"), changes);
    fields.insert("image".into(), IMAGE.into());
    fields.insert("imagePullPolicy".into(), "IfNotPresent".into());
    probes(fields, &name, ports.first().copied(), changes);
    let listed = ports.iter().map(u16::to_string).collect::<Vec<_>>().join(",");
    // The order is a promise: a release patches the first two by their index.
    // Only the server has them: who reads a pod knows the server, and its revision, by them.
    let served = [("FAULT", "{}".to_owned()), ("REVISION", "v1".to_owned())];
    let mut env: Vec<(&str, String)> = served.into_iter().filter(|_| serves).collect();
    env.push(("PORTS", listed));
    if !profiles.is_empty() {
        let profiles = serde_json::to_string(profiles).expect("profiles are plain data with text keys");
        env.push(("METRICS", profiles));
    }
    if !liveness.is_empty() {
        env.push(("LIVENESS_PATHS", liveness));
    }
    let env = env.into_iter().map(|(name, value)| json!({"name": name, "value": value}));
    fields.insert("env".into(), env.collect());
}

fn remove(from: &mut Map<String, Value>, fields: &[&str], whose: &str, changes: &mut Vec<String>) {
    let removed: Vec<&str> = fields.iter().copied().filter(|field| from.remove(*field).is_some()).collect();
    if !removed.is_empty() {
        changes.push(format!("{whose} goes without {}", removed.join(", ")));
    }
}

/// Every port somebody may ask: declared ones, and those of probes. A server without any listens where servers usually do.
fn ports(container: &Value, serves: bool) -> Vec<u16> {
    let declared = list(container, "/ports").iter().map(|port| &port["containerPort"]);
    let probed = PROBES
        .iter()
        .flat_map(|probe| ["httpGet", "tcpSocket", "grpc"].map(|how| &container[*probe][how]["port"]));
    let numbers =
        declared.chain(probed).filter_map(Value::as_u64).filter_map(|port| u16::try_from(port).ok());
    let mut ports: Vec<u16> = Vec::new();
    for port in numbers.filter(|port| *port > 0) {
        if !ports.contains(&port) {
            ports.push(port);
        }
    }
    if ports.is_empty() {
        // A sidecar must not take the port of the server beside it: the pod has one network.
        ports.push(if serves { 8080 } else { spare(text(container, "/name")) });
    }
    ports
}

/// A port of the dynamic range that depends on the name only.
fn spare(name: &str) -> u16 {
    let sum = name.bytes().fold(0_u16, |sum, byte| sum.wrapping_mul(31).wrapping_add(u16::from(byte)));
    50_000 + sum % 10_000
}

fn probes(container: &mut Map<String, Value>, name: &str, port: Option<u16>, changes: &mut Vec<String>) {
    for probe in PROBES {
        let Some(fields) = container.get_mut(*probe).and_then(Value::as_object_mut) else { continue };
        let grpc = fields.remove("grpc").map(|grpc| grpc["port"].clone());
        let Some(port) = fields.remove("exec").map(|_| Value::from(port)).or(grpc) else {
            if let Some(http) = fields.get_mut("httpGet").and_then(Value::as_object_mut)
                && http.remove("scheme").is_some_and(|scheme| scheme == "HTTPS")
            {
                changes.push(format!("{probe} of `{name}` asks by HTTP instead of HTTPS"));
            }
            continue;
        };
        let path = if *probe == "livenessProbe" {
            "/actuator/health/liveness"
        } else {
            "/actuator/health/readiness"
        };
        fields.insert("httpGet".into(), json!({"path": path, "port": port}));
        changes.push(format!("{probe} of `{name}` asks by HTTP: the stand-in has no shell and no gRPC"));
    }
}
