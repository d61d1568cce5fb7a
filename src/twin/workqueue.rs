//! The work queue of a Kubernetes controller.
//!
//! client-go v0.34 `util/workqueue`: a key is worked on by one worker at a time; a key that comes due meanwhile is
//! worked on again right after; of several moments a key waits for, only the earliest is kept. Errors come back after
//! an exponential back-off that only a success resets. Argo's limiter starts at 1 ms and ends at 10 s
//! (argo-rollouts v1.9.1, utils/queue/queue.go), and its Rollouts pay it for most watch events, too
//! (rollout/controller.go, `enqueueRollout`): after a row of errors even good news waits ten seconds, unless it comes
//! after the success that it tells of.

use std::collections::BTreeMap;
use std::time::Duration;

use super::store::Key;
use crate::clock::Moment;

/// What a key is doing.
#[derive(Debug, Default)]
struct State {
    /// When it is due next.
    waiting: Option<Moment>,
    /// Whether it is due now, whatever it waits for besides.
    ready: bool,
    /// Whether a worker has it.
    working: bool,
    /// Whether it came due while a worker had it.
    dirty: bool,
    /// What the limiter has counted since the last success.
    counted: u32,
}

/// A queue of keys.
#[derive(Debug, Default)]
pub(crate) struct Workqueue {
    states: BTreeMap<Key, State>,
}

const BACKOFF_FIRST: Duration = Duration::from_millis(1);
const BACKOFF_MAX: Duration = Duration::from_secs(10);

impl State {
    /// Waits for a moment, unless it waits for an earlier one already. Answers whether that is news.
    fn wait_for(&mut self, due: Moment) -> bool {
        let news = self.waiting.is_none_or(|waiting| due < waiting);
        if news {
            self.waiting = Some(due);
        }
        news
    }

    /// What the limiter says, and counts.
    fn backoff(&mut self) -> Duration {
        let delay = BACKOFF_FIRST.saturating_mul(1 << self.counted.min(20)).min(BACKOFF_MAX);
        self.counted += 1;
        delay
    }

    /// It is due: now, or when its worker is done with it.
    fn come_due(&mut self) {
        if self.working {
            self.dirty = true;
        } else {
            self.ready = true;
        }
    }
}

/// What answers a moment wants [`Workqueue::take`] called then.
impl Workqueue {
    /// `Add`: wants the key worked on now.
    pub(crate) fn add(&mut self, key: &Key, now: Moment) -> Option<Moment> {
        let state = self.states.entry(key.clone()).or_default();
        state.come_due();
        state.ready.then_some(now)
    }

    /// `AddAfter`: wants the key worked on at `due`.
    pub(crate) fn add_at(&mut self, key: &Key, due: Moment) -> Option<Moment> {
        self.states.entry(key.clone()).or_default().wait_for(due).then_some(due)
    }

    /// `AddRateLimited`: wants it worked on after what the limiter says.
    pub(crate) fn add_limited(&mut self, key: &Key, now: Moment) -> Option<Moment> {
        let state = self.states.entry(key.clone()).or_default();
        let due = now + state.backoff();
        state.wait_for(due).then_some(due)
    }

    /// Takes the key if it is due: a reconcile begins. Stale calls answer `false`.
    pub(crate) fn take(&mut self, key: &Key, now: Moment) -> bool {
        let Some(state) = self.states.get_mut(key) else { return false };
        if state.waiting.is_some_and(|due| due <= now) {
            state.waiting = None;
            state.come_due();
        }
        let taken = std::mem::take(&mut state.ready);
        state.working |= taken;
        taken
    }

    /// `Forget`: the reconcile was a success.
    pub(crate) fn forget(&mut self, key: &Key) {
        if let Some(state) = self.states.get_mut(key) {
            state.counted = 0;
        }
    }

