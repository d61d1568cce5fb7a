//! The world breaks during a run: never a FAIL, and nothing stays.

use std::time::Duration;

use firedrill::verdict::{Outcome, Verdict};
use k8s_openapi::api::core::v1::Pod;
use kube::api::{Api, DeleteParams, ListParams};

use crate::ground::{Folder, Running, alone, drill, inventory, residue, with_client};

pub(crate) fn verdict(folder: &Folder) -> Verdict {
    let text = std::fs::read_to_string(folder.0.join("quick/verdict.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// Kills pods without a farewell.
pub(crate) fn kill(namespace: &str, labels: &str) {
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
