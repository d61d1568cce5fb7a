//! Waiting to within a fraction of a millisecond.
//!
//! tokio's timer counts in milliseconds and rounds up, so that an answer meant for 40 ms leaves at 41 or 42. Here tokio waits until shortly
//! before the moment; the rest is left to one thread that sleeps on a condition variable, whose deadline the kernel keeps to some 50 µs, and
//! wakes the task. Spinning would be as exact and would cost a core; a thread costs two context switches per wake-up, and wakes all
//! that are due at once. Because the thread only ever holds the last few milliseconds, answers nobody waits for any more leave it at once.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

use crate::clock::{self, Moment};

/// How much of a wait is left to the thread: more than tokio is ever late on an idle machine.
const FINE: Duration = Duration::from_millis(3);

pub(super) struct Pacer {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    queue: Mutex<Queue>,
    earlier: Condvar,
}

#[derive(Default)]
struct Queue {
    due: BinaryHeap<Reverse<Entry>>,
    closed: bool,
}

struct Entry {
    at: Moment,
    waker: Waker,
}

impl Pacer {
    pub(super) fn start() -> io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let seen = Arc::clone(&shared);
        thread::Builder::new().name("pacer".to_owned()).spawn(move || seen.serve())?;
        Ok(Self { shared })
    }

    /// Comes back at that moment, or at once if it has passed.
    pub(super) async fn until(&self, at: Moment) {
        let left = at.saturating_duration_since(clock::now());
        if left > FINE {
            tokio::time::sleep(left - FINE).await;
        }
        Fine { at, shared: &self.shared, registered: None }.await;
    }
}

impl Drop for Pacer {
    fn drop(&mut self) {
        self.shared.lock().closed = true;
        self.shared.earlier.notify_one();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, entry: Entry) {
        let mut queue = self.lock();
        let earlier = queue.due.peek().is_none_or(|Reverse(first)| entry.at < first.at);
        queue.due.push(Reverse(entry));
        drop(queue);
        if earlier {
            self.earlier.notify_one();
        }
    }

    /// The thread: wakes what is due, sleeps until the next is.
    fn serve(&self) {
        let mut queue = self.lock();
        while !queue.closed {
            let now = clock::now();
            let next = queue.due.peek().map(|Reverse(first)| first.at);
            queue = match next {
                Some(at) if at <= now => {
                    let due = queue.take_due(now);
                    drop(queue);
                    due.into_iter().for_each(Waker::wake);
                    self.lock()
                }
                Some(at) => {
                    self.earlier.wait_timeout(queue, at - now).unwrap_or_else(PoisonError::into_inner).0
                }
                None => self.earlier.wait(queue).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }
}

impl Queue {
    fn take_due(&mut self, now: Moment) -> Vec<Waker> {
        let mut due = Vec::new();
        while self.due.peek().is_some_and(|Reverse(first)| first.at <= now) {
            due.extend(self.due.pop().map(|Reverse(entry)| entry.waker));
        }
        due
    }
}

/// The last milliseconds of a wait.
struct Fine<'a> {
    at: Moment,
    shared: &'a Shared,
    registered: Option<Waker>,
}

impl Future for Fine<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if clock::now() >= self.at {
            return Poll::Ready(());
        }
        // A connection polls its answer whenever bytes arrive; once is enough.
        let waker = context.waker();
        if !self.registered.as_ref().is_some_and(|known| known.will_wake(waker)) {
            self.registered = Some(waker.clone());
            self.shared.push(Entry { at: self.at, waker: waker.clone() });
        }
        Poll::Pending
    }
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.at == other.at
    }
}

impl Eq for Entry {}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Entry {
    fn cmp(&self, other: &Self) -> Ordering {
        self.at.cmp(&other.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_never_comes_back_early() {
        let pacer = Pacer::start().unwrap();
        for micros in [0, 1, 900, 2_500, 3_500, 7_000] {
            let at = clock::now() + Duration::from_micros(micros);
            pacer.until(at).await;
            assert!(clock::now() >= at);
        }
    }

    #[tokio::test]
    async fn an_earlier_moment_overtakes_a_later_one() {
        let pacer = Arc::new(Pacer::start().unwrap());
        let start = clock::now();
        let order = Arc::new(Mutex::new(Vec::new()));
        let mut tasks = tokio::task::JoinSet::new();
        for millis in [2_u64, 1] {
            let (pacer, order) = (Arc::clone(&pacer), Arc::clone(&order));
            tasks.spawn(async move {
                Fine {
                    at: start + Duration::from_millis(millis * 20),
                    shared: &pacer.shared,
                    registered: None,
                }
                .await;
                order.lock().unwrap().push(millis);
            });
        }
        tasks.join_all().await;
        assert_eq!(*order.lock().unwrap(), [1, 2]);
    }
}
