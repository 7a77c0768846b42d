//! Reading a map again: whether its files changed, and what that changes.
//!
//! A snapshot is never altered. Reloading makes a new one, or fails and leaves the old in force.
//! Called by whoever watches the files or is told to read them again.

use super::changes::{self, Change};
use super::load::MapError;
use super::origin::Origin;
use super::snapshot::PluginMap;

/// A map that was read again.
#[derive(Debug, Clone)]
pub struct Reload {
    /// The new snapshot.
    pub map: PluginMap,
    /// How it differs from the old one.
    pub changes: Vec<Change>,
}

impl PluginMap {
    /// Whether a file or directory that this map was read from looks different now. Reads nothing;
    /// never so for a map made from text. A file that is written in place, to the same size and
    /// within one tick of the file system's clock, looks the same: install with a rename.
    pub fn is_stale(&self) -> bool {
        match &self.origin {
            Origin::Text => false,
            Origin::Files(files) => files.stamps.are_stale(),
        }
    }

    /// Reads the same files again, with the environment and the options of the first time. This
    /// map stays as it is.
    ///
    /// # Errors
    /// As `load`; go on with this map then.
    pub fn reload(&self) -> Result<Reload, MapError> {
        let map = match &self.origin {
            Origin::Text => self.clone(),
            Origin::Files(files) => {
                PluginMap::load_with(&files.path, &files.environment, &files.options)?
            }
        };
        let changes = changes::between(self, &map);
        Ok(Reload { map, changes })
    }
}
