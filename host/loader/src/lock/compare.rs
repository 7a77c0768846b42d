//! What is different between two locks, entry by entry, in words that an operator reads before committing to it.

use std::collections::BTreeMap;
use std::fmt;

use super::{LockedEntry, PluginsLock};
use crate::diagnostic::escape;

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockChange {
    /// `added`, `removed` or `changed`.
    pub what: &'static str,
    /// The namespace.
    pub namespace: String,
    /// The name in the map.
    pub name: String,
    /// What was locked and what is, in short.
    pub detail: String,
}

impl fmt::Display for LockChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (namespace, name) = (escape(&self.namespace), escape(&self.name));
        write!(f, "{} {namespace}/{name}: {}", self.what, self.detail)
    }
}

/// What is locked for one name; several where several entries have it.
type Rows<'l> = BTreeMap<(&'l str, &'l str), Vec<Row<'l>>>;

/// What of a plugin concerns one of its entries: what its other entries are is no change of this one.
#[derive(PartialEq)]
struct Row<'l> {
    sha256: &'l str,
    plugin: &'l str,
    version: &'l str,
    api: &'l str,
    entry: &'l LockedEntry,
}

impl PluginsLock {
    /// What `newer` adds, removes and changes, sorted by namespace and name.
    pub fn changes_to(&self, newer: &PluginsLock) -> Vec<LockChange> {
        let (old, new) = (rows(self), rows(newer));
        let mut out = Vec::new();
        let names: std::collections::BTreeSet<_> = old.keys().chain(new.keys()).collect();
        for key in names {
            let change = |what, detail| LockChange {
                what,
                namespace: key.0.to_owned(),
                name: key.1.to_owned(),
                detail,
            };
            match (old.get(key), new.get(key)) {
                (None, Some(new)) => out.push(change("added", described(new))),
                (Some(old), None) => out.push(change("removed", described(old))),
                (Some(old), Some(new)) if old != new => {
                    let detail = format!("{} to {}", described(old), described(new));
                    out.push(change("changed", detail));
                }
                _ => {}
            }
        }
        out
    }
}

fn rows(lock: &PluginsLock) -> Rows<'_> {
    let mut rows = Rows::new();
    for plugin in &lock.plugins {
        for entry in &plugin.entries {
            let row = rows.entry((&entry.namespace, &entry.name)).or_default();
            row.push(Row {
                sha256: &plugin.sha256,
                plugin: &plugin.plugin,
                version: &plugin.version,
                api: &plugin.api,
                entry,
            });
        }
    }
    rows
}

fn described(found: &[Row<'_>]) -> String {
    let one = |row: &Row<'_>| {
        let (name, version) = (escape(row.plugin), escape(row.version));
        let (digest, export) = (short(row.sha256), escape(&row.entry.export));
        format!("`{export}` of {name} {version} ({digest}…)")
    };
    found.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// The first twelve digits, which tell digests apart for a reader.
pub(super) fn short(digest: &str) -> &str {
    digest.get(..12).unwrap_or(digest)
}
