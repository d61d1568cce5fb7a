//! When requests are due: an absolute schedule, so that nothing that happens can shift it.

use std::time::Duration;

/// A constant rate, from zero on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Schedule {
    rate: f64,
}

impl Schedule {
    /// So many requests per second; the rate is above zero.
    pub(super) fn new(rate: f64) -> Schedule {
        Schedule { rate }
    }

    /// When a request is due, after the beginning.
    #[expect(clippy::cast_precision_loss, reason = "below 2^53 requests, and that many take 2000 years")]
    pub(super) fn due(self, nth: u64) -> Duration {
        // A schedule of one request in a thousand years is none that anybody waits for.
        Duration::try_from_secs_f64(nth as f64 / self.rate).unwrap_or(Duration::MAX)
    }

    /// How many requests are due by then.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "neither negative nor that large"
    )]
    pub(super) fn due_by(self, elapsed: Duration) -> u64 {
        // The product may be off by one in its last digit; `due` has the word.
        let mut count = (elapsed.as_secs_f64() * self.rate) as u64;
        while self.due(count) <= elapsed {
            count += 1;
        }
        while count > 0 && self.due(count - 1) > elapsed {
            count -= 1;
        }
        count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_request_is_due_at_once_and_then_one_per_interval() {
        let schedule = Schedule::new(50.0);
        assert_eq!(schedule.due_by(Duration::ZERO), 1);
        assert_eq!(schedule.due_by(Duration::from_millis(19)), 1);
        assert_eq!(schedule.due_by(Duration::from_millis(20)), 2);
        assert_eq!(schedule.due(50), Duration::from_secs(1));
    }

    #[test]
    fn a_day_later_it_has_not_drifted() {
        let schedule = Schedule::new(1000.0);
        assert_eq!(schedule.due(86_400_000), Duration::from_secs(86_400));
        assert_eq!(schedule.due_by(Duration::from_secs(86_400)), 86_400_001);
    }

    proptest::proptest! {
        #[test]
        fn what_is_due_is_exactly_what_the_schedule_says(rate in 0.001_f64..100_000.0, millis in 0_u64..10_000_000) {
            let (schedule, elapsed) = (Schedule::new(rate), Duration::from_millis(millis));
            let count = schedule.due_by(elapsed);
            proptest::prop_assert!(count >= 1);
            proptest::prop_assert!(schedule.due(count - 1) <= elapsed && schedule.due(count) > elapsed);
        }
    }
}
