//! The client: an open-loop load, drawn in one tight loop whenever something looks.
//!
//! Between two changes of routing, readiness or fault, requests are independent of each other, so they are not events
//! of the kernel: [`Client::catch_up`] draws all of them up to a moment. The kernel calls it before anything they
//! depend on changes, and before anyone reads what they left behind (a scrape, a report).

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;
use std::time::Duration;

use fake_app::fault::{Draw, Request};
use rand::Rng;
use rand_xoshiro::Xoshiro256PlusPlus;

use super::pods::Kubelet;
use super::routing::{Incoming, Mirror, Routing, Split};
use super::store::{Key, Kind};
use crate::agent::book::{Book, Fate};
use crate::agent::wire::{Connections, Load, Second};
use crate::clock::{Moment, Seed};

/// The client of one load.
#[derive(Debug)]
pub(crate) struct Client {
    load: Load,
    service: Key,
    headers: Vec<(String, String)>,
    rng: Xoshiro256PlusPlus,
    began: Moment,
    interval: Duration,
    sent: u64,
    kept: Vec<Option<Kept>>,
    /// How the load's router shares its requests out, and the version of the rules that this was read from.
    split: Option<(u64, Split)>,
    in_flight: BinaryHeap<Reverse<Ending>>,
    book: Book,
}

/// A connection that stays where it is: the pod, and which life of it.
#[derive(Debug, Clone)]
struct Kept {
    pod: Key,
    life: u32,
}

/// A request that will end, in order of its end.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Ending {
    at: Moment,
    nth: u64,
    what: What,
}

/// What ends: the request for its client, or its handling at the server.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum What {
    Client { revision: Arc<str>, fate: Fate, took: Duration },
    Server { pod: Key, life: u32, status: u16, exception: Option<Arc<str>>, took: Duration },
}

/// How long a refused connection takes to be noticed, and the way there and back of every answer.
const WIRE: Duration = Duration::from_micros(300);

impl Client {
    /// A client that sends its first request at `now`.
    #[must_use]
    pub(crate) fn new(load: Load, now: Moment, seed: Seed) -> Client {
        let connections = match load.connections {
            Connections::PerRequest => 0,
            Connections::Kept(count) => usize::try_from(count.max(1)).unwrap_or(1),
        };
        Client {
            service: Key::new(Kind::Service, &load.namespace, &load.service),
            headers: load.headers.iter().map(|(name, value)| (name.clone(), value.clone())).collect(),
            rng: seed.child("traffic").rng(),
            began: now,
            interval: Duration::from_secs_f64(1.0 / load.rate.max(1e-6)),
            sent: 0,
            kept: vec![None; connections],
            split: None,
            in_flight: BinaryHeap::new(),
            book: Book::new(now),
            load,
        }
    }

    /// Sends every request that is due before `now`, and ends every one that has ended by then.
    pub(crate) fn catch_up(&mut self, now: Moment, routing: &Routing, pods: &mut Kubelet) {
        self.ask_router(routing);
        loop {
            let due = self.began + self.interval.saturating_mul(u32::try_from(self.sent).unwrap_or(u32::MAX));
            let due = if self.sent > u64::from(u32::MAX) { self.far_due() } else { due };
            if due >= now {
                break;
            }
            self.end_until(due, pods);
            self.send(due, routing, pods);
        }
        self.end_until(now, pods);
        self.book.close_until(now);
    }

    /// Whole seconds from number `from` on; those before it are forgotten.
    pub(crate) fn report(&mut self, from: u64) -> Vec<Second> {
        self.book.forget(from);
        self.book.report(from)
    }

