//! The twin: an emulated cluster in virtual time, a discrete-event kernel without IO.

pub mod effect;
pub mod rollouts;
pub mod store;
