//! Exit codes. They are a promise: CI branches on them.

/// Every scenario ended as its author wanted.
pub const PASS: u8 = 0;
/// A scenario is a FAIL, or did not end as documented.
pub const FAIL: u8 = 1;
/// The input is wrong: flags, scenarios, policies, folders.
pub const BAD_INPUT: u8 = 2;
/// A scenario is INCONCLUSIVE, and none failed.
pub const INCONCLUSIVE: u8 = 3;
/// The world or the harness broke.
pub const WORLD_BROKE: u8 = 4;
/// There is nothing to run.
pub const NOTHING: u8 = 5;
/// Interrupted, and cleaned up.
pub const INTERRUPTED: u8 = 130;
