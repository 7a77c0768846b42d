//! Properties that hold for every filter: the verdict on all hosts is the verdict on each, and a
//! filter only clears.

use super::random::{hosts, request, Random};
use super::support::build;
use crate::*;
use longshore_plugin_api::{Filter, Mask, RequestSpec};
use std::sync::Arc;

fn every_filter() -> Vec<(&'static str, Arc<dyn Filter>)> {
    let mut filters = hosts_alone();
    filters.extend(with_aggregates());
    filters.extend(with_a_request());
    filters
}

/// Filters that compare a host's own facts.
fn hosts_alone() -> Vec<(&'static str, Arc<dyn Filter>)> {
    let isolated = r#"{"isolated_hosts": ["host-0001", "host-0003"], "isolated_images": ["i"]}"#;
    vec![
        ("all_hosts", build::<all_hosts::AllHostsFilter>("{}")),
        ("compute", build::<compute::ComputeFilter>("{}")),
        ("core", build::<core_filter::CoreFilter>("{}")),
        ("disk", build::<disk::DiskFilter>("{}")),
        ("exact_core", build::<ExactFilter<exact::Cores>>("{}")),
        ("exact_disk", build::<ExactFilter<exact::Disk>>("{}")),
        ("exact_ram", build::<ExactFilter<exact::Ram>>("{}")),
        ("io_ops", build::<MaximumFilter<IoOps>>("{}")),
        (
            "isolated_hosts",
            build::<isolated_hosts::IsolatedHostsFilter>(isolated),
        ),
        (
            "metrics",
            build::<metrics::MetricsFilter>(r#"{"weight_setting": {"cpu": 1}}"#),
        ),
        ("num_instances", build::<MaximumFilter<NumInstances>>("{}")),
        ("ram", build::<ram::RamFilter>("{}")),
    ]
}

fn with_aggregates() -> Vec<(&'static str, Arc<dyn Filter>)> {
    use aggregate_admission::{AggregateAdmissionFilter, FlavorName, Project};
    use aggregate_image_properties_isolation::AggregateImagePropertiesIsolation;
    use aggregate_instance_extra_specs::AggregateInstanceExtraSpecsFilter;
    vec![
        (
            "aggregate_core",
            build::<AggregateRatioFilter<core_filter::CoreFilter>>("{}"),
        ),
        (
            "aggregate_disk",
            build::<AggregateRatioFilter<disk::DiskFilter>>("{}"),
        ),
        (
            "aggregate_image_properties",
            build::<AggregateImagePropertiesIsolation>("{}"),
        ),
        (
            "aggregate_instance_extra_specs",
            build::<AggregateInstanceExtraSpecsFilter>("{}"),
        ),
        (
            "aggregate_io_ops",
            build::<AggregateMaximumFilter<IoOps>>("{}"),
        ),
        (
            "aggregate_multi_tenancy",
            build::<AggregateAdmissionFilter<Project>>("{}"),
        ),
        (
            "aggregate_num_instances",
            build::<AggregateMaximumFilter<NumInstances>>("{}"),
        ),
        (
            "aggregate_ram",
            build::<AggregateRatioFilter<ram::RamFilter>>("{}"),
        ),
        (
            "aggregate_type_affinity",
            build::<AggregateAdmissionFilter<FlavorName>>("{}"),
        ),
        (
            "availability_zone",
            build::<availability_zone::AvailabilityZoneFilter>("{}"),
        ),
    ]
}

/// Filters of which the request says what is wanted.
fn with_a_request() -> Vec<(&'static str, Arc<dyn Filter>)> {
    use compute_capabilities::ComputeCapabilitiesFilter;
    use server_group_affinity::ServerGroupAffinityFilter;
    use server_group_anti_affinity::ServerGroupAntiAffinityFilter;
    use simple_cidr_affinity::SimpleCidrAffinityFilter;
    vec![
        (
            "compute_capabilities",
            build::<ComputeCapabilitiesFilter>("{}"),
        ),
        (
            "different_host",
            build::<hinted_instances::DifferentHostFilter>("{}"),
        ),
        (
            "image_properties",
            build::<image_properties::ImagePropertiesFilter>("{}"),
        ),
        ("json", build::<json_query::JsonFilter>("{}")),
        (
            "numa_topology",
            build::<numa_topology::NumaTopologyFilter>("{}"),
        ),
        (
            "pci_passthrough",
            build::<pci_passthrough::PciPassthroughFilter>("{}"),
        ),
        ("retry", build::<retry::RetryFilter>("{}")),
        ("same_host", build::<hinted_instances::SameHostFilter>("{}")),
        ("affinity", build::<ServerGroupAffinityFilter>("{}")),
        (
            "anti_affinity",
            build::<ServerGroupAntiAffinityFilter>("{}"),
        ),
        (
            "simple_cidr_affinity",
            build::<SimpleCidrAffinityFilter>("{}"),
        ),
        ("trusted", build::<trusted::TrustedFilter>("{}")),
        (
            "type_affinity",
            build::<type_affinity::TypeAffinityFilter>("{}"),
        ),
    ]
}

/// A random start: the filter may not put back a host that others took out.
fn some_rows(random: &mut Random, n: usize) -> Vec<u64> {
    let mut words = longshore_plugin_api::full(n);
    for word in &mut words {
        *word &= random.next() | random.next();
    }
    words
}

#[test]
fn the_verdict_on_all_hosts_is_the_verdict_on_each() {
    let filters = every_filter();
    let mut took_out = vec![0_usize; filters.len()];
    for seed in 0..1_000 {
        let mut random = Random(seed);
        let table = hosts(&mut random).snapshot();
        let request = RequestSpec::from(request(&mut random));
        for (i, (name, filter)) in filters.iter().enumerate() {
            let before = some_rows(&mut random, table.len());
            let mut words = before.clone();
            filter
                .filter_all(&table, &request, &mut Mask::new(&mut words, table.len()))
                .unwrap();
            let mut expected = before.clone();
            Mask::new(&mut expected, table.len())
                .retain_rows(|row| filter.passes(table.host(row), &request).unwrap());
            assert_eq!(words, expected, "filter `{name}`, seed {seed}");
            took_out[i] += usize::from(words != before);
        }
    }
    for ((name, _), took_out) in filters.iter().zip(took_out) {
        assert_eq!(
            took_out > 50,
            *name != "all_hosts",
            "`{name}` took out {took_out} times"
        );
    }
}

#[test]
fn limits_are_given_for_every_host() {
    for (name, filter) in every_filter() {
        let mut random = Random(7);
        let table = hosts(&mut random).snapshot();
        let request = RequestSpec::from(request(&mut random));
        for host in table.iter() {
            filter
                .limits(host, &request)
                .unwrap_or_else(|error| panic!("`{name}`: {error}"));
        }
    }
}
