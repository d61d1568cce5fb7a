//! The kernel as a whole: objects in, time on, what stands afterwards.

pub(super) mod replay;

use std::time::Duration;

use serde_json::{Value, json};

use super::pods::{Exports, PodSettings};
use super::prometheus::{Role, Scraping};
use super::store::{Key, Kind, Part};
use super::{Settings, Twin};
use crate::agent::wire::{Connections, Load};
use crate::argo::Version;
use crate::clock::{Moment, Seed};

pub(super) fn twin(seed: u64) -> Twin {
    Twin::new(Settings {
        seed: Seed::new(seed),
        epoch: Moment::VIRTUAL_EPOCH,
        version: Version::V1_9,
        pods: PodSettings {
            start: Duration::from_secs(2),
            healthy: fake_app::fault::Latency::healthy(),
            exports: Exports { profiles: vec![fake_app::profile::Profile::Micrometer], ..Exports::default() },
        },
        scraping: Scraping {
            interval: Duration::from_secs(5),
            role: Role::Pods,
            retention: Duration::from_secs(3600),
        },
        receivers: vec![],
        controller_namespace: "argo-rollouts".to_owned(),
        argo: true,
    })
}

/// As `kubectl apply` would.
pub(super) fn apply(twin: &mut Twin, kind: Kind, mut object: Value) {
    let now = twin.now();
    let key = Key::of(kind, &object).unwrap();
    let old = twin.store().get(&key).cloned();
    match old {
        None => twin.store_mut().create(now, kind, object).unwrap(),
        Some(old) => {
            object["metadata"]["resourceVersion"] = old["metadata"]["resourceVersion"].clone();
            twin.store_mut().update(now, kind, Part::Main, object).unwrap()
        }
    };
    twin.settle();
}

fn service(name: &str) -> Value {
    json!({
        "metadata": { "name": name, "namespace": "default" },
        "spec": { "selector": { "app": "web" }, "ports": [{ "port": 80, "targetPort": 8080 }] },
    })
}

fn rollout(revision: &str, fault: &str) -> Value {
    json!({
        "metadata": { "name": "web", "namespace": "default" },
        "spec": {
            "replicas": 2,
            "selector": { "matchLabels": { "app": "web" } },
            "strategy": { "blueGreen": { "activeService": "web", "previewService": "web-preview" } },
            "template": {
                "metadata": { "labels": { "app": "web" } },
                "spec": { "containers": [{
                    "name": "web", "image": "web",
                    "env": [{ "name": "FAULT", "value": fault }, { "name": "REVISION", "value": revision }],
                    "readinessProbe": { "httpGet": { "path": "/ready", "port": 8080 }, "periodSeconds": 1 },
                }] },
            },
        },
    })
}

fn deployed(seed: u64) -> Twin {
    let mut twin = twin(seed);
    apply(&mut twin, Kind::Service, service("web"));
    apply(&mut twin, Kind::Service, service("web-preview"));
    apply(&mut twin, Kind::Rollout, rollout("v1", "{}"));
    pass(&mut twin, 20);
    twin
}

pub(super) fn pass(twin: &mut Twin, seconds: u64) {
    let to = twin.now() + Duration::from_secs(seconds);
    twin.advance(to);
}

fn phase(twin: &Twin) -> String {
    let rollout = twin.store().get(&Key::new(Kind::Rollout, "default", "web")).unwrap();
    format!(
        "{} {}",
        rollout["status"]["phase"].as_str().unwrap_or(""),
        rollout["status"]["message"].as_str().unwrap_or("")
    )
}

fn load(rate: f64) -> Load {
    Load {
        namespace: "default".to_owned(),
        service: "web".to_owned(),
        port: 80,
        path: "/".to_owned(),
        method: "GET".to_owned(),
        headers: std::collections::BTreeMap::new(),
        rate,
        slo: Duration::from_secs(1),
        timeout: Duration::from_secs(10),
        connections: Connections::PerRequest,
        router: None,
    }
}

#[test]
fn the_first_deployment_becomes_healthy() {
    let twin = deployed(1);
    assert_eq!(phase(&twin), "Healthy ");
    assert_eq!(twin.store().list(Kind::Pod, Some("default")).count(), 2);
}

#[test]
fn a_healthy_update_moves_all_traffic_and_harms_nobody() {
    let mut twin = deployed(1);
    twin.start_load(load(50.0));
    pass(&mut twin, 10);
    apply(&mut twin, Kind::Rollout, rollout("v2", "{}"));
    pass(&mut twin, 90);
    assert_eq!(phase(&twin), "Healthy ");
    let seconds = twin.observed(0, 0).seconds;
    assert_eq!(seconds.len(), 100);
    assert_eq!(
        seconds.iter().flat_map(|second| second.by.values()).map(|tally| tally.harmed).sum::<u64>(),
        0
    );
    assert_eq!(seconds.last().unwrap().by.keys().collect::<Vec<_>>(), ["v2"]);
}

/// Five pods, and a canary that stops at a fifth; with an analysis of the errors in its background.
fn canary(revision: &str, fault: &str) -> Value {
    let mut rollout = rollout(revision, fault);
    rollout["spec"]["replicas"] = json!(5);
    rollout["spec"]["strategy"] = json!({"canary": {
        "analysis": {"templates": [{"templateName": "errors"}]},
        "steps": [{"setWeight": 20}, {"pause": {}}],
    }});
    rollout
}

