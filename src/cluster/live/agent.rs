//! The agent of a run, as a pod: a Secret, a Pod and a Service beside its lease. The pod has no token of its own, so
//! there is nothing it could do to the cluster.

use std::time::Duration;

use k8s_openapi::api::core::v1::{Pod, Secret, Service};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use kube::api::{Api, DeleteParams, PostParams};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::marks;
use crate::agent::secret::Secret as RunSecret;
use crate::cluster::Trouble;
use crate::cluster::agent::Agent;
use crate::cluster::trouble::waiting_for_good;

/// Where it listens.
pub(super) const PORT: u16 = 8080;
/// How long it goes on without hearing from the run: longer than an API server is usually away.
const HEARTBEAT: &str = "120s";
/// How long it may take to answer.
const LIMIT: Duration = Duration::from_secs(90);
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(300);
/// A container that has not begun by then has a reason that will not go away by itself.
const PATIENCE: Duration = Duration::from_secs(10);

/// Starts the agent of a run and waits until it answers.
pub(super) async fn start(
    client: &kube::Client,
    run: &str,
    image: &str,
    secret: &RunSecret,
    owner: &OwnerReference,
) -> Result<Agent, Trouble> {
    let name = marks::agent(run);
    let [key, pod, service] = objects(&name, run, image, secret, owner);
    create::<Secret>(client, key, "create the agent's secret").await?;
    create::<Service>(client, service, "create the agent's Service").await?;
    create::<Pod>(client, pod, "create the agent's pod").await?;
    let agent = Agent::of(client.clone(), marks::HOME, &name).with_secret(secret.clone());
    answers(client, &name, image, &agent).await?;
    Ok(agent)
}

async fn create<K>(client: &kube::Client, object: Value, what: &str) -> Result<(), Trouble>
where
    K: kube::Resource<Scope = k8s_openapi::NamespaceResourceScope, DynamicType = ()>
        + serde::Serialize
        + DeserializeOwned
        + Clone
        + std::fmt::Debug,
{
    let object: K =
        serde_json::from_value(object).map_err(kube::Error::SerdeError).map_err(Trouble::api(what))?;
    let api = Api::namespaced(client.clone(), marks::HOME);
    api.create(&PostParams::default(), &object).await.map(drop).map_err(Trouble::api(what))
}

fn objects(name: &str, run: &str, image: &str, secret: &RunSecret, owner: &OwnerReference) -> [Value; 3] {
    let labels = json!({ marks::RUN: run, "app.kubernetes.io/name": "firedrill-agent", "app.kubernetes.io/managed-by": "firedrill" });
    let metadata = json!({ "name": name, "labels": labels, "ownerReferences": [owner] });
    let receivers = format!("{name}.{}.svc:{PORT}", marks::HOME);
    let listen = format!("[::]:{PORT}");
    // Without a request a pod gets what everybody else leaves, and an instrument that waits for its turn measures that.
    let resources = json!({ "requests": { "cpu": "50m", "memory": "32Mi" } });
    let container = json!({
        "name": "agent",
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "resources": resources,
        "args": ["agent", "--listen", listen, "--secret-file", "/run/firedrill/secret", "--heartbeat", HEARTBEAT, "--receivers", receivers],
        "ports": [{ "containerPort": PORT }],
        "readinessProbe": { "httpGet": { "path": "/readyz", "port": PORT }, "periodSeconds": 1 },
        "securityContext": {
            "runAsNonRoot": true,
            "runAsUser": 65532,
            "readOnlyRootFilesystem": true,
            "allowPrivilegeEscalation": false,
            "capabilities": { "drop": ["ALL"] },
            "seccompProfile": { "type": "RuntimeDefault" },
        },
        "volumeMounts": [{ "name": "secret", "mountPath": "/run/firedrill", "readOnly": true }],
    });
    let spec = json!({
        "restartPolicy": "Never",
        "automountServiceAccountToken": false,
        "enableServiceLinks": false,
        "terminationGracePeriodSeconds": 2,
        "containers": [container],
        "volumes": [{ "name": "secret", "secret": { "secretName": name } }],
    });
    [
        json!({ "metadata": metadata, "stringData": { "secret": secret.reveal() } }),
        json!({ "metadata": metadata, "spec": spec }),
        // One port without a name, so that the API server's proxy finds it.
        json!({ "metadata": metadata, "spec": { "selector": { marks::RUN: run }, "ports": [{ "port": PORT }] } }),
    ]
}

/// Waits until the agent answers to the run's secret.
async fn answers(client: &kube::Client, name: &str, image: &str, agent: &Agent) -> Result<(), Trouble> {
    let pods: Api<Pod> = Api::namespaced(client.clone(), marks::HOME);
    let began = Instant::now();
    loop {
        let last = match agent.clock().await {
            Ok(_) => return Ok(()),
            Err(error) => error,
        };
        let pod = pods.get(name).await.map_err(Trouble::api("look at the agent's pod"))?;
        let pod = serde_json::to_value(&pod).unwrap_or_default();
        if let Some(reason) = waiting_for_good(&pod).filter(|_| began.elapsed() > PATIENCE) {
            return Err(Trouble::unpullable(image, &reason));
        }
        if ["Failed", "Succeeded"].iter().any(|phase| pod["status"]["phase"] == *phase) {
            let missing = "the agent".to_owned();
            let help = format!("its pod ended at once: kubectl -n {} logs {name}", marks::HOME);
            return Err(Trouble::Missing { missing, help });
        }
        if began.elapsed() > LIMIT {
            return Err(Trouble::agent(last));
        }
        sleep(PAUSE).await;
    }
}

/// Deletes the agent's objects; those that are not there are no trouble.
pub(super) async fn delete(client: &kube::Client, run: &str) -> Result<(), Trouble> {
    let name = marks::agent(run);
    remove::<Pod>(client, &name).await?;
    remove::<Service>(client, &name).await?;
    remove::<Secret>(client, &name).await
}

async fn remove<K>(client: &kube::Client, name: &str) -> Result<(), Trouble>
where
    K: kube::Resource<Scope = k8s_openapi::NamespaceResourceScope, DynamicType = ()>
        + DeserializeOwned
        + Clone
        + std::fmt::Debug,
{
    let api: Api<K> = Api::namespaced(client.clone(), marks::HOME);
    match api.delete(name, &DeleteParams::default()).await {
        Ok(_) => Ok(()),
        Err(kube::Error::Api(status)) if status.is_not_found() => Ok(()),
        Err(error) => Err(Trouble::Api { what: format!("delete {name}"), source: error }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_agents_pod_has_no_rights_and_its_secret_is_only_in_the_secret() {
        let secret = RunSecret::new("a-secret-nobody-guesses").unwrap();
        let [key, pod, service] = objects("agent-abcdef", "abcdef", "i", &secret, &OwnerReference::default());
        assert_eq!(key["stringData"]["secret"], "a-secret-nobody-guesses");
        for other in [&pod, &service] {
            assert!(!other.to_string().contains("a-secret-nobody-guesses"));
        }
        assert_eq!(pod["spec"]["automountServiceAccountToken"], false);
        assert_eq!(pod["spec"]["containers"][0]["securityContext"]["runAsNonRoot"], true);
    }
}