    /// When a request is due whose number no longer fits the short arithmetic.
    fn far_due(&self) -> Moment {
        #[expect(
            clippy::cast_precision_loss,
            reason = "more than 4 billion requests: a microsecond off is fine"
        )]
        let offset = self.interval.as_secs_f64() * self.sent as f64;
        self.began + Duration::from_secs_f64(offset)
    }

    fn send(&mut self, at: Moment, routing: &Routing, pods: &mut Kubelet) {
        let nth = self.sent;
        self.sent += 1;
        let luck = Draw(self.rng.next_u64());
        // No endpoint and no process behind one look the same to a client: refused.
        let reached = match self.split.is_some() {
            true => self.routed(at, nth, pods),
            false => self.connect(nth, routing, pods),
        };
        let reached = reached.and_then(|pod| pods.process_mut(&pod).map(|process| (pod, process)));
        let Some((pod, process)) = reached else {
            self.finish(at + WIRE, nth, Arc::from(""), self.nobody(), WIRE);
            return;
        };
        let request = Request { path: &self.load.path, headers: &self.headers };
        let outcome = process.serve(at, &request, luck);
        let (status, took) = (outcome.status, outcome.latency + WIRE);
        let exception = outcome.exception.map(Arc::from);
        let (life, revision) = (process.life(), Arc::clone(process.revision()));
        let fate = Fate::of(status, took, &self.load);
        let handled = What::Server { pod, life, status, exception, took: took - WIRE };
        self.in_flight.push(Reverse(Ending { at: at + (took - WIRE), nth, what: handled }));
        let waited = took.min(self.load.timeout);
        self.finish(at + waited, nth, revision, fate, waited);
    }

    fn finish(&mut self, at: Moment, nth: u64, revision: Arc<str>, fate: Fate, took: Duration) {
        self.in_flight.push(Reverse(Ending { at, nth, what: What::Client { revision, fate, took } }));
    }

    /// The pod this request reaches, by a new connection or by a kept one whose pod still lives.
    fn connect(&mut self, nth: u64, routing: &Routing, pods: &Kubelet) -> Option<Key> {
        if self.kept.is_empty() {
            return pick(routing.endpoints(&self.service), &mut self.rng);
        }
        let slot = usize::try_from(nth % self.kept.len() as u64).unwrap_or(0);
        if let Some(kept) = &self.kept[slot]
            && pods
                .process(&kept.pod)
                .is_some_and(|process| process.life() == kept.life && !process.draining())
        {
            return Some(kept.pod.clone());
        }
        let pod = pick(routing.endpoints(&self.service), &mut self.rng)?;
        self.kept[slot] = pods.process(&pod).map(|process| Kept { pod: pod.clone(), life: process.life() });
        Some(pod)
    }

    /// Reads the router's rules again if they have changed.
    fn ask_router(&mut self, routing: &Routing) {
        let Some(router) = &self.load.router else { return };
        if self.split.as_ref().is_some_and(|(version, _)| *version == routing.version()) {
            return;
        }
        let request = Incoming { method: &self.load.method, path: &self.load.path, headers: &self.headers };
        let split = routing.split(&self.service, router, &request);
        self.split = Some((routing.version(), split));
    }

    /// The pod that the router sends this request to. A router draws for each request, whatever connection it came on,
    /// and keeps its own connections to all pods.
    fn routed(&mut self, at: Moment, nth: u64, pods: &mut Kubelet) -> Option<Key> {
        let (version, split) = self.split.take()?;
        for mirror in &split.mirrors {
            self.copy(at, nth, mirror, pods);
        }
        let pod = pick(split.pods(self.rng.next_u64()), &mut self.rng);
        self.split = Some((version, split));
        pod
    }

    /// Sends a copy of a request to a mirror: it is handled there, and its answer is thrown away.
    fn copy(&mut self, at: Moment, nth: u64, mirror: &Mirror, pods: &mut Kubelet) {
        #[expect(clippy::cast_precision_loss, reason = "53 bits of a draw are a fraction")]
        let drawn = (self.rng.next_u64() >> 11) as f64 / (1_u64 << 53) as f64;
        if drawn * 100.0 >= mirror.percent {
            return;
        }
        let Some(pod) = pick(&mirror.pods, &mut self.rng) else { return };
        let luck = Draw(self.rng.next_u64());
        let Some(process) = pods.process_mut(&pod) else { return };
        let outcome = process.serve(at, &Request { path: &self.load.path, headers: &self.headers }, luck);
        let (status, took) = (outcome.status, outcome.latency);
        let exception = outcome.exception.map(Arc::from);
        let life = process.life();
        let handled = What::Server { pod, life, status, exception, took };
        self.in_flight.push(Reverse(Ending { at: at + took, nth, what: handled }));
    }

    /// What becomes of a request that no pod gets: a router has an answer of its own.
    fn nobody(&self) -> Fate {
        self.split.as_ref().map_or(Fate::Refused, |(_, split)| Fate::Error(split.otherwise))
    }

    fn end_until(&mut self, now: Moment, pods: &mut Kubelet) {
        while self.in_flight.peek().is_some_and(|Reverse(ending)| ending.at <= now) {
            let Some(Reverse(ending)) = self.in_flight.pop() else { break };
            match ending.what {
                What::Client { revision, fate, took } => self.book.enter(ending.at, &revision, fate, took),
                What::Server { pod, life, status, exception, took } => {
                    if let Some(process) = pods.process_mut(&pod).filter(|process| process.life() == life) {
                        process.record(
                            ending.at,
                            &self.load.method,
                            &self.load.path,
                            status,
                            exception.as_deref(),
                            took,
                        );
                    }
                }
            }
        }
    }
}

fn pick(endpoints: &[Key], rng: &mut Xoshiro256PlusPlus) -> Option<Key> {
    if endpoints.is_empty() {
        return None;
    }
    let index = rng.next_u64() % endpoints.len() as u64;
    endpoints.get(usize::try_from(index).unwrap_or(0)).cloned()
}
