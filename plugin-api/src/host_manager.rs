//! The kind `HostManager`: keeps the scheduler's view of all hosts.

use crate::{driver_kind, record, DriverError, HostTable, Mask, RequestSpec};
use std::collections::BTreeMap;

record! {
    /// A kind of guest that a node can run.
    pub struct SupportedInstance {
        /// Architecture, such as `x86_64`.
        pub architecture: String,
        /// Hypervisor type, such as `fake`.
        pub hypervisor_type: String,
        /// Virtual machine mode, such as `hvm`.
        pub vm_mode: String,
    }
}

record! {
    /// What a compute node reports of itself (Nova's `ComputeNode`).
    pub struct HostReport {
        /// The host.
        pub host: String,
        /// The node on it.
        pub node: String,
        /// When it was made, as an ever growing number: an older report never replaces a newer one.
        pub generation: u64,
        /// Processors.
        pub vcpus: u32,
        /// Processors that instances have.
        pub vcpus_used: u32,
        /// Memory, MB.
        pub memory_mb: u64,
        /// Memory that is left, MB; negative when over-committed.
        pub free_ram_mb: i64,
        /// Disk, GB.
        pub local_gb: u64,
        /// Disk that instances have, GB.
        pub local_gb_used: u64,
        /// Disk that is left, GB; absent before the node's first own report.
        pub free_disk_gb: Option<i64>,
        /// Disk that is really left at the least, GB.
        pub disk_available_least: Option<i64>,
        /// Instances.
        pub num_instances: u32,
        /// Instances that are being built, moved or saved.
        pub num_io_ops: u32,
        /// Builds that failed in a row.
        pub failed_builds: u32,
        /// Hypervisor type.
        pub hypervisor_type: String,
        /// Hypervisor version, major × 10⁶ + minor × 10³ + patch.
        pub hypervisor_version: u32,
        /// The processor, as a JSON text.
        pub cpu_info: String,
        /// What it can run.
        pub supported_instances: Vec<SupportedInstance>,
        /// The host's address.
        pub host_ip: String,
        /// How much memory may be promised per MB.
        pub ram_allocation_ratio: f64,
        /// How many processors may be promised per processor.
        pub cpu_allocation_ratio: f64,
        /// How much disk may be promised per GB.
        pub disk_allocation_ratio: f64,
        /// Everything else.
        pub stats: BTreeMap<String, String>,
    }
}

record! {
    /// The state of a host's compute service.
    pub struct ServiceState {
        /// The host.
        pub host: String,
        /// It answers heartbeats.
        pub up: bool,
        /// The operator disabled it.
        pub disabled: bool,
        /// Why.
        pub disabled_reason: String,
    }
}

record! {
    /// A group of hosts with metadata.
    pub struct Aggregate {
        /// Its number.
        pub id: u32,
        /// Its hosts.
        pub hosts: Vec<String>,
        /// Its metadata; `availability_zone` names a zone.
        pub metadata: BTreeMap<String, String>,
    }
}

record! {
    /// An instance on a host, as far as filters look at others' instances.
    pub struct PlacedInstance {
        /// Its uuid.
        pub uuid: String,
        /// The id of its flavor.
        pub flavor_id: String,
        /// Who it is for.
        pub project_id: String,
    }
}

/// Key of [`HostReport::stats`] under which a report carries the node's uuid. This and the other `STATS_` keys become
/// columns of the table, and are no stats there.
pub const STATS_UUID: &str = "uuid";
/// Key of [`HostReport::stats`] for the column `metrics`.
pub const STATS_METRICS: &str = "metrics";
/// Key of [`HostReport::stats`] for the column `pci_device_pools`.
pub const STATS_PCI_DEVICE_POOLS: &str = "pci_device_pools";
/// Key of [`HostReport::stats`] for the column `numa_topology`.
pub const STATS_NUMA_TOPOLOGY: &str = "numa_topology";

