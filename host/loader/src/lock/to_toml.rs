//! The text of a lock: sorted, one entry per line, the same for the same content, so that a version control shows what
//! changed and nothing else.

use std::fmt::Write as _;

use super::{LOCK_VERSION, PluginsLock};
use crate::map::print::{list, quoted};

const HEAD: &str = "# Written by `longshore plugin lock`; do not edit.\n";

impl PluginsLock {
    /// The lock as a document that reads back to the same.
    pub fn to_toml(&self) -> String {
        let mut out = format!("{HEAD}version = {LOCK_VERSION}\n");
        for plugin in &self.plugins {
            let _ = writeln!(out, "\n[[plugin]]");
            let _ = writeln!(out, "sha256 = {}", quoted(&plugin.sha256));
            let lib = list(plugin.lib.iter().map(|l| quoted(l)));
            let _ = writeln!(out, "lib = {lib}");
            let texts = [
                ("plugin", &plugin.plugin),
                ("version", &plugin.version),
                ("api", &plugin.api),
            ];
            for (key, text) in texts {
                let _ = writeln!(out, "{key} = {}", quoted(text));
            }
            let _ = writeln!(out, "entries = [");
            for e in &plugin.entries {
                let (namespace, name) = (quoted(&e.namespace), quoted(&e.name));
                let (export, kind) = (quoted(&e.export), quoted(&e.kind));
                let _ = writeln!(
                    out,
                    "  {{ namespace = {namespace}, name = {name}, export = {export}, kind = {kind}, revision = {} }},",
                    e.revision
                );
            }
            let _ = writeln!(out, "]");
        }
        out
    }
}
