//! What is true of every world, every seed, every scenario and every rule: one binary.

mod scenarios;
