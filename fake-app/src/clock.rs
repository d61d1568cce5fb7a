//! The only place that asks for the time or makes up a number.

use std::hash::{BuildHasher, Hasher, RandomState};

/// A moment, for measuring how long things take. tokio's, so that its sleeps and ours mean the same.
pub(crate) type Moment = tokio::time::Instant;

/// Now.
pub(crate) fn now() -> Moment {
    Moment::now()
}

/// A seed that differs from process to process. Nothing secret hangs on it.
pub(crate) fn entropy() -> u64 {
    // The standard library seeds its hash maps from the operating system; an empty hash is that seed, mixed.
    RandomState::new().build_hasher().finish()
}
