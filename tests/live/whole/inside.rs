//! The program as a pod of the cluster that it drills on.

use std::time::{Duration, Instant};

use k8s_openapi::api::core::v1::{ConfigMap, Pod};
use kube::api::{Api, DeleteParams, LogParams, PostParams};
use serde_json::json;

use crate::ground::{Folder, left_of, share, with_client};

/// Where the ServiceAccount with a run's rights is (`deploy/rbac`).
const HOME: &str = "firedrill";
const NAME: &str = "runs-inside";

fn object<T: serde::de::DeserializeOwned>(value: serde_json::Value) -> T {
    serde_json::from_value(value).unwrap()
}

/// A pod that drills, and the scenario that it reads. One image is both the program and the agent.
fn objects(scenario: &str, policy: &str) -> (ConfigMap, Pod) {
    let metadata = json!({ "name": NAME, "namespace": HOME });
    let files = json!({ "metadata": metadata, "data": { "quick.yaml": scenario, "policy.yaml": policy } });
    let image = std::env::var("FIREDRILL_AGENT_IMAGE").unwrap_or("firedrill/firedrill:dev".to_owned());
    let items = json!([{ "key": "quick.yaml", "path": "quick.yaml" }, { "key": "policy.yaml", "path": "policy/quick.yaml" }]);
    let pod = json!({
        "metadata": metadata,
        "spec": {
            "serviceAccountName": "firedrill",
            "restartPolicy": "Never",
            "securityContext": { "runAsNonRoot": true, "runAsUser": 65532, "fsGroup": 65532 },
            "containers": [{
                "name": "firedrill",
                "image": image,
                "args": ["run", "--on", "kube", "--in-cluster", "--out", "/runs", "/drill/quick.yaml"],
                "securityContext": { "readOnlyRootFilesystem": true },
                "volumeMounts": [{ "name": "drill", "mountPath": "/drill" }, { "name": "runs", "mountPath": "/runs" }],
            }],
            "volumes": [{ "name": "drill", "configMap": { "name": NAME, "items": items } }, { "name": "runs", "emptyDir": {} }],
        },
    });
    (object(files), object(pod))
}

#[test]
#[ignore = "needs a drill ground, which FIREDRILL_CONTEXT names"]
fn a_pod_of_the_cluster_drills_there_with_its_own_rights() {
    let _place = share();
    let folder = Folder::new("inside");
    let scenario = std::fs::read_to_string(folder.quick("inside")).unwrap();
    let policy = std::fs::read_to_string(folder.0.join("policy/quick.yaml")).unwrap();
    let (files, pod) = objects(&scenario, &policy);
    let (phase, log) = with_client(async |client| {
        let configs: Api<ConfigMap> = Api::namespaced(client.clone(), HOME);
        let pods: Api<Pod> = Api::namespaced(client, HOME);
        configs.create(&PostParams::default(), &files).await.unwrap();
        pods.create(&PostParams::default(), &pod).await.unwrap();
        let began = Instant::now();
        let phase = loop {
            let phase = pods.get(NAME).await.unwrap().status.and_then(|status| status.phase);
            match phase.as_deref() {
                Some("Succeeded" | "Failed") => break phase,
                _ if began.elapsed() > Duration::from_secs(240) => break phase,
                _ => tokio::time::sleep(Duration::from_secs(1)).await,
            }
        };
        let log = pods.logs(NAME, &LogParams::default()).await.unwrap_or_default();
        pods.delete(NAME, &DeleteParams::default().grace_period(0)).await.unwrap();
        configs.delete(NAME, &DeleteParams::default()).await.unwrap();
        (phase, log)
    });
    assert_eq!(phase.as_deref(), Some("Succeeded"), "{log}");
    assert!(log.contains("1 of 1 ended as wanted"), "{log}");
    assert_eq!(left_of("inside"), [] as [&str; 0]);
}
