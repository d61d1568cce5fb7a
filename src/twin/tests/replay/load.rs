//! How busy the recorded machine was: the time from one write of the controller to its next, in bursts.
//!
//! On a quiet machine a controller that has several things to write does so every 7 to 15 ms; the recordings were made
//! on two cores that did other work as well, some of them with gaps of half a second. That is input, like the pods'
//! starts; what the controller decides then is not.

use std::ops::Range;

use serde_json::Value;

use super::sight::text;

/// Gaps longer than this are waits, not work.
const WAIT: f64 = 2.0;
/// The usual gap between two writes on the twin, in seconds.
const USUAL: f64 = 0.012;
/// Writes this far away, in seconds, tell how busy it is now.
const AROUND: f64 = 1.5;
/// How many of the last gaps tell it when there are none around.
const FEW: usize = 5;

/// How busy each is, as a multiple of the usual.
#[derive(Debug, Clone, Copy)]
pub(super) struct Busy {
    /// The rollouts controller.
    pub(super) argo: f64,
    /// kube-controller-manager.
    pub(super) kube: f64,
    /// What brings news and answers.
    pub(super) watch: f64,
}

const fn shares(argo: f64, kube: f64, watch: f64) -> Busy {
    Busy { argo, kube, watch }
}

/// What throws try: how much of the load is put down to each; what is left may have been the recorder's.
const SHARES: [Busy; 12] = [
    shares(1.0, 0.3, 0.0),
    shares(1.0, 1.0, 0.0),
    shares(0.3, 0.3, 0.0),
    shares(0.6, 0.6, 0.0),
    shares(0.3, 1.0, 0.0),
    shares(1.0, 0.1, 0.0),
    shares(0.6, 0.3, 0.3),
    shares(0.6, 0.6, 1.0),
    shares(0.3, 0.3, 0.6),
    shares(0.3, 0.6, 0.3),
    shares(0.6, 0.3, 0.6),
    shares(0.3, 0.1, 1.0),
];

/// The load over time.
#[derive(Debug)]
pub(super) struct Load {
    /// When a write followed another, and after how long.
    gaps: Vec<(f64, f64)>,
    shares: Busy,
    /// The last answer, and the gaps that it comes from.
    last: Option<(Range<usize>, Busy)>,
}

impl Load {
    /// How a throw reads these gaps.
    pub(super) fn of(gaps: &[(f64, f64)], throw: u64) -> Load {
        let shares = SHARES[usize::try_from(throw).unwrap_or(0) % SHARES.len()];
        Load { gaps: gaps.to_vec(), shares, last: None }
    }

    /// How busy they are at a moment: by the median of the gaps around it, or
    /// before it when nothing was written.
    pub(super) fn at(&mut self, t: f64) -> Busy {
        let from = self.gaps.partition_point(|(at, _)| *at <= t - AROUND);
        let to = self.gaps.partition_point(|(at, _)| *at < t + AROUND);
        let near = if from < to { from..to } else { from.saturating_sub(FEW)..from };
        if let Some((of, busy)) = &self.last
            && *of == near
        {
            return *busy;
        }
        let busy = self.by(&self.gaps[near.clone()]);
        self.last = Some((near, busy));
        busy
    }

    fn by(&self, gaps: &[(f64, f64)]) -> Busy {
        let mut near: Vec<f64> = gaps.iter().map(|(_, gap)| *gap).collect();
        near.sort_by(f64::total_cmp);
        let median = near.get(near.len() / 2).copied().unwrap_or(USUAL);
        let load = |share: f64| (share * median / USUAL).clamp(0.5, 60.0);
        let Busy { argo, kube, watch } = self.shares;
        Busy { argo: load(argo), kube: load(kube), watch: load(watch).max(1.0) }
    }
}

/// When a write of the controller followed another, and after how long.
pub(super) fn gaps(observed: &[Value]) -> Vec<(f64, f64)> {
    let written = observed.iter().filter(|line| writes(line));
    let mut times: Vec<f64> = written.filter_map(|line| line["t"].as_f64()).collect();
    times.sort_by(f64::total_cmp);
    let gaps = times.windows(2).map(|pair| (pair[1], pair[1] - pair[0]));
    gaps.filter(|(_, gap)| *gap < WAIT).collect()
}

/// Whether a line is something that the rollouts controller wrote.
fn writes(line: &Value) -> bool {
    matches!(text(&line["kind"]), "Rollout" | "Service" | "AnalysisRun" | "Event")
}
