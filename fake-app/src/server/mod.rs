//! The server: HTTP around the fault.
//!
//! ```text
//! request ── front ──┬─ a probe, by User-Agent ──────────────► health    (actuator.rs)
//!                    ├─ /actuator/…, /metrics ───────────────► health, metrics
//!                    ├─ /fault ──────────────────────────────► read, change (control.rs)
//!                    └─ anything else ── outcome ── pause ───► answer    (answer.rs, pacer.rs)
//! ```
//!
//! [`Config`] is read from an environment, [`Server::new`] checks it, [`Server::run`] serves until it is told to stop or the fault says
//! that it crashes. What is served is decided by [`crate::fault::Prepared`] alone; here are only sockets, clocks and locks.
//! Any path may be asked, so paths never decide the size of anything that is kept.

mod actuator;
mod answer;
mod config;
mod control;
mod front;
mod pacer;
mod run;
mod state;

use std::io;
use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::get;

pub use config::{Config, ConfigError};
pub use run::{Exit, bind};
use state::State;

use crate::fault::Problem;

/// A server that is ready to run.
#[derive(Clone)]
pub struct Server {
    state: Arc<State>,
}

/// Why there is no server.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// What was asked makes no sense.
    #[error("the configuration makes no sense: {}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Problems(Vec<Problem>),
    /// The thread that times answers could not be started.
    #[error("the pacer did not start")]
    Pacer(#[source] io::Error),
}

impl Server {
    /// Checks the configuration and starts the clock: from here on the fault ages.
    pub fn new(config: Config) -> Result<Self, StartError> {
        Ok(Self { state: Arc::new(State::new(config)?) })
    }

    /// The server as a service, to be asked without a socket.
    pub fn router(&self) -> Router {
        Router::new()
            .route("/actuator/health", get(actuator::health))
            .route("/actuator/health/readiness", get(actuator::readiness))
            .route("/actuator/health/liveness", get(actuator::liveness))
            .route("/actuator/prometheus", get(actuator::metrics))
            .route("/metrics", get(actuator::metrics))
            .route("/fault", get(control::read).put(control::change))
            .fallback(answer::answer)
            .layer(from_fn_with_state(Arc::clone(&self.state), front::front))
            .with_state(Arc::clone(&self.state))
    }
}

#[cfg(test)]
mod tests;
