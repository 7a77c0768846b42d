//! The filter scheduler: for each instance, filters, weighs, takes one of the best hosts and counts
//! it.
//!
//! Filters, weighers and consumption are lent by the host for one request; what they say is not
//! known here. The choice itself is in `rank`, chance in `random`.
#![forbid(unsafe_code)]

mod rank;
mod select;
#[cfg(test)]
mod tests;

use longshore_plugin_api::{export_plugin, Scheduler};

export_plugin! {
    "longshore.scheduler.driver" {
        /// Filters the hosts, weighs those that are left and takes one of the best.
        filter_scheduler: Scheduler => select::FilterScheduler;
    }
}
