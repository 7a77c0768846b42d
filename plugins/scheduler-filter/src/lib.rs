//! The filter scheduler: for each instance, filters, weighs, takes one of the best hosts and counts
//! it. And the same over hosts that were the best before, `caching`.
//!
//! Filters, weighers and consumption are lent by the host for one request; what they say is not
//! known here. The choice itself is in `rank`, chance in `random`.
#![forbid(unsafe_code)]

mod caching;
mod rank;
mod select;
#[cfg(test)]
mod tests;

use longshore_plugin_api::{export_plugin, Scheduler};

export_plugin! {
    "longshore.scheduler.driver" {
        /// Filters the hosts, weighs those that are left and takes one of the best.
        filter_scheduler: Scheduler => select::FilterScheduler;
        /// As `filter_scheduler`, mostly over the hosts that were best when all were looked at last.
        caching_scheduler: Scheduler => caching::CachingScheduler;
    }
}
