//! The run's clock: tokio's for how long, one anchored moment for what the wall says.
//!
//! On the twin tokio's clock is paused and moves only when everybody waits, so the same arithmetic gives virtual time. A
//! twin that is served lives by the real clock, or by one that runs a whole number of times faster.

use std::num::NonZeroU32;

use tokio::time::Instant;

use crate::clock::Moment;

/// A clock that starts at an anchor and runs as tokio's does, or faster.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    anchor: Moment,
    since: Instant,
    speed: NonZeroU32,
}

impl Clock {
    /// A clock that shows `anchor` now.
    #[must_use]
    pub fn starting_at(anchor: Moment) -> Clock {
        Clock { anchor, since: Instant::now(), speed: NonZeroU32::MIN }
    }

    /// The same clock, so many times faster.
    #[must_use]
    pub fn faster(self, speed: NonZeroU32) -> Clock {
        Clock { speed, ..self }
    }

    /// What it shows.
    #[must_use]
    pub fn now(&self) -> Moment {
        self.anchor + self.since.elapsed().saturating_mul(self.speed.get())
    }

    /// When tokio's clock will show what this one shows at `moment`.
    #[must_use]
    pub fn instant(&self, moment: Moment) -> Instant {
        self.since + moment.since(self.anchor) / self.speed.get()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_faster_clock_shows_more_and_comes_sooner() {
        let clock = Clock::starting_at(Moment::VIRTUAL_EPOCH).faster(NonZeroU32::new(10).expect("not zero"));
        let minute = Moment::VIRTUAL_EPOCH + Duration::from_secs(60);
        assert_eq!(clock.instant(minute) - Instant::now(), Duration::from_secs(6));
        tokio::time::advance(Duration::from_secs(6)).await;
        assert_eq!(clock.now(), minute);
    }
}
