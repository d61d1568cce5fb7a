//! The controller against recordings of the real one, and a few things no recording shows.

mod judge;
mod replay;
mod unit;
mod world;
