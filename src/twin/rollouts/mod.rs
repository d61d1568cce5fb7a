//! The Rollout controller of Argo Rollouts v1.9.1, imitated: one reconcile is a pure function.
//!
//! Files are named as upstream names them, so that either can be read beside the other:
//!
//! ```text
//! controller   one reconcile from its beginning: claim, validate, create the ReplicaSet, hand over
//! bluegreen    the blue-green strategy            status       promotion, the one status patch
//! canary       the canary strategy                progress     the conditions at the end of a reconcile
//! steps        where a canary is in its steps     conditions   the rules of conditions, phase and message
//! counts       how many pods each revision has    fences       maxSurge and maxUnavailable
//! traffic      weights, and who carries them out  pause        pauses and aborts
//! experiment   the experiment of a canary's step
//! sync         revisions, scaling events, sizes   analysis     AnalysisRuns: when to start, stop, forget one
//! replicaset   sizes, deadlines, old revisions    service      selectors
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
mod canary;
mod claim;
mod conditions;
mod context;
mod controller;
mod counts;
mod defaults;
mod ephemeral;
pub(super) mod events;
mod experiment;
mod fences;
mod hash;
mod history;
mod newrs;
mod pause;
mod progress;
mod references;
mod replicaset;
mod restart;
mod service;
mod status;
mod steps;
mod sync;
mod templates;
mod traffic;
mod unsupported;
mod validation;
pub(super) mod views;
mod wake;
mod workload;

#[cfg(test)]
mod tests;

pub(super) use self::analysis::means_the_same;
pub use self::controller::reconcile;
pub use self::hash::{deployment_template_hash, pod_template_hash};
pub use self::service::sync_service;
pub(super) use self::status::merge_difference;
pub(super) use self::templates::run_spec;
pub use self::unsupported::unsupported;
pub use self::wake::{concerned, farewell, first_sight, released_services};
pub use self::workload::{lends, sync_workload};
