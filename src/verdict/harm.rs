//! What the client suffered, and whether it was more than a scenario allows.
//!
//! A slow answer is harm, whoever is to blame. But an agent whose requests leave late is short of processor time, and gets
//! its answers as late as it sends its requests: what was slow then may have been fast. Such answers are in doubt, and
//! never help anybody. They count where little harm is allowed and not where a fault has to show, and a limit that only
//! they break is neither held nor broken.

use std::collections::BTreeMap;
use std::time::Duration;

use super::State;
use super::judge::{percent, seconds, share};
use crate::plan::criteria::{HarmLimits, Limit};
use crate::timeline::{Instant, Second, Tally};

/// An agent that is this late, in seconds, is short of processor time.
const STARVED: f64 = 0.1;

/// What the client suffered since the release was applied.
#[derive(Debug, Clone, Default)]
pub struct Harm {
    /// The last harmed response, from whichever revision.
    pub last: Option<Instant>,
    /// Until when traffic has been told.
    pub told_until: Option<Instant>,
    /// Until when anybody was answered well.
    pub served_until: Option<Instant>,
    /// Until when the new revision answered anything.
    pub new_answered_until: Option<Instant>,
    /// All requests since the release was applied.
    pub all: Count,
    /// Those that the new revisions answered.
    pub new: Count,
    /// By revision, the empty name for "nobody answered".
    pub by: BTreeMap<String, Count>,
    /// The largest share of one second's requests that a new revision answered.
    pub exposed: f64,
    /// The longest unbroken run of harmed requests.
    pub longest_run: u64,
    /// How late the latest request left in the second before, and in the worst of all.
    late: (f64, f64),
}

/// Requests, and what became of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Count {
    /// Sent.
    pub sent: u64,
    /// Of those: harmed.
    pub harmed: u64,
    /// Of those: answered later than promised, or not before the client gave up.
    pub late: u64,
    /// Of those: late while the agent was late itself.
    pub doubtful: u64,
}

impl Count {
    fn add(&mut self, tally: &Tally, starved: bool) {
        self.sent += tally.sent;
        self.harmed += tally.harmed;
        self.late += tally.slow + tally.timed_out;
        // Who waited until he gave up waited longer than any lateness of his own.
        self.doubtful += if starved { tally.slow } else { 0 };
    }

    /// Whether some answers were late beyond doubt.
    #[must_use]
    pub fn was_late(&self) -> bool {
        self.late > self.doubtful
    }
}

impl Harm {
    /// Takes in a second, and answers when a released revision did its first harm in it.
    pub(super) fn observe(&mut self, at: Instant, second: &Second, released: &[String]) -> Option<Instant> {
        self.told_until = Some(at);
        self.longest_run = self.longest_run.max(second.longest_run);
        // What left late in one second may be answered in the next.
        let starved = second.latest.max(self.late.0) >= STARVED;
        self.late = (second.latest, second.latest.max(self.late.1));
        let mut onset: Option<Instant> = None;
        let mut new_sent = 0;
        for (revision, tally) in &second.by {
            self.by.entry(revision.clone()).or_default().add(tally, starved);
            self.all.add(tally, starved);
            self.last = self.last.max(tally.last_harmed);
            if released.contains(revision) {
                new_sent += tally.sent;
                self.new.add(tally, starved);
                if tally.sent > 0 {
                    self.new_answered_until = Some(at);
                }
                onset =
                    tally.first_harmed.map(|first| onset.map_or(first, |onset| onset.min(first))).or(onset);
            }
        }
        let sent = second.sent();
        if sent > second.harmed() {
            self.served_until = Some(at);
        }
        self.exposed = self.exposed.max(share(new_sent, sent));
        onset
    }

    /// How a limit is kept, with what was seen. `settled` says that no more harm is to be expected.
    pub(super) fn judged(&self, limits: &HarmLimits, settled: bool, at_end: bool) -> (State, String) {
        let count = self.counted(limits);
        let mut seen = format!(
            "{} of {} requests ({})",
            count.harmed,
            count.sent,
            percent(share(count.harmed, count.sent))
        );
        if limits.longest_run.is_some() {
            seen = format!("{seen}, at most {} in a row", self.longest_run);
        }
        if limits.exposed.is_some() {
            seen = format!("{seen}, at most {} of the traffic exposed", percent(self.exposed));
        }
        if count.doubtful > 0 {
            let late = seconds(Duration::try_from_secs_f64(self.late.1).unwrap_or_default());
            let doubtful = count.doubtful;
            seen = format!("{seen}, {doubtful} of them slow while the agent itself was up to {late} late");
        }
        let state = match () {
            () if self.breaks(limits, count.doubtful, at_end) => State::Broken,
            () if !settled => {
                seen = format!("{seen}, and it is not over");
                State::Undecided
            }
            () if at_end && count.sent > 0 && !self.breaks(limits, 0, at_end) => State::Held,
            () => State::Undecided,
        };
        (state, seen)
    }

