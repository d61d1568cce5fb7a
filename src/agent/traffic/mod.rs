//! Traffic, open loop: requests leave when they are due, however the answers do.
//!
//! ```text
//! schedule ── pacer (a thread) ── how many are due ──► sender ── a task per request ──► book
//!                                                        │            │
//!                                                     a bound     target, connection or kept
//! ```
//!
//! Everything is counted from the moment a request was due, so waiting for a slow server is never left out of the
//! measure (no coordinated omission). What cannot be sent for want of our own means is told as that, and held against
//! nobody. There is one load at a time; the next replaces it.

mod kept;
mod pacer;
mod schedule;
mod target;

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::{Request, header};
use http_body_util::Empty;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, timeout_at};

use self::kept::Kept;
use self::pacer::Pacer;
use self::schedule::Schedule;
pub use self::target::Names;
use self::target::Target;
use super::book::{Book, Fate};
use super::connection::{Connection, Failure};
use super::wire::{Connections, Load, Second};
use crate::cluster::Clock;

/// How many seconds are kept for those who ask.
const KEPT_SECONDS: u64 = 6 * 3600;

/// A load that is being sent. Dropping it ends it, and every request under way.
pub(super) struct Traffic {
    line: Arc<Line>,
    sender: JoinHandle<()>,
    _pacer: Pacer,
}

/// What every request of a load needs.
struct Line {
    request: Request<()>,
    load: Load,
    schedule: Schedule,
    target: Target,
    kept: Option<Kept>,
    clock: Clock,
    began: Instant,
    most: usize,
    book: Mutex<Book>,
}

impl Traffic {
    /// Sends a load from now on, with at most so many requests under way.
    pub(super) fn start(load: Load, names: Names, clock: Clock, most: usize) -> io::Result<Traffic> {
        tracing::info!(service = %load.service, namespace = %load.namespace, rate = load.rate, "a load begins");
        let target = Target::new(&load, names);
        let request = request(&load, &target.authority).map_err(io::Error::other)?;
        let line = Arc::new(Line {
            request,
            schedule: Schedule::new(load.rate),
            target,
            kept: match load.connections {
                Connections::PerRequest => None,
                Connections::Kept(count) => Some(Kept::new(count)),
            },
            began: Instant::now(),
            most: bound(&load).min(most),
            book: Mutex::new(Book::new(clock.now())),
            clock,
            load,
        });
        let (tell, due) = unbounded_channel();
        let pacer = Pacer::start(line.schedule, line.began, tell)?;
        let sender = tokio::spawn(send(Arc::clone(&line), due));
        Ok(Traffic { line, sender, _pacer: pacer })
    }

    /// Whole seconds from number `from` on.
    pub(super) fn report(&self, from: u64) -> Vec<Second> {
        let mut book = self.line.book();
        book.close_until(self.line.clock.now());
        book.keep(KEPT_SECONDS);
        book.report(from)
    }
}

impl Drop for Traffic {
    fn drop(&mut self) {
        self.sender.abort();
    }
}

/// Every request of a load, as it goes over the wire.
fn request(load: &Load, authority: &str) -> http::Result<Request<()>> {
    let mut request = Request::builder().method(load.method.as_str()).uri(load.path.as_str());
    if !load.headers.keys().any(|name| name.eq_ignore_ascii_case("host")) {
        request = request.header(header::HOST, authority);
    }
    for (name, value) in &load.headers {
        request = request.header(name, value);
    }
    if load.connections == Connections::PerRequest {
        request = request.header(header::CONNECTION, "close");
    }
    request.body(())
}

/// How many requests can be under way when none is answered, with some to spare.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast that saturates is right")]
fn bound(load: &Load) -> usize {
    (load.rate * load.timeout.as_secs_f64() * 1.25) as usize + 16
}

/// Sends what is due, for as long as the pacer tells.
async fn send(line: Arc<Line>, mut due: UnboundedReceiver<u64>) {
    let mut under_way = JoinSet::new();
    let mut sent = 0;
    while let Some(count) = due.recv().await {
        while under_way.try_join_next().is_some() {}
        for nth in sent..count {
            if under_way.len() < line.most {
                under_way.spawn(one(Arc::clone(&line), nth));
            } else {
                line.hold_back();
            }
        }
        sent = count;
    }
}

/// One request, from the moment it is due to its place in the book.
async fn one(line: Arc<Line>, nth: u64) {
    let due = line.began + line.schedule.due(nth);
    let lateness = due.elapsed();
    if lateness >= line.load.timeout {
        // It would be given up on before it left: that is our delay, not the server's.
        return line.hold_back();
    }
    line.book().leave(line.clock.now(), lateness);
    let mut revision = String::new();
    let outcome = timeout_at(due + line.load.timeout, line.ask(nth, &mut revision)).await;
    let took = due.elapsed();
    let fate = match outcome {
        Err(_) => Fate::TimedOut,
        Ok(Ok(status)) => Fate::of(status, took, &line.load),
        Ok(Err(Failure::Refused)) => Fate::Refused,
        Ok(Err(Failure::Reset | Failure::Stale)) => Fate::Reset,
        Ok(Err(Failure::Destitute(error))) => {
            tracing::debug!(%error, "a request could not leave");
            return line.hold_back();
        }
    };
    line.book().enter(line.clock.now(), &revision, fate, took);
}

impl Line {
    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn hold_back(&self) {
        self.book().hold_back(self.clock.now());
    }

    fn request(&self) -> Request<Empty<Bytes>> {
        self.request.clone().map(|()| Empty::new())
    }

    async fn ask(&self, nth: u64, revision: &mut String) -> Result<u16, Failure> {
        match &self.kept {
            None => self.connect(nth).await?.exchange(self.request(), revision).await,
            Some(kept) => self.ask_kept(kept, nth, revision).await,
        }
    }

    /// On a kept connection. One that was closed while nobody used it is replaced, as every client does; once is
    /// enough, since a new one was not closed before.
    async fn ask_kept(&self, kept: &Kept, nth: u64, revision: &mut String) -> Result<u16, Failure> {
        let mut place = kept.place().await;
        if let Some(mut connection) = place.connection.take()
            && connection.is_usable().await
        {
            match connection.exchange(self.request(), revision).await {
                Err(Failure::Stale) => {}
                outcome => {
                    place.connection = outcome.is_ok().then_some(connection);
                    return outcome;
                }
            }
        }
        let mut connection = self.connect(nth).await?;
        let outcome = connection.exchange(self.request(), revision).await;
        place.connection = outcome.is_ok().then_some(connection);
        outcome
    }

    async fn connect(&self, nth: u64) -> Result<Connection, Failure> {
        let address = self.target.address(nth).await.ok_or(Failure::Refused)?;
        Connection::open(address).await
    }
}
