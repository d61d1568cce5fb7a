//! What people and machines read: a story on a terminal, one HTML file, JUnit for CI.
//!
//! Pure: it reads a timeline and a verdict, nothing else, so a saved run renders again to the same bytes.

mod chart;
pub mod html;
pub mod junit;
pub mod story;
