//! A lock of what a map's entries are now: inspects and hashes each file once, runs nothing.
//!
//! An entry that cannot be locked is left out and told of: what is not in the lock is not loaded, so leaving out is the
//! safe side. Called by `plugin lock`.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::{LockedEntry, LockedPlugin, PluginsLock};
use crate::diagnostic::Place;
use crate::inspect::{Inspection, Refusal, inspect_with, sha256};
use crate::map::{EntryPoint, PluginMap};

/// A lock that was made, and what it lacks.
#[derive(Debug, Clone, Default)]
pub struct Locking {
    /// What can be locked.
    pub lock: PluginsLock,
    /// Why the other entries cannot be, in the order of the map.
    pub refused: Vec<Refusal>,
}

impl PluginsLock {
    /// Locks every entry of the map that names a library and is not switched off.
    pub fn from_map(map: &PluginMap) -> Locking {
        let mut files = Files::default();
        let mut made = Locking::default();
        let mut plugins: HashMap<String, LockedPlugin> = HashMap::new();
        let entries = map.all_entries().filter(|e| e.is_enabled());
        for entry in entries.filter(|e| e.alias.is_none() && !e.lib.is_empty()) {
            match files.locked(map, entry) {
                Ok((plugin, locked)) => {
                    let known = plugins.entry(plugin.sha256.clone());
                    let known = known.or_insert(plugin);
                    known.lib.push(entry.lib.clone());
                    known.entries.push(locked);
                }
                Err(_) if entry.optional && map.resolve_library(entry).is_err() => {}
                Err(refusal) => made.refused.push(refusal),
            }
        }
        made.lock.plugins = plugins.into_values().collect();
        made.lock.sort();
        made
    }
}

/// Each file is read once, however many entries it has.
#[derive(Default)]
struct Files {
    seen: HashMap<(PathBuf, bool), Result<(Inspection, String), Refusal>>,
}

impl Files {
    fn locked(
        &mut self,
        map: &PluginMap,
        entry: &EntryPoint,
    ) -> Result<(LockedPlugin, LockedEntry), Refusal> {
        let for_entry = |r: Refusal| r.for_entry(&entry.namespace, &entry.name);
        if let Some(fault) = &entry.fault {
            let help = fault.help.clone().unwrap_or_default();
            let refusal = Refusal::new(fault.code, Path::new(&entry.lib), &fault.what, help);
            return Err(for_entry(refusal));
        }
        let path = map.resolve_library(entry);
        let path = path.map_err(|e| e.into_refusal(entry))?;
        let found = self.get(&path, entry.allow_panic_abort).as_ref();
        let (inspection, digest) = found.map_err(|r| for_entry(r.clone()))?;
        let export = entry.export.as_deref();
        let driver = inspection.choose(&entry.namespace, &entry.name, export)?;
        let metadata = &inspection.metadata;
        let plugin = LockedPlugin {
            sha256: digest.clone(),
            lib: Vec::new(),
            plugin: metadata.plugin.clone(),
            version: metadata.version.clone(),
            api: metadata.api.clone(),
            entries: Vec::new(),
            place: Place::Program,
        };
        let locked = LockedEntry {
            namespace: entry.namespace.to_string(),
            name: entry.name.clone(),
            export: driver.name.clone(),
            kind: driver.kind.clone(),
            revision: driver.revision,
        };
        Ok((plugin, locked))
    }

    fn get(&mut self, path: &Path, panic_abort: bool) -> &Result<(Inspection, String), Refusal> {
        let read = || {
            let inspection = inspect_with(path, panic_abort)?;
            Ok((inspection, sha256(path)?))
        };
        let key = (path.to_owned(), panic_abort);
        self.seen.entry(key).or_insert_with(read)
    }
}
