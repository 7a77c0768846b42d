//! Whether an entry may be loaded from a content: the question that the loader asks after hashing and before opening.

use std::path::Path;

use super::compare::short;
use super::{LockedEntry, LockedPlugin, PluginsLock};
use crate::codes;
use crate::diagnostic::escape;
use crate::inspect::Refusal;
use crate::map::EntryPoint;
use crate::note::Metadata;

impl PluginsLock {
    /// Whether the lock has this entry with this content. `digest` is the SHA-256 of the bytes that will be opened, in
    /// lower case, `metadata` what their note says.
    ///
    /// # Errors
    /// `plugin/untrusted`: the entry is not locked, is locked with another content, or as another driver of it.
    pub fn verify(
        &self,
        entry: &EntryPoint,
        digest: &str,
        metadata: &Metadata,
    ) -> Result<(), Refusal> {
        let refuse = |why: String, help: &str| {
            let refusal = Refusal::new(codes::PLUGIN_UNTRUSTED, Path::new(&entry.lib), why, help);
            Err(refusal.for_entry(&entry.namespace, &entry.name))
        };
        let locked = self.locked(entry);
        let Some((first, _)) = locked.first() else {
            let name = escape(&entry.full_name());
            let why = format!("`{name}` is not in `{}`", escape(self.file()));
            return refuse(why, "look at what it is, then run `longshore plugin lock`");
        };
        let Some((plugin, row)) = locked.iter().find(|(p, _)| p.sha256 == digest) else {
            let (found, at, wanted) = (short(digest), &first.place, short(&first.sha256));
            let why = format!("its digest is `{found}…`, {at} locks `{wanted}…`");
            let help = "install the locked file; for a new build, run `longshore plugin lock`";
            return refuse(why, help);
        };
        let export = entry.export.as_deref();
        let driver = metadata.driver(&entry.namespace, &entry.name, export);
        match driver {
            Some(d) if (&d.name, &d.kind, d.revision) == (&row.export, &row.kind, row.revision) => {
                Ok(())
            }
            // The content is right, so it is the map that means another driver of it.
            _ => {
                let wanted = escape(&row.export);
                let found = driver.map_or("none", |d| &d.name);
                let (found, at) = (escape(found), &plugin.place);
                let why =
                    format!("the map means the driver `{found}`, {at} locks the driver `{wanted}`");
                refuse(why, "correct `export`, or run `longshore plugin lock`")
            }
        }
    }

    /// What is locked for the entry: several where several entries have its name, those of its library first.
    fn locked(&self, entry: &EntryPoint) -> Vec<(&LockedPlugin, &LockedEntry)> {
        let is_it = |e: &&LockedEntry| e.namespace == *entry.namespace && e.name == entry.name;
        let pairs = self.plugins.iter();
        let pairs = pairs.flat_map(|p| p.entries.iter().filter(is_it).map(move |e| (p, e)));
        let mut found: Vec<_> = pairs.collect();
        let is_same_lib = |p: &LockedPlugin| p.lib.contains(&entry.lib);
        found.sort_by_key(|(p, _)| !is_same_lib(p));
        found
    }
}
