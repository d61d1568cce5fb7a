//! Whether the API server can be seen, and for how long it could not.
//!
//! It is out of sight from the first request or watch that fails until requests have gone well for a while: watches that
//! were cut off do not say when they are back, but they try again within a second.

use std::time::Duration;

use crate::timeline::Instant;

/// So long without trouble, and every watch is back.
const QUIET: Duration = Duration::from_secs(2);
/// Blindness shorter than this hides nothing that a window measures.
pub(super) const BLINK: Duration = Duration::from_secs(1);
/// How long an API server may be away before the world is broken.
const SERVER: Duration = Duration::from_secs(90);
/// How long an agent may be silent while the API server is there: nobody brings a dead one back.
const AGENT: Duration = Duration::from_secs(20);

/// What is known of the API server and the agent.
#[derive(Debug, Default)]
pub(super) struct Sight {
    lost: Option<Instant>,
    last: Instant,
    /// Whether a watch failed, too: then it is not only the agent.
    server: bool,
}

impl Sight {
    /// A watch failed.
    pub(super) fn watch_failed(&mut self, now: Instant) {
        self.server = true;
        self.failed(now);
    }

    /// A request failed. Answers whether it is time to give up.
    pub(super) fn request_failed(&mut self, now: Instant) -> bool {
        self.failed(now);
        let patience = if self.server { SERVER } else { AGENT };
        self.lost.is_some_and(|lost| now.since(lost) >= patience)
    }

    fn failed(&mut self, now: Instant) {
        self.lost.get_or_insert(now);
        self.last = now;
    }

    /// Whether somebody is waited for who does not answer: it is not the time then to say that something never came. A
    /// watch that never comes back is not waited for without end.
    pub(super) fn is_lost(&self, now: Instant) -> bool {
        self.lost.is_some_and(|lost| now.since(lost) < SERVER)
    }

    /// A request went well. Answers how long nothing was seen, when that is over.
    pub(super) fn went_well(&mut self, now: Instant) -> Option<Duration> {
        if now.since(self.last) < QUIET { None } else { self.ended() }
    }

    /// Nobody looks any more. Answers how long nothing was seen, if that had not been said yet.
    pub(super) fn ended(&mut self) -> Option<Duration> {
        let blind = self.last.since(self.lost.take()?);
        let server = std::mem::take(&mut self.server);
        (server && blind >= BLINK).then_some(blind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Instant {
        Instant::after_start(Duration::from_secs(seconds))
    }

    #[test]
    fn it_is_out_of_sight_from_the_first_failure_to_the_last() {
        let mut sight = Sight::default();
        assert_eq!(sight.went_well(at(1)), None);
        sight.watch_failed(at(10));
        assert!(sight.is_lost(at(10)));
        assert!(!sight.request_failed(at(25)) && !sight.request_failed(at(40)));
        assert_eq!(sight.went_well(at(41)), None, "watches may still be on their way back");
        assert_eq!(sight.went_well(at(42)), Some(Duration::from_secs(30)));
        assert_eq!(sight.went_well(at(43)), None, "it is said once");
    }

    #[test]
    fn a_run_that_ends_before_the_watches_are_quiet_was_blind_all_the_same() {
        let mut sight = Sight::default();
        sight.watch_failed(at(10));
        sight.watch_failed(at(40));
        assert_eq!(sight.went_well(at(41)), None);
        assert_eq!(sight.ended(), Some(Duration::from_secs(30)));
        assert_eq!(sight.ended(), None, "it is said once");
    }

    #[test]
    fn a_watch_that_never_comes_back_is_not_waited_for_without_end() {
        let mut sight = Sight::default();
        (0..200).for_each(|second| sight.watch_failed(at(second)));
        assert!(sight.is_lost(at(89)) && !sight.is_lost(at(90)));
        assert_eq!(sight.ended(), Some(Duration::from_secs(199)));
    }

    #[test]
    fn a_blink_is_not_worth_a_word() {
        let mut sight = Sight::default();
        sight.watch_failed(at(10));
        assert_eq!(sight.went_well(at(12)), None);
        assert_eq!(sight.went_well(at(13)), None);
    }

    #[test]
    fn an_agent_is_given_up_sooner_than_an_api_server() {
        let mut alone = Sight::default();
        assert!(
            !alone.request_failed(at(0)) && !alone.request_failed(at(19)) && alone.request_failed(at(20))
        );
        let mut both = Sight::default();
        both.watch_failed(at(0));
        assert!(!both.request_failed(at(89)) && both.request_failed(at(90)));
    }

    #[test]
    fn an_agent_that_was_silent_for_a_while_hid_nothing() {
        let mut sight = Sight::default();
        sight.request_failed(at(0));
        sight.request_failed(at(15));
        assert_eq!(sight.went_well(at(20)), None);
    }
}
