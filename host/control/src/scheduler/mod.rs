//! The scheduler: picks hosts, changes nothing.
//!
//! Holds the drivers that decide and keeps the host manager's view up to date. Must not write any
//! record. Siblings use [`rpcapi`] only.

mod absent;
mod drivers;
mod endpoint;
mod errors;
mod manager;
pub mod rpcapi;
mod selection;
pub mod simulate;
mod translate;
mod view;
mod watch;

pub use absent::AbsentScheduler;
pub use drivers::{FaultPolicy, SchedulerDrivers};
pub(crate) use errors::DETAILS_KEY;
pub use errors::SelectError;
pub use manager::{INSTANCES_MAX, REQUESTS_MAX, SchedulerConfig, SchedulerManager};
pub use rpcapi::SchedulerApi;
pub use selection::host_states::{FilterCount, RequestHosts};
pub use selection::normalise::{normalise, weight_bounds};
pub use selection::story::Story;
pub(crate) use watch::step_clock::SAMPLED;

/// RPC topic of schedulers.
pub const TOPIC: &str = "scheduler";
