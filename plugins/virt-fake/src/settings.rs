//! What an operator can set on `fake`. The README's table says the same; the host shows it from the
//! plugin's note. Knows nothing of what the values do: `faults` and `driver` read them.

use longshore_plugin_api::settings;

settings! {
    /// Settings of the driver `fake`.
    pub(crate) struct FakeSettings {
        /// Processors of the node.
        vcpus: u32 = 64, min = 1;
        /// Memory of the node, MB.
        memory_mb: u64 = 262144, min = 1;
        /// Disk of the node, GB.
        local_gb: u64 = 2000, min = 0;
        /// Report this machine's own processors, memory and disk instead.
        real: bool = false;
        /// The hypervisor type that the node reports.
        hypervisor_type: String = "fake";
        /// Keep guests in files, so that they are found again after a restart.
        persist: bool = true;
        /// Every n-th spawn fails with `no-capacity`; 0: none.
        fail_spawn_every: u32 = 0;
        /// A spawn fails with `no-capacity` if the instance's name contains this; empty: none.
        fail_spawn_match: String = "";
        /// Hosts on which every spawn fails with `no-capacity`.
        fail_on_hosts: Vec<String> = [];
        /// A spawn panics if the instance's name contains this; empty: none.
        panic_spawn_match: String = "";
        /// Only spawns whose instance's name contains this take `slow_ms`; empty: all.
        slow_spawn_match: String = "";
        /// How long a slow spawn takes, ms.
        slow_ms: u64 = 0, max = 600000;
        /// A slow spawn goes on after its deadline has passed or its caller has cancelled it.
        ignore_cancel: bool = false;
    }
}
