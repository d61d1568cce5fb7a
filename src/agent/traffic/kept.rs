//! Connections that are kept: a fixed number, used in turn, each by one request at a time.
//!
//! A request that finds all of them busy waits, and the waiting counts: it is what a user of such a client feels. A
//! connection that a request was given up on is closed, as HTTP/1.1 has no other way, and the next request opens it
//! anew, wherever the Service points by then.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::{Semaphore, SemaphorePermit};

use crate::agent::connection::Connection;

/// More than this no load keeps.
const MOST: usize = 10_000;

/// All kept connections of a load.
pub(super) struct Kept {
    idle: Mutex<VecDeque<Option<Connection>>>,
    free: Semaphore,
}

/// A place for one connection, for as long as a request needs it.
pub(super) struct Place<'a> {
    kept: &'a Kept,
    /// The connection that is returned, if it is still good.
    pub(super) connection: Option<Connection>,
    // Dropped after the connection is back, so that whoever comes next finds it.
    _permit: SemaphorePermit<'a>,
}

impl Kept {
    pub(super) fn new(count: u32) -> Kept {
        let count = usize::try_from(count).unwrap_or(MOST).clamp(1, MOST);
        Kept { idle: Mutex::new((0..count).map(|_| None).collect()), free: Semaphore::new(count) }
    }

    /// Waits for a place; whoever came first is first. Places are taken in turn, so that all of them are used.
    pub(super) async fn place(&self) -> Place<'_> {
        let permit = self.free.acquire().await.expect("the semaphore is never closed");
        Place { kept: self, connection: self.idle().pop_front().flatten(), _permit: permit }
    }

    fn idle(&self) -> MutexGuard<'_, VecDeque<Option<Connection>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let connection = self.connection.take();
        self.kept.idle().push_back(connection);
    }
}
