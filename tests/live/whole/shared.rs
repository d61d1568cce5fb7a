//! A controller that reads one notification ConfigMap for all.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{Api, Patch, PatchParams};
use serde_json::json;

use crate::ground::{
    Folder, Running, alone, context, drill, firedrill, inventory, residue, runs, say, with_client,
};

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

fn config() -> Option<BTreeMap<String, String>> {
    with_client(async |client| {
        let configs: Api<ConfigMap> = Api::namespaced(client, "argo-rollouts");
        configs.get_opt(CONFIG_MAP).await.unwrap().map(|config| config.data.unwrap_or_default())
    })
}

#[test]
#[ignore = "needs a drill ground, which FIREDRILL_CONTEXT names"]
fn a_controller_with_one_configmap_for_all_lends_it_and_gets_it_back() {
    let _ground = alone();
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
    for run in runs("shared-a") {
        say(firedrill(&["clean", "--context", &context(), "--run", &run])).expect(0);
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
