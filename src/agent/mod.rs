//! The agent: who sends the traffic and receives the notifications.
//!
//! On a cluster it is a pod; on the twin the kernel plays it. The engine talks to both through the API server's
//! service proxy, in the words of [`wire`].

pub(crate) mod ask;
pub(crate) mod book;
pub mod receivers;
pub mod wire;
