//! The engine against the recorded configuration and the recorded deliveries, and rules no recording shows.

mod recorded;
mod rules;
