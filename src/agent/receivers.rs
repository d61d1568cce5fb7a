//! The notification receivers, and the inbox where what reached them is kept.
//!
//! A receiver is known by the address the policy's services were pointed at. It answers at once and well unless the
//! scenario says otherwise. Both worlds use it: the twin plays deliveries against it in virtual time, the agent's
//! [`super::sink`] answers real ones by it. It knows no clock and no socket; it is told when somebody calls.

use std::collections::BTreeMap;
use std::time::Duration;

use super::wire::Arrival;
pub use super::wire::Manner;
use crate::clock::Moment;

/// All receivers of a world.
#[derive(Debug, Default)]
pub struct Receivers {
    turns: Vec<Turn>,
    inbox: Vec<Arrival>,
}

/// From a moment on, a receiver has a manner. Deliveries are tried again over seconds, so what comes is known ahead.
#[derive(Debug)]
struct Turn {
    service: String,
    from: Option<Moment>,
    manner: Option<Manner>,
}

/// How a receiver that is well answers.
const WELL: u16 = 200;

impl Receivers {
    /// Receivers with these manners, by notification service; all others are well.
    #[must_use]
    pub fn new(manners: Vec<(String, Manner)>) -> Receivers {
        let always = |(service, manner)| Turn { service, from: None, manner: Some(manner) };
        Receivers { turns: manners.into_iter().map(always).collect(), inbox: vec![] }
    }

    /// From `from` on, the receiver behind this service treats its callers so; `None` means well.
    pub fn turn(&mut self, service: &str, from: Moment, manner: Option<Manner>) {
        self.turns.push(Turn { service: service.to_owned(), from: Some(from), manner });
    }

    /// From `from` on, receivers have these manners and no others.
    pub fn treat(&mut self, manners: BTreeMap<String, Manner>, from: Moment) {
        self.turns.clear();
        manners.into_iter().for_each(|(service, manner)| self.turn(&service, from, Some(manner)));
    }

    /// What a call at `at` comes to: the status, 0 when there is none, and how long it takes if that is not the usual.
    pub fn meet(&mut self, service: &str, at: Moment) -> (u16, Option<Duration>) {
        let of = |turn: &&mut Turn| turn.service == service && turn.from.is_none_or(|from| from <= at);
        let turn = self.turns.iter_mut().filter(of).max_by_key(|turn| turn.from);
        match turn.and_then(|turn| turn.manner.as_mut()) {
            Some(Manner::Answers(status, took)) => (*status, Some(*took)),
            // Nobody listens: the refusal comes back at once.
            Some(Manner::Refuses) => (0, Some(Duration::from_millis(1))),
            Some(Manner::Falters(status, times)) if *times > 0 => {
                *times -= 1;
                (*status, None)
            }
            Some(Manner::Falters(..)) | None => (WELL, None),
        }
    }

    /// Keeps what arrived.
    pub fn keep(&mut self, arrival: Arrival) {
        let place = self.inbox.partition_point(|other| other.at <= arrival.at);
        self.inbox.insert(place, arrival);
    }

    /// What has arrived by `now`, from number `from` on.
    #[must_use]
    pub fn read(&self, from: usize, now: Moment) -> Vec<Arrival> {
        self.inbox.iter().skip(from).filter(|arrival| arrival.at <= now.unix_nanos()).cloned().collect()
    }
}
