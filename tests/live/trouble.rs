//! The world breaks during a run: never a FAIL, and nothing stays.

use std::process::Command;
use std::time::Duration;

use firedrill::verdict::{Outcome, Verdict};
use k8s_openapi::api::core::v1::Pod;
use kube::api::{Api, DeleteParams, ListParams};

use crate::ground::{Folder, Running, alone, drill, inventory, quick, residue, with_client};

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
    let mut run = Running::start(drill(&folder.0, &[quick()], &[]), folder.0.join("log"));
    run.until("watch", Duration::from_secs(120));
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
    let before = inventory();
    for stage in ["baseline", "watch"] {
        let folder = Folder::new(&format!("agent-{stage}"));
        let mut run = Running::start(drill(&folder.0, &[quick()], &[]), folder.0.join("log"));
        run.until(stage, Duration::from_secs(120));
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
    let before = inventory();
    for stage in ["install", "baseline", "watch", "leave"] {
        let folder = Folder::new(&format!("api-{stage}"));
        let mut run = Running::start(drill(&folder.0, &[quick()], &[]), folder.0.join("log"));
        run.until(stage, Duration::from_secs(180));
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
