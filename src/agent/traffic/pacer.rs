//! Telling when requests are due, to within a fraction of a millisecond.
//!
//! tokio's timer counts in milliseconds and would be late by one for every request. One thread sleeps on a condition
//! variable instead, whose deadline the kernel keeps to some 50 µs, and tells the sender how many requests are due. It
//! always compares with the schedule, never with its last round, so that a round that comes late loses nothing.

use std::io;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use tokio::sync::mpsc::UnboundedSender;
use tokio::time::Instant;

use super::schedule::Schedule;

/// At high rates one round serves several requests, each late by at most this.
const ROUND: Duration = Duration::from_micros(400);
/// Nobody waits longer than this in one go: a condition variable cannot wait for ever.
const LONGEST: Duration = Duration::from_secs(3600);

/// The thread of one load; dropping it ends it.
pub(super) struct Pacer(Arc<Bell>);

#[derive(Default)]
struct Bell {
    over: Mutex<bool>,
    rings: Condvar,
}

impl Pacer {
    /// Tells how many requests are due since `began`, whenever more are.
    pub(super) fn start(schedule: Schedule, began: Instant, due: UnboundedSender<u64>) -> io::Result<Pacer> {
        let bell = Arc::new(Bell::default());
        let heard = Arc::clone(&bell);
        thread::Builder::new().name("pacer".to_owned()).spawn(move || heard.serve(schedule, began, &due))?;
        Ok(Pacer(bell))
    }
}

impl Drop for Pacer {
    fn drop(&mut self) {
        *self.0.over.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.0.rings.notify_one();
    }
}

impl Bell {
    fn serve(&self, schedule: Schedule, began: Instant, due: &UnboundedSender<u64>) {
        let mut told = 0;
        let mut over = self.over.lock().unwrap_or_else(PoisonError::into_inner);
        while !*over {
            let elapsed = began.elapsed();
            let count = schedule.due_by(elapsed);
            if count > told && due.send(count).is_err() {
                return;
            }
            told = count;
            let wait = schedule.due(told).saturating_sub(elapsed).clamp(ROUND, LONGEST);
            over = self.rings.wait_timeout(over, wait).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc::unbounded_channel;

    use super::*;

    #[tokio::test]
    async fn every_request_is_told_and_none_before_its_time() {
        let (send, mut due) = unbounded_channel();
        let began = Instant::now();
        let schedule = Schedule::new(1000.0);
        let pacer = Pacer::start(schedule, began, send).unwrap();
        let mut told = 0;
        while told < 50 {
            let count = due.recv().await.unwrap();
            assert!(count > told && began.elapsed() >= schedule.due(count - 1));
            told = count;
        }
        drop(pacer);
        // The thread lets go of its end, however slow the next request would have been.
        while due.recv().await.is_some() {}
    }
}
