//! What is true of every world, every seed, every scenario and every rule: one binary, so that the crate is linked once.

mod agent;
mod blindness;
mod canaries;
mod compare;
mod conditions;
mod input;
mod istio;
mod policies;
#[allow(dead_code, reason = "the unit tests read more of a recording than these do")]
mod recordings;
mod scenarios;
mod serve;
mod strangers;
mod support;
mod tidy;
mod workloads;
