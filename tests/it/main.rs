//! What is true of every world, every seed or every rule: one binary, so that it is linked once.

mod input;
mod policies;
mod strangers;
mod support;
mod tidy;
