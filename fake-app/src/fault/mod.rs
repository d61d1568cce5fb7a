//! What a server suffers, as data and as one pure function.
//!
//! ```text
//! Fault (as written) ── prepare ──► Prepared ── outcome(age, nth, request, draw) ──► Outcome
//!                                       └────── health(age) ──────────────────────► Health
//! ```
//!
//! A [`Fault`] is what people write. [`Fault::check`] finds what makes no sense in it, [`Fault::prepare`] turns it into tables, and
//! [`Prepared`] answers for every request what becomes of it. Nothing here reads a clock, draws a random number or keeps state: whoever
//! asks says how old the fault is, which request this is, and brings one random `u64`. The server and any simulation therefore serve
//! the same thing.
//!
//! Not here, and so not in the grammar: connection resets, hanging and dripping responses, processor and memory burn.

mod check;
mod cohort;
mod draw;
mod errors;
mod latency;
mod lifecycle;
mod normal;
mod prepared;
mod quantiles;

use serde::{Deserialize, Serialize};

pub use check::Problem;
pub use cohort::{Cohort, HeaderMatch, Headers, Request};
pub use draw::Draw;
pub use errors::Errors;
pub use latency::{Distribution, Latency};
pub use lifecycle::{Crash, Health, Liveness, Onset, Readiness};
pub use prepared::{Outcome, Prepared};
pub use quantiles::Quantiles;

use crate::duration::GoDuration;

/// What is wrong with a server, and from when.
///
/// Every key is optional; an empty fault is a healthy server. Ages count from the moment the fault is in force, which is the start of the
/// process unless the fault was changed while it ran.
///
/// Example:
///
/// ```yaml
/// errors: {rate: 8%, status: 503}
/// latency: {p50: 40ms, p95: 120ms}
/// onset: {after: 30s}
/// ramp: 60s
/// ```
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Fault {
    /// Requests that are answered with an error. Example: `errors: {rate: 8%, status: 503}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub errors: Option<Errors>,

    /// How long answers take, in place of the healthy latency. Example: `latency: {p50: 40ms, p95: 120ms, p99: 300ms}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latency: Option<Latency>,

    /// When errors and latency begin; until then requests are answered as by a healthy server. Example: `onset: {after: 30s}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub onset: Option<Onset>,

    /// How long errors and latency take to grow from nothing to what was asked, in a straight line from the onset. The error rate is
    /// scaled; every percentile of the latency moves from its healthy value to the asked one. Example: `ramp: 60s`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ramp: Option<GoDuration>,

    /// When the server calls itself ready. Without it, at once and for good. Example: `readiness: {after: 20s}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub readiness: Option<Readiness>,

    /// When the server stops calling itself alive. It goes on answering other requests. Example: `liveness: {fail-after: 60s}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub liveness: Option<Liveness>,

    /// When the process ends by itself, dropping what is in flight. Example: `crash: {after: 45s, exit-code: 1}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub crash: Option<Crash>,
}

impl Fault {
    /// Everything that makes no sense in this fault; empty when it can be served.
    #[must_use]
    pub fn check(&self) -> Vec<Problem> {
        check::fault(self)
    }

    /// Turns the fault into tables, to be asked often. `healthy` is the latency of a server without a fault.
    ///
    /// # Errors
    ///
    /// What [`Fault::check`] finds in the fault, and what [`Latency::check`] finds in the healthy latency, under `base-latency`.
    pub fn prepare(&self, healthy: &Latency) -> Result<Prepared, Vec<Problem>> {
        let mut problems = self.check();
        problems.extend(healthy.check("base-latency"));
        if healthy.cohort.is_some() {
            problems.push(Problem::new(
                "base-latency.cohort",
                "the healthy latency is everybody's",
                "remove `cohort`",
            ));
        }
        if problems.is_empty() { Ok(Prepared::new(self, healthy)) } else { Err(problems) }
    }
}

#[cfg(test)]
mod tests;
