//! The twin on loopback: the wire as a socket, for programs that are not ours.
//!
//! ```text
//! socket ── limits (listen.rs) ── TLS (identity.rs) ── token (gate.rs) ── cluster::embedded ── the twin
//! ```
//!
//! TLS, although nobody else listens on loopback: client-go sends no credentials over plain HTTP (client-go v0.34
//! `tools/clientcmd/client_config.go`, "only try to read the auth information if we are secure"), and a port without a
//! token would let every program and every web page of the machine write here. Certificate and token live as long as
//! the process and come from the operating system's chance, never from a run's seed.
//!
//! It does not print, write files or catch signals: that is `cli`'s part.

mod gate;
mod identity;
mod kubeconfig;
mod listen;
mod stock;
#[cfg(test)]
mod tests;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroU32;
use std::time::Duration;

use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use self::gate::Gate;
pub use self::kubeconfig::CONTEXT;
pub use self::listen::Limits;
use super::Clock;
use super::twin::start;
use crate::agent::wire::Load;
use crate::twin::{Settings, Twin};

/// How often the seconds of the traffic that nobody will ask for are dropped.
const FORGET_EVERY: Duration = Duration::from_secs(60);

/// What to serve, and how.
#[derive(Debug, Clone)]
pub struct Plan {
    /// What kind of world it is.
    pub settings: Settings,
    /// The port on 127.0.0.1; 0 for any that is free.
    pub port: u16,
    /// How many times faster than ours its time runs.
    pub speed: NonZeroU32,
    /// The objects that are there from the beginning.
    pub objects: Vec<Value>,
    /// The traffic that flows from the beginning.
    pub load: Option<Load>,
    /// What a client may cost.
    pub limits: Limits,
}

/// Why nothing is served.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The port is taken, or not ours to take.
    #[error("cannot listen on {0}")]
    Listen(SocketAddr, #[source] io::Error),
    /// No certificate or token could be made.
    #[error("cannot make a certificate and a token: {0}")]
    Identity(String),
    /// The API server refuses an object.
    #[error("cannot create {what}: {refusal}")]
    Object {
        /// Kind and name.
        what: String,
        /// What it answers.
        refusal: String,
    },
}

/// A twin that is being served. Dropping it ends everything.
pub struct Served {
    address: SocketAddr,
    kubeconfig: String,
    left_out: Vec<String>,
    tasks: [JoinHandle<()>; 3],
}

impl Served {
    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The kubeconfig that leads to it, with the token in it.
    #[must_use]
    pub fn kubeconfig(&self) -> &str {
        &self.kubeconfig
    }

    /// The objects whose kind is not served, as `Kind name`.
    #[must_use]
    pub fn left_out(&self) -> &[String] {
        &self.left_out
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

/// Serves a twin within the current tokio runtime.
///
/// # Errors
/// When the port cannot be had, the operating system gives no chance, or an object is refused.
pub async fn serve(plan: Plan) -> Result<Served, ServeError> {
    let wanted = SocketAddr::from((Ipv4Addr::LOCALHOST, plan.port));
    let listen = |error| ServeError::Listen(wanted, error);
    let listener = TcpListener::bind(wanted).await.map_err(listen)?;
    let address = listener.local_addr().map_err(listen)?;
    let identity = identity::new()?;
    let kubeconfig = kubeconfig::text(address, &identity.authority, &identity.token);
    let epoch = plan.settings.epoch;
    let clock = Clock::starting_at(epoch).faster(plan.speed);
    let mut twin = Twin::new(plan.settings);
    let left_out = stock::stock(&mut twin, plan.objects)?;
    if let Some(load) = plan.load {
        twin.start_load(load);
    }
    let (world, driver) = start(twin, clock);
    let gate = Gate::new(world.router(), &identity.token, plan.limits.request);
    let accepting = tokio::spawn(listen::accept(listener, identity.acceptor, gate, plan.limits));
    let forgetting = tokio::spawn(async move {
        loop {
            tokio::time::sleep(FORGET_EVERY).await;
            world.act(|kernel| kernel.forget(epoch));
        }
    });
    Ok(Served { address, kubeconfig, left_out, tasks: [driver, accepting, forgetting] })
}
