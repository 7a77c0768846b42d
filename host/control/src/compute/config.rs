//! What an operator chooses for a compute host.
//!
//! A plain value with Nova's names and defaults; must not know where it was written. Filled by the
//! wiring.

use std::time::Duration;

/// What an operator chooses for a compute host, with Nova's names and defaults.
#[derive(Clone, Debug)]
pub struct ComputeConfig {
    /// Name of the host.
    pub host: String,
    /// Address of the host, shown with it.
    pub host_ip: Option<String>,
    /// How many virtual processors one processor carries.
    pub cpu_allocation_ratio: f64,
    /// How far memory may be overcommitted.
    pub ram_allocation_ratio: f64,
    /// How far disk may be overcommitted.
    pub disk_allocation_ratio: f64,
    /// Memory kept for the host itself, MB.
    pub reserved_host_memory_mb: i64,
    /// Disk kept for the host itself, MB.
    pub reserved_host_disk_mb: i64,
    /// Processors kept for the host itself.
    pub reserved_host_cpus: i64,
    /// Builds at the same time; 0 means no limit.
    pub max_concurrent_builds: usize,
    /// Time between two audits of the host's resources.
    pub update_resources_interval: Duration,
    /// Schedulers are told of instances that come and go.
    pub track_instance_changes: bool,
    /// Time between two lists of all instances for schedulers.
    pub scheduler_instance_sync_interval: Duration,
    /// Records are written here and not through the conductor, so a start need not wait for one.
    pub use_local: bool,
    /// How long a start waits for a conductor.
    pub conductor_wait: Duration,
}

impl ComputeConfig {
    /// The defaults for a host of this name.
    pub fn new(host: impl Into<String>) -> Self {
        Self {
            host: host.into(),
            host_ip: None,
            cpu_allocation_ratio: 16.0,
            ram_allocation_ratio: 1.5,
            disk_allocation_ratio: 1.0,
            reserved_host_memory_mb: 512,
            reserved_host_disk_mb: 0,
            reserved_host_cpus: 0,
            max_concurrent_builds: 10,
            update_resources_interval: Duration::from_secs(60),
            track_instance_changes: true,
            scheduler_instance_sync_interval: Duration::from_secs(120),
            use_local: false,
            conductor_wait: Duration::from_secs(600),
        }
    }
}