    /// Whether the agent's own trouble is why a limit is neither held nor broken.
    pub(super) fn is_in_doubt(&self, limits: &HarmLimits) -> bool {
        let doubtful = self.counted(limits).doubtful;
        self.breaks(limits, 0, true) && !self.breaks(limits, doubtful, true)
    }

    fn counted(&self, limits: &HarmLimits) -> Count {
        if limits.of_new { self.new } else { self.all }
    }

    /// Whether it is too much harm, even if so many harmed requests were none.
    fn breaks(&self, limits: &HarmLimits, without: u64, at_end: bool) -> bool {
        let count = self.counted(limits);
        let harmed = count.harmed.saturating_sub(without);
        let too_many = match limits.at_most {
            Some(Limit::Share(limit)) => at_end && share(harmed, count.sent) > limit,
            Some(Limit::Count(limit)) => harmed > limit,
            None => false,
        };
        let longest_run = self.longest_run.saturating_sub(without);
        too_many
            || limits.longest_run.is_some_and(|limit| longest_run > limit)
            || limits.exposed.is_some_and(|limit| self.exposed > limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn second(nth: u64, tally: Tally, latest: f64) -> Second {
        let from = Instant::after_start(Duration::from_secs(nth));
        Second { nth, from, by: [("v2".to_owned(), tally)].into(), latest, ..Second::default() }
    }

    fn slow(count: u64) -> Tally {
        Tally { sent: 100, harmed: count, slow: count, ..Tally::default() }
    }

    /// The harm of these seconds: what v2 answered, and how late the agent was.
    fn harm(seconds: impl IntoIterator<Item = (Tally, f64)>) -> Harm {
        let mut harm = Harm::default();
        for (nth, (tally, latest)) in (0..).zip(seconds) {
            let at = Instant::after_start(Duration::from_secs(nth + 1));
            harm.observe(at, &second(nth, tally, latest), &["v2".to_owned()]);
        }
        harm
    }

    fn at_most(limit: Limit) -> HarmLimits {
        HarmLimits { at_most: Some(limit), of_new: false, longest_run: None, exposed: None }
    }

    fn check(harm: &Harm, limit: Limit, state: State, in_doubt: bool) {
        let limits = at_most(limit);
        assert_eq!(harm.judged(&limits, true, true).0, state);
        assert_eq!(harm.is_in_doubt(&limits), in_doubt);
    }

    #[test]
    fn what_was_slow_while_the_agent_was_late_is_neither_held_nor_broken() {
        let late = harm([(slow(0), 0.0), (slow(8), 0.7), (slow(1), 0.0), (slow(0), 0.0)]);
        assert_eq!(late.all, Count { sent: 400, harmed: 9, late: 9, doubtful: 9 });
        check(&late, Limit::Count(0), State::Undecided, true);
        check(&late, Limit::Share(0.01), State::Undecided, true);
        check(&late, Limit::Count(9), State::Held, false);
    }

    #[test]
    fn what_was_slow_while_the_agent_was_on_time_is_the_servers() {
        let slow_server = harm([(slow(8), 0.09), (slow(1), 0.7)]);
        check(&slow_server, Limit::Count(0), State::Broken, false);
        check(&slow_server, Limit::Count(8), State::Undecided, true);
        check(&slow_server, Limit::Share(0.04), State::Undecided, true);
        check(&slow_server, Limit::Share(0.03), State::Broken, false);
    }

    #[test]
    fn errors_are_errors_however_late_the_agent_is() {
        let errors = Tally { sent: 100, harmed: 5, errors: [(503, 5)].into(), ..Tally::default() };
        check(&harm([(errors, 2.0)]), Limit::Count(0), State::Broken, false);
    }

    #[test]
    fn a_run_in_a_row_may_have_been_broken_by_what_is_in_doubt() {
        let mut starved = harm([(slow(30), 0.7)]);
        starved.longest_run = 40;
        let limits =
            |most| HarmLimits { at_most: None, of_new: true, longest_run: Some(most), exposed: None };
        assert_eq!(starved.judged(&limits(20), true, true).0, State::Undecided);
        assert_eq!(starved.judged(&limits(9), true, true).0, State::Broken);
    }
}
