//! The scheduler: picks hosts, changes nothing.
//!
//! Holds the drivers that decide and keeps the host manager's view up to date. Must not write any
//! record. Siblings use [`rpcapi`] only.

mod absent;
mod aggregates;
mod blend;
mod choices;
mod claims;
mod driver_threads;
mod drivers;
mod endpoint;
mod errors;
mod group_policy;
mod host_states;
mod instance_info;
mod instances;
mod manager;
mod newcomers;
mod node_uuids;
mod normalise;
mod refresh;
pub mod rpcapi;
mod scratch;
mod select;
pub mod simulate;
mod step_clock;
mod story;
mod trail;
mod translate;
mod turns;
mod watchdog;
mod why_out;

pub use absent::AbsentScheduler;
pub use drivers::{FaultPolicy, SchedulerDrivers};
pub(crate) use errors::DETAILS_KEY;
pub use errors::SelectError;
pub use host_states::{FilterCount, RequestHosts};
pub use manager::{INSTANCES_MAX, REQUESTS_MAX, SchedulerConfig, SchedulerManager};
pub use normalise::{normalise, weight_bounds};
pub use rpcapi::SchedulerApi;
pub(crate) use step_clock::SAMPLED;
pub use story::Story;

/// RPC topic of schedulers.
pub const TOPIC: &str = "scheduler";
