//! The conductor: writes for services that have no database, and carries out what takes several
//! services.
//!
//! Must not choose hosts (the scheduler does) or touch guests (compute does). Siblings use
//! [`rpcapi`] only.

mod build;
mod manager;
mod recover;
pub mod rpcapi;

pub use manager::{ConductorConfig, ConductorManager};
pub use rpcapi::{ConductorApi, RpcObjects};

/// RPC topic of conductors.
pub const TOPIC: &str = "conductor";