driver_kind! {
    id: "longshore.host_manager", revision: 1;

    /// Keeps the scheduler's view of all hosts. Namespace `longshore.scheduler.host_manager`.
    ///
    /// # Contract
    /// - [`host_table`](HostManager::host_table) MUST be cheap and its answer immutable: it is taken for every request.
    /// - A report with a lower generation than the one known MUST be ignored.
    /// - One bad report MUST NOT hide other hosts.
    /// - Methods MAY be called from several threads at once.
    ///
    /// ```
    /// use longshore_plugin_api::{
    ///     Column, DriverError, HostColumns, HostManager, HostReport, HostTable, Mask, RequestSpec, ServiceState, STATE_UP,
    /// };
    /// use std::sync::Mutex;
    ///
    /// /// Knows memory and nothing else.
    /// struct RamOnly {
    ///     hosts: Mutex<HostColumns>,
    /// }
    ///
    /// impl RamOnly {
    ///     fn row(hosts: &mut HostColumns, host: &str, node: &str) -> usize {
    ///         let known = hosts.snapshot().find(host, node);
    ///         known.unwrap_or_else(|| hosts.push(host, node))
    ///     }
    /// }
    ///
    /// impl HostManager for RamOnly {
    ///     fn update_host(&self, report: &HostReport) -> Result<bool, DriverError> {
    ///         let mut hosts = self.hosts.lock().unwrap();
    ///         let row = RamOnly::row(&mut hosts, &report.host, &report.node);
    ///         hosts.set_i32(Column::FreeRamMb, row, report.free_ram_mb as i32);
    ///         Ok(true)
    ///     }
    ///     fn remove_host(&self, host: &str, node: &str) -> Result<(), DriverError> {
    ///         let mut hosts = self.hosts.lock().unwrap();
    ///         if let Some(row) = hosts.snapshot().find(host, node) {
    ///             hosts.swap_remove(row);
    ///         }
    ///         Ok(())
    ///     }
    ///     fn update_service(&self, state: &ServiceState) -> Result<(), DriverError> {
    ///         let mut hosts = self.hosts.lock().unwrap();
    ///         let row = RamOnly::row(&mut hosts, &state.host, &state.host);
    ///         hosts.set_u32(Column::State, row, if state.up { STATE_UP } else { 0 });
    ///         Ok(())
    ///     }
    ///     fn host_table(&self) -> Result<HostTable, DriverError> {
    ///         Ok(self.hosts.lock().unwrap().snapshot())
    ///     }
    ///     fn eligible_hosts(&self, _: &HostTable, _: &RequestSpec, _: &mut Mask<'_>) -> Result<bool, DriverError> {
    ///         Ok(true)
    ///     }
    ///     fn consume_from_request(&self, host: &str, node: &str, request: &RequestSpec) -> Result<(), DriverError> {
    ///         let mut hosts = self.hosts.lock().unwrap();
    ///         let table = hosts.snapshot();
    ///         let row = table.find(host, node).ok_or_else(|| DriverError::not_found(format!("no host `{host}`")))?;
    ///         hosts.set_i32(Column::FreeRamMb, row, table.free_ram_mb()[row] - request.memory_mb() as i32);
    ///         Ok(())
    ///     }
    /// }
    /// ```
    pub trait HostManager: Send + Sync + 'static {
        /// Takes a node's report. Answers whether it was newer than what was known.
        fn update_host(&self, report: &HostReport) -> Result<bool, DriverError>;

        /// Forgets a node. One that is not known is fine.
        fn remove_host(&self, host: &str, node: &str) -> Result<(), DriverError>;

        /// Takes the state of a host's service, for all its nodes.
        fn update_service(&self, state: &ServiceState) -> Result<(), DriverError>;

        /// All hosts that have reported and have a service.
        fn host_table(&self) -> Result<HostTable, DriverError>;

        /// Takes out of `mask` what the request does not allow: hosts other than the requested destination, ignored
        /// hosts, hosts that are not among the forced ones. Answers whether filters are to run: they are not when hosts
        /// or nodes are forced and it is no rebuild (Nova's `get_filtered_hosts`).
        fn eligible_hosts(&self, hosts: &HostTable, request: &RequestSpec, mask: &mut Mask<'_>) -> Result<bool, DriverError>;

        /// Counts one instance on a node until its next report (Nova's `consume_from_request`): memory, disk, processors,
        /// one instance, one I/O operation, and what it gets of PCI devices ([`pci`](crate::pci)) and NUMA cells
        /// ([`numa`](crate::numa)).
        fn consume_from_request(&self, host: &str, node: &str, request: &RequestSpec) -> Result<(), DriverError>;

        /// Takes the consumption back that [`consume_from_request`](HostManager::consume_from_request) counted, after a
        /// request for several instances failed half way.
        fn release_request(&self, host: &str, node: &str, request: &RequestSpec) -> Result<(), DriverError> {
            let _ = (host, node, request);
            Ok(())
        }

        /// Replaces all aggregates.
        fn update_aggregates(&self, aggregates: Vec<Aggregate>) -> Result<(), DriverError> {
            let _ = aggregates;
            Ok(())
        }

        /// Replaces what is known of the instances on a host, by their uuids.
        fn sync_instance_info(&self, host: &str, instances: Vec<String>) -> Result<(), DriverError> {
            let _ = (host, instances);
            Ok(())
        }

        /// Replaces what is known of the instances on a host. The provided body hands the uuids to
        /// [`sync_instance_info`](HostManager::sync_instance_info).
        fn sync_instances(&self, host: &str, instances: Vec<PlacedInstance>) -> Result<(), DriverError> {
            let uuids = instances.into_iter().map(|instance| instance.uuid);
            self.sync_instance_info(host, uuids.collect())
        }
    }
}
