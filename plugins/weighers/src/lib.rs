//! Weighers: all of Nova's Pike release, and `cpu`, which came later.
//!
//! Raw weights only: the scheduler's host normalises them and multiplies them by the operator's
//! factors. One rule per file, each a loop over columns; none knows the others.
#![forbid(unsafe_code)]

mod build_failure;
mod by_column;
mod by_text;
mod counts;
mod cpu;
mod disk;
mod io_ops;
mod metrics;
mod pci;
mod ram;
mod server_group;
#[cfg(test)]
mod tests;

use longshore_plugin_api::{export_plugin, Weigher, WeightRange};

/// Nova's `minval`: an over-committed host does not stretch the range, so that free hosts stay
/// comparable.
const FROM_ZERO: WeightRange = WeightRange {
    min: Some(0.0),
    max: None,
};

export_plugin! {
    "longshore.scheduler.weigher" {
        /// Hosts on which many builds failed first; give it a large negative multiplier.
        build_failure: Weigher => build_failure::BuildFailureWeigher;
        /// Hosts with many free processors first, over-commit included.
        cpu: Weigher => cpu::CpuWeigher;
        /// Hosts with much free disk first.
        disk: Weigher => disk::DiskWeigher;
        /// Hosts that build, move or save many instances first; give it a negative multiplier.
        io_ops: Weigher => io_ops::IoOpsWeigher;
        /// Hosts with much of what the operator weighs, out of what monitors measured.
        metrics: Weigher => metrics::MetricsWeigher;
        /// Hosts with few free PCI devices first.
        pci: Weigher => pci::PciWeigher;
        /// Hosts with much free memory first.
        ram: Weigher => ram::RamWeigher;
        /// Hosts with many members of the instance's server group first.
        server_group_soft_affinity: Weigher => server_group::SoftAffinityWeigher;
        /// Hosts with few members of the instance's server group first.
        server_group_soft_anti_affinity: Weigher => server_group::SoftAntiAffinityWeigher;
    }
}
