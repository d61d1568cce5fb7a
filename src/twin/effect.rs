//! What a controller decides to do, before it is done.
//!
//! A reconcile reads its caches at one moment and decides everything; its requests then reach the API server one
//! after the other, each taking a while, and an event blocks for as long as the notification receivers do. So a
//! reconcile here is a function to a list of effects, and the kernel plays them: that is how a slow receiver
//! delays a rollback on the twin exactly as it does on a cluster.

use std::time::Duration;

use serde_json::Value;

use super::store::{Key, Kind, Object, Part, Patch};

/// The `metadata.resourceVersion` of a copy that upstream takes from the answer to an earlier request of the same pass:
/// whoever plays the effects puts in what that request returned.
pub const WRITTEN: &str = "as written in this pass";

/// One thing to do, in order.
#[derive(Debug, Clone)]
pub enum Effect {
    /// `POST` a new object.
    Create {
        /// What kind of object it is.
        kind: Kind,
        /// The object, with name and namespace.
        object: Value,
    },
    /// `PUT` an object. With `metadata.resourceVersion` a stale write is refused (409) and ends the reconcile.
    Update {
        /// What kind of object it is.
        kind: Kind,
        /// The object itself or one of its subresources.
        part: Part,
        /// The whole object.
        object: Value,
    },
    /// `PATCH` an object.
    Patch {
        /// Which object.
        key: Key,
        /// The object itself or one of its subresources.
        part: Part,
        /// The patch and its type.
        patch: Patch,
    },
    /// `DELETE` an object.
    Delete {
        /// Which object.
        key: Key,
    },
    /// Record a Kubernetes Event about an object, and notify whoever subscribed (spec 6.3, path A).
    Event {
        /// The object as the controller saw it: notifications render this state, not the one to come.
        regarding: Object,
        /// Its kind.
        kind: Kind,
        /// Normal or Warning.
        warning: bool,
        /// The reason, `RolloutAborted` for instance.
        reason: &'static str,
        /// The message.
        message: String,
    },
}

/// How a reconcile ended.
#[derive(Debug, Clone, Default)]
pub struct Reconciled {
    /// What it decided, in the order it reaches the API server.
    pub effects: Vec<Effect>,
    /// When to look again although nothing changed.
    pub requeue_after: Option<Duration>,
    /// An error: the key comes back after an exponential back-off (1.10 of the spec), effects before it still count.
    pub error: Option<String>,
}

impl Reconciled {
    /// Nothing to do.
    #[must_use]
    pub fn nothing() -> Reconciled {
        Reconciled::default()
    }

    /// Adds an effect.
    pub fn push(&mut self, effect: Effect) {
        self.effects.push(effect);
    }

    /// Asks to be called again after `delay`; of several wishes the earliest counts.
    pub fn requeue_after(&mut self, delay: Duration) {
        self.requeue_after = Some(self.requeue_after.map_or(delay, |wish| wish.min(delay)));
    }
}
