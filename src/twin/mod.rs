//! The twin: an emulated cluster in virtual time, a discrete-event kernel without IO.
//!
//! ```text
//!            writes ──► store ──changes──► kernel ──► work queues ──► controllers ──effects──► play ──┐
//!               ▲                                                                                     │
//!               └─────────────────────────────────────────────────────────────────────────────────────┘
//! ```
//!
//! Nothing here names tokio, kube, hyper, axum, a clock or a path: it is told the time. What it does not imitate it
//! refuses by name; what differs knowingly is listed by `firedrill explain twin`.

// What there is.
pub mod store;
// What happens, and when.
mod caches;
pub mod effect;
mod kernel;
mod language;
mod latency;
mod news;
mod outage;
mod play;
mod recorder;
mod workqueue;
// Kubernetes' own controllers.
mod claim;
mod deployments;
mod endpoints;
pub mod pods;
mod replicasets;
mod routing;
// Argo's.
pub mod analysis;
pub mod experiments;
pub mod notifications;
pub mod rollouts;
// The world around them.
pub mod prometheus;
mod traffic;

pub use self::kernel::{Settings, Twin};
pub use crate::agent::receivers;

/// Recordings of the real controller that the twin knowingly does not repeat: a name and a reason a line. The replay
/// holds the list to the truth, and `firedrill explain twin` publishes it.
pub const DIFFERENCES: &str = include_str!("differences.tsv");

#[cfg(test)]
#[path = "../../tests/it/recordings.rs"]
mod recordings;
#[cfg(test)]
mod tests;
