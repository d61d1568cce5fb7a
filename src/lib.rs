//! firedrill proves that a bad release is caught, undone and reported, in time, and shows the proof.

pub mod argo;
pub mod cli;
pub mod clock;
pub mod diag;
pub mod explain;
pub mod lint;
pub mod suggest;
pub mod twin;
pub mod yaml;
