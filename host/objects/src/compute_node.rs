//! `ComputeNode`: the resources that a host reports, and what is used of them.
//!
//! Must not compute anything: the resource tracker fills it, the host manager reads it.

use std::collections::BTreeMap;

use crate::macros::{list_object, versioned_object};
use crate::primitive::DateTime;

versioned_object! {
    /// A node of a host, as last reported.
    pub struct ComputeNode, "1.16" {
        /// Row number.
        id: i64,
        /// Identifier.
        uuid: String,
        /// Row number of the service that reports it.
        service_id: Option<i64>,
        /// Host that reports it.
        host: String,
        /// Name of the node; unique with the host.
        hypervisor_hostname: String,
        /// Processors.
        vcpus: i64,
        /// Memory, in MB.
        memory_mb: i64,
        /// Disk, in GB.
        local_gb: i64,
        /// Processors promised to instances.
        vcpus_used: i64,
        /// Memory promised to instances, in MB.
        memory_mb_used: i64,
        /// Disk promised to instances, in GB.
        local_gb_used: i64,
        /// Kind of hypervisor.
        hypervisor_type: String,
        /// Version as a·10⁶ + b·10³ + c.
        hypervisor_version: i64,
        /// Memory left, in MB; may be negative.
        free_ram_mb: Option<i64>,
        /// Disk left, in GB; nothing until the first report.
        free_disk_gb: Option<i64>,
        /// Instances with a task.
        current_workload: Option<i64>,
        /// Instances that run.
        running_vms: Option<i64>,
        /// Processor description, JSON text.
        cpu_info: Option<String>,
        /// Disk that can be given out at least, in GB; may be negative.
        disk_available_least: Option<i64>,
        /// Address of the host.
        host_ip: Option<String>,
        /// What it can run, JSON text: a list of [architecture, hypervisor, mode].
        supported_hv_specs: Option<String>,
        /// Readings of the monitors, JSON text.
        metrics: Option<String>,
        /// Pools of passed-through devices, JSON text.
        pci_device_pools: Option<String>,
        /// Memory and processor cells, JSON text.
        numa_topology: Option<String>,
        /// Counters, such as `num_instances` and `io_workload`.
        stats: BTreeMap<String, String>,
        /// How many virtual processors one processor carries.
        cpu_allocation_ratio: f64 = 16.0,
        /// How far memory is overcommitted.
        ram_allocation_ratio: f64 = 1.5,
        /// How far disk is overcommitted.
        disk_allocation_ratio: f64 = 1.0,
        /// Whether the host is mapped to its cell.
        mapped: i64,
        /// When the record was made.
        created_at: Option<DateTime>,
        /// When the record last changed.
        updated_at: Option<DateTime>,
        /// When the record was deleted.
        deleted_at: Option<DateTime>,
        /// Whether the record is deleted.
        deleted: bool,
        /// Change number given by the store: the larger, the later.
        generation: i64,
    }
}

list_object! {
    /// A list of compute nodes.
    pub struct ComputeNodeList, "1.16" of ComputeNode
}
