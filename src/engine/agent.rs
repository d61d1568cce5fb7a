//! The engine's side of the agent: requests through the API server's service proxy.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::de::DeserializeOwned;

use crate::agent::secret::Secret;
use crate::agent::wire::{Knock, Load, Manner, NAMESPACE, Observed, SECRET_HEADER, SERVICE};

/// Something that can be asked through the API server's service proxy.
#[derive(Clone)]
pub struct Proxy {
    client: kube::Client,
    base: String,
    secret: Option<Secret>,
}

/// The agent.
#[derive(Clone)]
pub struct Agent(Proxy);

impl Proxy {
    /// The service of that name and port.
    #[must_use]
    pub fn new(client: kube::Client, namespace: &str, service: &str) -> Proxy {
        Proxy {
            client,
            base: format!("/api/v1/namespaces/{namespace}/services/{service}/proxy"),
            secret: None,
        }
    }

    async fn send(&self, method: &str, path: &str, body: Vec<u8>) -> Result<String, kube::Error> {
        let request = http::Request::builder().method(method).uri(format!("{}{path}", self.base));
        let request = match &self.secret {
            Some(secret) => request.header(SECRET_HEADER, secret.reveal()),
            None => request,
        };
        let request =
            request.header("content-type", "application/json").body(body).map_err(kube::Error::HttpError)?;
        self.client.request_text(request).await
    }

    async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, kube::Error> {
        let text = self.send("GET", path, vec![]).await?;
        serde_json::from_str(&text).map_err(kube::Error::SerdeError)
    }
}

impl Agent {
    /// The agent of this cluster.
    #[must_use]
    pub fn new(client: kube::Client) -> Agent {
        Agent(Proxy::new(client, NAMESPACE, SERVICE))
    }

    /// The same agent, with the secret that a real one asks for.
    #[must_use]
    pub fn with_secret(self, secret: Secret) -> Agent {
        Agent(Proxy { secret: Some(secret), ..self.0 })
    }

    /// Starts a load, replacing the one that runs.
    ///
    /// # Errors
    /// When the API server or the agent does not answer well.
    pub async fn load(&self, load: &Load) -> Result<(), kube::Error> {
        self.0.send("PUT", "/load", body(load)).await.map(drop)
    }

    /// Ends the load.
    ///
    /// # Errors
    /// When the API server or the agent does not answer well.
    pub async fn stop(&self) -> Result<(), kube::Error> {
        self.0.send("DELETE", "/load", vec![]).await.map(drop)
    }

    /// Sends a test message to a receiver.
    ///
    /// # Errors
    /// When the API server or the agent does not answer well.
    pub async fn knock(&self, knock: &Knock) -> Result<(), kube::Error> {
        self.0.send("POST", "/knock", body(knock)).await.map(drop)
    }

    /// From now on receivers treat their callers so; those that are not named are well.
    ///
    /// # Errors
    /// When the API server or the agent does not answer well.
    pub async fn treat(&self, manners: &BTreeMap<String, Manner>) -> Result<(), kube::Error> {
        self.0.send("PUT", "/receivers", body(manners)).await.map(drop)
    }

    /// What its clock shows, in nanoseconds since the Unix epoch. It counts as a heartbeat, as every request does.
    ///
    /// # Errors
    /// When the API server or the agent does not answer well.
    pub async fn clock(&self) -> Result<i64, kube::Error> {
        self.0.get::<Observed>("/clock").await.map(|observed| observed.now)
    }

    /// What it saw, from these numbers on.
    ///
    /// # Errors
    /// When the API server or the agent does not answer well.
    pub async fn observed(&self, seconds: u64, inbox: u64) -> Result<Observed, kube::Error> {
        self.0.get(&format!("/observed?seconds={seconds}&inbox={inbox}")).await
    }
}

fn body<T: serde::Serialize>(value: &T) -> Vec<u8> {
    Bytes::from(serde_json::to_vec(value).expect("the agent's words are plain data")).to_vec()
}
