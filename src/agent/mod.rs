//! The agent: who sends the traffic and receives the notifications.
//!
//! On a cluster it is a pod; on the twin the kernel plays it. The engine talks to both through the API server's
//! service proxy, in the words of [`wire`]. What an agent *means* is said once, for both worlds, by the pure part:
//!
//! | | |
//! |---|---|
//! | [`wire`] | the words |
//! | [`ask`] | a request, understood |
//! | [`book`] | what became of requests, second by second |
//! | [`receivers`] | how senders of notifications are treated, and the inbox |
//!
//! The rest is the pod: `listen` and `door` let in whoever knows the run's [`secret`], `traffic` sends, `sink` and
//! `knock` receive, and `heart` ends all of it when the run has gone. It knows no Kubernetes: names and HTTP are enough.

pub(crate) mod ask;
pub(crate) mod book;
pub mod receivers;
pub mod wire;

mod connection;
mod door;
mod heart;
mod knock;
mod limits;
mod listen;
pub mod secret;
mod sink;
mod traffic;

#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::net::TcpListener;

use self::ask::Ask;
use self::door::Obeyed;
use self::heart::Heart;
use self::secret::Secret;
use self::sink::Sink;
pub use self::sink::receivers_url;
pub use self::traffic::Names;
use self::traffic::Traffic;
use self::wire::{Load, Observed};
use crate::clock::Moment;
use crate::cluster::Clock;

/// What an agent is told when it starts.
#[derive(Debug, Clone)]
pub struct Options {
    /// Who knows it commands.
    pub secret: Secret,
    /// Without a command for this long, it ends.
    pub heartbeat: Duration,
    /// Host and port by which the receivers are known.
    pub authority: String,
    /// How Services are found.
    pub names: Names,
}

/// Why an agent ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// It was told to.
    Stopped,
    /// Nobody commanded it any more.
    Alone,
}

/// An agent at work.
struct Agent {
    secret: Secret,
    /// The secret part of the receivers' addresses.
    token: String,
    authority: String,
    names: Names,
    clock: Clock,
    heart: Heart,
    most: usize,
    sink: Sink,
    traffic: Mutex<Option<Traffic>>,
}

/// Is an agent until `stop` comes, or nobody commands it any more. Then the traffic ends first.
pub async fn run(listener: TcpListener, options: Options, stop: impl Future<Output = ()>) -> Ended {
    let agent = Arc::new(Agent::new(options));
    let watched = Arc::clone(&agent);
    let end = async move {
        tokio::select! {
            biased;
            () = stop => Ended::Stopped,
            () = watched.heart.lost() => Ended::Alone,
        }
    };
    listen::accept(listener, agent, end).await
}

impl Agent {
    fn new(options: Options) -> Agent {
        let clock = Clock::starting_at(Moment::wall());
        Agent {
            token: options.secret.token(),
            secret: options.secret,
            authority: options.authority,
            names: options.names,
            clock,
            heart: Heart::new(options.heartbeat),
            most: limits::requests_under_way(),
            sink: Sink::new(clock),
            traffic: Mutex::new(None),
        }
    }

    /// Does what is asked. Nothing here waits: traffic and knocks go on by themselves.
    fn obey(self: Arc<Agent>, asked: Ask) -> Obeyed {
        match asked {
            Ask::Load(load) => return self.send(*load),
            Ask::Stop => self.quiet(),
            Ask::Knock(knock) => drop(tokio::spawn(knock::knock(self, knock))),
            Ask::Receivers(manners) => self.sink.treat(manners),
            Ask::Observed { seconds, inbox } => return tell(&self.observed(seconds, inbox)),
            Ask::Clock => return tell(&Observed { now: self.now(), ..Observed::default() }),
        }
        Obeyed::Done
    }

    fn send(&self, load: Load) -> Obeyed {
        if load.router.is_some() {
            return Obeyed::Failed("this agent cannot send through a router yet\n".to_owned());
        }
        let mut traffic = self.traffic();
        // The old one ends before the new one begins: they share the sockets.
        *traffic = None;
        match Traffic::start(load, self.names, self.clock, self.most) {
            Ok(started) => {
                *traffic = Some(started);
                Obeyed::Done
            }
            Err(error) => Obeyed::Failed(format!("the load does not start: {error}\n")),
        }
    }

    /// Ends the traffic.
    fn quiet(&self) {
        *self.traffic() = None;
    }

    fn observed(&self, seconds: u64, inbox: u64) -> Observed {
        let seconds = self.traffic().as_ref().map(|traffic| traffic.report(seconds)).unwrap_or_default();
        Observed { now: self.now(), seconds, inbox: self.sink.read(inbox) }
    }

    fn now(&self) -> i64 {
        self.clock.now().unix_nanos()
    }

    fn traffic(&self) -> MutexGuard<'_, Option<Traffic>> {
        self.traffic.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn tell(observed: &Observed) -> Obeyed {
    Obeyed::Told(serde_json::to_vec(observed).expect("the agent's words are plain data"))
}