fn canary_deployed() -> Twin {
    let mut twin = twin(1);
    let query = "sum(rate(http_server_requests_seconds_count{status=\"503\"}[30s])) / sum(rate(http_server_requests_seconds_count[30s])) or vector(0)";
    let metric = json!({
        "name": "errors", "interval": "5s", "successCondition": "result[0] < 0.02",
        "provider": {"prometheus": {"address": "http://prometheus.default:9090", "query": query}},
    });
    let template =
        json!({"metadata": {"name": "errors", "namespace": "default"}, "spec": {"metrics": [metric]}});
    apply(&mut twin, Kind::AnalysisTemplate, template);
    apply(&mut twin, Kind::Service, service("web"));
    apply(&mut twin, Kind::Rollout, canary("v1", "{}"));
    pass(&mut twin, 20);
    twin.start_load(load(100.0));
    pass(&mut twin, 40);
    twin
}

#[test]
fn a_canary_gets_its_share_of_the_traffic() {
    let mut twin = canary_deployed();
    apply(&mut twin, Kind::Rollout, canary("v2", "{}"));
    pass(&mut twin, 60);
    assert_eq!(phase(&twin), "Paused CanaryPauseStep");
    let seconds = twin.observed(0, 0).seconds;
    let answered = |revision: &str| {
        let last = seconds.iter().rev().take(30);
        last.filter_map(|second| second.by.get(revision)).map(|tally| tally.sent).sum::<u64>()
    };
    let share = answered("v2") as f64 / (answered("v1") + answered("v2")) as f64;
    assert!((share - 0.2).abs() < 0.03, "{share}");
}

#[test]
fn a_bad_canary_is_taken_back() {
    let mut twin = canary_deployed();
    apply(&mut twin, Kind::Rollout, canary("v2", r#"{"errors":{"rate":"30%","status":503}}"#));
    pass(&mut twin, 90);
    let aborted = "Degraded RolloutAborted: Rollout aborted update to revision 2: Background analysis phase error/failed";
    assert!(phase(&twin).starts_with(aborted), "{}", phase(&twin));
    let seconds = twin.observed(0, 0).seconds;
    assert_eq!(seconds.last().unwrap().by.keys().collect::<Vec<_>>(), ["v1"]);
    assert_eq!(twin.store().list(Kind::Pod, Some("default")).count(), 5);
}

/// Who answered in the last second, three seconds after the switch to v2.
fn answering_after_the_switch(connections: Connections) -> Vec<String> {
    let mut twin = deployed(1);
    twin.start_load(Load { connections, ..load(50.0) });
    pass(&mut twin, 5);
    apply(&mut twin, Kind::Rollout, rollout("v2", "{}"));
    pass(&mut twin, 10);
    let seconds = twin.observed(0, 0).seconds;
    seconds.last().unwrap().by.keys().cloned().collect()
}

#[test]
fn a_kept_connection_stays_on_its_old_pod_after_a_switch() {
    assert_eq!(answering_after_the_switch(Connections::Kept(4)), ["v1"]);
    assert_eq!(answering_after_the_switch(Connections::PerRequest), ["v2"]);
}

#[test]
fn prometheus_sees_what_the_users_suffer() {
    let mut twin = deployed(1);
    twin.start_load(load(200.0));
    apply(&mut twin, Kind::Rollout, rollout("v2", r#"{"errors":{"rate":"20%","status":503}}"#));
    pass(&mut twin, 120);
    let now = twin.now();
    let answer = twin.query(
        "sum(rate(http_server_requests_seconds_count{status=\"503\"}[1m])) / sum(rate(http_server_requests_seconds_count[1m]))",
        now,
    );
    let share: f64 = answer["data"]["result"][0]["value"][1].as_str().unwrap().parse().unwrap();
    assert!((share - 0.2).abs() < 0.02, "{share}");
}

#[test]
fn one_seed_gives_one_history_and_another_seed_another() {
    let history = |seed| {
        let mut twin = deployed(seed);
        twin.start_load(load(100.0));
        apply(&mut twin, Kind::Rollout, rollout("v2", r#"{"errors":{"rate":"5%"}}"#));
        pass(&mut twin, 60);
        let objects: Vec<String> = Kind::ALL
            .iter()
            .flat_map(|kind| {
                twin.store().list(*kind, None).map(|(_, object)| object.to_string()).collect::<Vec<_>>()
            })
            .collect();
        format!("{objects:?} {:?}", twin.observed(0, 0))
    };
    assert!(history(7) == history(7), "the same seed must give the same bytes");
    assert!(history(7) != history(8), "another seed must not");
}

#[test]
fn without_argo_a_rollout_is_a_mere_object() {
    let mut twin = Twin::new(Settings { argo: false, ..twin(1).settings.clone() });
    apply(&mut twin, Kind::Rollout, rollout("v1", "{}"));
    pass(&mut twin, 1000);
    assert_eq!(twin.store().list(Kind::ReplicaSet, None).count(), 0);
    assert_eq!(twin.store().list(Kind::Event, None).count(), 0);
}
