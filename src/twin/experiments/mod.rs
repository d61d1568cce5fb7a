//! The Experiment controller of Argo Rollouts v1.9.1, imitated: one reconcile is a pure function.
//!
//! ```text
//! object      an Experiment: what it asks for, and what is known of it
//! controller  one reconcile from its beginning to its status       conditions  its conditions, and what is invalid
//! templates   a ReplicaSet for every template                      services    ... and a Service, if it is to be reached
//! analyses    an AnalysisRun for every analysis                    verdict     what both mean to the experiment
//! wake        which change wakes which Experiment
//! ```
//!
//! It reads the store and returns effects, like its neighbour `rollouts`, whose canary steps create Experiments.

mod analyses;
mod conditions;
mod controller;
mod object;
mod services;
mod templates;
mod verdict;
mod wake;

#[cfg(test)]
mod tests;

pub use self::controller::reconcile;
pub use self::wake::concerned;
