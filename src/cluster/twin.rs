//! A twin behind the wire, moved by tokio's clock.
//!
//! The kernel never runs ahead of the clock the engine lives by, and a write that arrives at t finds the world at t:
//! every request first lets the kernel catch up. Between requests one task sleeps until the kernel's next event; on a
//! paused clock that is how virtual time jumps.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use http::{Method, StatusCode};
use serde::Serialize;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use super::embedded::{Host, ProxyRequest, Reply, World};
use super::{Clock, Cluster};
use crate::agent::ask::{self, Ask};
use crate::agent::wire::{self, Observed};
use crate::clock::Moment;
use crate::engine::agent::Agent;
use crate::twin::store::Store;
use crate::twin::{Settings, Twin};

/// An open twin. Dropping it ends its clock.
pub struct Opened {
    cluster: Cluster,
    driver: JoinHandle<()>,
}

impl Opened {
    /// The handles the engine works with.
    #[must_use]
    pub fn cluster(&self) -> &Cluster {
        &self.cluster
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

/// Opens a twin within the current tokio runtime.
#[must_use]
pub fn open_twin(settings: Settings) -> Opened {
    let clock = Clock::starting_at(settings.epoch);
    let version = settings.version;
    let (world, driver) = start(Twin::new(settings), clock);
    let client = kube::Client::new(world.router(), "default");
    let versions = BTreeMap::from([
        ("firedrill".to_owned(), env!("CARGO_PKG_VERSION").to_owned()),
        ("argo-rollouts (imitated)".to_owned(), version.name().to_owned()),
    ]);
    let cluster = Cluster { agent: Agent::new(client.clone()), client, clock, world: "twin", versions };
    Opened { cluster, driver }
}

/// Puts a twin behind the wire and sets its clock going.
pub(super) fn start(twin: Twin, clock: Clock) -> (World<Kernel>, JoinHandle<()>) {
    let sooner = Arc::new(Notify::new());
    let world = World::new(Kernel { twin, clock, sooner: Arc::clone(&sooner) });
    let driver = tokio::spawn(drive(world.clone(), clock, sooner));
    (world, driver)
}

/// Sleeps until the kernel's next event, again and again. A write can put one before it, and then says so.
async fn drive(world: World<Kernel>, clock: Clock, sooner: Arc<Notify>) {
    loop {
        let next = world.act(|kernel| {
            kernel.catch_up();
            kernel.twin.next()
        });
        tokio::select! {
            biased;
            () = sooner.notified() => {}
            () = sleep_until(next, clock) => {}
        }
    }
}

async fn sleep_until(next: Option<Moment>, clock: Clock) {
    match next {
        Some(moment) => tokio::time::sleep_until(clock.instant(moment)).await,
        None => std::future::pending().await,
    }
}

/// The twin, told the time by tokio's clock.
pub(super) struct Kernel {
    twin: Twin,
    clock: Clock,
    sooner: Arc<Notify>,
}

impl Kernel {
    fn catch_up(&mut self) {
        self.twin.advance(self.clock.now());
    }

    /// The agent's side of [`wire`], played by the kernel.
    fn agent(&mut self, request: &ProxyRequest) -> Reply {
        match ask::read(&request.method, &request.path, &request.query, &request.body) {
            Ok(Ask::Load(load)) => self.done(|twin| twin.start_load(*load)),
            Ok(Ask::Stop) => self.done(Twin::stop_load),
            Ok(Ask::Knock(knock)) => self.done(|twin| twin.knock(&knock)),
            Ok(Ask::Receivers(manners)) => self.done(|twin| twin.treat(manners)),
            Ok(Ask::Observed { seconds, inbox }) => {
                let inbox = usize::try_from(inbox).unwrap_or(usize::MAX);
                json(&self.twin.observed(seconds, inbox))
            }
            Ok(Ask::Clock) => json(&Observed { now: self.twin.now().unix_nanos(), ..Observed::default() }),
            Err((status, sentence)) => text(status, sentence),
        }
    }

    /// Prometheus' instant query, under the name `prometheus` in any namespace: there is one, whatever it is called.
    fn prometheus(&mut self, request: &ProxyRequest) -> Reply {
        let given = if request.method == Method::POST { &request.body[..] } else { request.query.as_bytes() };
        let pairs = form(given);
        let value = |name: &str| pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
        let at = value("time").and_then(|time| time.parse::<f64>().ok());
        let at =
            at.map_or_else(|| self.twin.now(), |seconds| Moment::from_unix_nanos((seconds * 1e9) as i64));
        match (request.path.as_str(), value("query")) {
            ("/api/v1/query", Some(query)) => json(&self.twin.query(query, at)),
            ("/api/v1/query", None) => text(StatusCode::BAD_REQUEST, "a query has a `query`".to_owned()),
            _ => text(StatusCode::NOT_FOUND, "Prometheus knows /api/v1/query here".to_owned()),
        }
    }

    /// Forgets what the agent saw more than an hour ago, for a world that nobody reports on.
    pub(super) fn forget(&mut self, founded: Moment) {
        self.catch_up();
        let seconds = self.twin.now().since(founded).as_secs();
        drop(self.twin.observed(seconds.saturating_sub(3600), 0));
    }

    fn done(&mut self, act: impl FnOnce(&mut Twin)) -> Reply {
        act(&mut self.twin);
        self.sooner.notify_one();
        text(StatusCode::NO_CONTENT, String::new())
    }
}

impl Host for Kernel {
    fn now(&self) -> Moment {
        self.clock.now()
    }

    fn store(&self) -> &Store {
        self.twin.store()
    }

    fn store_mut(&mut self) -> &mut Store {
        self.catch_up();
        self.twin.store_mut()
    }

    fn settle(&mut self) {
        self.twin.settle();
        self.sooner.notify_one();
    }

    fn proxy(&mut self, request: ProxyRequest) -> Option<Reply> {
        self.catch_up();
        if request.service == "prometheus" {
            return Some(self.prometheus(&request));
        }
        let is_agent = request.namespace == wire::NAMESPACE && request.service == wire::SERVICE;
        is_agent.then(|| self.agent(&request))
    }
}

/// The pairs of a form or of a query string; none when it is neither.
fn form(text: &[u8]) -> Vec<(String, String)> {
    let uri = std::str::from_utf8(text).ok().and_then(|text| format!("/?{text}").parse::<http::Uri>().ok());
    let pairs = uri.and_then(|uri| axum::extract::Query::<Vec<(String, String)>>::try_from_uri(&uri).ok());
    pairs.map(|pairs| pairs.0).unwrap_or_default()
}

fn json(value: &impl Serialize) -> Reply {
    let body = serde_json::to_vec(value).expect("the agent's words are plain data");
    Reply { status: StatusCode::OK, content_type: "application/json".to_owned(), body: Bytes::from(body) }
}

fn text(status: StatusCode, text: String) -> Reply {
    Reply { status, content_type: "text/plain".to_owned(), body: Bytes::from(text) }
}
