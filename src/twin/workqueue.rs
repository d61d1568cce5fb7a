//! The work queue of a Kubernetes controller.
//!
//! client-go `util/workqueue`: a key is worked on by one worker at a time; a key added meanwhile waits its turn; errors
//! come back after an exponential back-off that only a success resets. Argo's limiter starts at 1 ms and ends at
//! 10 s (argo-rollouts v1.9.1, utils/queue/queue.go).

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::store::Key;
use crate::clock::Moment;

/// What a key is doing.
#[derive(Debug, Default)]
struct State {
    /// When it is due. Timers do not replace each other: a requeue in 30 s still comes after an event now.
    dues: BTreeSet<Moment>,
    /// Whether a worker has it.
    working: bool,
    /// Errors in a row.
    failures: u32,
}

/// A queue of keys.
#[derive(Debug, Default)]
pub(crate) struct Workqueue {
    states: BTreeMap<Key, State>,
}

const BACKOFF_FIRST: Duration = Duration::from_millis(1);
const BACKOFF_MAX: Duration = Duration::from_secs(10);

impl Workqueue {
    /// Wants the key worked on at `due`. Returns the moment the kernel must call [`Workqueue::take`], if it must.
    pub(crate) fn add(&mut self, key: &Key, due: Moment) -> Option<Moment> {
        let state = self.states.entry(key.clone()).or_default();
        let fresh = state.dues.insert(due);
        (fresh && !state.working).then_some(due)
    }

    /// Takes the key if it is due: a reconcile begins. Stale calls answer `false`.
    pub(crate) fn take(&mut self, key: &Key, now: Moment) -> bool {
        let Some(state) = self.states.get_mut(key) else { return false };
        if state.working || state.dues.first().is_none_or(|due| *due > now) {
            return false;
        }
        state.dues.retain(|due| *due > now);
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
            let delay = BACKOFF_FIRST.saturating_mul(1 << state.failures.min(20)).min(BACKOFF_MAX);
            state.failures += 1;
            state.dues.insert(now + delay);
        } else {
            state.failures = 0;
            state.dues.extend(requeue_after.map(|delay| now + delay));
        }
        let next = state.dues.first().map(|due| (*due).max(now));
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
    fn one_worker_holds_a_key_and_what_arrives_meanwhile_waits() {
        let mut queue = Workqueue::default();
        assert_eq!(queue.add(&key(), T0), Some(T0));
        assert!(queue.take(&key(), T0));
        assert_eq!(queue.add(&key(), T0 + Duration::from_millis(2)), None);
        assert!(!queue.take(&key(), T0 + Duration::from_millis(2)));
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
    fn an_event_now_does_not_cancel_a_timer() {
        let mut queue = Workqueue::default();
        let later = T0 + Duration::from_secs(30);
        queue.add(&key(), later);
        assert_eq!(queue.add(&key(), T0), Some(T0));
        assert!(queue.take(&key(), T0));
        assert_eq!(queue.done(&key(), T0, false, None), Some(later));
        assert!(!queue.take(&key(), T0));
        assert!(queue.take(&key(), later));
    }
}
