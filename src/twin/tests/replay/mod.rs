//! Every recording of the real controller is played again on the twin, and what an onlooker sees is compared.
//!
//! ```text
//! recording ──given, actions, pods' fates, metric answers──► stage (the twin) ──► sight ──┐
//!     └───────────────────────────what was seen──────────────────────────────► sight ──compare──► verdict
//! ```
//!
//! What the controller decides is compared; how long pods took, how receivers answered, how busy the machine was, and
//! when a killed controller came back is input. A difference that is known is a line of `../../differences.tsv`, which
//! `firedrill explain twin` publishes; it counts as not passed.

mod acts;
mod compare;
mod fates;
mod load;
mod provider;
mod puppets;
mod receivers;
mod script;
mod sight;
mod stage;
mod test;

pub(in crate::twin) use self::provider::Provider;
pub(in crate::twin) use self::puppets::{Heard, Puppets};
