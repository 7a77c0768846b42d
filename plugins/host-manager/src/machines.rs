//! Whole machines: nodes of which an instance gets all or nothing (Nova's `IronicHostManager`). What such a node reports
//! is read as its machine, and whatever a request asks for takes it whole. Called by `fleet` and `facts`.

use longshore_plugin_api::{
    HostReport, STATS_METRICS, STATS_NUMA_TOPOLOGY, STATS_PCI_DEVICE_POOLS,
};

/// The hypervisor type of nodes that are whole machines.
const IRONIC: &str = "ironic";

/// Which nodes a host manager takes for whole machines.
pub(crate) trait Machines: Send + Sync + 'static {
    /// Whether those that say so are.
    const ARE_WHOLE: bool;
}

/// None: every node is shared.
pub(crate) struct Shared;

/// Those whose hypervisor type is `ironic`.
pub(crate) struct Ironic;

impl Machines for Shared {
    const ARE_WHOLE: bool = false;
}

impl Machines for Ironic {
    const ARE_WHOLE: bool = true;
}

/// Whether a node says that it is a whole machine.
pub(crate) fn is_whole(report: &HostReport) -> bool {
    report.hypervisor_type == IRONIC
}

/// What counts of a whole machine's report: nobody shares it, so nothing is told apart on it.
pub(crate) fn read(report: &HostReport) -> HostReport {
    let mut machine = HostReport {
        local_gb_used: 0,
        disk_available_least: None,
        num_instances: 0,
        num_io_ops: 0,
        host_ip: String::new(),
        ..report.clone()
    };
    for fact in [STATS_METRICS, STATS_PCI_DEVICE_POOLS, STATS_NUMA_TOPOLOGY] {
        machine.stats.remove(fact);
    }
    machine
}
