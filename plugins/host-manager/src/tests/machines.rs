//! `ironic_host_manager`: nodes that are whole machines, beside nodes that are not.

use super::support::{manager_of, report, request, service};
use crate::machines::{Ironic, Shared};
use longshore_plugin_api::{
    HostManager, HostReport, PlacedInstance, STATS_METRICS, STATS_NUMA_TOPOLOGY,
    STATS_PCI_DEVICE_POOLS, STATS_UUID,
};
use std::sync::Arc;

/// A machine that reports everything there is.
fn machine(generation: u64) -> HostReport {
    let stats = [
        STATS_UUID,
        STATS_METRICS,
        STATS_PCI_DEVICE_POOLS,
        STATS_NUMA_TOPOLOGY,
        "boot",
    ];
    HostReport {
        hypervisor_type: "ironic".into(),
        vcpus_used: 2,
        local_gb_used: 5,
        disk_available_least: Some(7),
        num_instances: 3,
        num_io_ops: 4,
        failed_builds: 1,
        host_ip: "192.0.2.1".into(),
        stats: stats
            .iter()
            .map(|key| (key.to_string(), "[]".to_owned()))
            .collect(),
        ..report("metal", generation)
    }
}

fn shared(generation: u64) -> HostReport {
    HostReport {
        hypervisor_type: "qemu".into(),
        ..report("shared", generation)
    }
}

fn with_both() -> Arc<dyn HostManager> {
    let manager = manager_of::<Ironic>();
    for report in [machine(1), shared(1)] {
        manager.update_service(&service(&report.host)).unwrap();
        manager.update_host(&report).unwrap();
    }
    manager
}

/// Free memory, free disk, processors used, instances, I/O operations.
fn amounts(manager: &dyn HostManager, host: &str) -> (i32, i32, u32, u32, u32) {
    let table = manager.host_table().unwrap();
    let host = table.host(table.find(host, host).unwrap());
    let free = (host.free_ram_mb(), host.free_disk_mb());
    (
        free.0,
        free.1,
        host.vcpus_used(),
        host.num_instances(),
        host.num_io_ops(),
    )
}

#[test]
fn a_machine_has_what_nobody_shares_and_nothing_else() {
    let table = with_both().host_table().unwrap();
    let host = table.host(0);
    assert_eq!(amounts(&*with_both(), "metal"), (16_384, 102_400, 2, 0, 0));
    assert_eq!(
        (host.vcpus_total(), host.failed_builds(), host.uuid()),
        (8, 1, "[]")
    );
    assert_eq!(
        (host.stats(), host.hypervisor_type()),
        (r#"{"boot":"[]"}"#, "ironic")
    );
    let texts = [
        host.metrics(),
        host.pci_device_pools(),
        host.numa_topology(),
        host.host_ip(),
    ];
    assert_eq!((texts, host.disk_mb_used()), ([""; 4], 0));
}

#[test]
fn a_request_takes_the_whole_machine_and_a_share_of_others() {
    let manager = with_both();
    for host in ["metal", "shared"] {
        manager
            .consume_from_request(host, host, &request("u"))
            .unwrap();
    }
    assert_eq!(amounts(&*manager, "metal"), (0, 0, 8, 0, 0));
    let share = (16_384 - 2048, 102_400 - 20 * 1024, 2, 1, 1);
    assert_eq!(amounts(&*manager, "shared"), share);
}

#[test]
fn a_machine_is_free_again_when_nobody_has_it_any_more() {
    let manager = with_both();
    let idle = amounts(&*manager, "metal");
    for uuid in ["u", "v"] {
        manager
            .consume_from_request("metal", "metal", &request(uuid))
            .unwrap();
    }
    manager
        .release_request("metal", "metal", &request("u"))
        .unwrap();
    assert_eq!(
        amounts(&*manager, "metal"),
        (0, 0, 8, 0, 0),
        "the other has it"
    );
    manager
        .release_request("metal", "metal", &request("v"))
        .unwrap();
    assert_eq!(amounts(&*manager, "metal"), idle);
    manager
        .consume_from_request("metal", "metal", &request("u"))
        .unwrap();
    manager.update_host(&machine(2)).unwrap();
    assert_eq!(amounts(&*manager, "metal"), idle, "a newer report counts");
}

#[test]
fn instances_of_a_machine_are_not_looked_at() {
    let manager = manager_of::<Ironic>();
    let instances = |host: &str| {
        let placed = PlacedInstance {
            uuid: "u".into(),
            ..PlacedInstance::default()
        };
        manager.sync_instances(host, vec![placed]).unwrap();
        let table = manager.host_table().unwrap();
        table.instances(table.find(host, host).unwrap()).len()
    };
    for report in [machine(1), shared(1)] {
        manager.update_service(&service(&report.host)).unwrap();
        manager.update_host(&report).unwrap();
    }
    assert_eq!((instances("metal"), instances("shared")), (0, 1));
    manager
        .update_host(&HostReport {
            hypervisor_type: "qemu".into(),
            ..machine(2)
        })
        .unwrap();
    assert_eq!(
        manager.host_table().unwrap().instances(0).len(),
        1,
        "it says that it is none"
    );
    manager.update_host(&machine(3)).unwrap();
    assert!(manager.host_table().unwrap().instances(0).is_empty());
}

#[test]
fn to_the_plain_host_manager_a_machine_is_a_host() {
    let manager = manager_of::<Shared>();
    manager.update_service(&service("metal")).unwrap();
    manager.update_host(&machine(1)).unwrap();
    manager
        .consume_from_request("metal", "metal", &request("u"))
        .unwrap();
    let least_gb = 7;
    assert_eq!(
        amounts(&*manager, "metal"),
        (16_384 - 2048, (least_gb - 20) * 1024, 4, 4, 5)
    );
}
