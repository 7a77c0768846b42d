//! `InstanceFault`: why an instance is in error.
//!
//! Must not decide the state of the instance. Written by whoever gives up on an operation; the
//! latest one is shown with the instance.

use crate::macros::{list_object, versioned_object};
use crate::primitive::DateTime;

versioned_object! {
    /// One failure of an instance.
    pub struct InstanceFault, "1.2" {
        /// Row number.
        id: i64,
        /// The instance.
        instance_uuid: String,
        /// HTTP-like number: 500 unless the failure has its own.
        code: i64 = 500,
        /// One line for the user.
        message: Option<String>,
        /// More for the operator.
        details: Option<String>,
        /// Host on which it happened.
        host: Option<String>,
        /// When it happened.
        created_at: Option<DateTime>,
    }
}

list_object! {
    /// A list of faults, newest first.
    pub struct InstanceFaultList, "1.2" of InstanceFault
}
