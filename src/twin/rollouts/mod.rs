//! The Rollout controller of Argo Rollouts v1.9.1, imitated: one reconcile is a pure function.
//!
//! Files are named as upstream names them, so that either can be read beside the other:
//!
//! ```text
//! controller   one reconcile from its beginning: claim, validate, create the ReplicaSet, hand over
//! bluegreen    the blue-green strategy            status       conditions, promotion, the one status patch
//! sync         revisions, scaling events, sizes   conditions   the rules of conditions, phase and message
//! replicaset   sizes, deadlines, old revisions    pause        pauses and aborts
//! service      selectors                          analysis     AnalysisRuns: when to start, stop, forget one
//! templates    AnalysisTemplates become one run   arguments    where the arguments of a run come from
//! validation   what is an invalid spec            references   ... and an invalid reference
//! restart      pods older than restartAt          ephemeral    labels that pods wear for a while
//! workload     a template borrowed from a Deployment, and the end of its own pods
//! ```
//!
//! It reads the store and returns effects; it writes nothing, waits for nothing and keeps nothing between two calls.
//! Whatever it does not imitate it refuses by name ([`unsupported()`]).

mod affinity;
mod analysis;
mod annotations;
mod arguments;
mod bluegreen;
mod claim;
mod conditions;
mod context;
mod controller;
mod defaults;
mod ephemeral;
mod events;
mod hash;
mod history;
mod newrs;
mod pause;
mod references;
mod replicaset;
mod restart;
mod service;
mod status;
mod sync;
mod templates;
mod unsupported;
mod validation;
mod views;
mod wake;
mod workload;

#[cfg(test)]
mod tests;

pub use self::controller::reconcile;
pub use self::hash::{deployment_template_hash, pod_template_hash};
pub use self::service::sync_service;
pub use self::unsupported::unsupported;
pub use self::wake::{concerned, farewell, first_sight, released_services};
pub use self::workload::{lends, sync_workload};
