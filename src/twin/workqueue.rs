//! The work queue of a Kubernetes controller.
//!
//! client-go v0.34 `util/workqueue`: a key is worked on by one worker at a time; a key that comes due meanwhile is
//! worked on again right after; of several moments a key waits for, only the earliest is kept. Errors come back after
//! an exponential back-off that only a success resets. Argo's limiter starts at 1 ms and ends at 10 s
//! (argo-rollouts v1.9.1, utils/queue/queue.go), and its Rollouts pay it for every watch event, too
//! (rollout/controller.go, `enqueueRollout`): after a row of errors even good news waits ten seconds.

use std::collections::BTreeMap;
use std::time::Duration;

use super::store::Key;
use crate::clock::Moment;

/// What a key is doing.
#[derive(Debug, Default)]
struct State {
    /// When it is due next.
    waiting: Option<Moment>,
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
}

impl Workqueue {
    /// Wants the key worked on at `due`. Returns the moment the kernel must call [`Workqueue::take`], if it must.
    pub(crate) fn add(&mut self, key: &Key, due: Moment) -> Option<Moment> {
        self.states.entry(key.clone()).or_default().wait_for(due).then_some(due)
    }

    /// As [`Workqueue::add`], after what the limiter says.
    pub(crate) fn add_limited(&mut self, key: &Key, from: Moment) -> Option<Moment> {
        let state = self.states.entry(key.clone()).or_default();
        let due = from + state.backoff();
        state.wait_for(due).then_some(due)
    }

    /// Takes the key if it is due: a reconcile begins. Stale calls answer `false`.
    pub(crate) fn take(&mut self, key: &Key, now: Moment) -> bool {
        let Some(state) = self.states.get_mut(key) else { return false };
        if state.waiting.is_none_or(|due| due > now) {
            return false;
        }
        state.waiting = None;
        if state.working {
            state.dirty = true;
            return false;
        }
        state.working = true;
        true
    }

    /// The reconcile ended. Returns when the key is due next, if it is.
    pub(crate) fn done(
        &mut self,
        key: &Key,
        now: Moment,
        failed: bool,
        requeue_after: Option<Duration>,
    ) -> Option<Moment> {
        let state = self.states.get_mut(key)?;
        state.working = false;
        if failed {
            let due = now + state.backoff();
            state.wait_for(due);
        } else {
            state.counted = 0;
        }
        if let Some(delay) = requeue_after.filter(|_| !failed) {
            state.wait_for(now + delay);
        }
        if std::mem::take(&mut state.dirty) {
            state.wait_for(now);
        }
        let next = state.waiting.map(|due| due.max(now));
        if next.is_none() {
            self.states.remove(key);
        }
        next
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

    #[test]
    fn one_worker_holds_a_key_and_what_comes_due_meanwhile_is_worked_on_right_after() {
        let mut queue = Workqueue::default();
        assert_eq!(queue.add(&key(), T0), Some(T0));
        assert!(queue.take(&key(), T0));
        let meanwhile = T0 + Duration::from_millis(2);
        assert_eq!(queue.add(&key(), meanwhile), Some(meanwhile));
        assert!(!queue.take(&key(), meanwhile));
        let later = T0 + Duration::from_millis(5);
        assert_eq!(queue.done(&key(), later, false, None), Some(later));
        assert!(queue.take(&key(), later));
    }

    #[test]
    fn errors_back_off_to_ten_seconds_and_a_success_forgets_them() {
        let mut queue = Workqueue::default();
        let mut now = T0;
        let mut waits = vec![];
        queue.add(&key(), now);
        for _ in 0..16 {
            assert!(queue.take(&key(), now));
            let due = queue.done(&key(), now, true, None).unwrap();
            waits.push(due.since(now).as_millis());
            now = due;
        }
        assert_eq!(waits[..5], [1, 2, 4, 8, 16]);
        assert_eq!(waits[13..], [8192, 10_000, 10_000]);
        assert!(queue.take(&key(), now));
        assert_eq!(queue.done(&key(), now, false, None), None);
    }

    #[test]
    fn after_errors_even_an_event_waits() {
        let mut queue = Workqueue::default();
        let mut now = T0;
        queue.add(&key(), now);
        for _ in 0..14 {
            assert!(queue.take(&key(), now));
            now = queue.done(&key(), now, true, None).unwrap();
        }
        assert!(queue.take(&key(), now));
        let later = now + Duration::from_secs(10);
        assert_eq!(queue.add_limited(&key(), now), Some(later), "its own write, seen while it works");
        assert_eq!(queue.done(&key(), now, false, None), Some(later), "success does not call it back");
    }

    #[test]
    fn only_the_earliest_moment_is_kept() {
        let mut queue = Workqueue::default();
        let later = T0 + Duration::from_secs(30);
        queue.add(&key(), later);
        assert_eq!(queue.add(&key(), T0), Some(T0));
        assert_eq!(queue.add(&key(), later), None);
        assert!(queue.take(&key(), T0));
        assert_eq!(queue.done(&key(), T0, false, None), None);
        assert!(!queue.take(&key(), later));
    }
}
