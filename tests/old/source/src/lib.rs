//! A plugin that uses everything the contract has: the source of the files in `tests/old`, and of the plugins that
//! `cargo xtask matrix` builds with every compiler.

#![forbid(unsafe_code)]
#![deny(warnings)]

mod probe;
mod probes;
mod scheduling;
mod virt;

use longshore_plugin_api::{export_plugin, Filter, Scheduler, Virt, Weigher};
use probes::{DropPanics, NeverBuilt, Plain};
use scheduling::{Ample, First, Keen, PanicsFiltering};
use virt::Memory;

export_plugin! {
    "test.probe" {
        /// Gives back what it is given.
        plain: probe::Probe => Plain;
        /// Its constructor panics, after it has left a file in its directory.
        never_built: probe::Probe => NeverBuilt;
        /// Panics when it is dropped.
        drop_panics: probe::Probe => DropPanics;
    }
    "longshore.scheduler.filter" {
        /// Passes hosts with at least `free_ram_mb_min` of memory.
        ample: Filter => Ample;
        /// Panics on every host.
        panics: Filter => PanicsFiltering;
    }
    "longshore.scheduler.driver" {
        /// The first host that passes.
        first: Scheduler => First;
    }
    "longshore.scheduler.weigher" {
        /// Prefers hosts with more memory.
        keen: Weigher => Keen;
    }
    "longshore.virt.driver" {
        /// Guests that exist in memory only.
        memory: Virt => Memory;
    }
}