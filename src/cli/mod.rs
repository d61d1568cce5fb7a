//! The rim that people touch: arguments, files, the terminal.
//!
//! The only place that reads files and prints. Everything it knows, it hands inwards as values.

pub mod files;
