//! Which cluster, and whether it is one to drill on.
//!
//! A drill breaks things on purpose, so nobody gets into one by accident: the context has to be named, although a
//! kubeconfig has a current one, and the cluster has to be marked. A name that kind, k3d or minikube give is a mark; for
//! every other cluster it is a label on the namespace of the agents.

use std::path::PathBuf;
use std::time::Duration;

use k8s_openapi::api::core::v1::Namespace;
use kube::api::Api;
use kube::config::{KubeConfigOptions, Kubeconfig, KubeconfigError};

use super::marks;
use crate::suggest;

/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(5);
/// Names that tools give to clusters which are made to be thrown away.
const THROWAWAY: [&str; 3] = ["kind-", "k3d-", "minikube"];

/// The way in, as it was asked for.
#[derive(Debug, Clone, Default)]
pub struct Door {
    /// The context of the kubeconfig.
    pub context: Option<String>,
    /// The kubeconfig; otherwise `$KUBECONFIG`, or the one at home.
    pub kubeconfig: Option<PathBuf>,
    /// The cluster that this process is a pod of.
    pub in_cluster: bool,
}

/// A cluster that may be drilled on.
#[derive(Debug, Clone)]
pub struct Connection {
    config: kube::Config,
    /// The context's name, or that of a pod's own cluster.
    pub name: String,
}

/// Why a cluster is not drilled on.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// No context was named.
    #[error("name the cluster: `--context` with one of {known}")]
    Unnamed {
        /// What there is.
        known: String,
    },
    /// The kubeconfig has no such context.
    #[error("there is no context `{name}`{near}; the kubeconfig has {known}")]
    Unknown {
        /// What was asked for.
        name: String,
        /// What may have been meant.
        near: String,
        /// What there is.
        known: String,
    },
    /// The kubeconfig cannot be used.
    #[error("the kubeconfig cannot be used")]
    Kubeconfig(#[source] KubeconfigError),
    /// This is no pod of a cluster.
    #[error("this is no pod of a cluster")]
    NoPod(#[source] kube::config::InClusterError),
    /// No client could be made.
    #[error("no client can be made")]
    Client(#[source] kube::Error),
    /// The API server does not answer.
    #[error("the API server of `{name}` does not answer")]
    Silent {
        /// Which cluster.
        name: String,
        /// What it said instead.
        #[source]
        source: kube::Error,
    },
    /// Nobody said that drills are welcome there.
    #[error(
        "`{name}` is not marked as a drill ground, and drills break things on purpose; if this is where they belong: \
         firedrill rbac | kubectl --context {name} apply -f -"
    )]
    Unmarked {
        /// Which cluster.
        name: String,
    },
}

impl ConnectError {
    /// Whether the one who typed has to do something, and not the cluster.
    #[must_use]
    pub fn is_input(&self) -> bool {
        !matches!(self, ConnectError::Silent { .. } | ConnectError::Client(_))
    }
}

impl Connection {
    /// Finds the cluster and asks whether it is one to drill on.
    ///
    /// # Errors
    /// When it was not named, cannot be reached, or is not marked.
    pub async fn open(door: &Door) -> Result<Connection, ConnectError> {
        let mut connection = match door.in_cluster {
            true => in_cluster()?,
            false => by_kubeconfig(door).await?,
        };
        connection.config.connect_timeout = Some(CONNECT);
        connection.marked().await?;
        Ok(connection)
    }

    /// A client for the current runtime. Connections are not shared between runtimes.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn client(&self) -> Result<kube::Client, ConnectError> {
        kube::Client::try_from(self.config.clone()).map_err(ConnectError::Client)
    }

    async fn marked(&self) -> Result<(), ConnectError> {
        let client = self.client()?;
        let silent = |source| ConnectError::Silent { name: self.name.clone(), source };
        client.apiserver_version().await.map_err(silent)?;
        if THROWAWAY.iter().any(|beginning| self.name.starts_with(beginning)) {
            return Ok(());
        }
        let home = match Api::<Namespace>::all(client).get_opt(marks::HOME).await {
            // Who may not even look there may not drill there.
            Err(kube::Error::Api(status)) if status.is_forbidden() => None,
            other => other.map_err(silent)?,
        };
        let mark = home.and_then(|home| home.metadata.labels?.remove(marks::GROUND));
        match mark.as_deref() {
            Some("true") => Ok(()),
            _ => Err(ConnectError::Unmarked { name: self.name.clone() }),
        }
    }
}

fn in_cluster() -> Result<Connection, ConnectError> {
    let config = kube::Config::incluster().map_err(ConnectError::NoPod)?;
    Ok(Connection { config, name: "in-cluster".to_owned() })
}

async fn by_kubeconfig(door: &Door) -> Result<Connection, ConnectError> {
    let read = match &door.kubeconfig {
        Some(path) => Kubeconfig::read_from(path),
        None => Kubeconfig::read(),
    };
    let kubeconfig = read.map_err(ConnectError::Kubeconfig)?;
    let name = named(door.context.as_deref(), &kubeconfig)?;
    let options = KubeConfigOptions { context: Some(name.clone()), ..KubeConfigOptions::default() };
    let config = kube::Config::from_custom_kubeconfig(kubeconfig, &options).await;
    Ok(Connection { config: config.map_err(ConnectError::Kubeconfig)?, name })
}

/// The context that was named, if the kubeconfig has it.
fn named(context: Option<&str>, kubeconfig: &Kubeconfig) -> Result<String, ConnectError> {
    let names: Vec<&str> = kubeconfig.contexts.iter().map(|context| context.name.as_str()).collect();
    let known = || match names.is_empty() {
        true => "no context".to_owned(),
        false => names.join(", "),
    };
    let Some(name) = context else { return Err(ConnectError::Unnamed { known: known() }) };
    if names.contains(&name) {
        return Ok(name.to_owned());
    }
    let near = suggest::nearest(name, names.iter().copied());
    let near = near.map_or_else(String::new, |near| format!(", did you mean `{near}`?"));
    Err(ConnectError::Unknown { name: name.to_owned(), near, known: known() })
}

#[cfg(test)]
mod tests {
    use super::*;

    const KUBECONFIG: &str = r#"{"apiVersion": "v1", "kind": "Config", "current-context": "prod",
        "clusters": [{"name": "c", "cluster": {"server": "https://127.0.0.1:1"}}], "users": [{"name": "u", "user": {}}],
        "contexts": [{"name": "prod", "context": {"cluster": "c", "user": "u"}},
                     {"name": "kind-drill", "context": {"cluster": "c", "user": "u"}}]}"#;

    fn check(context: Option<&str>, expect: &str) {
        let kubeconfig = Kubeconfig::from_yaml(KUBECONFIG).unwrap();
        let found = named(context, &kubeconfig).unwrap_or_else(|error| error.to_string());
        assert_eq!(found, expect);
    }

    #[test]
    fn a_context_has_to_be_named_although_there_is_a_current_one() {
        check(None, "name the cluster: `--context` with one of prod, kind-drill");
    }

    #[test]
    fn a_context_that_is_there_is_taken_and_another_is_guessed_at() {
        check(Some("kind-drill"), "kind-drill");
        check(
            Some("kind-dril"),
            "there is no context `kind-dril`, did you mean `kind-drill`?; the kubeconfig has prod, kind-drill",
        );
    }
}
