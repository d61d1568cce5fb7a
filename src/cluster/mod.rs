//! The clusters a scenario can run on, behind one wire: ordinary Kubernetes REST.
//!
//! Nobody above this module asks which world it is in; what differs is who answers.

mod clock;
pub mod embedded;
mod handles;
pub mod served;
mod twin;

pub use self::clock::Clock;
pub use self::handles::Cluster;
pub use self::twin::{Opened, open_twin};
