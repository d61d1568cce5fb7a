//! firedrill proves that a bad release is caught, undone and reported, in time, and shows the proof.

pub mod argo;
pub mod clock;
pub mod cluster;
pub mod diag;
pub mod twin;
