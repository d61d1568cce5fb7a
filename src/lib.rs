//! firedrill proves that a bad release is caught, undone and reported, in time, and shows the proof.

pub mod argo;
pub mod base64;
pub mod cli;
pub mod clock;
pub mod diag;
pub mod inbox;
pub mod suggest;
pub mod timeline;
pub mod twin;
pub mod yaml;
