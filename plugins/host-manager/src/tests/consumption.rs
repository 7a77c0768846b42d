//! Consumption: what a request takes, how it is given back, and how long it stays.

use super::support::{report, request, with_hosts};
use crate::consumption::CONSUMED_MAX;
use longshore_plugin_api::{Category, HostManager, HostReport, RequestFields, RequestSpec};

/// Free memory, free disk, processors used, instances, I/O operations of the first row.
fn amounts(manager: &dyn HostManager) -> (i32, i32, u32, u32, u32) {
    let table = manager.host_table().unwrap();
    let host = table.host(0);
    (
        host.free_ram_mb(),
        host.free_disk_mb(),
        host.vcpus_used(),
        host.num_instances(),
        host.num_io_ops(),
    )
}

const IDLE: (i32, i32, u32, u32, u32) = (16_384, 102_400, 0, 0, 0);

#[test]
fn a_request_takes_memory_disk_processors_an_instance_and_an_operation() {
    let manager = with_hosts(&["a", "b"]);
    manager
        .consume_from_request("a", "a", &request("u"))
        .unwrap();
    assert_eq!(
        amounts(&*manager),
        (16_384 - 2048, 102_400 - 20 * 1024, 2, 1, 1)
    );
    assert_eq!(manager.host_table().unwrap().vcpus_used(), [2, 0]);
}

#[test]
fn nothing_stops_at_zero_as_in_nova() {
    let manager = with_hosts(&[]);
    manager
        .update_service(&super::support::service("h0"))
        .unwrap();
    manager
        .update_host(&HostReport {
            free_ram_mb: 1024,
            free_disk_gb: Some(10),
            ..report("h0", 1)
        })
        .unwrap();
    manager
        .consume_from_request("h0", "h0", &request("u"))
        .unwrap();
    assert_eq!(amounts(&*manager), (-1024, -10_240, 2, 1, 1));
}

#[test]
fn what_is_released_is_as_it_was() {
    let manager = with_hosts(&["a"]);
    manager
        .consume_from_request("a", "a", &request("u"))
        .unwrap();
    manager
        .consume_from_request("a", "a", &request("u"))
        .unwrap();
    manager
        .consume_from_request("a", "a", &request("v"))
        .unwrap();
    manager.release_request("a", "a", &request("u")).unwrap();
    manager.release_request("a", "a", &request("u")).unwrap();
    let one = (16_384 - 2048, 102_400 - 20 * 1024, 2, 1, 1);
    assert_eq!(amounts(&*manager), one);
    manager.release_request("a", "a", &request("u")).unwrap();
    assert_eq!(
        amounts(&*manager),
        one,
        "a third release of two finds nothing"
    );
    manager.release_request("a", "a", &request("v")).unwrap();
    assert_eq!(amounts(&*manager), IDLE);
}

#[test]
fn a_newer_report_replaces_consumption_and_an_older_one_does_not() {
    let manager = with_hosts(&["a"]);
    manager
        .consume_from_request("a", "a", &request("u"))
        .unwrap();
    assert!(!manager.update_host(&report("a", 1)).unwrap());
    assert_ne!(amounts(&*manager), IDLE);
    assert!(manager.update_host(&report("a", 2)).unwrap());
    assert_eq!(amounts(&*manager), IDLE);
    manager.release_request("a", "a", &request("u")).unwrap();
    assert_eq!(
        amounts(&*manager),
        IDLE,
        "what the report has replaced is not given back twice"
    );
}

#[test]
fn extreme_requests_stop_at_the_ends_and_come_back_whole() {
    let manager = with_hosts(&["a"]);
    let huge = RequestSpec::from(RequestFields {
        instance_uuid: "u".into(),
        vcpus: u32::MAX,
        memory_mb: u64::MAX,
        root_gb: u64::MAX,
        ephemeral_gb: u64::MAX,
        ..RequestFields::default()
    });
    manager.consume_from_request("a", "a", &huge).unwrap();
    manager.consume_from_request("a", "a", &huge).unwrap();
    assert_eq!(amounts(&*manager), (i32::MIN, i32::MIN, u32::MAX, 2, 2));
    manager.release_request("a", "a", &huge).unwrap();
    manager.release_request("a", "a", &huge).unwrap();
    assert_eq!(amounts(&*manager), IDLE);
}

#[test]
fn a_host_that_is_not_in_the_table_cannot_be_consumed() {
    let manager = with_hosts(&["a"]);
    manager.update_host(&report("waits", 1)).unwrap();
    for host in ["gone", "waits"] {
        let error = manager
            .consume_from_request(host, host, &request("u"))
            .unwrap_err();
        assert_eq!(error.category(), Category::NotFound);
        assert!(error.message().contains(host));
        manager.release_request(host, host, &request("u")).unwrap();
    }
}

#[test]
fn only_so_many_requests_are_remembered() {
    let manager = with_hosts(&["a"]);
    for n in 0..=CONSUMED_MAX {
        manager
            .consume_from_request("a", "a", &request(&format!("u{n}")))
            .unwrap();
    }
    manager.release_request("a", "a", &request("u0")).unwrap();
    assert_eq!(
        amounts(&*manager).3 as usize,
        CONSUMED_MAX + 1,
        "the oldest cannot be given back"
    );
    manager.release_request("a", "a", &request("u1")).unwrap();
    assert_eq!(amounts(&*manager).3 as usize, CONSUMED_MAX);
}

#[test]
fn threads_count_one_after_the_other() {
    let manager = with_hosts(&["a", "b"]);
    std::thread::scope(|scope| {
        for host in ["a", "a", "b", "b"] {
            let manager = &manager;
            scope.spawn(move || {
                for _ in 0..200 {
                    manager
                        .consume_from_request(host, host, &request("u"))
                        .unwrap();
                    assert_eq!(manager.host_table().unwrap().len(), 2);
                }
            });
        }
    });
    assert_eq!(manager.host_table().unwrap().num_instances(), [400, 400]);
}
