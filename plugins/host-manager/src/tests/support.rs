//! A host manager through the bridge, reports, and requests.

use crate::machines::{Machines, Shared};
use crate::manager::Hosts;
use longshore_plugin_api::{
    testing, HostManager, HostReport, HostTable, RequestFields, RequestSpec, ServiceState,
};
use std::path::Path;
use std::sync::Arc;

pub(crate) fn manager() -> Arc<dyn HostManager> {
    manager_of::<Shared>()
}

pub(crate) fn manager_of<M: Machines>() -> Arc<dyn HostManager> {
    testing::bridged::<dyn HostManager, Hosts<M>>("{}", Path::new("/nonexistent")).unwrap()
}

/// A plain report: 8 processors, 16 GB of memory, 100 GB of disk.
pub(crate) fn report(host: &str, generation: u64) -> HostReport {
    HostReport {
        host: host.to_owned(),
        node: host.to_owned(),
        generation,
        vcpus: 8,
        memory_mb: 16_384,
        free_ram_mb: 16_384,
        local_gb: 100,
        free_disk_gb: Some(100),
        ram_allocation_ratio: 1.5,
        cpu_allocation_ratio: 16.0,
        disk_allocation_ratio: 1.0,
        ..HostReport::default()
    }
}

pub(crate) fn service(host: &str) -> ServiceState {
    ServiceState {
        host: host.to_owned(),
        up: true,
        ..ServiceState::default()
    }
}

/// A manager that knows these hosts, all up.
pub(crate) fn with_hosts(hosts: &[&str]) -> Arc<dyn HostManager> {
    let manager = manager();
    for host in hosts {
        manager.update_service(&service(host)).unwrap();
        assert!(manager.update_host(&report(host, 1)).unwrap());
    }
    manager
}

pub(crate) fn names(table: &HostTable) -> Vec<&str> {
    table.iter().map(|host| host.host_name()).collect()
}

/// Two processors, 2 GB of memory, 20 GB of disk, and swap that does not count.
pub(crate) fn request(instance_uuid: &str) -> RequestSpec {
    RequestSpec::from(RequestFields {
        instance_uuid: instance_uuid.to_owned(),
        vcpus: 2,
        memory_mb: 2048,
        root_gb: 15,
        ephemeral_gb: 5,
        swap_mb: 512,
        ..RequestFields::default()
    })
}
