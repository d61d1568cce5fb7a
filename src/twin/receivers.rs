//! The notification receivers, and the inbox where what reached them is kept.
//!
//! A receiver is known by the address the policy's services were pointed at. It answers at once and well unless the
//! scenario says otherwise. Neighbours: `notifications` decides what is sent and how often it is tried again.

use std::time::Duration;

use crate::agent::wire::Arrival;
use crate::clock::Moment;

/// How a receiver treats its callers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// Answers with this status after so long.
    Answers(u16, Duration),
    /// Refuses the connection.
    Refuses,
}

/// All receivers of the emulated cluster.
#[derive(Debug, Default)]
pub struct Receivers {
    manners: Vec<(String, Manner)>,
    inbox: Vec<Arrival>,
}

impl Receivers {
    /// Receivers with these manners, by notification service; all others are well.
    #[must_use]
    pub fn new(manners: Vec<(String, Manner)>) -> Receivers {
        Receivers { manners, inbox: vec![] }
    }

    /// What a call to this service meets, `None` when it is well.
    #[must_use]
    pub fn manner(&self, service: &str) -> Option<Manner> {
        self.manners.iter().find(|(name, _)| name == service).map(|(_, manner)| *manner)
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
