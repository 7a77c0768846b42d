//! Reports: what of them is shown, which are refused, and which are too old.

use super::support::{manager, names, report, service, with_hosts};
use crate::facts::{SUPPORTED_MAX, TEXT_BYTES_MAX};
use crate::fleet::STALE_TEXTS_MAX;
use longshore_plugin_api::{Category, HostReport, SupportedInstance};

#[test]
fn a_report_fills_its_row() {
    let manager = manager();
    manager.update_service(&service("a")).unwrap();
    let mut full = report("a", 1);
    full.node = "n".into();
    full.vcpus_used = 3;
    full.local_gb_used = 7;
    full.num_instances = 4;
    full.num_io_ops = 2;
    full.failed_builds = 1;
    full.hypervisor_type = "QEMU".into();
    full.hypervisor_version = 6_002_000;
    full.cpu_info = "{}".into();
    full.host_ip = "10.0.0.1".into();
    full.stats = [("gpu".to_owned(), "2".to_owned())].into();
    full.supported_instances = vec![SupportedInstance {
        architecture: "x86_64".into(),
        hypervisor_type: "kvm".into(),
        vm_mode: "hvm".into(),
    }];
    manager.update_host(&full).unwrap();
    let table = manager.host_table().unwrap();
    let host = table.host(0);
    assert_eq!(
        (host.host_name(), host.node_name(), host.host_ip()),
        ("a", "n", "10.0.0.1")
    );
    assert_eq!(
        (host.total_usable_ram_mb(), host.free_ram_mb()),
        (16_384, 16_384)
    );
    assert_eq!(
        (
            host.total_usable_disk_gb(),
            host.free_disk_mb(),
            host.disk_mb_used()
        ),
        (100, 102_400, 7 * 1024)
    );
    assert_eq!(
        (
            host.vcpus_total(),
            host.vcpus_used(),
            host.num_instances(),
            host.num_io_ops()
        ),
        (8, 3, 4, 2)
    );
    assert_eq!(
        (
            host.failed_builds(),
            host.hypervisor_version(),
            host.hypervisor_type()
        ),
        (1, 6_002_000, "QEMU")
    );
    assert_eq!((host.cpu_info(), host.stats()), ("{}", r#"{"gpu":"2"}"#));
    let ratios = (
        host.ram_allocation_ratio(),
        host.cpu_allocation_ratio(),
        host.disk_allocation_ratio(),
    );
    assert_eq!(ratios, (1.5, 16.0, 1.0));
    assert_eq!(
        table.supported_instances(0).collect::<Vec<_>>(),
        [("x86_64", "kvm", "hvm")]
    );
    assert!(host.is_up() && !host.is_disabled());
}

#[test]
fn the_smaller_of_two_free_disks_counts() {
    let manager = with_hosts(&["a"]);
    for (generation, free, least, expected) in [
        (2, 50, None, 50),
        (3, 50, Some(20), 20),
        (4, 50, Some(90), 50),
        (5, 50, Some(-3), -3),
        (6, -7, None, -7),
    ] {
        let change = HostReport {
            free_disk_gb: Some(free),
            disk_available_least: least,
            ..report("a", generation)
        };
        assert!(manager.update_host(&change).unwrap());
        assert_eq!(
            manager.host_table().unwrap().free_disk_mb(),
            [expected * 1024]
        );
    }
}

#[test]
fn a_node_without_an_own_report_counts_as_having_nothing() {
    let manager = with_hosts(&["a"]);
    manager
        .update_host(&HostReport {
            free_disk_gb: None,
            ..report("a", 2)
        })
        .unwrap();
    let table = manager.host_table().unwrap();
    let host = table.host(0);
    assert_eq!(
        (
            host.total_usable_ram_mb(),
            host.free_ram_mb(),
            host.vcpus_total()
        ),
        (0, 0, 0)
    );
    assert_eq!((host.total_usable_disk_gb(), host.free_disk_mb()), (0, 0));
}

#[test]
fn an_older_report_and_the_same_one_again_are_ignored() {
    let manager = with_hosts(&["a"]);
    assert!(manager
        .update_host(&HostReport {
            free_ram_mb: 5,
            ..report("a", 10)
        })
        .unwrap());
    for generation in [10, 9, 0] {
        assert!(!manager
            .update_host(&HostReport {
                free_ram_mb: 6,
                ..report("a", generation)
            })
            .unwrap());
    }
    assert_eq!(manager.host_table().unwrap().free_ram_mb(), [5]);
}

#[test]
fn a_bad_report_names_host_and_field_and_changes_nothing() {
    let manager = with_hosts(&["a", "b"]);
    let bad = |change: fn(&mut HostReport)| {
        let mut bad = report("a", 2);
        bad.free_ram_mb = 1;
        change(&mut bad);
        bad
    };
    for (field, report) in [
        (
            "ram_allocation_ratio",
            bad(|r| r.ram_allocation_ratio = f64::NAN),
        ),
        (
            "cpu_allocation_ratio",
            bad(|r| r.cpu_allocation_ratio = -1.0),
        ),
        (
            "disk_allocation_ratio",
            bad(|r| r.disk_allocation_ratio = 1e300),
        ),
        ("memory_mb", bad(|r| r.memory_mb = u64::MAX)),
        ("free_ram_mb", bad(|r| r.free_ram_mb = i64::MIN)),
        ("local_gb", bad(|r| r.local_gb = 1 << 32)),
        ("local_gb_used", bad(|r| r.local_gb_used = u64::MAX)),
        ("free_disk_gb", bad(|r| r.free_disk_gb = Some(i64::MAX))),
        (
            "free_disk_gb",
            bad(|r| r.disk_available_least = Some(i64::MIN)),
        ),
        (
            "cpu_info",
            bad(|r| r.cpu_info = "x".repeat(TEXT_BYTES_MAX + 1)),
        ),
        (
            "supported_instances",
            bad(|r| r.supported_instances = vec![Default::default(); SUPPORTED_MAX + 1]),
        ),
    ] {
        let error = manager.update_host(&report).unwrap_err();
        assert_eq!(error.category(), Category::Invalid, "{field}");
        let names_both =
            error.message().contains("`a`") && error.message().contains(&format!("`{field}`"));
        assert!(names_both, "{error}");
    }
    assert_eq!(
        manager.host_table().unwrap().free_ram_mb(),
        [16_384, 16_384]
    );
    assert!(
        manager.update_host(&report("a", 2)).unwrap(),
        "the generation of a bad report is not known"
    );
    assert!(manager
        .update_host(&report("", 2))
        .unwrap_err()
        .message()
        .contains("`host`"));
}

#[test]
fn a_ratio_of_zero_is_one_that_is_not_set() {
    let manager = with_hosts(&[]);
    manager.update_service(&service("a")).unwrap();
    let (ram_allocation_ratio, cpu_allocation_ratio, disk_allocation_ratio) = (0.0, 0.0, 0.0);
    let unset = HostReport {
        ram_allocation_ratio,
        cpu_allocation_ratio,
        disk_allocation_ratio,
        ..report("a", 1)
    };
    manager.update_host(&unset).unwrap();
    let table = manager.host_table().unwrap();
    let ratios = (
        table.ram_allocation_ratio()[0],
        table.cpu_allocation_ratio()[0],
        table.disk_allocation_ratio()[0],
    );
    assert_eq!(ratios, (1.5, 16.0, 1.0));
}

#[test]
fn rows_keep_the_order_of_arrival_and_removal_moves_the_last_one() {
    let manager = with_hosts(&["c", "a", "b"]);
    manager.update_host(&report("a", 2)).unwrap();
    let before = manager.host_table().unwrap();
    assert_eq!(names(&before), ["c", "a", "b"]);
    manager.remove_host("c", "c").unwrap();
    manager.remove_host("c", "c").unwrap();
    manager.remove_host("never", "there").unwrap();
    assert_eq!(names(&manager.host_table().unwrap()), ["b", "a"]);
    assert_eq!(names(&before), ["c", "a", "b"], "a table does not change");
    manager
        .update_host(&HostReport {
            free_ram_mb: 3,
            ..report("b", 2)
        })
        .unwrap();
    assert_eq!(manager.host_table().unwrap().free_ram_mb(), [3, 16_384]);
}

#[test]
fn nodes_of_one_host_are_rows_of_their_own() {
    let manager = with_hosts(&["a"]);
    manager
        .update_host(&HostReport {
            node: "a2".into(),
            ..report("a", 1)
        })
        .unwrap();
    manager
        .update_host(&HostReport {
            node: "a2".into(),
            free_ram_mb: 9,
            ..report("a", 2)
        })
        .unwrap();
    let table = manager.host_table().unwrap();
    assert_eq!(
        (names(&table), table.free_ram_mb()),
        (vec!["a", "a"], &[16_384, 9][..])
    );
    assert_eq!(table.find("a", "a2"), Some(1));
}

#[test]
fn texts_that_no_host_has_any_more_are_shed_and_rows_stay() {
    let manager = with_hosts(&["a", "b"]);
    manager
        .consume_from_request("b", "b", &super::support::request("u"))
        .unwrap();
    let stats = |n: usize| [("n".to_owned(), n.to_string())].into();
    let changes = STALE_TEXTS_MAX + 2;
    for n in 0..changes {
        let change = HostReport {
            stats: stats(n),
            ..report("a", n as u64 + 2)
        };
        manager.update_host(&change).unwrap();
    }
    let table = manager.host_table().unwrap();
    assert_eq!(table.find_text(r#"{"n":"0"}"#), None);
    assert_eq!(
        table.host(0).stats(),
        format!("{{\"n\":\"{}\"}}", changes - 1)
    );
    assert_eq!(names(&table), ["a", "b"]);
    assert_eq!(
        table.free_ram_mb(),
        [16_384, 16_384 - 2048],
        "consumption stays"
    );
    assert!(table.host(1).is_up());
}
