//! The scheduler: picks hosts, changes nothing.
//!
//! Holds the drivers that decide and keeps the host manager's view up to date. Must not write any
//! record. Siblings use [`rpcapi`] only.

mod absent;
mod blend;
mod choices;
mod drivers;
mod errors;
mod group_policy;
mod host_states;
mod instance_info;
mod instances;
mod manager;
mod newcomers;
mod normalise;
mod refresh;
pub mod rpcapi;
mod scratch;
mod select;
pub mod simulate;
mod trail;
mod translate;
mod watchdog;

pub use absent::AbsentScheduler;
pub use drivers::{FaultPolicy, SchedulerDrivers};
pub use errors::SelectError;
pub use host_states::{FilterCount, RequestHosts};
pub use manager::{INSTANCES_MAX, REQUESTS_MAX, SchedulerConfig, SchedulerManager};
pub use normalise::{normalise, weight_bounds};
pub use rpcapi::SchedulerApi;

/// RPC topic of schedulers.
pub const TOPIC: &str = "scheduler";
