//! What all requests share: the fault in force, the metrics, the luck.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use axum::http::HeaderValue;
use tokio::sync::watch;

use super::pacer::Pacer;
use super::{Config, StartError};
use crate::clock::{self, Moment};
use crate::fault::{Draw, Fault, Health, Prepared, Problem};
use crate::profile::{Key, Recorder};

pub(super) struct State {
    pub(super) config: Config,
    pub(super) revision: HeaderValue,
    pub(super) pacer: Pacer,
    started: Moment,
    active: RwLock<Arc<Active>>,
    /// Told whenever the fault changes, for whoever waits for the crash.
    changed: watch::Sender<()>,
    recorder: Mutex<Recorder>,
    seed: u64,
    drawn: AtomicU64,
    stopping: AtomicBool,
}

/// A fault in force.
pub(super) struct Active {
    pub(super) fault: Fault,
    pub(super) prepared: Prepared,
    since: Moment,
    served: AtomicU64,
}

impl State {
    pub(super) fn new(config: Config) -> Result<Self, StartError> {
        let prepared = config.fault.prepare(&config.base_latency).map_err(StartError::Problems)?;
        let recorder = Recorder::new(&config.profiles, &config.identity).map_err(StartError::Problems)?;
        let revision = HeaderValue::from_str(&config.revision).map_err(|_| {
            StartError::Problems(vec![Problem::new(
                "revision",
                "it does not fit into a header",
                "use visible ASCII",
            )])
        })?;
        let active = Active::new(config.fault.clone(), prepared);
        Ok(Self {
            revision,
            pacer: Pacer::start().map_err(StartError::Pacer)?,
            started: active.since,
            active: RwLock::new(Arc::new(active)),
            changed: watch::Sender::new(()),
            recorder: Mutex::new(recorder),
            seed: config.seed.unwrap_or_else(clock::entropy),
            drawn: AtomicU64::new(0),
            stopping: AtomicBool::new(false),
            config,
        })
    }

    /// The fault in force.
    pub(super) fn active(&self) -> Arc<Active> {
        Arc::clone(&self.active.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts another fault in force, with an age of zero.
    pub(super) fn replace(&self, fault: Fault) -> Result<(), Vec<Problem>> {
        let prepared = fault.prepare(&self.config.base_latency)?;
        *self.active.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(Active::new(fault, prepared));
        self.changed.send_replace(());
        Ok(())
    }

    pub(super) fn changes(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    /// The luck of the next request.
    pub(super) fn draw(&self) -> Draw {
        Draw::nth(self.seed, self.drawn.fetch_add(1, Ordering::Relaxed))
    }

    pub(super) fn count(&self, key: Key<'_>, latency: Duration) {
        let age = self.age();
        let mut recorder = self.recorder();
        let track = recorder.track(key);
        recorder.record(track, age, latency, 1);
    }

    pub(super) fn metrics(&self) -> String {
        self.recorder().registry().write_text(self.age())
    }

    /// What the server says of itself: what the fault says, and that it wants no more traffic once it is stopping.
    pub(super) fn health(&self) -> Health {
        let active = self.active();
        let health = active.prepared.health(active.age());
        Health { ready: health.ready && !self.is_stopping(), ..health }
    }

    pub(super) fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }

    fn recorder(&self) -> MutexGuard<'_, Recorder> {
        self.recorder.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The age of the process, which is that of the metrics.
    fn age(&self) -> Duration {
        clock::now().duration_since(self.started)
    }
}

impl Active {
    fn new(fault: Fault, prepared: Prepared) -> Self {
        Self { fault, prepared, since: clock::now(), served: AtomicU64::new(0) }
    }

    pub(super) fn age(&self) -> Duration {
        clock::now().duration_since(self.since)
    }

    /// The moment of the crash, and the code it leaves.
    pub(super) fn crash(&self) -> Option<(Moment, u8)> {
        let after = self.prepared.crash_after()?;
        Some((self.since.checked_add(after)?, self.prepared.health(after).crashed?))
    }

    /// The number of the next request, from zero.
    pub(super) fn next(&self) -> u64 {
        self.served.fetch_add(1, Ordering::Relaxed)
    }
}
