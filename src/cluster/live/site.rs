//! The site of one run: its name, its namespace, its agent, and the way back to how everything was.

use std::collections::BTreeMap;
use std::time::Duration;

use k8s_openapi::api::core::v1::Namespace;
use kube::api::{Api, PostParams};
use serde_json::{Value, json};

use super::lease::{Held, Reference};
use super::{ConnectError, Connection, Found, agent, clean, lease, marks, notifications};
use crate::agent::receivers_url;
use crate::agent::secret::Secret;
use crate::clock::Moment;
use crate::cluster::agent::Agent;
use crate::cluster::{Clock, Cluster, Trouble, chance, persist};

/// How long to try to put everything back while the API server is away.
const PATIENCE: Duration = Duration::from_secs(120);

/// A place for one run, perhaps not set up yet.
pub struct Site {
    client: kube::Client,
    context: String,
    found: Found,
    run: String,
    secret: Secret,
    held: Option<Held>,
}

/// What a run wants to have set up.
#[derive(Debug)]
pub struct Order<'a> {
    /// The scenario, for people who look at the cluster.
    pub scenario: &'a str,
    /// The namespace of the run.
    pub namespace: &'a str,
    /// The image of the agent.
    pub agent_image: &'a str,
    /// Objects that will lie outside of that namespace.
    pub outside: Vec<Reference>,
    /// The notification services, where they have to be put in the controller's own namespace.
    pub notifications: Option<&'a Value>,
}

impl Site {
    /// A site in a cluster. Nothing is created yet.
    ///
    /// # Errors
    /// When there is no client, or no chance to name it by.
    pub fn new(connection: &Connection, found: &Found) -> Result<Site, Trouble> {
        let broken = |error: ConnectError| Trouble::Missing {
            missing: "a client for the cluster".to_owned(),
            help: error.to_string(),
        };
        let chance = |error: chance::NoChance| Trouble::Missing {
            missing: "a name for the run".to_owned(),
            help: error.to_string(),
        };
        let secret = chance::token().map_err(chance)?;
        Ok(Site {
            client: connection.client().map_err(broken)?,
            context: connection.name.clone(),
            found: found.clone(),
            run: chance::name().map_err(chance)?,
            secret: Secret::new(&secret).expect("hexadecimal digits are plain, and 64 are enough"),
            held: None,
        })
    }

    /// The name of the run.
    #[must_use]
    pub fn run(&self) -> &str {
        &self.run
    }

    /// Where its notifications go.
    #[must_use]
    pub fn receivers(&self) -> String {
        let authority = format!("{}.{}.svc:{}", marks::agent(&self.run), marks::HOME, agent::PORT);
        receivers_url(&authority, &self.secret)
    }

    /// Sets up everything that has to be there before the policy, and answers the handles a run works with. Whatever
    /// comes of it, [`Site::take_down`] has to follow.
    ///
    /// # Errors
    /// What stands against it.
    pub async fn set_up(&mut self, order: &Order<'_>) -> Result<Cluster, Trouble> {
        let held = lease::take(&self.client, &self.run, order.scenario, &order.outside).await?;
        let owner = held.owner.clone();
        self.held = Some(held);
        self.namespace(order.namespace).await?;
        if let Some(config) = order.notifications {
            notifications::borrow(&self.client, &self.run, config).await?;
        }
        let agent = agent::start(&self.client, &self.run, order.agent_image, &self.secret, &owner).await?;
        Ok(self.cluster(agent))
    }

    async fn namespace(&self, name: &str) -> Result<(), Trouble> {
        let labels = json!({ marks::RUN: self.run, "app.kubernetes.io/managed-by": "firedrill" });
        let object = json!({ "metadata": { "name": name, "labels": labels } });
        let what = format!("create namespace {name}");
        let object: Namespace = serde_json::from_value(object)
            .map_err(kube::Error::SerdeError)
            .map_err(Trouble::api(what.clone()))?;
        let namespaces = Api::all(self.client.clone());
        namespaces.create(&PostParams::default(), &object).await.map(drop).map_err(Trouble::api(what))
    }

    fn cluster(&self, agent: Agent) -> Cluster {
        let mut versions = BTreeMap::from([
            ("firedrill".to_owned(), env!("CARGO_PKG_VERSION").to_owned()),
            ("kubernetes".to_owned(), self.found.kubernetes.clone()),
            ("context".to_owned(), self.context.clone()),
            ("run".to_owned(), self.run.clone()),
        ]);
        versions.extend(self.found.argo.clone().map(|argo| ("argo-rollouts".to_owned(), argo)));
        Cluster {
            client: self.client.clone(),
            agent,
            clock: Clock::starting_at(Moment::wall()),
            world: "kube",
            versions,
        }
    }

    /// Clears away everything of the run, trying again while the API server is away.
    ///
    /// # Errors
    /// When something stays behind.
    pub async fn take_down(self) -> Result<(), Trouble> {
        persist(PATIENCE, async || clean::clear(&self.client, &self.run).await).await
    }
}
