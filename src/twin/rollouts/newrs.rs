//! Which ReplicaSet carries the current template.
//!
//! `FindNewReplicaSet`, `GetStableRS` and `GetOtherRSs` in utils/replicaset v1.9.1. A template that came back from
//! the API server (`undo` takes it from a ReplicaSet) carries the server's defaults and hashes differently, so when
//! no hash matches, templates are compared with defaults filled in.

use serde_json::{Map, Value, json};

use super::affinity;
use super::ephemeral;
use super::hash::pod_template_hash;
use super::views::ReplicaSet;
use crate::argo::rollout::{HASH_LABEL, Rollout};

/// The hash of the Rollout's own template.
pub(super) fn template_hash(rollout: &Rollout) -> String {
    pod_template_hash(&rollout.spec.template, rollout.status.collision_count)
}

/// The ReplicaSet of the current template; `sets` come oldest first.
pub(super) fn find_new(rollout: &Rollout, sets: &[ReplicaSet]) -> Option<ReplicaSet> {
    let hash = template_hash(rollout);
    let by_hash = sets.iter().find(|rs| rs.hash() == hash);
    by_hash.or_else(|| sets.iter().find(|rs| carries(rs, rollout))).cloned()
}

/// The ReplicaSet the status calls stable.
pub(super) fn find_stable(
    rollout: &Rollout,
    new: Option<&ReplicaSet>,
    sets: &[ReplicaSet],
) -> Option<ReplicaSet> {
    let stable = &rollout.status.stable_rs;
    new.into_iter().chain(sets).find(|rs| !stable.is_empty() && rs.hash() == stable).cloned()
}

/// Everything but these two.
pub(super) fn others(
    sets: &[ReplicaSet],
    new: Option<&ReplicaSet>,
    stable: Option<&ReplicaSet>,
) -> Vec<ReplicaSet> {
    let named = |rs: &ReplicaSet| new.into_iter().chain(stable).any(|one| one.name() == rs.name());
    sets.iter().filter(|rs| !named(rs)).cloned().collect()
}

fn carries(rs: &ReplicaSet, rollout: &Rollout) -> bool {
    let (plain, _) = ephemeral::sync_replica_set(rs, None);
    let mut live = plain.template().clone();
    affinity::remove_injected(&mut live, rollout);
    same_template(&live, &rollout.spec.template)
}

/// Whether two templates mean the same pods, whatever hash they are labelled with (`PodTemplateEqualIgnoreHash`).
pub(super) fn same_template(live: &Value, desired: &Value) -> bool {
    with_defaults(live) == with_defaults(desired)
}

/// The defaults of k8s.io/kubernetes/pkg/apis/core/v1/defaults.go that a pod template can acquire.
fn with_defaults(template: &Value) -> Value {
    let mut template = template.clone();
    if let Some(labels) = template.pointer_mut("/metadata/labels").and_then(Value::as_object_mut) {
        labels.remove(HASH_LABEL);
    }
    let Some(spec) = template["spec"].as_object_mut() else { return template };
    spec.remove("serviceAccount");
    fill(
        spec,
        &[
            ("restartPolicy", json!("Always")),
            ("dnsPolicy", json!("ClusterFirst")),
            ("schedulerName", json!("default-scheduler")),
            ("securityContext", json!({})),
            ("terminationGracePeriodSeconds", json!(30)),
        ],
    );
    for list in ["containers", "initContainers"] {
        items(spec, list).for_each(default_container);
    }
    items(spec, "volumes").for_each(default_volume);
    template
}

fn fill(map: &mut Map<String, Value>, defaults: &[(&str, Value)]) {
    for (key, value) in defaults {
        map.entry(*key).or_insert_with(|| value.clone());
    }
}

fn items<'a>(
    map: &'a mut Map<String, Value>,
    list: &str,
) -> impl Iterator<Item = &'a mut Map<String, Value>> {
    map.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten().filter_map(Value::as_object_mut)
}

fn default_container(container: &mut Map<String, Value>) {
    let image = container.get("image").and_then(Value::as_str).unwrap_or("");
    let tag = image.rsplit('/').next().and_then(|last| last.split_once(':')).map(|(_, tag)| tag);
    let latest = !image.contains('@') && tag.is_none_or(|tag| tag == "latest");
    fill(
        container,
        &[
            ("resources", json!({})),
            ("terminationMessagePath", json!("/dev/termination-log")),
            ("terminationMessagePolicy", json!("File")),
            ("imagePullPolicy", json!(if latest { "Always" } else { "IfNotPresent" })),
        ],
    );
    items(container, "ports").for_each(|port| fill(port, &[("protocol", json!("TCP"))]));
    for env in items(container, "env") {
        let field = env.get_mut("valueFrom").and_then(|from| from.get_mut("fieldRef"));
        if let Some(field) = field.and_then(Value::as_object_mut) {
            fill(field, &[("apiVersion", json!("v1"))]);
        }
    }
    for probe in ["livenessProbe", "readinessProbe", "startupProbe"] {
        if let Some(probe) = container.get_mut(probe).and_then(Value::as_object_mut) {
            default_probe(probe);
        }
    }
}

fn default_probe(probe: &mut Map<String, Value>) {
    fill(
        probe,
        &[
            ("timeoutSeconds", json!(1)),
            ("periodSeconds", json!(10)),
            ("successThreshold", json!(1)),
            ("failureThreshold", json!(3)),
        ],
    );
    if let Some(get) = probe.get_mut("httpGet").and_then(Value::as_object_mut) {
        fill(get, &[("path", json!("/")), ("scheme", json!("HTTP"))]);
    }
}

fn default_volume(volume: &mut Map<String, Value>) {
    for kind in ["secret", "configMap", "projected", "downwardAPI"] {
        if let Some(source) = volume.get_mut(kind).and_then(Value::as_object_mut) {
            fill(source, &[("defaultMode", json!(420))]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_and_the_hash_label_do_not_make_another_template() {
        let bare = json!({
            "metadata": {"labels": {"app": "a"}},
            "spec": {"containers": [{
                "name": "a", "image": "host:5000/a:1", "ports": [{"containerPort": 80}],
                "readinessProbe": {"httpGet": {"port": 80}},
            }]},
        });
        let live = json!({
            "metadata": {"labels": {"app": "a", "rollouts-pod-template-hash": "x"}},
            "spec": {
                "restartPolicy": "Always", "dnsPolicy": "ClusterFirst", "schedulerName": "default-scheduler",
                "securityContext": {}, "terminationGracePeriodSeconds": 30,
                "containers": [{
                    "name": "a", "image": "host:5000/a:1", "imagePullPolicy": "IfNotPresent", "resources": {},
                    "ports": [{"containerPort": 80, "protocol": "TCP"}],
                    "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File",
                    "readinessProbe": {
                        "httpGet": {"port": 80, "path": "/", "scheme": "HTTP"}, "timeoutSeconds": 1,
                        "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3,
                    },
                }],
            },
        });
        assert!(same_template(&live, &bare));
        let mut other = bare.clone();
        other["spec"]["containers"][0]["image"] = json!("host:5000/a:2");
        assert!(!same_template(&live, &other));
    }

    #[test]
    fn garbage_is_compared_without_a_panic() {
        assert!(same_template(&json!({"spec": {"containers": 7}}), &json!({"spec": {"containers": 7}})));
        assert!(!same_template(&json!(null), &json!({"spec": {}})));
    }
}
