//! The chance scheduler: any host that is up, at random, whatever it has left.
//!
//! Runs no filter and no weigher. For trying a cloud out, and as the simplest scheduler there can
//! be.
#![forbid(unsafe_code)]

mod select;
#[cfg(test)]
mod tests;

use longshore_plugin_api::{export_plugin, Scheduler};

export_plugin! {
    "longshore.scheduler.driver" {
        /// Takes any host that is up, at random.
        chance_scheduler: Scheduler => select::ChanceScheduler;
    }
}
