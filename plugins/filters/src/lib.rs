//! Filters: all of Nova's Pike release.
//!
//! One rule per file. Each answers for one host in `passes`, which is the plain text of the rule,
//! and for all hosts at once in `filter_all`, which reads columns; a property test holds the two
//! together. Nothing here knows the scheduler.
#![forbid(unsafe_code)]

mod aggregate_admission;
mod aggregate_image_properties_isolation;
mod aggregate_instance_extra_specs;
mod aggregate_ratio;
mod aggregates;
mod all_hosts;
mod attributes;
mod availability_zone;
mod compute;
mod compute_capabilities;
mod core_filter;
mod disk;
mod exact;
mod extra_specs;
mod hinted_instances;
mod image_properties;
mod isolated_hosts;
mod json_path;
mod json_query;
mod maximum;
mod metrics;
mod numa_topology;
mod pci_passthrough;
mod python;
mod ram;
mod ratio;
mod retry;
mod server_group_affinity;
mod server_group_anti_affinity;
mod simple_cidr_affinity;
#[cfg(test)]
mod tests;
mod trusted;
mod type_affinity;
mod verdicts;
mod version;

use aggregate_admission::{AggregateAdmissionFilter, FlavorName, Project};
use aggregate_ratio::AggregateRatioFilter;
use exact::ExactFilter;
use longshore_plugin_api::{export_plugin, Filter, FilterTraits};
use maximum::{AggregateMaximumFilter, IoOps, MaximumFilter, NumInstances};

/// When a filter runs whose verdict no consumption changes.
const ONCE: FilterTraits = FilterTraits {
    run_once_per_request: true,
    run_on_rebuild: false,
};

/// As [`ONCE`], for a filter that an image may fail.
const ONCE_AND_ON_REBUILD: FilterTraits = FilterTraits {
    run_once_per_request: true,
    run_on_rebuild: true,
};

export_plugin! {
    "longshore.scheduler.filter" {
        /// Hosts with enough processors by the ratio of their aggregates.
        aggregate_core: Filter => AggregateRatioFilter<core_filter::CoreFilter>;
        /// Hosts with enough disk by the ratio of their aggregates.
        aggregate_disk: Filter => AggregateRatioFilter<disk::DiskFilter>;
        /// Hosts that their aggregates do not keep for images with other properties.
        aggregate_image_properties_isolation: Filter =>
            aggregate_image_properties_isolation::AggregateImagePropertiesIsolation;
        /// Hosts whose aggregates have what the flavor's extra specs ask for.
        aggregate_instance_extra_specs: Filter =>
            aggregate_instance_extra_specs::AggregateInstanceExtraSpecsFilter;
        /// Hosts that build, move or save fewer instances than their aggregates allow.
        aggregate_io_ops: Filter => AggregateMaximumFilter<IoOps>;
        /// Hosts that their aggregates do not keep for other projects.
        aggregate_multi_tenancy_isolation: Filter =>
            AggregateAdmissionFilter<Project>;
        /// Hosts with fewer instances than their aggregates allow.
        aggregate_num_instances: Filter => AggregateMaximumFilter<NumInstances>;
        /// Hosts with enough memory by the ratio of their aggregates.
        aggregate_ram: Filter => AggregateRatioFilter<ram::RamFilter>;
        /// Hosts whose aggregates name the flavor, or none.
        aggregate_type_affinity: Filter => AggregateAdmissionFilter<FlavorName>;
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
        /// Hosts that have none of the instances that the user names.
        different_host: Filter => hinted_instances::DifferentHostFilter;
        /// Hosts with enough disk, over-commit included.
        disk: Filter => disk::DiskFilter;
        /// Hosts with exactly the wanted number of processors left.
        exact_core: Filter => ExactFilter<exact::Cores>;
        /// Hosts with exactly the wanted disk left.
        exact_disk: Filter => ExactFilter<exact::Disk>;
        /// Hosts with exactly the wanted memory left.
        exact_ram: Filter => ExactFilter<exact::Ram>;
        /// Hosts that can run the image's architecture, hypervisor type and machine mode.
        image_properties: Filter => image_properties::ImagePropertiesFilter;
        /// Hosts that build, move or save fewer instances than the operator allows.
        io_ops: Filter => MaximumFilter<IoOps>;
        /// Isolated hosts for isolated images, other hosts for others.
        isolated_hosts: Filter => isolated_hosts::IsolatedHostsFilter;
        /// Hosts for which the user's expression holds.
        json: Filter => json_query::JsonFilter;
        /// Hosts on which everything was measured that the weigher of this name weighs.
        metrics: Filter => metrics::MetricsFilter;
        /// Hosts with fewer instances than the operator allows.
        num_instances: Filter => MaximumFilter<NumInstances>;
        /// Hosts whose NUMA cells can hold those of the guest.
        numa_topology: Filter => numa_topology::NumaTopologyFilter;
        /// Hosts with the PCI devices that the instance wants.
        pci_passthrough: Filter => pci_passthrough::PciPassthroughFilter;
        /// Hosts with enough memory, over-commit included.
        ram: Filter => ram::RamFilter;
        /// Hosts on which this instance has not been tried yet.
        retry: Filter => retry::RetryFilter;
        /// Hosts that have one of the instances that the user names.
        same_host: Filter => hinted_instances::SameHostFilter;
        /// Hosts that already have a member of the instance's affinity group.
        server_group_affinity: Filter => server_group_affinity::ServerGroupAffinityFilter;
        /// Hosts that have no member of the instance's anti-affinity group.
        server_group_anti_affinity: Filter =>
            server_group_anti_affinity::ServerGroupAntiAffinityFilter;
        /// Hosts with an address in the network that the user names.
        simple_cidr_affinity: Filter => simple_cidr_affinity::SimpleCidrAffinityFilter;
        /// Hosts of the level of trust that the flavor asks for.
        trusted: Filter => trusted::TrustedFilter;
        /// Hosts with instances of the wanted flavor alone, or with none.
        type_affinity: Filter => type_affinity::TypeAffinityFilter;
    }
}
