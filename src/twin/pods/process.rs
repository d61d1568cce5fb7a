//! A running server: its fault, its age, and what it counts.

use std::time::Duration;

use fake_app::fault::{Draw, Health, Outcome, Prepared, Request};
use fake_app::metrics::{Labels, Registry};
use fake_app::profile::{Key as Series, Profile, Recorder};

use super::PodSettings;
use super::spec::PodSpec;
use crate::clock::Moment;

/// How long a server goes on answering after SIGTERM, so that whoever still has its address is served.
pub(super) const DRAIN: Duration = Duration::from_secs(2);

/// What every process exports.
#[derive(Debug, Clone, Default)]
pub struct Exports {
    /// Under which names.
    pub profiles: Vec<Profile>,
    /// Who the server is, for meshes and proxies that say so.
    pub identity: Labels,
}

/// A server that runs.
#[derive(Debug)]
pub struct Process {
    started: Moment,
    life: u32,
    revision: std::sync::Arc<str>,
    fault: Prepared,
    requests: u64,
    recorder: Recorder,
    draining: bool,
}

impl Process {
    /// Starts a server; `None` when it refuses its configuration, as the real one does.
    pub(super) fn start(now: Moment, life: u32, spec: &PodSpec, settings: &PodSettings) -> Option<Process> {
        let fault = spec.fault.as_ref()?.prepare(&settings.healthy).ok()?;
        let recorder = Recorder::new(&settings.exports.profiles, &settings.exports.identity).ok()?;
        let revision = spec.revision.as_str().into();
        Some(Process { started: now, life, revision, fault, requests: 0, recorder, draining: false })
    }

    /// Which start of its container this is.
    #[must_use]
    pub fn life(&self) -> u32 {
        self.life
    }

    /// The revision it answers as.
    #[must_use]
    pub fn revision(&self) -> &std::sync::Arc<str> {
        &self.revision
    }

    /// Whether it was told to end: it answers, and closes its connections.
    #[must_use]
    pub fn draining(&self) -> bool {
        self.draining
    }

    pub(super) fn drain(&mut self) {
        self.draining = true;
    }

    /// What becomes of a request that arrives now.
    pub fn serve(&mut self, now: Moment, request: &Request<'_>, luck: Draw) -> Outcome<'_> {
        let nth = self.requests;
        self.requests += 1;
        self.fault.outcome(now.since(self.started), nth, request, luck)
    }

    /// A request has been answered: it shows in the metrics.
    pub fn record(
        &mut self,
        now: Moment,
        method: &str,
        path: &str,
        status: u16,
        exception: Option<&str>,
        took: Duration,
    ) {
        let path = path.split('?').next().unwrap_or(path);
        let track = self.recorder.track(Series { method, path, status, exception });
        self.recorder.record(track, now.since(self.started), took, 1);
    }

    /// How it feels.
    #[must_use]
    pub fn health(&self, now: Moment) -> Health {
        let health = self.fault.health(now.since(self.started));
        Health { ready: health.ready && !self.draining, ..health }
    }

    /// When it ends by itself, if it does.
    #[must_use]
    pub fn crash_after(&self) -> Option<Duration> {
        self.fault.crash_after()
    }

    /// What a scrape would read, and the age of who tells it.
    #[must_use]
    pub fn metrics(&self, now: Moment) -> (&Registry, Duration) {
        (self.recorder.registry(), now.since(self.started))
    }
}
