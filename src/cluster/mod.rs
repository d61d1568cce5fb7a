//! The clusters a scenario can run on, behind one wire: ordinary Kubernetes REST.
//!
//! Nobody above this module asks which world it is in; what differs is who answers.

pub mod agent;
mod chance;
mod clock;
pub mod embedded;
mod handles;
pub mod live;
pub mod served;
mod trouble;
mod twin;

pub use self::clock::Clock;
pub use self::handles::Cluster;
pub use self::trouble::Trouble;
pub(crate) use self::trouble::{persist, waiting_for_good};
pub use self::twin::{Opened, open_twin};
