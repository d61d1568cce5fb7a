//! One scenario, from file to verdict: read, plan, run it and its control, judge.
//!
//! The only place where pure and effect meet on purpose. `cli` decides what to run and prints; here is what a run *is*.

mod control;
mod folder;
mod live;
mod prepare;
mod stage;
mod twin;

pub use self::folder::{FolderError, files, save};
pub use self::live::{Ground, doubts, needs, on_cluster, unfit};
pub use self::prepare::{Prepared, prepare};
pub use self::stage::{Stage, stage};
pub use self::twin::{empty, on_twin};
use crate::plan::{Criteria, Plan};
use crate::timeline::Timeline;
use crate::verdict::Verdict;

/// A run that is over.
#[derive(Debug, Clone, PartialEq)]
pub struct Finished {
    /// What was carried out: on a cluster with the run's own namespace, and without the address of its receivers.
    pub plan: Plan,
    /// What would have counted as an answer.
    pub criteria: Criteria,
    /// What happened.
    pub timeline: Timeline,
    /// What it means.
    pub verdict: Verdict,
    /// Whether somebody interrupted it.
    pub interrupted: bool,
}
