//! Deployments in the whole kernel: their pods are ordinary pods.

use serde_json::{Value, json};

use super::object::REVISION;
use crate::argo::rollout::HASH_LABEL;
use crate::twin::Twin;
use crate::twin::store::{Key, Kind, Part, Patch, text_at};
use crate::twin::tests::{apply, pass, twin};

fn deployment(version: &str, spec: Value) -> Value {
    let mut object = json!({
        "metadata": {"name": "web", "namespace": "default"},
        "spec": {
            "replicas": 4, "selector": {"matchLabels": {"app": "web"}},
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {
                    "terminationGracePeriodSeconds": 1,
                    "containers": [{
                        "name": "web", "image": "web", "env": [{"name": "REVISION", "value": version}],
                        "readinessProbe": {"httpGet": {"path": "/ready", "port": 8080}, "periodSeconds": 1},
                    }],
                },
            },
        },
    });
    for (field, value) in spec.as_object().into_iter().flatten() {
        object["spec"][field] = value.clone();
    }
    object
}

fn deployed(spec: Value) -> Twin {
    let mut twin = twin(1);
    apply(&mut twin, Kind::Deployment, deployment("v1", spec));
    pass(&mut twin, 20);
    twin
}

fn key() -> Key {
    Key::new(Kind::Deployment, "default", "web")
}

fn patch(twin: &mut Twin, spec: Value) {
    let now = twin.now();
    let patch = Patch::Merge(json!({"spec": spec}));
    twin.store_mut().patch(now, &key(), Part::Main, &patch).expect("a patch that applies");
    twin.settle();
}

fn release(twin: &mut Twin, version: &str) {
    let template = deployment(version, json!({}))["spec"]["template"].clone();
    patch(twin, json!({"template": template}));
}

fn version_of(object: &Value, spec: &str) -> String {
    text_at(object, &format!("{spec}/containers/0/env/0/value")).to_owned()
}

/// The ReplicaSets with pods to have or to come, by version.
fn sizes(twin: &Twin) -> Vec<(String, i64)> {
    let sets = twin.store().list(Kind::ReplicaSet, Some("default"));
    let mut sizes: Vec<(String, i64)> = sets
        .map(|(_, set)| (version_of(set, "/spec/template/spec"), set["spec"]["replicas"].as_i64().unwrap()))
        .collect();
    sizes.sort();
    sizes
}

fn expect_sizes(twin: &Twin, expect: &[(&str, i64)]) {
    let expect: Vec<(String, i64)> = expect.iter().map(|(name, size)| ((*name).into(), *size)).collect();
    assert_eq!(sizes(twin), expect);
}

fn status(twin: &Twin) -> Value {
    twin.store().get(&key()).expect("it is there")["status"].clone()
}

fn reason(twin: &Twin, kind: &str) -> String {
    let status = status(twin);
    let mut conditions = status["conditions"].as_array().into_iter().flatten();
    let condition = conditions.find(|condition| condition["type"] == kind);
    condition.map(|condition| text_at(condition, "/reason").to_owned()).unwrap_or_default()
}

#[test]
fn the_first_deployment_becomes_available() {
    let twin = deployed(json!({}));
    let status = status(&twin);
    for field in ["replicas", "updatedReplicas", "readyReplicas", "availableReplicas"] {
        assert_eq!(status[field], 4, "{field}");
    }
    assert_eq!(status["observedGeneration"], 1);
    assert_eq!(reason(&twin, "Available"), "MinimumReplicasAvailable");
    assert_eq!(reason(&twin, "Progressing"), "NewReplicaSetAvailable");
    assert_eq!(twin.store().get(&key()).unwrap()["metadata"]["annotations"][REVISION], "1");
    let pods = twin.store().list(Kind::Pod, Some("default"));
    assert!(pods.into_iter().all(|(_, pod)| pod["metadata"]["labels"].get(HASH_LABEL).is_none()));
}

#[test]
fn a_rolling_update_never_has_fewer_available_nor_more_pods_than_it_may() {
    let mut twin = deployed(json!({}));
    release(&mut twin, "v2");
    for _ in 0..200 {
        let to = twin.now() + std::time::Duration::from_millis(100);
        twin.advance(to);
        let total: i64 = sizes(&twin).iter().map(|(_, size)| size).sum();
        assert!(total <= 5, "{:?}", sizes(&twin));
        assert!(status(&twin)["availableReplicas"].as_i64().unwrap_or(0) >= 3);
    }
    expect_sizes(&twin, &[("v1", 0), ("v2", 4)]);
    assert_eq!(twin.store().get(&key()).unwrap()["metadata"]["annotations"][REVISION], "2");
}

#[test]
fn recreating_waits_for_the_last_old_pod() {
    let mut twin = deployed(json!({"strategy": {"type": "Recreate"}}));
    release(&mut twin, "v2");
    for _ in 0..200 {
        let to = twin.now() + std::time::Duration::from_millis(100);
        twin.advance(to);
        let pods = twin.store().list(Kind::Pod, Some("default"));
        let mut versions: Vec<String> = pods.map(|(_, pod)| version_of(pod, "/spec")).collect();
        versions.dedup();
        assert!(versions.len() <= 1, "{versions:?}");
    }
    expect_sizes(&twin, &[("v1", 0), ("v2", 4)]);
}

