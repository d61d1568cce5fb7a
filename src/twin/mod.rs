//! The twin: an emulated cluster in virtual time, a discrete-event kernel without IO.

pub mod analysis;
pub mod effect;
pub mod notifications;
pub mod store;
