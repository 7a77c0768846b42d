//! The host manager: the scheduler's view of all hosts, kept as columns.
//!
//! Takes reports, service states, aggregates and instance lists as they come, counts what requests
//! consume until the next report, and gives out immutable tables. One that is for shared hosts, and one
//! that also knows machines of which an instance gets all or nothing. Knows neither filters nor where
//! the reports come from.
#![forbid(unsafe_code)]

mod aggregates;
mod consumption;
mod devices;
mod eligible;
mod facts;
mod fleet;
mod machines;
mod manager;
mod stats;
#[cfg(test)]
mod tests;

use longshore_plugin_api::{export_plugin, HostManager};

export_plugin! {
    "longshore.scheduler.host_manager" {
        /// Keeps every host that has reported and has a compute service.
        host_manager: HostManager => manager::Hosts<machines::Shared>;
        /// As `host_manager`, with nodes of hypervisor type `ironic` as whole machines.
        ironic_host_manager: HostManager => manager::Hosts<machines::Ironic>;
    }
}
