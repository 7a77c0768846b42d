//! Properties that hold for every filter: the verdict on all hosts is the verdict on each, and a
//! filter only clears.

use super::random::{hosts, request, Random};
use super::support::build;
use crate::*;
use longshore_plugin_api::{Filter, Mask, RequestSpec};
use std::sync::Arc;

fn every_filter() -> Vec<(&'static str, Arc<dyn Filter>)> {
    vec![
        ("all_hosts", build::<all_hosts::AllHostsFilter>("{}")),
        (
            "availability_zone",
            build::<availability_zone::AvailabilityZoneFilter>("{}"),
        ),
        ("compute", build::<compute::ComputeFilter>("{}")),
        (
            "compute_capabilities",
            build::<compute_capabilities::ComputeCapabilitiesFilter>("{}"),
        ),
        ("core", build::<core_filter::CoreFilter>("{}")),
        ("disk", build::<disk::DiskFilter>("{}")),
        (
            "image_properties",
            build::<image_properties::ImagePropertiesFilter>("{}"),
        ),
        ("ram", build::<ram::RamFilter>("{}")),
        ("retry", build::<retry::RetryFilter>("{}")),
        (
            "affinity",
            build::<server_group_affinity::ServerGroupAffinityFilter>("{}"),
        ),
        (
            "anti_affinity",
            build::<server_group_anti_affinity::ServerGroupAntiAffinityFilter>("{}"),
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
    assert_eq!(took_out[0], 0);
    assert!(
        took_out[1..].iter().all(|&n| n > 50),
        "the tables try every filter: {took_out:?}"
    );
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
