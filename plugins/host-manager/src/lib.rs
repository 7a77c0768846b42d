//! The host manager: the scheduler's view of all hosts, kept as columns.
//!
//! Takes reports, service states, aggregates and instance lists as they come, counts what requests
//! consume until the next report, and gives out immutable tables. Knows neither filters nor where
//! the reports come from.
#![forbid(unsafe_code)]

mod aggregates;
mod consumption;
mod eligible;
mod facts;
mod fleet;
mod manager;
mod stats;
#[cfg(test)]
mod tests;

use longshore_plugin_api::{export_plugin, HostManager};

export_plugin! {
    "longshore.scheduler.host_manager" {
        /// Keeps every host that has reported and has a compute service.
        host_manager: HostManager => manager::Hosts;
    }
}
