//! `plugins.lock`: which content each entry of the map had when an operator locked it.
//!
//! Lies beside the map, as a package manager's lock file lies beside its list. Where it is present an entry is loaded
//! only from the content that is locked for it. A value: reading, making, comparing and printing stand in the files of
//! those names. Called by the map, which carries it, by the loader and by `plugin lock`; opens no library.

mod compare;
mod make;
mod read;
#[cfg(test)]
mod tests;
mod to_toml;
mod verify;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::diagnostic::{Place, Source};

pub use compare::LockChange;
pub use make::Locking;

/// The version of the format that this host reads and writes.
pub const LOCK_VERSION: i64 = 1;
/// Most plugins in one lock.
pub const PLUGINS_MAX: usize = 1_000;

/// Everything that is locked.
#[derive(Debug, Clone, Default)]
pub struct PluginsLock {
    /// One per distinct content, sorted by library and digest.
    pub plugins: Vec<LockedPlugin>,
    source: Option<Arc<Source>>,
}

/// One content of a file.
#[derive(Debug, Clone)]
pub struct LockedPlugin {
    /// SHA-256 of the file, 64 lower-case hex digits.
    pub sha256: String,
    /// The file's names as the map writes them, sorted.
    pub lib: Vec<String>,
    /// The plugin's name.
    pub plugin: String,
    /// The plugin's version.
    pub version: String,
    /// The version of plugin-api it was built with.
    pub api: String,
    /// The entries of the map that use it, sorted.
    pub entries: Vec<LockedEntry>,
    /// Where its digest stands; `Place::Program` for one that was not read.
    pub place: Place,
}

/// One entry of the map.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct LockedEntry {
    /// The namespace.
    pub namespace: String,
    /// The name in the map.
    pub name: String,
    /// The driver inside the file.
    pub export: String,
    /// The id of its kind.
    pub kind: String,
    /// The revision of the kind.
    pub revision: u32,
}

/// Two are the same when they say the same, wherever it stands.
impl PartialEq for LockedPlugin {
    fn eq(&self, other: &LockedPlugin) -> bool {
        let LockedPlugin {
            sha256,
            lib,
            plugin,
            version,
            api,
            entries,
            place: _,
        } = self;
        *sha256 == other.sha256
            && *lib == other.lib
            && *plugin == other.plugin
            && *version == other.version
            && *api == other.api
            && *entries == other.entries
    }
}

impl Eq for LockedPlugin {}

/// Two are the same when they say the same, however they are written.
impl PartialEq for PluginsLock {
    fn eq(&self, other: &PluginsLock) -> bool {
        self.plugins == other.plugins
    }
}

impl Eq for PluginsLock {}

impl PluginsLock {
    /// Where the lock of a map lies: `plugins.toml` has `plugins.lock` beside it.
    pub fn path_beside(map: &Path) -> PathBuf {
        map.with_extension("lock")
    }

    /// How many entries are locked.
    pub fn entry_count(&self) -> usize {
        self.plugins.iter().map(|p| p.entries.len()).sum()
    }

    /// The name of the file it was read from, as messages show it.
    pub fn file(&self) -> &str {
        self.source
            .as_ref()
            .map_or("plugins.lock", |source| source.name())
    }

    fn sort(&mut self) {
        for plugin in &mut self.plugins {
            plugin.lib.sort();
            plugin.lib.dedup();
            plugin.entries.sort();
            plugin.entries.dedup();
        }
        self.plugins
            .sort_by(|a, b| (&a.lib, &a.sha256).cmp(&(&b.lib, &b.sha256)));
    }
}
