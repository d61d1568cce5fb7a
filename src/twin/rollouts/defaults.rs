//! What a Rollout means when it does not say (utils/defaults/defaults.go v1.9.1).

use std::time::Duration;

use super::context::Context;
use crate::argo::rollout::Rollout;

/// `revisionHistoryLimit`.
pub(super) fn revision_history_limit(rollout: &Rollout) -> i32 {
    rollout.spec.revision_history_limit.unwrap_or(10)
}

/// `progressDeadlineSeconds`.
pub(super) fn progress_deadline_seconds(rollout: &Rollout) -> i32 {
    rollout.spec.progress_deadline_seconds.unwrap_or(600)
}

/// How many successful and unsuccessful AnalysisRuns are kept.
pub(super) fn run_history_limits(rollout: &Rollout) -> (i32, i32) {
    let limits = rollout.spec.analysis.clone().unwrap_or_default();
    (limits.successful_run_history_limit.unwrap_or(5), limits.unsuccessful_run_history_limit.unwrap_or(5))
}

/// A number of seconds as a duration; a negative one has passed already.
pub(super) fn seconds(number: i32) -> Duration {
    Duration::from_secs(u64::try_from(number).unwrap_or(0))
}

impl Context<'_> {
    /// How long an old revision stays.
    pub(super) fn scale_down_delay(&self) -> Duration {
        let canary = self.canary();
        let delay = match (self.is_canary(), &canary.traffic_routing) {
            (true, None) => 0,
            (true, Some(_)) => canary.scale_down_delay_seconds.unwrap_or(30),
            (false, _) => self.bluegreen().scale_down_delay_seconds.unwrap_or(30),
        };
        seconds(delay)
    }

    /// How many old revisions may stay.
    pub(super) fn scale_down_revision_limit(&self) -> i32 {
        let limit = if self.is_canary() {
            self.canary().scale_down_delay_revision_limit
        } else {
            self.bluegreen().scale_down_delay_revision_limit
        };
        limit.unwrap_or(i32::MAX)
    }

    /// How long an aborted revision stays; `None` means for ever, which is what zero says.
    pub(super) fn abort_scale_down_delay(&self) -> Option<Duration> {
        let (green, canary) = (self.bluegreen(), self.canary());
        let wish = if self.is_canary() {
            canary.abort_scale_down_delay_seconds
        } else {
            green.abort_scale_down_delay_seconds
        };
        match wish {
            Some(0) => None,
            delay => Some(seconds(delay.unwrap_or(30))),
        }
    }
}
