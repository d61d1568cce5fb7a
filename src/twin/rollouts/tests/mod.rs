//! Stories: each is named after the recording of the real controller that it reads like.

mod aborts;
mod acts;
mod bench;
mod hazards;
mod messages;
mod rollbacks;
mod updates;
mod workloads;
