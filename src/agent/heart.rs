//! The heartbeat: an agent whose run has gone does not go on without it.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// When somebody was last heard of.
#[derive(Debug)]
pub(super) struct Heart {
    last: Mutex<Instant>,
    patience: Duration,
}

impl Heart {
    /// Somebody was heard of just now.
    pub(super) fn new(patience: Duration) -> Heart {
        Heart { last: Mutex::new(Instant::now()), patience }
    }

    /// And again.
    pub(super) fn beat(&self) {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    /// Comes back when nobody has been heard of for too long.
    pub(super) async fn lost(&self) {
        loop {
            let last = *self.last.lock().unwrap_or_else(PoisonError::into_inner);
            if last.elapsed() >= self.patience {
                return;
            }
            sleep_until(last + self.patience).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::sleep;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn it_is_lost_after_the_last_beat_and_not_after_the_first() {
        let began = Instant::now();
        let heart = Heart::new(Duration::from_secs(60));
        let beats = async {
            for _ in 0..3 {
                sleep(Duration::from_secs(50)).await;
                heart.beat();
            }
        };
        tokio::join!(beats, async {
            heart.lost().await;
            assert_eq!(began.elapsed().as_secs(), 210);
        });
    }
}