#[test]
fn a_paused_deployment_scales_and_does_nothing_else() {
    let mut twin = deployed(json!({}));
    patch(&mut twin, json!({"paused": true, "replicas": 6}));
    release(&mut twin, "v2");
    pass(&mut twin, 20);
    expect_sizes(&twin, &[("v1", 6)]);
    assert_eq!(reason(&twin, "Progressing"), "DeploymentPaused");
    patch(&mut twin, json!({"paused": false}));
    pass(&mut twin, 30);
    expect_sizes(&twin, &[("v1", 0), ("v2", 6)]);
}

#[test]
fn scaling_in_the_middle_of_an_update_keeps_the_proportions() {
    let mut twin = deployed(
        json!({"replicas": 10, "minReadySeconds": 60, "strategy": {"rollingUpdate": {"maxSurge": 0, "maxUnavailable": 5}}}),
    );
    pass(&mut twin, 80);
    release(&mut twin, "v2");
    pass(&mut twin, 20);
    expect_sizes(&twin, &[("v1", 5), ("v2", 5)]);
    patch(&mut twin, json!({"replicas": 20}));
    pass(&mut twin, 1);
    expect_sizes(&twin, &[("v1", 10), ("v2", 10)]);
    patch(&mut twin, json!({"replicas": 0}));
    pass(&mut twin, 1);
    expect_sizes(&twin, &[("v1", 0), ("v2", 0)]);
}

#[test]
fn an_update_that_never_gets_ready_is_reported_and_keeps_what_works() {
    let mut twin = deployed(json!({"progressDeadlineSeconds": 30}));
    let mut template = deployment("v2", json!({}))["spec"]["template"].clone();
    template["spec"]["containers"][0]["env"] = json!([
        {"name": "REVISION", "value": "v2"}, {"name": "FAULT", "value": "{\"readiness\":\"never\"}"},
    ]);
    patch(&mut twin, json!({"template": template}));
    pass(&mut twin, 60);
    assert_eq!(reason(&twin, "Progressing"), "ProgressDeadlineExceeded");
    expect_sizes(&twin, &[("v1", 3), ("v2", 2)]);
    release(&mut twin, "v1");
    pass(&mut twin, 30);
    expect_sizes(&twin, &[("v1", 4), ("v2", 0)]);
    assert_eq!(twin.store().get(&key()).unwrap()["metadata"]["annotations"][REVISION], "3");
}

#[test]
fn old_replica_sets_beyond_the_limit_go() {
    let mut twin = deployed(json!({"revisionHistoryLimit": 1}));
    for version in ["v2", "v3", "v4"] {
        release(&mut twin, version);
        pass(&mut twin, 40);
    }
    expect_sizes(&twin, &[("v3", 0), ("v4", 4)]);
}

#[test]
fn its_pods_go_with_it() {
    let mut twin = deployed(json!({}));
    let now = twin.now();
    twin.store_mut().delete(now, &key()).expect("it is there");
    twin.settle();
    pass(&mut twin, 10);
    assert_eq!(twin.store().list(Kind::ReplicaSet, Some("default")).count(), 0);
    assert_eq!(twin.store().list(Kind::Pod, Some("default")).count(), 0);
}

#[test]
fn a_foreign_replica_set_of_its_name_is_a_collision() {
    let first = deployed(json!({}));
    let (taken, _) = first.store().list(Kind::ReplicaSet, Some("default")).next().expect("its ReplicaSet");
    let mut twin = twin(1);
    let mut foreign = deployment("other", json!({"replicas": 0}));
    foreign["metadata"]["name"] = json!(&*taken.name);
    foreign["metadata"]["labels"] = json!({"app": "other"});
    foreign["spec"]["selector"] = json!({"matchLabels": {"app": "web"}});
    apply(&mut twin, Kind::ReplicaSet, foreign);
    apply(&mut twin, Kind::Deployment, deployment("v1", json!({})));
    pass(&mut twin, 20);
    assert_eq!(status(&twin)["collisionCount"], 1);
    expect_sizes(&twin, &[("other", 0), ("v1", 4)]);
}

#[test]
fn garbage_never_panics() {
    let garbage = [
        json!({"strategy": {"rollingUpdate": {"maxSurge": "many"}}}),
        json!({"selector": {}}),
        json!({"replicas": 2_000_000_000}),
        json!({"progressDeadlineSeconds": -5, "revisionHistoryLimit": -1}),
        json!({"strategy": {"rollingUpdate": {"maxSurge": "900000000000%"}}}),
        json!({"template": {"metadata": {"labels": {"app": "web"}}}}),
    ];
    for spec in garbage {
        let mut store = crate::twin::store::Store::new();
        let now = crate::clock::Moment::VIRTUAL_EPOCH;
        if store.create(now, Kind::Deployment, deployment("v1", spec.clone())).is_ok() {
            let outcome = super::reconcile(&store, now, &key());
            assert!(outcome.effects.len() < 9, "{spec}");
        }
    }
}
