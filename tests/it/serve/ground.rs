//! `--on kube` before anything is changed: what is no drill ground, and what a cluster lacks. The served twin is a cluster
//! like another here, with Argo's kinds and nothing that runs them.

use std::process::Stdio;

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Namespace;
use kube::api::{Api, PostParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use serde_json::json;

use super::Served;
use crate::support::root;

/// Exit code and talk of a run of the first scenario on this cluster.
fn drill(served: &Served, args: &[&str]) -> String {
    let mut command = served.command(env!("CARGO_BIN_EXE_firedrill"));
    command.arg("run").args(args).arg(root().join("scenarios/errors-roll-back.yaml"));
    let output = command.env("NO_COLOR", "1").stdin(Stdio::null()).output().unwrap();
    let talk = String::from_utf8(output.stderr).unwrap();
    assert!(output.stdout.is_empty() && !talk.contains("panicked"), "{talk}");
    format!("exit {}\n{}", output.status.code().unwrap(), talk.replace(&root().display().to_string(), "…"))
}

/// Something to be done with a client of this cluster.
fn with_client(served: &Served, act: impl AsyncFnOnce(kube::Client)) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let kubeconfig = Kubeconfig::read_from(served.kubeconfig()).unwrap();
        let config =
            kube::Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await.unwrap();
        act(kube::Client::try_from(config).unwrap()).await;
    });
}

async fn create<K>(api: Api<K>, object: serde_json::Value)
where
    K: kube::Resource + serde::Serialize + serde::de::DeserializeOwned + Clone + std::fmt::Debug,
{
    api.create(&PostParams::default(), &serde_json::from_value(object).unwrap()).await.unwrap();
}

#[test]
fn a_cluster_is_named_and_marked_or_left_alone() {
    let served = Served::start("ground", &[]);
    let context = ["--on", "kube", "--context", "firedrill-twin"];
    let said = [
        drill(&served, &["--on", "kube"]),
        drill(&served, &["--on", "kube", "--context", "firedrill-twn"]),
        drill(&served, &context),
    ];
    insta::assert_snapshot!("ground_refused", said.join("\n"));
}

#[test]
fn everything_a_cluster_lacks_is_said_at_once() {
    let served = Served::start("ground", &[]);
    let context = ["--on", "kube", "--context", "firedrill-twin"];
    let home = json!({"metadata": {"name": "firedrill", "labels": {"firedrill.dev/drill-ground": "true"}}});
    with_client(&served, async |client| create(Api::<Namespace>::all(client), home).await);
    let bare = drill(&served, &context);
    let old = json!({
        "metadata": {"name": "argo-rollouts", "labels": {"app.kubernetes.io/name": "argo-rollouts"}},
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": {"app": "argo-rollouts"}},
            "template": {
                "metadata": {"labels": {"app": "argo-rollouts"}},
                "spec": {"containers": [{"name": "argo-rollouts", "image": "quay.io/argoproj/argo-rollouts:v1.7.2"}]},
            },
        },
    });
    with_client(&served, async |client| {
        create(Api::<Deployment>::namespaced(client, "argo-rollouts"), old).await;
    });
    insta::assert_snapshot!("ground_lacking", [bare, drill(&served, &context)].join("\n"));
}

#[test]
fn an_api_server_that_is_not_there_is_the_worlds_trouble() {
    let mut served = Served::start("ground", &[]);
    let kubeconfig = std::fs::read(served.kubeconfig()).unwrap();
    assert!(served.stop("-TERM"));
    std::fs::write(served.kubeconfig(), kubeconfig).unwrap();
    let said = drill(&served, &["--on", "kube", "--context", "firedrill-twin"]);
    assert!(said.starts_with("exit 4\nerror: the API server of `firedrill-twin` does not answer"), "{said}");
}
