//! When: the onset of harm, readiness, liveness and the end of the process.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::duration::GoDuration;

/// When errors and latency begin.
///
/// Example: `onset: {after: 30s}`, `onset: {after-requests: 500}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Onset {
    /// At this age. Example: `after: 30s`.
    After(GoDuration),
    /// After this many requests that were answered in health, counted per process. Example: `after-requests: 500`.
    AfterRequests(u64),
}

/// When the server calls itself ready.
///
/// Example: `readiness: never`, `readiness: {after: 20s}`, `readiness: {unready-after: 60s}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Readiness {
    /// Never. Example: `readiness: never`.
    Never,
    /// From this age on, as after a slow start. Example: `after: 20s`.
    After(GoDuration),
    /// Until this age, and not again. Example: `unready-after: 60s`.
    UnreadyAfter(GoDuration),
}

/// When the server stops calling itself alive.
///
/// Example: `liveness: {fail-after: 60s}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Liveness {
    /// At this age. Example: `fail-after: 60s`.
    FailAfter(GoDuration),
}

/// When the process ends by itself.
///
/// Example: `crash: {after: 45s, exit-code: 1}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Crash {
    /// At this age. Example: `after: 45s`.
    pub after: GoDuration,
    /// The code the process leaves with, 0 to 255; 1 unless said otherwise. Example: `exit-code: 137`.
    #[serde(default = "default_exit_code")]
    pub exit_code: u8,
}

const fn default_exit_code() -> u8 {
    1
}

/// What a server says of itself at some age.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Health {
    /// It wants traffic.
    pub ready: bool,
    /// It need not be restarted.
    pub live: bool,
    /// It is gone, and left this exit code.
    pub crashed: Option<u8>,
}

impl Onset {
    /// How long the harm has lasted, or nothing while there is none. After a number of requests it has lasted "for ever", since nobody
    /// noted when the last of them came; that is why such an onset has no ramp.
    pub(super) fn elapsed(self, age: Duration, nth: u64) -> Option<Duration> {
        match self {
            Self::After(start) => age.checked_sub(start.0),
            Self::AfterRequests(count) => (nth >= count).then_some(Duration::MAX),
        }
    }

    /// The age at which it comes, if that is known beforehand.
    pub(super) fn age(self) -> Option<Duration> {
        match self {
            Self::After(start) => Some(start.0),
            Self::AfterRequests(_) => None,
        }
    }
}

impl Readiness {
    pub(super) fn at(self, age: Duration) -> bool {
        match self {
            Self::Never => false,
            Self::After(start) => age >= start.0,
            Self::UnreadyAfter(end) => age < end.0,
        }
    }

    pub(super) fn turn(self) -> Option<Duration> {
        match self {
            Self::Never => None,
            Self::After(turn) | Self::UnreadyAfter(turn) => Some(turn.0),
        }
    }
}

impl Liveness {
    pub(super) fn turn(self) -> Duration {
        let Self::FailAfter(turn) = self;
        turn.0
    }
}
