//! The agent or the API server goes away during a run.

use std::process::Command;
use std::time::Duration;

use firedrill::verdict::Outcome;

use crate::ground::{Folder, Running, alone, drill, inventory, residue, until_whole};
use crate::trouble::{kill, verdict};

#[test]
#[ignore = "needs a drill ground, which FIREDRILL_CONTEXT names"]
fn an_agent_that_is_killed_is_the_worlds_trouble() {
    let _ground = alone();
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
    let before = inventory();
    for stage in ["install", "baseline", "watch", "leave"] {
        until_whole();
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
