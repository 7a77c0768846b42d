//! What a node has.

use crate::{record, SupportedInstance};
use std::collections::BTreeMap;

record! {
    /// What a node has and what is used of it, as the driver sees it (Nova's `get_available_resource`).
    pub struct Resources {
        /// Processors.
        pub vcpus: u32,
        /// Memory, MB.
        pub memory_mb: u64,
        /// Disk, GB.
        pub local_gb: u64,
        /// Processors in use.
        pub vcpus_used: u32,
        /// Memory in use, MB.
        pub memory_mb_used: u64,
        /// Disk in use, GB.
        pub local_gb_used: u64,
        /// Disk that is really left at the least, GB; may be negative.
        pub disk_available_least: Option<i64>,
        /// Hypervisor type, such as `fake`.
        pub hypervisor_type: String,
        /// Hypervisor version, major × 10⁶ + minor × 10³ + patch.
        pub hypervisor_version: u32,
        /// The node's name.
        pub hypervisor_hostname: String,
        /// The processor, as a JSON text.
        pub cpu_info: String,
        /// What it can run.
        pub supported_instances: Vec<SupportedInstance>,
        /// Everything else.
        pub stats: BTreeMap<String, String>,
    }
}
