//! The largest value of the last minutes, as Micrometer's `_max` gauges show it.
//!
//! Behaviour of `TimeWindowMax` in micrometer-core 1.13, as the Prometheus registry sets it up: three one-minute buffers, so that a
//! maximum is remembered for two to three minutes and then falls to the next, and to zero when there is none.

use std::time::Duration;

/// A maximum that forgets.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct WindowMax {
    // Each buffer holds the maximum since it was last cleared; the current one was cleared longest ago.
    buffers: [f64; BUFFERS],
    current: usize,
    turn: u64,
}

const BUFFERS: usize = 3;
const STEP: u64 = 60;

impl WindowMax {
    /// Notes a value seen at an age. Ages should not fall; a value from before the current turn counts as one of it.
    pub fn record(&mut self, age: Duration, value: f64) {
        self.rotate(age);
        for buffer in &mut self.buffers {
            *buffer = buffer.max(value);
        }
    }

    /// The maximum that is still remembered at an age.
    #[must_use]
    pub fn at(mut self, age: Duration) -> f64 {
        self.rotate(age);
        self.buffers[self.current]
    }

    fn rotate(&mut self, age: Duration) {
        let turn = age.as_secs() / STEP;
        let turns = turn.saturating_sub(self.turn).min(BUFFERS as u64);
        for _ in 0..turns {
            self.buffers[self.current] = 0.0;
            self.current = (self.current + 1) % BUFFERS;
        }
        self.turn = self.turn.max(turn);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn max(records: &[(u64, f64)], at: u64) -> f64 {
        let mut window = WindowMax::default();
        for (age, value) in records {
            window.record(Duration::from_secs(*age), *value);
        }
        window.at(Duration::from_secs(at))
    }

    #[test]
    fn it_is_the_largest_of_the_last_minutes() {
        assert_eq!(max(&[], 0), 0.0);
        assert_eq!(max(&[(1, 2.0), (2, 1.0)], 3), 2.0);
        assert_eq!(max(&[(1, 2.0), (70, 1.0)], 100), 2.0);
    }

    #[test]
    fn it_falls_to_the_next_and_then_to_zero() {
        assert_eq!(max(&[(1, 2.0), (70, 1.0)], 179), 2.0);
        assert_eq!(max(&[(1, 2.0), (70, 1.0)], 180), 1.0);
        assert_eq!(max(&[(1, 2.0), (70, 1.0)], 240), 0.0);
        assert_eq!(max(&[(1, 2.0)], 10_000), 0.0);
    }
}
