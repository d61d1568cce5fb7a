//! What the engine holds of a world.

use std::collections::BTreeMap;

use super::Trouble;
use super::agent::Agent;
use super::clock::Clock;

/// A world: the same handles for both.
#[derive(Clone)]
pub struct Cluster {
    /// The API server.
    pub client: kube::Client,
    /// Who sends the traffic and keeps the inbox.
    pub agent: Agent,
    /// The run's clock.
    pub clock: Clock,
    /// `twin` or `kube`, for the report.
    pub world: &'static str,
    /// Versions of what takes part, for the report.
    pub versions: BTreeMap<String, String>,
}

impl Cluster {
    /// Checks that this cluster can hold a drill at all.
    ///
    /// # Errors
    /// What is missing, with the way to it.
    pub async fn check(&self) -> Result<(), Trouble> {
        self.client.apiserver_version().await.map_err(Trouble::api("ask the API server for its version"))?;
        let resources = self.client.list_api_group_resources("argoproj.io/v1alpha1").await;
        let resources = resources.map_err(|_| missing("the API group argoproj.io/v1alpha1"))?;
        for wanted in ["rollouts", "analysisruns", "analysistemplates"] {
            if !resources.resources.iter().any(|resource| resource.name == wanted) {
                return Err(missing(&format!("the custom resource {wanted}.argoproj.io")));
            }
        }
        Ok(())
    }
}

fn missing(what: &str) -> Trouble {
    let help = "install Argo Rollouts: kubectl apply -n argo-rollouts -f install.yaml".to_owned();
    Trouble::Missing { missing: what.to_owned(), help }
}
