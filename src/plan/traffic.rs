//! What the users do, resolved: a Service, a port, a schedule.

use std::collections::BTreeMap;

use serde::Serialize;

use super::rollout::Service;
use super::router::Router;
use crate::scenario::{self, Connections, Duration, Method, Rate};

/// Requests, and where they go.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Traffic {
    /// The Service, in the plan's namespace.
    pub service: String,
    /// The router on the way to it, which may lead to another Service instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub router: Option<Router>,
    /// Its port.
    pub port: u16,
    /// Requests per second.
    pub rate: Rate,
    /// Slower than this is harmed.
    pub slo: Duration,
    /// When the client hangs up.
    pub timeout: Duration,
    /// How it connects.
    pub connections: Connections,
    /// The HTTP method.
    pub method: Method,
    /// The path with its query.
    pub path: String,
    /// Headers of every request.
    pub headers: BTreeMap<String, String>,
}

pub(super) fn traffic(written: &scenario::Traffic, service: &Service, router: Option<Router>) -> Traffic {
    Traffic {
        router,
        service: service.name.clone(),
        port: service.port,
        rate: *written.rate,
        slo: *written.slo,
        timeout: *written.timeout,
        connections: *written.connections,
        method: *written.method,
        path: written.path.value.clone(),
        headers: written.headers.iter().map(|(name, value)| (name.clone(), value.value.clone())).collect(),
    }
}
