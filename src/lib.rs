//! firedrill proves that a bad release is caught, undone and reported, in time, and shows the proof.

pub mod agent;
pub mod argo;
pub mod base64;
pub mod cli;
pub mod clock;
pub mod cluster;
pub mod condition;
pub mod diag;
pub mod drill;
pub mod engine;
pub mod explain;
pub mod inbox;
pub mod lint;
pub mod plan;
pub mod promql;
pub mod report;
pub mod scenario;
pub mod suggest;
pub mod timeline;
pub mod twin;
pub mod verdict;
pub mod yaml;
