//! The plugin map: which entry points exist, by namespace and name, before any library is touched.
//!
//! An immutable snapshot, made from `plugins.toml`, its drop-ins and the environment. Reloading
//! makes a new one or fails and leaves the old. Must not know kinds of drivers, or open
//! libraries. The managers and the `plugin` commands ask it.

mod build;
mod changes;
mod entry;
pub mod environment;
mod file;
mod finish;
mod include;
mod keys;
mod load;
mod lookup;
mod meaning;
mod merge;
mod misplaced;
pub(crate) mod names;
mod origin;
mod policy;
mod policy_form;
pub(crate) mod print;
mod raw;
mod reload;
mod resolve;
mod settings;
mod snapshot;
mod stamp;
mod table_form;
mod text;
mod to_toml;
mod unquoted;

pub use changes::{Change, ChangeKind};
pub use entry::{Disabled, DisabledBy, EntryPoint, NAME_BYTES_MAX, PRIORITY_MAX, split_target};
pub use environment::Environment;
pub use include::Include;
pub use load::{DROP_INS_MAX, MapError};
pub use lookup::{ALIAS_HOPS_MAX, Lookup};
pub use meaning::FieldChange;
pub use origin::LoadOptions;
pub use policy::{Conflicts, Order, Placed, Policy};
pub use reload::Reload;
pub use resolve::LibraryNotFound;
pub use snapshot::PluginMap;

#[cfg(test)]
mod tests;
