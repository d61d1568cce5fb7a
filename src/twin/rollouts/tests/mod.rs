//! Stories: each is named after the recording of the real controller that it reads like.

mod aborts;
mod acts;
mod bench;
mod canary_aborts;
mod canary_details;
mod canary_rollbacks;
mod canary_sizes;
mod canary_updates;
mod hazards;
mod messages;
mod rollbacks;
mod switches;
mod traffic_aborts;
mod traffic_dynamic;
mod traffic_hands;
mod traffic_istio;
mod traffic_updates;
mod updates;
mod workloads;
