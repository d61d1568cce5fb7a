//! How busy the recorded machine was: the time from one write of the controller to its next, in bursts.
//!
//! On a quiet machine a controller that has several things to write does so every 7 to 15 ms; the recordings were made
//! on two cores that did other work as well, some of them with gaps of half a second. That is input, like the pods'
//! starts; what the controller decides then is not.

use serde_json::Value;

use super::sight::text;

/// Gaps longer than this are waits, not work.
const WAIT: f64 = 1.0;
/// The usual gap between two writes on the twin, in seconds.
const USUAL: f64 = 0.012;
/// Writes this far away, in seconds, tell how busy it is now.
const AROUND: f64 = 1.5;

/// The load over time.
#[derive(Debug)]
pub(super) struct Load {
    /// When a write followed another, and after how long.
    gaps: Vec<(f64, f64)>,
    /// How much of it is put down to the controller: what is left may have been the recorder's.
    share: f64,
}

impl Load {
    pub(super) fn read(observed: &[Value], throw: u64) -> Load {
        let share = [1.0, 0.3, 0.6][usize::try_from(throw % 3).unwrap_or(0)];
        let written = observed.iter().filter(|line| writes(line));
        let mut times: Vec<f64> = written.filter_map(|line| line["t"].as_f64()).collect();
        times.sort_by(f64::total_cmp);
        let gaps = times.windows(2).map(|pair| (pair[1], pair[1] - pair[0]));
        Load { gaps: gaps.filter(|(_, gap)| *gap < WAIT).collect(), share }
    }

    /// How many times the usual a step takes at a moment: the median of the gaps around it.
    pub(super) fn at(&self, t: f64) -> f64 {
        let near = self.gaps.iter().filter(|(at, _)| (at - t).abs() < AROUND);
        let mut near: Vec<f64> = near.map(|(_, gap)| *gap).collect();
        near.sort_by(f64::total_cmp);
        near.get(near.len() / 2).map_or(1.0, |median| (self.share * median / USUAL).clamp(0.5, 20.0))
    }
}

/// Whether a line is something that the rollouts controller wrote.
fn writes(line: &Value) -> bool {
    matches!(text(&line["kind"]), "Rollout" | "Service" | "AnalysisRun" | "Event")
}
