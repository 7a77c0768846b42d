//! What a request takes of a host's PCI devices and NUMA cells, and that it comes back.

use super::support::{manager, report, service};
use crate::fleet::STALE_TEXTS_MAX;
use longshore_plugin_api::{
    HostManager, HostReport, RequestFields, RequestSpec, STATS_NUMA_TOPOLOGY,
    STATS_PCI_DEVICE_POOLS,
};
use std::sync::Arc;

const POOLS: &str = r#"[{"count":2,"numa_node":1,"product_id":"1520"},{"count":1,"dev_type":"type-PF","numa_node":0,"product_id":"1521"}]"#;

/// Two cells of two cores of two threads, and a member that nobody knows.
const CELLS: &str = r#"{"cells":[{"cpu_usage":0,"cpuset":[0,1,2,3],"id":0,"memory":2048,"memory_usage":0,"mempages":[{"size_kb":2048,"total":512,"used":0}],"pinned_cpus":[],"siblings":[[0,1],[2,3]]},{"cpu_usage":0,"cpuset":[4,5,6,7],"id":1,"later":"kept","memory":2048,"memory_usage":0,"mempages":[],"pinned_cpus":[],"siblings":[[4,5],[6,7]]}]}"#;

fn host_with(pools: &str, cells: &str) -> Arc<dyn HostManager> {
    let manager = manager();
    let facts = [
        (STATS_PCI_DEVICE_POOLS, pools),
        (STATS_NUMA_TOPOLOGY, cells),
    ];
    let stats = facts
        .iter()
        .map(|(key, text)| (key.to_string(), text.to_string()));
    manager.update_service(&service("a")).unwrap();
    let report = HostReport {
        stats: stats.collect(),
        ..report("a", 1)
    };
    manager.update_host(&report).unwrap();
    manager
}

