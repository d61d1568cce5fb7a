//! Where requests go: the addresses behind a Service's name, looked up again and again.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::agent::wire::Load;

/// How often the name is looked up: a Service that is created again may have another address.
const EVERY: Duration = Duration::from_secs(5);

/// How a Service's name becomes an address.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Names {
    /// By the cluster's DNS.
    #[default]
    Cluster,
    /// Every Service is here: for a try outside of a cluster.
    All(SocketAddr),
}

/// The addresses of one Service. Dropping it ends the looking up.
pub(super) struct Target {
    /// What the `Host` header says.
    pub(super) authority: String,
    found: watch::Receiver<Option<Vec<SocketAddr>>>,
    lookup: JoinHandle<()>,
}

impl Target {
    pub(super) fn new(load: &Load, names: Names) -> Target {
        let host = format!("{}.{}.svc", load.service, load.namespace);
        let authority = format!("{host}:{}", load.port);
        let (tell, found) = watch::channel(None);
        let lookup = tokio::spawn(follow(host, load.port, names, tell));
        Target { authority, found, lookup }
    }

    /// An address for a request; `None` when the name is not known. Waits for the first lookup only.
    pub(super) async fn address(&self, nth: u64) -> Option<SocketAddr> {
        let mut found = self.found.clone();
        let known = found.wait_for(Option::is_some).await.ok()?;
        let addresses = known.as_deref().unwrap_or_default();
        let turn = nth.checked_rem(addresses.len() as u64)?;
        addresses.get(usize::try_from(turn).ok()?).copied()
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        self.lookup.abort();
    }
}

/// Looks up for ever. An answer that fails once is no reason to forget what was known: DNS is not what is drilled.
async fn follow(host: String, port: u16, names: Names, tell: watch::Sender<Option<Vec<SocketAddr>>>) {
    if let Names::All(address) = names {
        tell.send_replace(Some(vec![address]));
        return;
    }
    loop {
        match tokio::net::lookup_host((host.as_str(), port)).await {
            Ok(found) => {
                let mut found: Vec<SocketAddr> = found.collect();
                found.sort_unstable();
                found.dedup();
                tell.send_replace(Some(found));
            }
            Err(error) => {
                tracing::warn!(%host, %error, "the name is not known");
                tell.send_if_modified(|known| known.is_none() && known.replace(vec![]).is_none());
            }
        }
        tokio::time::sleep(EVERY).await;
    }
}
