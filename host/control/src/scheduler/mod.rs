//! The scheduler: picks hosts, changes nothing.
//!
//! Holds the drivers that decide and keeps the host manager's view up to date. Must not write any
//! record. Siblings use [`rpcapi`] only.

mod errors;
mod host_states;
mod manager;
mod normalise;
mod refresh;
pub mod rpcapi;
mod select;
mod translate;

pub use errors::SelectError;
pub use host_states::{FaultPolicy, FilterCount, RequestHosts, SchedulerDrivers};
pub use manager::{INSTANCES_MAX, REQUESTS_MAX, SchedulerConfig, SchedulerManager};
pub use normalise::{normalise, weight_bounds};
pub use rpcapi::SchedulerApi;

/// RPC topic of schedulers.
pub const TOPIC: &str = "scheduler";
