//! The guest that was asked for.

use crate::record;
use std::collections::BTreeMap;

record! {
    /// The guest that was asked for. Its id never changes and is unique in the world.
    pub struct Instance {
        /// Its uuid.
        pub id: String,
        /// The name its owner gave it: any text.
        pub name: String,
        /// Who it is for.
        pub project_id: String,
        /// The flavor's name.
        pub flavor: String,
        /// Processors.
        pub vcpus: u32,
        /// Memory, MB.
        pub memory_mb: u64,
        /// Root disk, GB.
        pub root_gb: u64,
        /// Second disk, GB.
        pub ephemeral_gb: u64,
        /// Swap, MB.
        pub swap_mb: u64,
        /// The flavor's extra specs.
        pub extra_specs: BTreeMap<String, String>,
        /// The owner's metadata.
        pub metadata: BTreeMap<String, String>,
        /// The node it was placed on.
        pub node: String,
        /// Facts that have no field here, as a JSON object; empty when there are none.
        pub extra: String,
    }
}
