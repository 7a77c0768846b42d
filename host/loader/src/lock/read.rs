//! From the text of a lock to its value, every mistake with its place.
//!
//! The text may have been edited or merged by hand, so nothing in it is believed. Called by the map when it is loaded
//! and by `plugin lock`.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use super::{LOCK_VERSION, LockedEntry, LockedPlugin, PLUGINS_MAX, PluginsLock};
use crate::codes;
use crate::diagnostic::{Diagnostic, Place, escape};
use crate::map::MapError;
use crate::spanned::{self, Member, Node, Reader, TEXT_BYTES_MAX, Table, Value};

const ROOT_KEYS: &[&str] = &["version", "plugin"];
const PLUGIN_KEYS: &[&str] = &["sha256", "lib", "plugin", "version", "api", "entries"];
const ENTRY_KEYS: &[&str] = &["namespace", "name", "export", "kind", "revision"];
/// What to do about a lock that somebody has damaged.
const REWRITE: &str = "write it anew with `longshore plugin lock`";

impl PluginsLock {
    /// Reads a lock. `file` is its name in messages.
    ///
    /// # Errors
    /// Everything that is wrong with the text: codes `plugin/lock-…`.
    pub fn parse(bytes: &[u8], file: &str) -> Result<PluginsLock, MapError> {
        let parsed = spanned::parse(bytes, file, &codes::LOCK_AREA);
        let mut diagnostics = parsed.diagnostics;
        let mut lock = PluginsLock::default();
        // After a syntax error the tree has gaps.
        if diagnostics.is_empty() {
            let mut reader = Reader::new(&parsed.source, &codes::LOCK_AREA);
            lock.plugins = document(&mut reader, &parsed.root);
            repeated(&mut reader, &lock.plugins);
            diagnostics = reader.finish();
        }
        if !diagnostics.is_empty() {
            diagnostics.sort_by_key(|d| d.place.position());
            return Err(MapError { diagnostics });
        }
        lock.sort();
        lock.source = Some(parsed.source);
        Ok(lock)
    }

    /// Reads the lock at `path`; nothing if there is none.
    ///
    /// # Errors
    /// `plugin/lock-unreadable`, and as `parse`.
    pub fn load(path: &Path) -> Result<Option<PluginsLock>, MapError> {
        let shown = path.display().to_string();
        match read_file(path) {
            Ok(bytes) => PluginsLock::parse(&bytes, &shown).map(Some),
            // A link that leads nowhere is a lock that was meant to be there.
            Err(e) if e.kind() == io::ErrorKind::NotFound && path.symlink_metadata().is_err() => {
                Ok(None)
            }
            Err(e) => {
                let what = format!("cannot read the lock `{}`: {e}", escape(&shown));
                let help = "make it a readable file, or remove it";
                let place = Place::File(shown);
                let d = Diagnostic::error(codes::PLUGIN_LOCK_UNREADABLE, place, what);
                Err(MapError {
                    diagnostics: vec![d.with_help(help)],
                })
            }
        }
    }
}

