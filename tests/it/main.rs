//! The integration tests, in one binary so that the crate is linked once.

mod conditions;
#[allow(dead_code, reason = "the unit tests read more of a recording than these do")]
mod recordings;
