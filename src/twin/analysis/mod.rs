//! The AnalysisRun controller: when a metric is measured, what its answers mean, and how a run ends.
//!
//! A reconcile has two halves, because queries take time: [`begin`] decides what to ask, the kernel plays the
//! questions against whatever answers in this world, and [`Asking::finish`] turns the answers into effects. The run
//! is not read again in between: a `terminate` that arrives while a query is in flight is seen by the next
//! reconcile, as recorded (`ar-terminate-during-slow-query`). This module asks nobody itself, knows no clock, and
//! refuses every provider but Prometheus out loud ([`unsupported()`]).
//!
//! Upstream: `analysis/analysis.go` of Argo Rollouts v1.9.1; spec §4. `metricResults` are in the order of the spec
//! here, upstream's order is random.

mod args;
mod assess;
mod judge;
mod measure;
mod patch;
pub mod prometheus;
mod run;
mod schedule;
mod unsupported;
mod validate;

#[cfg(test)]
mod tests;

use std::time::Duration;

pub use self::judge::{Language, Measured};
pub use self::measure::{Answer, Ask, Asking, Outcome, Range};
pub use self::unsupported::unsupported;

use self::run::Run;
use super::effect::{Effect, Reconciled};
use super::store::{Key, Store};
use crate::argo::Version;
use crate::argo::analysis::Phase;
use crate::clock::Moment;

/// What the controller was started with.
#[derive(Debug, Clone)]
pub struct Controller {
    /// The line to imitate.
    pub version: Version,
    /// How conditions are evaluated.
    pub language: Language,
    /// `ARGO_ROLLOUTS_PROMETHEUS_ADDRESS`, for metrics without an address.
    pub prometheus_address: Option<String>,
}

/// How the first half of a reconcile ended.
#[derive(Debug)]
pub enum Pass {
    /// Nothing to ask: this is all.
    Done(Reconciled),
    /// Ask these at once, then call [`Asking::finish`].
    Ask(Box<Asking>),
}

/// How late a Go timer fires, at least. A measurement is due strictly *after* `finishedAt + interval`, so waking up at
/// that very instant would find nothing to do; recorded are 0 to 27 ms.
const TIMER_LATENESS: Duration = Duration::from_millis(1);

/// Begins the reconcile of one AnalysisRun.
#[must_use]
pub fn begin(controller: &Controller, store: &Store, now: Moment, key: &Key) -> Pass {
    let Some(object) = store.get(key) else { return Pass::Done(Reconciled::nothing()) };
    if object.pointer("/metadata/deletionTimestamp").is_some() {
        return Pass::Done(Reconciled::nothing());
    }
    let run = match Run::read(key, object) {
        Ok(run) => run,
        Err(error) => return Pass::Done(Reconciled { error: Some(error), ..Reconciled::default() }),
    };
    if run.status.phase.is_some_and(Phase::completed) {
        return Pass::Done(collect(&run, now));
    }
    measure::begin(controller, store, now, run)
}

/// A finished run is deleted when its time to live is over, but only if something makes the controller look.
fn collect(run: &Run, now: Moment) -> Reconciled {
    let mut reconciled = Reconciled::nothing();
    if run.outlived(now) {
        reconciled.push(Effect::Delete { key: run.key.clone() });
    }
    reconciled
}
