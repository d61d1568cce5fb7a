//! The client's book: what became of every request, told second by second.
//!
//! One book for both worlds, so that a second of the twin's traffic and a second of the agent's mean the same. It is
//! pure: whoever keeps it says when something ended. A request is entered where it ended, not where it began, and a
//! second that is over never changes.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use hdrhistogram::Histogram;

use super::wire::{Load, Second, Tally};
use crate::clock::Moment;

/// What became of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fate {
    /// Answered well and in time.
    Good,
    /// Answered well, but slower than the SLO.
    Slow,
    /// Answered with an error.
    Error(u16),
    /// Never connected.
    Refused,
    /// Connected, and cut off before the answer was complete.
    Reset,
    /// Given up on.
    TimedOut,
}

impl Fate {
    /// What an answer that took so long is to the user.
    pub(crate) fn of(status: u16, took: Duration, load: &Load) -> Fate {
        match () {
            () if took > load.timeout => Fate::TimedOut,
            () if status >= 400 => Fate::Error(status),
            () if took > load.slo => Fate::Slow,
            () => Fate::Good,
        }
    }
}

/// A request that leaves later than this after it was due is late.
const PUNCTUAL: Duration = Duration::from_millis(1);

/// The book of one load.
#[derive(Debug)]
pub(crate) struct Book {
    began: Moment,
    open: Open,
    closed: VecDeque<Second>,
    run: u64,
    longest_run: u64,
}

/// The second that is being written.
#[derive(Debug, Default)]
struct Open {
    nth: u64,
    by: BTreeMap<String, (Tally, Option<Histogram<u32>>)>,
    late: u64,
    unsent: u64,
    lateness: Option<Histogram<u32>>,
}

impl Book {
    /// A book whose first second begins at `began`.
    pub(crate) fn new(began: Moment) -> Book {
        Book { began, open: Open::default(), closed: VecDeque::new(), run: 0, longest_run: 0 }
    }

    /// A request left, so long after it was due.
    pub(crate) fn leave(&mut self, at: Moment, lateness: Duration) {
        self.close_until(at);
        self.open.late += u64::from(lateness > PUNCTUAL);
        record(self.open.lateness.get_or_insert_with(new_histogram), lateness);
    }

    /// A request was due and did not leave, for want of means of our own. It says nothing about the server.
    pub(crate) fn hold_back(&mut self, at: Moment) {
        self.close_until(at);
        self.open.unsent += 1;
    }

    /// A request ended, so long after it was due.
    pub(crate) fn enter(&mut self, at: Moment, revision: &str, fate: Fate, took: Duration) {
        self.close_until(at);
        if !self.open.by.contains_key(revision) {
            self.open.by.insert(revision.to_owned(), (Tally::default(), None));
        }
        let Some((tally, histogram)) = self.open.by.get_mut(revision) else { return };
        tally.sent += 1;
        match fate {
            Fate::Good => {}
            Fate::Slow => tally.slow += 1,
            Fate::Error(status) => *tally.errors.entry(status).or_default() += 1,
            Fate::Refused => tally.refused += 1,
            Fate::Reset => tally.reset += 1,
            Fate::TimedOut => tally.timed_out += 1,
        }
        if fate == Fate::Good {
            self.run = 0;
        } else {
            tally.harmed += 1;
            tally.first_harmed.get_or_insert(at.unix_nanos());
            tally.last_harmed = Some(at.unix_nanos());
            self.run += 1;
            self.longest_run = self.longest_run.max(self.run);
        }
        // A connection that nobody took or kept says nothing about how fast answers are.
        if !matches!(fate, Fate::Refused | Fate::Reset) {
            record(histogram.get_or_insert_with(new_histogram), took);
        }
    }

    /// Closes every second that is over.
    pub(crate) fn close_until(&mut self, now: Moment) {
        while now >= self.began + Duration::from_secs(self.open.nth + 1) {
            let next = Open { nth: self.open.nth + 1, ..Open::default() };
            let open = std::mem::replace(&mut self.open, next);
            let by = open.by.into_iter().map(|(revision, (tally, histogram))| {
                (revision, Tally { latency_micros: histogram.as_ref().map(percentiles), ..tally })
            });
            self.closed.push_back(Second {
                nth: open.nth,
                from: (self.began + Duration::from_secs(open.nth)).unix_nanos(),
                by: by.collect(),
                longest_run: self.longest_run,
                late: open.late,
                unsent: open.unsent,
                lateness_micros: open.lateness.as_ref().map(percentiles),
            });
        }
    }

