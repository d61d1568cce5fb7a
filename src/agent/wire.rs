//! What the engine and the agent say to each other: JSON over the API server's service proxy.
//!
//! | request | answer |
//! |---|---|
//! | `PUT /load` with a [`Load`] | 204; replaces the load that runs |
//! | `DELETE /load` | 204 |
//! | `POST /knock` with a [`Knock`] | 204; the receiver's answer arrives in the inbox |
//! | `PUT /receivers` with a [`Manner`] by notification service | 204; those that are not named are well |
//! | `GET /observed?seconds=N&inbox=M` | [`Observed`]: seconds from N on, inbox entries from M on |
//! | `GET /clock` | [`Observed`] with nothing but the time in it |
//!
//! On a cluster every request carries the run's secret in [`SECRET_HEADER`]: the API server's proxy keeps the
//! `Authorization` header to itself. The agent's Service has one port without a name, so that the proxy finds it.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The name of the agent's Service.
pub const SERVICE: &str = "firedrill-agent";

/// The namespace of the agent, and of the receivers it keeps.
pub const NAMESPACE: &str = "firedrill";

/// The header that carries the run's secret.
pub const SECRET_HEADER: &str = "x-firedrill-secret";

/// Traffic to send, open loop: requests leave when they are due, however the answers do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Load {
    /// The namespace of the Service.
    pub namespace: String,
    /// The Service to send to.
    pub service: String,
    /// Its port.
    pub port: u16,
    /// The path of every request.
    pub path: String,
    /// The method of every request.
    pub method: String,
    /// Headers of every request.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// Requests per second.
    pub rate: f64,
    /// An answer slower than this harms the user.
    pub slo: Duration,
    /// When the client gives up on a request.
    pub timeout: Duration,
    /// How connections are made.
    pub connections: Connections,
    /// The router on the way to the Service, where users come in by one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub router: Option<Router>,
}

/// A router that shares requests out, one by one, between the revisions of a canary.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Router {
    /// ingress-nginx.
    #[serde(rename_all = "kebab-case")]
    Nginx {
        /// The Ingress by which users come in, in the namespace of the Service.
        ingress: String,
        /// What the annotations that tell it of canaries begin with.
        prefix: String,
    },
    /// Istio.
    #[serde(rename_all = "kebab-case")]
    Istio {
        /// The namespace of the VirtualService.
        namespace: String,
        /// Its name.
        virtual_service: String,
    },
}

/// How connections are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Connections {
    /// A new connection for every request: it goes where the Service points now.
    PerRequest,
    /// So many connections, kept as long as the pod lives: they stay on their old pod after a switch.
    Kept(u32),
}

/// Asks the agent to send a test message to a receiver, by the address the controller would use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Knock {
    /// The notification service, as in `service.webhook.<name>`; `slack` for Slack.
    pub service: String,
}

/// How a receiver treats its callers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Manner {
    /// Answers with this status after so long.
    Answers(u16, Duration),
    /// Refuses the connection.
    Refuses,
    /// Answers with this status so many times, and is well afterwards.
    Falters(u16, u32),
}

/// What the agent saw since it was last asked. Moments are nanoseconds since the Unix epoch, by the agent's clock.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Observed {
    /// The agent's clock when it answered.
    pub now: i64,
    /// Whole seconds of traffic, oldest first, starting with the one asked for.
    pub seconds: Vec<Second>,
    /// Messages that arrived, oldest first, starting with the one asked for.
    pub inbox: Vec<Arrival>,
}

/// One second of traffic.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Second {
    /// Its number since the load began.
    pub nth: u64,
    /// When it began.
    pub from: i64,
    /// Requests that ended in it, by the revision that answered; the empty name for "nobody".
    pub by: BTreeMap<String, Tally>,
    /// The longest unbroken run of harmed requests since the load began.
    pub longest_run: u64,
    /// Requests that left more than a millisecond late.
    pub late: u64,
    /// Requests that were due and never left, because the agent had no means to send them. They are in no tally: they
    /// say nothing about the server, and a second that has any is no full measurement.
    #[serde(default)]
    pub unsent: u64,
    /// How late requests left after they were due: percentiles 50, 95, 99 and the maximum, in microseconds.
    #[serde(default)]
    pub lateness_micros: Option<[u64; 4]>,
}

/// Requests of one revision that ended within one second.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Tally {
    /// All of them.
    pub sent: u64,
    /// Those that broke the user's promise.
    pub harmed: u64,
    /// Error answers by status.
    pub errors: BTreeMap<u16, u64>,
    /// Refused, or never connected.
    pub refused: u64,
    /// Connected, and cut off before the answer was complete.
    #[serde(default)]
    pub reset: u64,
    /// Given up on.
    pub timed_out: u64,
    /// Good, but slower than the SLO.
    pub slow: u64,
    /// When the first harmed one ended.
    pub first_harmed: Option<i64>,
    /// When the last harmed one ended.
    pub last_harmed: Option<i64>,
    /// Percentiles 50, 95, 99 and the maximum, in microseconds, counted from the moment a request was due.
    pub latency_micros: Option<[u64; 4]>,
}

/// A message at a receiver.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Arrival {
    /// When it arrived.
    pub at: i64,
    /// The notification service it came by.
    pub by: String,
    /// The channel, or the path.
    pub to: String,
    /// The trigger, where the world knows it.
    pub trigger: Option<String>,
    /// What was answered; 0 when nothing was.
    pub status: u16,
    /// The text or body.
    pub body: String,
    /// Whether it answers a [`Knock`].
    pub knock: bool,
}
