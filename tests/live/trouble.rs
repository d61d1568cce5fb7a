//! The world breaks during a run: never a FAIL, and nothing stays.

use std::collections::BTreeSet;
use std::process::Command;
use std::time::Duration;

use firedrill::verdict::{Outcome, Verdict};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{ConfigMap, Pod};
use kube::api::{Api, DeleteParams, ListParams, Patch, PatchParams};
use serde_json::json;

use crate::ground::{Folder, Running, alone, drill, inventory, is_whole, residue, say, with_client};

fn verdict(folder: &Folder) -> Verdict {
    let text = std::fs::read_to_string(folder.0.join("quick/verdict.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// Kills pods without a farewell.
fn kill(namespace: &str, labels: &str) {
    with_client(async |client| {
        let pods: Api<Pod> = Api::namespaced(client, namespace);
        let found = pods.list(&ListParams::default().labels(labels)).await.unwrap();
        assert!(!found.items.is_empty(), "no pod {labels} in {namespace}");
        let now = DeleteParams { grace_period_seconds: Some(0), ..DeleteParams::default() };
        for pod in found {
            pods.delete(&pod.metadata.name.unwrap(), &now).await.unwrap();
        }
    });
}

#[test]
#[ignore = "needs a drill ground, which FIREDRILL_CONTEXT names"]
fn a_controller_that_is_killed_during_the_analysis_comes_back_and_finishes() {
    let _ground = alone();
    let before = inventory();
    let folder = Folder::new("controller");
    let mut run = Running::start(drill(&folder.0, &[folder.quick("quick")], &[]), folder.0.join("log"));
    run.until("  watch", Duration::from_secs(120));
    std::thread::sleep(Duration::from_secs(12));
    kill("argo-rollouts", "app.kubernetes.io/name=argo-rollouts");
    let (code, talk) = run.end(Duration::from_secs(300));
    let verdict = verdict(&folder);
    println!("controller killed: {} ({:?})", verdict.outcome.name(), verdict.reasons);
    assert_eq!(verdict.outcome, Outcome::Pass, "{code:?}: {talk}");
    assert_eq!(residue(&before, &inventory()), [] as [&str; 0]);
}

#[test]
#[ignore = "needs a drill ground, which FIREDRILL_CONTEXT names"]
fn an_agent_that_is_killed_is_the_worlds_trouble() {
    let _ground = alone();
    if !is_whole() {
        return;
    }
    let before = inventory();
    for stage in ["baseline", "watch"] {
        let folder = Folder::new(&format!("agent-{stage}"));
        let mut run = Running::start(drill(&folder.0, &[folder.quick("quick")], &[]), folder.0.join("log"));
        run.until(&format!("  {stage}"), Duration::from_secs(120));
        kill("firedrill", "app.kubernetes.io/name=firedrill-agent");
        let (code, talk) = run.end(Duration::from_secs(150));
        assert_eq!(code, Some(4), "{stage}: {talk}");
        assert_eq!(verdict(&folder).outcome, Outcome::Error, "{stage}");
        assert_eq!(residue(&before, &inventory()), [] as [&str; 0], "{stage}");
    }
}

/// Runs a command on the node that the API server runs on.
fn on_node(script: &str) {
    let node = std::env::var("FIREDRILL_NODE").unwrap_or_else(|_| "firedrill-control-plane".to_owned());
    let done = Command::new("docker").args(["exec", &node, "sh", "-c", script]).status().unwrap();
    assert!(done.success(), "{script}");
}

const MANIFEST: &str = "/etc/kubernetes/manifests/kube-apiserver.yaml";

#[test]
#[ignore = "needs a drill ground, which FIREDRILL_CONTEXT names"]
fn an_api_server_that_is_away_for_half_a_minute_is_nobodys_fail() {
    let _ground = alone();
    if !is_whole() {
        return;
    }
    let before = inventory();
    for stage in ["install", "baseline", "watch", "leave"] {
        let folder = Folder::new(&format!("api-{stage}"));
        let mut run = Running::start(drill(&folder.0, &[folder.quick("quick")], &[]), folder.0.join("log"));
        run.until(&format!("  {stage}"), Duration::from_secs(180));
        on_node(&format!("mv {MANIFEST} /root/ && pkill -KILL kube-apiserver"));
        std::thread::sleep(Duration::from_secs(30));
        on_node(&format!("mv /root/kube-apiserver.yaml {MANIFEST}"));
        let (code, talk) = run.end(Duration::from_secs(300));
        let verdict = verdict(&folder);
        println!("API server away during {stage}: {} ({:?})", verdict.outcome.name(), verdict.reasons);
        assert_ne!(verdict.outcome, Outcome::Fail, "{stage}, {code:?}: {talk}");
        assert_eq!(residue(&before, &inventory()), [] as [&str; 0], "{stage}");
    }
}

const CONFIG_MAP: &str = "argo-rollouts-notification-configmap";
const SELF_SERVICE: &str = "--self-service-notification-enabled";

/// Gives the controller these arguments and waits until it is there with them.
async fn arguments(client: &kube::Client, arguments: &[&str]) {
    let deployments: Api<Deployment> = Api::namespaced(client.clone(), "argo-rollouts");
    let patch = json!([{"op": "add", "path": "/spec/template/spec/containers/0/args", "value": arguments}]);
    let patch = Patch::Json::<()>(serde_json::from_value(patch).unwrap());
    let patched = deployments.patch("argo-rollouts", &PatchParams::default(), &patch).await.unwrap();
    let generation = patched.metadata.generation;
    loop {
        tokio::time::sleep(Duration::from_millis(500)).await;
        let status = deployments.get_status("argo-rollouts").await.unwrap().status.unwrap();
        let current = status.observed_generation >= generation && status.updated_replicas == Some(1);
        if current && status.replicas == Some(1) && status.available_replicas == Some(1) {
            return;
        }
    }
}

fn config() -> Option<std::collections::BTreeMap<String, String>> {
    with_client(async |client| {
        let configs: Api<ConfigMap> = Api::namespaced(client, "argo-rollouts");
        configs.get_opt(CONFIG_MAP).await.unwrap().map(|config| config.data.unwrap_or_default())
    })
}

#[test]
#[ignore = "needs a drill ground, which FIREDRILL_CONTEXT names"]
fn a_controller_with_one_configmap_for_all_lends_it_and_gets_it_back() {
    let _ground = alone();
    if !is_whole() {
        return;
    }
    with_client(async |client| {
        arguments(&client, &[]).await;
        let configs: Api<ConfigMap> = Api::namespaced(client, "argo-rollouts");
        let theirs = json!({"data": {"template.theirs": "message: theirs"}});
        configs.patch(CONFIG_MAP, &PatchParams::default(), &Patch::Merge(theirs)).await.unwrap();
    });
    let before = (inventory(), config());
    // Two at once have to take turns.
    let folders = ["shared-a", "shared-b"].map(Folder::new);
    let scenarios: Vec<_> =
        folders.iter().zip(["shared-a", "shared-b"]).map(|(folder, name)| folder.quick(name)).collect();
    let said = say(drill(&folders[0].0.join("out"), &scenarios, &["--jobs", "2"]));
    let after = (inventory(), config());
    let mut killed =
        Running::start(drill(&folders[1].0.join("out"), &scenarios[..1], &[]), folders[1].0.join("log"));
    killed.until("  watch", Duration::from_secs(120));
    killed.signal("KILL");
    killed.end(Duration::from_secs(10));
    assert_ne!(config(), before.1, "a run has it");
    for run in crate::ground::runs("shared-a") {
        say(crate::ground::firedrill(&["clean", "--context", &crate::ground::context(), "--run", &run]))
            .expect(0);
    }
    let cleared = (inventory(), config());
    with_client(async |client| {
        arguments(&client, &[SELF_SERVICE]).await;
        let configs: Api<ConfigMap> = Api::namespaced(client, "argo-rollouts");
        let theirs = json!({"data": {"template.theirs": null}});
        configs.patch(CONFIG_MAP, &PatchParams::default(), &Patch::Merge(theirs)).await.unwrap();
    });
    said.expect(0);
    assert_eq!(residue(&without_sets(&before.0), &without_sets(&after.0)), [] as [&str; 0]);
    assert_eq!((&after.1, &cleared.1), (&before.1, &before.1));
    assert_eq!(residue(&without_sets(&before.0), &without_sets(&cleared.0)), [] as [&str; 0]);
}

/// The controller's own ReplicaSets come with its arguments.
fn without_sets(inventory: &BTreeSet<String>) -> BTreeSet<String> {
    inventory.iter().filter(|object| !object.starts_with("ReplicaSet argo-rollouts/")).cloned().collect()
}
