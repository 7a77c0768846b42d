//! `Flavor`: the size of an instance, as an operator sells it.
//!
//! Must not know where flavors are stored. Nested in instances and request specs, so that a later
//! change of the flavor does not touch what exists.

use std::collections::BTreeMap;

use crate::macros::{list_object, versioned_object};
use crate::primitive::DateTime;

versioned_object! {
    /// A flavor.
    pub struct Flavor, "1.1" {
        /// Row number.
        id: i64,
        /// Public identifier.
        flavorid: String,
        /// Unique name.
        name: String,
        /// Memory, in MB.
        memory_mb: i64,
        /// Virtual processors.
        vcpus: i64,
        /// Root disk, in GB.
        root_gb: i64,
        /// Second disk, in GB.
        ephemeral_gb: i64,
        /// Swap disk, in MB.
        swap: i64,
        /// Share of network bandwidth.
        rxtx_factor: f64 = 1.0,
        /// Whether it can no longer be chosen.
        disabled: bool,
        /// Whether every project sees it.
        is_public: bool = true,
        /// Requirements on the host, by key.
        extra_specs: BTreeMap<String, String>,
        /// When it was made.
        created_at: Option<DateTime>,
        /// When it last changed.
        updated_at: Option<DateTime>,
    }
}

list_object! {
    /// A list of flavors.
    pub struct FlavorList, "1.1" of Flavor
}
