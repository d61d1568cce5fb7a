//! What the client saw, second by second and revision by revision.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::event::Instant;

/// One second of traffic, as the client that sent it tells it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Second {
    /// Its number, from zero: a report that is missing is a gap in the evidence.
    pub nth: u64,
    /// When it began.
    pub from: Instant,
    /// Requests by the revision that answered; the empty name stands for "nobody answered".
    pub by: BTreeMap<String, Tally>,
    /// The longest unbroken run of harmed requests since the traffic began.
    pub longest_run: u64,
    /// Requests that left later than intended by more than a millisecond: the harness's own trouble.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub late: u64,
    /// How late the latest of them left, in seconds.
    #[serde(default, skip_serializing_if = "is_nought")]
    pub latest: f64,
}

/// Requests that one revision answered within one second.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Tally {
    /// Requests sent.
    pub sent: u64,
    /// Of them, those that broke the user's promise: error status, refused, timed out, or slower than the SLO.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub harmed: u64,
    /// Responses with an error status, by status.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub errors: BTreeMap<u16, u64>,
    /// Connections refused, reset or never made.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub refused: u64,
    /// Requests the client gave up on.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub timed_out: u64,
    /// Good answers that came later than the SLO.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub slow: u64,
    /// When the first harmed request of this second ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_harmed: Option<Instant>,
    /// When the last harmed request of this second ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_harmed: Option<Instant>,
    /// How long answers took, timeouts at their limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency: Option<Latency>,
}

/// Percentiles of one second, in seconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Latency {
    /// Half of the answers were faster.
    pub p50: f64,
    /// 95 of 100 answers were faster.
    pub p95: f64,
    /// 99 of 100 answers were faster.
    pub p99: f64,
    /// The slowest answer.
    pub max: f64,
}

fn is_zero(count: &u64) -> bool {
    *count == 0
}

fn is_nought(seconds: &f64) -> bool {
    *seconds == 0.0
}

impl Second {
    /// All requests of this second.
    #[must_use]
    pub fn sent(&self) -> u64 {
        self.by.values().map(|tally| tally.sent).sum()
    }

    /// All harmed requests of this second.
    #[must_use]
    pub fn harmed(&self) -> u64 {
        self.by.values().map(|tally| tally.harmed).sum()
    }
}
