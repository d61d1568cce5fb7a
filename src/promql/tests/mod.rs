//! Tests of the whole: Prometheus' own cases, agreement with another parser, hostile input, and speed.

mod agreement;
mod behaviour;
mod generated;
mod hostile;
mod interface;
mod promqltest;
mod speed;
mod syntax;
