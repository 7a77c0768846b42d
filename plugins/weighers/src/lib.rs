//! Weighers: free memory, free processors, free disk, and pending I/O.
//!
//! Raw weights only: the scheduler's host normalises them and multiplies them by the operator's
//! factors. One weigher per file, each a loop over columns; none knows the others.
#![forbid(unsafe_code)]

mod cpu;
mod disk;
mod io_ops;
mod ram;
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
        /// Hosts with many free processors first, over-commit included.
        cpu: Weigher => cpu::CpuWeigher;
        /// Hosts with much free disk first.
        disk: Weigher => disk::DiskWeigher;
        /// Hosts that build, move or save many instances first; give it a negative multiplier.
        io_ops: Weigher => io_ops::IoOpsWeigher;
        /// Hosts with much free memory first.
        ram: Weigher => ram::RamWeigher;
    }
}
