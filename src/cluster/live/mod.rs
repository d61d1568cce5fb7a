//! A real cluster, reached by kubeconfig: what has to be there, what a run sets up in it, and what it leaves: nothing.
//!
//! ```text
//! connect ──► preflight ──► Site::set_up ──► (a run) ──► Site::take_down
//!    │            │             │ a lease that says who is here          │ deletes by label, puts back, and looks
//!    │            │             │ the agent: a secret, a pod, a Service  ▼
//!    │            │             └ notification services, where shared   nothing
//!    └ named and marked as a drill ground, or not at all
//! ```
//!
//! Every run has a namespace of its own, and a name of six letters that everything it creates is labelled with
//! ([`marks`]). A run that was killed is found by its lease, which nobody renews any more, and cleared away by
//! [`clean`]; the agent ends by itself.

mod agent;
pub mod clean;
mod connect;
mod lease;
pub mod marks;
mod notifications;
mod preflight;
mod site;

pub use self::connect::{ConnectError, Connection, Door};
pub use self::lease::Reference;
pub use self::notifications::CONFIG_MAP;
pub use self::preflight::{Found, Needs, preflight};
pub use self::site::{Order, Site};