    /// `Done`: the reconcile ended.
    pub(crate) fn done(&mut self, key: &Key, now: Moment) -> Option<Moment> {
        let state = self.states.get_mut(key)?;
        state.working = false;
        state.ready = std::mem::take(&mut state.dirty);
        let due = state.ready.then_some(now);
        if due.is_none() && state.waiting.is_none() && state.counted == 0 {
            self.states.remove(key);
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::twin::store::Kind;

    const T0: Moment = Moment::VIRTUAL_EPOCH;

    fn key() -> Key {
        Key::new(Kind::Rollout, "default", "server")
    }

    fn ms(millis: u64) -> Moment {
        T0 + Duration::from_millis(millis)
    }

    /// A queue whose key a worker has taken after so many errors, and the present.
    fn after_errors(errors: u32) -> (Workqueue, Moment, Vec<u128>) {
        let mut queue = Workqueue::default();
        let (mut now, mut waits) = (T0, vec![]);
        assert_eq!(queue.add(&key(), now), Some(now));
        for _ in 0..errors {
            assert!(queue.take(&key(), now));
            let due = queue.add_limited(&key(), now).expect("nothing earlier");
            assert_eq!(queue.done(&key(), now), None);
            waits.push(due.since(now).as_millis());
            now = due;
        }
        assert!(queue.take(&key(), now));
        (queue, now, waits)
    }

    #[test]
    fn one_worker_holds_a_key_and_what_comes_due_meanwhile_is_worked_on_right_after() {
        let mut queue = Workqueue::default();
        assert_eq!(queue.add(&key(), T0), Some(T0));
        assert!(queue.take(&key(), T0));
        assert_eq!(queue.add(&key(), ms(2)), None);
        assert!(!queue.take(&key(), ms(2)));
        assert_eq!(queue.done(&key(), ms(5)), Some(ms(5)));
        assert!(queue.take(&key(), ms(5)));
        assert_eq!(queue.done(&key(), ms(6)), None);
    }

    #[test]
    fn errors_back_off_to_ten_seconds_and_a_success_forgets_them() {
        let (mut queue, now, waits) = after_errors(16);
        assert_eq!(waits[..5], [1, 2, 4, 8, 16]);
        assert_eq!(waits[13..], [8192, 10_000, 10_000]);
        queue.forget(&key());
        assert_eq!(queue.done(&key(), now), None);
        assert_eq!(queue.add_limited(&key(), now), Some(now + Duration::from_millis(1)));
    }

    #[test]
    fn after_errors_even_an_event_waits_if_it_comes_while_the_worker_has_the_key() {
        let (mut queue, now, _) = after_errors(14);
        let later = now + Duration::from_secs(10);
        assert_eq!(queue.add_limited(&key(), now), Some(later), "its own write, seen while it works");
        queue.forget(&key());
        assert_eq!(queue.done(&key(), now), None, "success does not call it back");
        let soon = now + Duration::from_millis(1);
        assert_eq!(queue.add_limited(&key(), now), Some(soon), "but the next event does");
    }

    #[test]
    fn only_the_earliest_moment_is_kept() {
        let mut queue = Workqueue::default();
        assert_eq!(queue.add_at(&key(), ms(30)), Some(ms(30)));
        assert_eq!(queue.add_at(&key(), T0), Some(T0));
        assert_eq!(queue.add_at(&key(), ms(30)), None);
        assert!(queue.take(&key(), T0));
        assert_eq!(queue.done(&key(), T0), None);
        assert!(!queue.take(&key(), ms(30)));
    }

    #[test]
    fn coming_due_at_once_leaves_a_later_moment_as_it_is() {
        let mut queue = Workqueue::default();
        queue.add_at(&key(), ms(30));
        assert_eq!(queue.add(&key(), T0), Some(T0));
        assert!(queue.take(&key(), T0));
        assert_eq!(queue.done(&key(), T0), None);
        assert!(queue.take(&key(), ms(30)));
    }
}
