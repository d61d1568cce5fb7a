//! The run's clock: tokio's for how long, one anchored moment for what the wall says.
//!
//! On the twin tokio's clock is paused and moves only when everybody waits, so the same arithmetic gives virtual time.

use tokio::time::Instant;

use crate::clock::Moment;

/// A clock that starts at an anchor and runs as tokio's does.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    anchor: Moment,
    since: Instant,
}

impl Clock {
    /// A clock that shows `anchor` now.
    #[must_use]
    pub fn starting_at(anchor: Moment) -> Clock {
        Clock { anchor, since: Instant::now() }
    }

    /// What it shows.
    #[must_use]
    pub fn now(&self) -> Moment {
        self.anchor + self.since.elapsed()
    }

    /// When tokio's clock will show what this one shows at `moment`.
    #[must_use]
    pub fn instant(&self, moment: Moment) -> Instant {
        self.since + moment.since(self.anchor)
    }
}
