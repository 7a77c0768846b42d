//! Filters: Nova's default set of the Pike release, and `ram`, `disk`, `core` and `all_hosts`.
//!
//! One filter per file. Each answers for one host in `passes`, which is the plain text of the rule,
//! and for all hosts at once in `filter_all`, which reads columns; a property test holds the two
//! together. Nothing here knows the scheduler.
#![forbid(unsafe_code)]

mod all_hosts;
mod availability_zone;
mod compute;
mod compute_capabilities;
mod core_filter;
mod disk;
mod extra_specs;
mod image_properties;
mod json_path;
mod ram;
mod ratio;
mod retry;
mod server_group_affinity;
mod server_group_anti_affinity;
#[cfg(test)]
mod tests;
mod verdicts;
mod version;

use longshore_plugin_api::{export_plugin, Filter};
use server_group_anti_affinity::ServerGroupAntiAffinityFilter;

export_plugin! {
    "longshore.scheduler.filter" {
        /// Every host: the filter that takes none out.
        all_hosts: Filter => all_hosts::AllHostsFilter;
        /// Hosts in the availability zone that was asked for.
        availability_zone: Filter => availability_zone::AvailabilityZoneFilter;
        /// Hosts whose compute service is up and not disabled.
        compute: Filter => compute::ComputeFilter;
        /// Hosts with the capabilities that the flavor's extra specs ask for.
        compute_capabilities: Filter => compute_capabilities::ComputeCapabilitiesFilter;
        /// Hosts with enough processors, over-commit included.
        core: Filter => core_filter::CoreFilter;
        /// Hosts with enough disk, over-commit included.
        disk: Filter => disk::DiskFilter;
        /// Hosts that can run the image's architecture, hypervisor type and machine mode.
        image_properties: Filter => image_properties::ImagePropertiesFilter;
        /// Hosts with enough memory, over-commit included.
        ram: Filter => ram::RamFilter;
        /// Hosts on which this instance has not been tried yet.
        retry: Filter => retry::RetryFilter;
        /// Hosts that already have a member of the instance's affinity group.
        server_group_affinity: Filter => server_group_affinity::ServerGroupAffinityFilter;
        /// Hosts that have no member of the instance's anti-affinity group.
        server_group_anti_affinity: Filter => ServerGroupAntiAffinityFilter;
    }
}
