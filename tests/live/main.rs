//! The real-cluster lane: the program against a drill ground, as its users run it.
//!
//! ```sh
//! FIREDRILL_CONTEXT=kind-firedrill cargo test --test live -- --ignored --nocapture --test-threads 8
//! ```
//!
//! `deploy/kind/up` makes a drill ground. The tests take turns where they break what others need: who breaks the ground
//! itself has it alone.

#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::print_stdout,
    reason = "a real cluster lives by the real clock, and so do its tests"
)]

mod agreement;
mod ground;
mod leaving;
mod refusals;
mod trouble;
mod whole;
