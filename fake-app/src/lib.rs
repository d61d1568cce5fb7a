//! A server that is exactly as bad as it is asked to be.
//!
//! The crate knows requests, faults and metrics, and nothing of whoever deploys it. Read it in this order:
//!
//! - [`fault`]: what is wrong with a server, as data and as one pure function. Shared with simulations.
//! - [`duration`] and [`share`]: the two scalars of that grammar.
//! - [`profile`]: under which names requests are counted, and the recorder that counts them.
//! - [`metrics`]: the registry behind it, and its text.
//! - [`server`]: HTTP around all that.
//!
//! Everything but [`server`] and `clock` is pure: no clock, no chance, no sockets.

mod clock;

pub mod duration;
pub mod fault;
pub mod metrics;
pub mod profile;
pub mod server;
pub mod share;
