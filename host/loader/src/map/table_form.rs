//! The table form of an entry: `{ lib = "…", export = "…", … }`.
//!
//! Reads the keys, then decides what the entry is: exactly one of library, alias, patch. Must not
//! know other entries or files.

use std::sync::Arc;

use super::entry::{PRIORITY_MAX, split_target};
use super::file::FileReader;
use super::keys::ENTRY_KEYS;
use super::misplaced;
use super::raw::{Mode, RawEntry};
use crate::codes;
use crate::diagnostic::{Diagnostic, escape, nearest};
use crate::spanned::{Member, Node, Table};

const SEE_KEYS: &str = "remove it, or see the keys of an entry in `docs/map.md`";

/// Which of the three merging keys are `true`.
#[derive(Default)]
struct Merging {
    overrides: bool,
    appends: bool,
    patches: bool,
}

/// Fills `raw` from `table`.
pub(super) fn read(file: &mut FileReader<'_>, raw: &mut RawEntry, table: &Table) {
    let mut merging = Merging::default();
    for member in &table.members {
        key(file, raw, member, &mut merging);
    }
    raw.append = merging.appends;
    raw.mode = if merging.overrides {
        Mode::Override
    } else if merging.patches || is_lone_enabled(table) {
        Mode::Patch
    } else {
        Mode::Plain
    };
    if let Some((why, help)) = shape_fault(raw, table, &merging) {
        let what = format!(
            "entry {} needs exactly one of `lib`, `alias`, `patch`",
            raw.full_name()
        );
        let d = Diagnostic::error(codes::MAP_BAD_ENTRY, raw.place.clone(), what)
            .with_why(why)
            .with_help(help);
        raw.fault.get_or_insert_with(|| Arc::new(d));
    }
    if raw.fault.is_none() {
        raw.fault = target_fault(file, raw, table).map(Arc::new);
    }
}

/// What is wrong with `lib` or else with `export`.
fn target_fault(file: &FileReader<'_>, raw: &RawEntry, table: &Table) -> Option<Diagnostic> {
    let of_lib = table.get("lib").and_then(|member| {
        let lib = raw.lib.as_deref().unwrap_or_default();
        let d = file.lib_fault(lib, lib, &member.node.span)?;
        // The short form inside the table form is taken as the file name it says.
        Some(match split_target(lib) {
            (path, Some(name)) if !lib.contains('/') => {
                d.with_help(format!("write `lib = \"{path}\", export = \"{name}\"`"))
            }
            _ => d,
        })
    });
    of_lib.or_else(|| {
        let member = table.get("export")?;
        file.export_fault(raw.export.as_deref()?, &member.node.span)
    })
}

fn key(file: &mut FileReader<'_>, raw: &mut RawEntry, member: &Member, merging: &mut Merging) {
    let (name, node) = (member.key.as_str(), &member.node);
    let text = |file: &mut FileReader<'_>| file.reader.string(name, node).map(str::to_owned);
    let flag = |file: &mut FileReader<'_>| file.reader.boolean(name, node).unwrap_or(false);
    match name {
        "lib" => raw.lib = text(file),
        "export" => raw.export = text(file),
        "alias" => raw.alias = text(file),
        "enabled" => {
            let place = file.reader.place(&node.span);
            raw.enabled = file.reader.boolean(name, node).map(|b| (b, place));
        }
        "optional" => raw.optional = file.reader.boolean(name, node),
        "allow_panic_abort" => raw.allow_panic_abort = file.reader.boolean(name, node),
        "priority" => {
            raw.priority = file
                .reader
                .integer(name, node, -PRIORITY_MAX..=PRIORITY_MAX);
        }
        "settings" => raw.settings = file.settings(node),
        "override" => merging.overrides = flag(file),
        "append" => merging.appends = flag(file),
        "patch" => merging.patches = flag(file),
        "deprecated" => raw.deprecated = text(file),
        "about" => raw.about = text(file),
        "version" => raw.version = version(file, node),
        "sha256" => raw.sha256 = digest(file, node),
        _ => {
            let what = format!("entry {}", raw.full_name());
            let help = misplaced::advice(name, misplaced::Table::Entry(&raw.namespace));
            let is_near = nearest(name, ENTRY_KEYS.iter().copied()).is_some();
            let help = help.or_else(|| (!is_near).then(|| SEE_KEYS.to_owned()));
            file.reader
                .unknown_key_with(member, ENTRY_KEYS, &what, help);
        }
    }
}

fn is_lone_enabled(table: &Table) -> bool {
    matches!(table.members.as_slice(), [only] if only.key == "enabled")
}

/// Why the keys do not fit together, and what to do.
fn shape_fault(raw: &RawEntry, table: &Table, merging: &Merging) -> Option<(String, &'static str)> {
    let modes = [merging.overrides, merging.appends, merging.patches];
    if modes.iter().filter(|m| **m).count() > 1 {
        let why = "only one of `override`, `append`, `patch` can be `true`";
        return Some((why.to_owned(), "keep one of them"));
    }
    let has = |key: &str| table.get(key).is_some();
    if has("alias") {
        let mut keys = table.members.iter().map(|m| m.key.as_str());
        let odd = keys.find(|k| !["alias", "deprecated", "enabled"].contains(k))?;
        let help = "remove it, or write it at the entry that the alias names";
        return Some((format!("an alias takes no `{odd}`"), help));
    }
    let help = "write `lib = \"…\"`, or `alias = \"…\"`, or `patch = true`";
    let patches = raw.mode == Mode::Patch;
    (!has("lib") && !patches).then(|| ("it has none of them".to_owned(), help))
}

fn version(file: &mut FileReader<'_>, node: &Node) -> Option<String> {
    let text = file.reader.string("version", node)?;
    match semver::VersionReq::parse(text) {
        Ok(_) => Some(text.to_owned()),
        Err(e) => {
            let what = format!(
                "`version` must be a version requirement, not `{}`",
                escape(text)
            );
            let place = file.reader.place(&node.span);
            let d = Diagnostic::error(codes::MAP_WRONG_TYPE, place, what)
                .with_why(escape(&e.to_string()))
                .with_help("write one such as `\"^1.2\"` or `\">=1.0, <3\"`");
            file.reader.report(d);
            None
        }
    }
}

fn digest(file: &mut FileReader<'_>, node: &Node) -> Option<String> {
    let text = file.reader.string("sha256", node)?;
    if text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Some(text.to_ascii_lowercase());
    }
    let length = text.chars().count();
    let place = file.reader.place(&node.span);
    let what = format!("`sha256` must be 64 hex digits, not {length} characters");
    let what = if length == 64 {
        "`sha256` must be 64 hex digits".to_owned()
    } else {
        what
    };
    let d = Diagnostic::error(codes::MAP_WRONG_TYPE, place, what)
        .with_help("`longshore plugin inspect FILE` prints the digest");
    file.reader.report(d);
    None
}
