//! `Selection`: one host which the scheduler chose.
//!
//! Must not hold its alternates: they are the rest of the list it comes in. Made by the scheduler,
//! read by conductor and compute.

use crate::macros::versioned_object;
use crate::request_spec::SchedulerLimits;

versioned_object! {
    /// A chosen host with the limits that its claim must respect.
    pub struct Selection, "1.0" {
        /// Identifier of the compute node.
        compute_node_uuid: String,
        /// Host.
        host: String,
        /// Node of that host.
        nodename: String,
        /// Limits found by the filters.
        limits: Option<SchedulerLimits>,
    }
}
