//! `Service`: one running program of the control plane, and its heartbeat.
//!
//! Must not decide who is up: that is the service group's word. Written by heartbeats.

use crate::macros::{list_object, versioned_object};
use crate::primitive::DateTime;

versioned_object! {
    /// A service on a host.
    pub struct Service, "1.22" {
        /// Row number.
        id: i64,
        /// Identifier.
        uuid: String,
        /// Host it runs on.
        host: String,
        /// Program name; unique with the host.
        binary: String,
        /// Topic it listens to.
        topic: Option<String>,
        /// Heartbeats so far.
        report_count: i64,
        /// Whether it takes no new work.
        disabled: bool,
        /// Why it is disabled.
        disabled_reason: Option<String>,
        /// Latest heartbeat; stamped by the store when the report count grows.
        last_seen_up: Option<DateTime>,
        /// Whether an operator declared it down.
        forced_down: bool,
        /// Version of the running program, a plain number.
        version: i64,
        /// When the record was made.
        created_at: Option<DateTime>,
        /// When the record last changed.
        updated_at: Option<DateTime>,
        /// When the record was deleted.
        deleted_at: Option<DateTime>,
        /// Whether the record is deleted.
        deleted: bool,
        /// Change number given by the store: the larger, the later.
        generation: i64,
    }
}

list_object! {
    /// A list of services.
    pub struct ServiceList, "1.19" of Service
}