/// At most `TEXT_BYTES_MAX` bytes of a regular file, and one more when it is longer.
fn read_file(path: &Path) -> io::Result<Vec<u8>> {
    if !std::fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    let mut bytes = Vec::new();
    let limit = TEXT_BYTES_MAX as u64 + 1;
    File::open(path)?.take(limit).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn document(reader: &mut Reader<'_>, root: &Table) -> Vec<LockedPlugin> {
    let version = root.get("version");
    match version.map(|m| &m.node.value) {
        Some(Value::Integer(LOCK_VERSION)) => {}
        // Another version has other keys: what else is odd follows from that.
        Some(Value::Integer(other)) => {
            let what = format!("the lock has version {other}, this host reads {LOCK_VERSION}");
            let span = version.map(|m| m.node.span.clone()).unwrap_or_default();
            let code = codes::PLUGIN_LOCK_UNSUPPORTED;
            let d = Diagnostic::error(code, reader.place(&span), what);
            reader.report(d.with_help("use a newer host, or write it with this one"));
            return Vec::new();
        }
        Some(_) | None => {
            let span = version.map_or(0..0, |m| m.node.span.clone());
            let what = format!("a lock begins with `version = {LOCK_VERSION}`");
            invalid(reader, &span, what);
            return Vec::new();
        }
    }
    reader.unknown_keys(root, ROOT_KEYS, "the lock");
    let Some(all) = root.get("plugin") else {
        return Vec::new();
    };
    let Value::Array(items) = &all.node.value else {
        reader.wrong_type("plugin", &all.node, "a list of tables `[[plugin]]`", None);
        return Vec::new();
    };
    if items.len() > PLUGINS_MAX {
        let what = format!("more than {PLUGINS_MAX} plugins");
        invalid(reader, &all.node.span, what);
        return Vec::new();
    }
    items.iter().filter_map(|i| plugin(reader, i)).collect()
}

fn plugin(reader: &mut Reader<'_>, node: &Node) -> Option<LockedPlugin> {
    let table = reader.table("plugin", node)?;
    reader.unknown_keys(table, PLUGIN_KEYS, "`[[plugin]]`");
    let sha256 = required(reader, table, node, "sha256").and_then(|m| digest(reader, m));
    let lib = required(reader, table, node, "lib").and_then(|m| reader.strings("lib", &m.node));
    let name = text(reader, table, node, "plugin");
    let version = text(reader, table, node, "version");
    let api = text(reader, table, node, "api");
    let entries = required(reader, table, node, "entries").and_then(|m| entries(reader, m));
    let (sha256, place) = sha256?;
    Some(LockedPlugin {
        sha256,
        lib: lib?.into_iter().map(|(lib, _)| lib).collect(),
        plugin: name?,
        version: version?,
        api: api?,
        entries: entries?,
        place,
    })
}

fn entries(reader: &mut Reader<'_>, member: &Member) -> Option<Vec<LockedEntry>> {
    let Value::Array(items) = &member.node.value else {
        reader.wrong_type("entries", &member.node, "a list", None);
        return None;
    };
    // All are read, so that all that is wrong is said at once.
    let all: Vec<_> = items.iter().map(|i| entry(reader, i)).collect();
    all.into_iter().collect()
}

fn entry(reader: &mut Reader<'_>, node: &Node) -> Option<LockedEntry> {
    let table = reader.table("entries", node)?;
    reader.unknown_keys(table, ENTRY_KEYS, "an entry");
    let namespace = text(reader, table, node, "namespace");
    let name = text(reader, table, node, "name");
    let export = text(reader, table, node, "export");
    let kind = text(reader, table, node, "kind");
    let revision = required(reader, table, node, "revision");
    let revision =
        revision.and_then(|m| reader.integer("revision", &m.node, 0..=i64::from(u32::MAX)));
    Some(LockedEntry {
        namespace: namespace?,
        name: name?,
        export: export?,
        kind: kind?,
        revision: u32::try_from(revision?).ok()?,
    })
}

fn required<'t>(
    reader: &mut Reader<'_>,
    table: &'t Table,
    node: &Node,
    key: &str,
) -> Option<&'t Member> {
    let found = table.get(key);
    if found.is_none() {
        invalid(reader, &node.span, format!("`{key}` is missing"));
    }
    found
}

fn text(reader: &mut Reader<'_>, table: &Table, node: &Node, key: &str) -> Option<String> {
    let member = required(reader, table, node, key)?;
    reader.string(key, &member.node).map(str::to_owned)
}

fn digest(reader: &mut Reader<'_>, member: &Member) -> Option<(String, Place)> {
    let text = reader.string("sha256", &member.node)?;
    let is_hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
    if text.len() == 64 && text.bytes().all(is_hex) {
        return Some((text.to_owned(), reader.place(&member.node.span)));
    }
    let what = "`sha256` must be 64 lower-case hex digits".to_owned();
    invalid(reader, &member.node.span, what);
    None
}

/// A content is locked once: two rows of one digest come from merging by hand.
fn repeated(reader: &mut Reader<'_>, plugins: &[LockedPlugin]) {
    let mut seen: HashMap<&str, &Place> = HashMap::new();
    for plugin in plugins {
        if let Some(first) = seen.insert(&plugin.sha256, &plugin.place) {
            let what = format!("the digest stands at {first} already");
            let d = Diagnostic::error(codes::PLUGIN_LOCK_INVALID, plugin.place.clone(), what);
            reader.report(d.with_help(REWRITE));
        }
    }
}

fn invalid(reader: &mut Reader<'_>, span: &crate::diagnostic::Span, what: String) {
    let d = Diagnostic::error(codes::PLUGIN_LOCK_INVALID, reader.place(span), what);
    reader.report(d.with_help(REWRITE));
}
