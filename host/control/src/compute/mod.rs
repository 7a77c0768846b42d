//! Compute: makes, operates and ends the guests of one host through its virt driver.
//!
//! *Must not know that a database exists*: every record is read and written through remotable
//! objects. Siblings use [`rpcapi`] only.

mod abilities;
mod build;
mod claims;
mod config;
mod endpoint;
mod group_policy;
mod guest;
mod instance_info;
mod lifecycle;
mod locks;
mod manager;
mod power_sync;
mod recover;
mod resource_tracker;
pub mod rpcapi;

pub use claims::{Amounts, ClaimLimits};
pub use config::ComputeConfig;
pub use manager::{ComputeManager, ComputeParts};
pub use resource_tracker::ResourceTracker;
pub use rpcapi::ComputeApi;

/// RPC topic of compute services.
pub const TOPIC: &str = "compute";
