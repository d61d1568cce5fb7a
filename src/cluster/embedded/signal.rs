//! Tells all watches that there is something new, in the order in which they began to wait.
//!
//! `tokio::sync::watch` would do, but it wakes its receivers in an order drawn by chance, and then two runs of one
//! seed tell the facts of one millisecond in different orders.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use tokio::sync::Notify;

/// The newest resource version, and who waits for the next.
#[derive(Debug, Default)]
pub(super) struct Signal {
    version: AtomicU64,
    over: AtomicBool,
    waiting: Notify,
}

/// One who waits.
#[derive(Debug)]
pub(super) struct Listener {
    signal: Arc<Signal>,
    seen: u64,
}

impl Signal {
    pub(super) fn new(version: u64) -> Arc<Signal> {
        Arc::new(Signal { version: AtomicU64::new(version), ..Signal::default() })
    }

    /// There is a version: wakes everybody who waits, unless it is known.
    pub(super) fn tell(&self, version: u64) {
        if self.version.swap(version, Ordering::AcqRel) != version {
            self.waiting.notify_waiters();
        }
    }

    /// There will be no more.
    pub(super) fn end(&self) {
        self.over.store(true, Ordering::Release);
        self.waiting.notify_waiters();
    }

    pub(super) fn listen(self: &Arc<Signal>) -> Listener {
        Listener { seen: self.version.load(Ordering::Acquire), signal: Arc::clone(self) }
    }
}

impl Listener {
    /// Everything up to now has been looked at.
    pub(super) fn catch_up(&mut self) {
        self.seen = self.signal.version.load(Ordering::Acquire);
    }

    /// Waits for something new. Answers whether more can come.
    pub(super) async fn changed(&mut self) -> bool {
        loop {
            let notified = self.signal.waiting.notified();
            tokio::pin!(notified);
            // Enrolled before looking, so that what is told in between is not missed.
            notified.as_mut().enable();
            if self.signal.over.load(Ordering::Acquire) {
                return false;
            }
            if self.signal.version.load(Ordering::Acquire) != self.seen {
                return true;
            }
            notified.await;
        }
    }
}