fn request(uuid: &str, devices: Option<&str>, cells: Option<&str>) -> RequestSpec {
    RequestSpec::from(RequestFields {
        instance_uuid: uuid.to_owned(),
        vcpus: 1,
        pci_requests: devices.map(str::to_owned),
        numa_topology: cells.map(|cells| format!(r#"{{"cells": [{cells}]}}"#)),
        ..RequestFields::default()
    })
}

fn texts(manager: &dyn HostManager) -> (String, String) {
    let table = manager.host_table().unwrap();
    let host = table.host(0);
    (
        host.pci_device_pools().to_owned(),
        host.numa_topology().to_owned(),
    )
}

fn consume(manager: &dyn HostManager, request: &RequestSpec) {
    manager.consume_from_request("a", "a", request).unwrap();
}

fn release(manager: &dyn HostManager, request: &RequestSpec) {
    manager.release_request("a", "a", request).unwrap();
}

fn as_reported() -> (String, String) {
    (POOLS.to_owned(), CELLS.to_owned())
}

#[test]
fn devices_are_taken_out_of_their_pools_and_come_back() {
    let manager = host_with(POOLS, CELLS);
    let wants = |n| format!(r#"[{{"count": {n}, "spec": [{{"product_id": "1520"}}]}}]"#);
    let (one, two) = (wants(1), wants(2));
    let (one, two) = (
        request("u", Some(&one), None),
        request("v", Some(&two), None),
    );
    consume(&*manager, &one);
    assert_eq!(
        texts(&*manager),
        (POOLS.replacen('2', "1", 1), CELLS.to_owned())
    );
    consume(&*manager, &two);
    assert_eq!(
        texts(&*manager).0,
        POOLS.replacen('2', "1", 1),
        "two are not there"
    );
    let table = manager.host_table().unwrap();
    assert_eq!(table.vcpus_used(), [2], "the instance counts all the same");
    release(&*manager, &two);
    release(&*manager, &one);
    assert_eq!(texts(&*manager), as_reported());
    consume(&*manager, &two);
    let physical = r#"[{"count":1,"dev_type":"type-PF","numa_node":0,"product_id":"1521"}]"#;
    assert_eq!(texts(&*manager).0, physical, "an empty pool goes");
}

#[test]
fn a_guest_gets_processors_memory_and_pages_of_a_cell() {
    let manager = host_with("[]", CELLS);
    let cell = r#"{"cpuset": [0, 1], "memory": 512, "cpu_policy": "dedicated", "pagesize": 2048}"#;
    let guest = request("u", None, Some(cell));
    consume(&*manager, &guest);
    let used = CELLS
        .replacen(r#""cpu_usage":0"#, r#""cpu_usage":2"#, 1)
        .replacen(r#""memory_usage":0"#, r#""memory_usage":512"#, 1)
        .replacen(r#""used":0"#, r#""used":256"#, 1)
        .replacen(r#""pinned_cpus":[]"#, r#""pinned_cpus":[0,1]"#, 1);
    assert_eq!(texts(&*manager).1, used);
    release(&*manager, &guest);
    assert_eq!(texts(&*manager).1, CELLS);
}

#[test]
fn cells_with_devices_are_kept_for_guests_that_want_some() {
    let manager = host_with(r#"[{"count":1,"numa_node":0,"product_id":"1520"}]"#, CELLS);
    let cell = r#"{"cpuset": [0], "memory": 512}"#;
    consume(&*manager, &request("u", None, Some(cell)));
    let second = CELLS.find(r#""id":1"#).unwrap();
    assert_eq!(texts(&*manager).1[..second - 40], CELLS[..second - 40]);
    let device = r#"[{"count": 1, "spec": [{"product_id": "1520"}]}]"#;
    consume(&*manager, &request("v", Some(device), Some(cell)));
    let (pools, cells) = texts(&*manager);
    assert_eq!(
        (
            pools.as_str(),
            cells.matches(r#""memory_usage":512"#).count()
        ),
        ("[]", 2)
    );
}

#[test]
fn a_guest_beyond_the_ratios_is_counted_where_it_was_forced_to() {
    let manager = host_with("", CELLS);
    let all = r#"{"cpuset": [0, 1, 2, 3], "memory": 2048}"#;
    for n in 0..4 {
        consume(&*manager, &request(&format!("u{n}"), None, Some(all)));
    }
    let cells = texts(&*manager).1;
    let (first, second) = cells.split_once(r#"{"cpu_usage":4,"cpuset":[4"#).unwrap();
    assert!(
        first.contains(r#""memory_usage":6144"#),
        "1.5 times 2048 hold one each: {first}"
    );
    assert!(second.contains(r#""memory_usage":2048"#), "{second}");
}

#[test]
fn what_cannot_be_read_changes_nothing_and_fails_nothing() {
    let cell = r#"{"cpuset": [0], "memory": 512}"#;
    let device = r#"[{"count": 1, "spec": [{}]}]"#;
    for (pools, cells) in [
        ("damaged", "damaged"),
        ("", ""),
        ("{}", r#"{"cells": [1]}"#),
    ] {
        let manager = host_with(pools, cells);
        let guest = request("u", Some(device), Some(cell));
        consume(&*manager, &guest);
        assert_eq!(texts(&*manager), (pools.to_owned(), cells.to_owned()));
        assert_eq!(manager.host_table().unwrap().num_instances(), [1]);
        release(&*manager, &guest);
        assert_eq!(manager.host_table().unwrap().num_instances(), [0]);
    }
    let manager = host_with(POOLS, CELLS);
    let damaged = [
        (Some("7"), None),
        (None, Some("7")),
        (Some(device), Some("7")),
    ];
    for (devices, cells) in damaged {
        consume(&*manager, &request("u", devices, cells));
        assert_eq!(texts(&*manager), as_reported());
    }
}

#[test]
fn texts_of_past_consumptions_are_shed() {
    let manager = host_with("[]", CELLS);
    let cell = r#"{"cpuset": [0], "memory": 1}"#;
    for n in 0..2 * STALE_TEXTS_MAX {
        consume(&*manager, &request(&format!("u{n}"), None, Some(cell)));
    }
    let table = manager.host_table().unwrap();
    assert!(table
        .find_text(&CELLS.replacen(r#"_usage":0"#, r#"_usage":1"#, 2))
        .is_none());
    assert_eq!(table.host(0).host_name(), "a");
    assert_eq!(table.num_instances(), [2 * STALE_TEXTS_MAX as u32]);
}