    /// Whole seconds from number `from` on, as far as they are kept.
    pub(crate) fn report(&self, from: u64) -> Vec<Second> {
        self.closed.iter().filter(|second| second.nth >= from).cloned().collect()
    }

    /// Forgets the seconds before number `from`.
    pub(crate) fn forget(&mut self, from: u64) {
        while self.closed.front().is_some_and(|second| second.nth < from) {
            self.closed.pop_front();
        }
    }

    /// Forgets all but the last so many seconds.
    pub(crate) fn keep(&mut self, seconds: u64) {
        self.forget(self.open.nth.saturating_sub(seconds));
    }
}

/// Two digits, a microsecond to two minutes.
fn new_histogram() -> Histogram<u32> {
    Histogram::new_with_bounds(1, 120_000_000, 2).expect("the bounds are constants that make sense")
}

fn record(histogram: &mut Histogram<u32>, took: Duration) {
    histogram.saturating_record(u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
}

fn percentiles(histogram: &Histogram<u32>) -> [u64; 4] {
    [0.50, 0.95, 0.99, 1.0].map(|quantile| histogram.value_at_quantile(quantile))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEGAN: Moment = Moment::VIRTUAL_EPOCH;

    fn after(millis: u64) -> Moment {
        BEGAN + Duration::from_millis(millis)
    }

    fn book(entries: &[(u64, &str, Fate)]) -> Book {
        let mut book = Book::new(BEGAN);
        for (millis, revision, fate) in entries {
            book.enter(after(*millis), revision, *fate, Duration::from_millis(5));
        }
        book
    }

    #[test]
    fn a_second_is_told_when_it_is_over_and_even_if_nothing_happened() {
        let mut book = book(&[(10, "v1", Fate::Good)]);
        assert_eq!(book.report(0), []);
        book.close_until(after(3000));
        assert_eq!(book.report(0).iter().map(|second| second.nth).collect::<Vec<_>>(), [0, 1, 2]);
        assert_eq!(book.report(0)[0].by["v1"].sent, 1);
        assert!(book.report(0)[1].by.is_empty());
        assert_eq!(book.report(1)[0].from, after(1000).unix_nanos());
    }

    #[test]
    fn every_fate_has_its_column_and_all_but_one_are_harm() {
        let fates = [Fate::Good, Fate::Slow, Fate::Error(503), Fate::Refused, Fate::Reset, Fate::TimedOut];
        let mut book = book(&fates.map(|fate| (10, "v1", fate)));
        book.close_until(after(1000));
        let tally = book.report(0)[0].by["v1"].clone();
        assert_eq!((tally.sent, tally.harmed, tally.slow, tally.errors[&503]), (6, 5, 1, 1));
        assert_eq!((tally.refused, tally.reset, tally.timed_out), (1, 1, 1));
        assert_eq!(tally.first_harmed, tally.last_harmed);
    }

    #[test]
    fn the_longest_run_goes_through_seconds_and_revisions() {
        let harmed = Fate::Error(500);
        let mut book = book(&[(1, "v2", harmed), (999, "v1", harmed), (1001, "", Fate::Refused)]);
        book.enter(after(1002), "v1", Fate::Good, Duration::ZERO);
        book.enter(after(1003), "v1", harmed, Duration::ZERO);
        book.close_until(after(2000));
        assert_eq!(book.report(0).iter().map(|second| second.longest_run).collect::<Vec<_>>(), [2, 3]);
    }

    #[test]
    fn what_leaves_late_or_never_is_told() {
        let mut book = Book::new(BEGAN);
        book.leave(after(1), Duration::from_micros(900));
        book.leave(after(2), Duration::from_millis(20));
        book.hold_back(after(3));
        book.close_until(after(1000));
        let second = book.report(0).remove(0);
        assert_eq!((second.late, second.unsent), (1, 1));
        assert!(second.lateness_micros.is_some_and(|[.., max]| (19_000..21_000).contains(&max)));
        assert!(second.by.is_empty(), "neither is an answer");
    }

    #[test]
    fn reading_takes_nothing_away_and_forgetting_does() {
        let mut book = book(&[]);
        book.close_until(after(10_000));
        assert_eq!(book.report(4), book.report(4));
        book.keep(3);
        assert_eq!(book.report(0).iter().map(|second| second.nth).collect::<Vec<_>>(), [7, 8, 9]);
    }
}
