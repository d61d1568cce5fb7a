//! How busy the recorded machine was: the time from one write of the controller to its next, in bursts.
//!
//! On a quiet machine a controller that has several things to write does so every 7 to 15 ms; the recordings were made
//! on two cores that did other work as well, some of them with gaps of half a second. That is input, like the pods'
//! starts; what the controller decides then is not.

use serde_json::Value;

use super::sight::text;

/// Gaps longer than this are waits, not work.
const WAIT: f64 = 2.0;
/// The usual gap between two writes on the twin, in seconds.
const USUAL: f64 = 0.012;
/// Writes this far away, in seconds, tell how busy it is now.
const AROUND: f64 = 1.5;

/// What throws try.
const SHARES: [(f64, f64); 6] = [(1.0, 0.3), (1.0, 1.0), (0.3, 0.3), (0.6, 0.6), (0.3, 1.0), (1.0, 0.1)];

/// The load over time.
#[derive(Debug)]
pub(super) struct Load {
    /// When a write followed another, and after how long.
    gaps: Vec<(f64, f64)>,
    /// How much of it is put down to the rollouts controller, and how much to kube-controller-manager; what is left
    /// may have been the recorder's.
    shares: (f64, f64),
}

impl Load {
    pub(super) fn read(observed: &[Value], throw: u64) -> Load {
        let shares = SHARES[usize::try_from(throw).unwrap_or(0) % SHARES.len()];
        let written = observed.iter().filter(|line| writes(line));
        let mut times: Vec<f64> = written.filter_map(|line| line["t"].as_f64()).collect();
        times.sort_by(f64::total_cmp);
        let gaps = times.windows(2).map(|pair| (pair[1], pair[1] - pair[0]));
        Load { gaps: gaps.filter(|(_, gap)| *gap < WAIT).collect(), shares }
    }

    /// How many times the usual a step of the two controllers takes at a moment: the median of the gaps around it.
    pub(super) fn at(&self, t: f64) -> (f64, f64) {
        let near = self.gaps.iter().filter(|(at, _)| (at - t).abs() < AROUND);
        let mut near: Vec<f64> = near.map(|(_, gap)| *gap).collect();
        near.sort_by(f64::total_cmp);
        let median = near.get(near.len() / 2).copied().unwrap_or(USUAL);
        let load = |share: f64| (share * median / USUAL).clamp(0.5, 60.0);
        (load(self.shares.0), load(self.shares.1))
    }
}

/// Whether a line is something that the rollouts controller wrote.
fn writes(line: &Value) -> bool {
    matches!(text(&line["kind"]), "Rollout" | "Service" | "AnalysisRun" | "Event")
}
