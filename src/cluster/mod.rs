//! The clusters a scenario can run on, behind one wire: ordinary Kubernetes REST.
//!
//! Nobody above this module asks which world it is in; what differs is who answers.

pub mod embedded;
