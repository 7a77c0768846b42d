//! What the environment changes in the map.
//!
//! The variables come in as a value, so nothing here reads the process. Every change is recorded
//! as a sentence for the log, every refusal as a warning. Must not know files.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::entry::{lib_fault, name_fault, split_target};
use super::raw::{Mode, RawEntry};
use crate::codes;
use crate::diagnostic::{Diagnostic, Place, escape};

/// Path of the base file.
pub const MAP: &str = "LONGSHORE_MAP";
/// Directories before `search`, separated by colons.
pub const PLUGIN_PATH: &str = "LONGSHORE_PLUGIN_PATH";
/// `NAMESPACE/NAME` or `NAMESPACE/*`, separated by semicolons.
pub const DISABLE: &str = "LONGSHORE_DISABLE";
/// `NAMESPACE/NAME=TARGET`, separated by semicolons.
pub const ENTRY: &str = "LONGSHORE_ENTRY";
/// `1`: every diagnostic of the map is an error.
pub const STRICT: &str = "LONGSHORE_STRICT";
/// Most items in one variable.
pub const ITEMS_MAX: usize = 1_000;

/// The variables that concern the map. An empty text is the same as none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Environment {
    /// `LONGSHORE_MAP`.
    pub map: Option<String>,
    /// `LONGSHORE_PLUGIN_PATH`.
    pub plugin_path: Option<String>,
    /// `LONGSHORE_DISABLE`.
    pub disable: Option<String>,
    /// `LONGSHORE_ENTRY`.
    pub entry: Option<String>,
    /// `LONGSHORE_STRICT`.
    pub strict: Option<String>,
    /// The process runs with raised rights: all of them are ignored.
    pub ignored: bool,
}

impl Environment {
    /// Takes the variables from `read`, for example `|name| std::env::var(name).ok()`.
    pub fn from_fn(read: impl Fn(&str) -> Option<String>) -> Environment {
        let read = |name: &str| read(name).filter(|v| !v.is_empty());
        Environment {
            map: read(MAP),
            plugin_path: read(PLUGIN_PATH),
            disable: read(DISABLE),
            entry: read(ENTRY),
            strict: read(STRICT),
            ignored: false,
        }
    }

    /// The variables of this process; ignored when it runs with the rights of another user.
    pub fn from_process() -> Environment {
        let mut environment = Environment::from_fn(|name| std::env::var(name).ok());
        environment.ignored = has_raised_rights();
        environment
    }

    /// The path of the base file, if it counts.
    pub fn map_path(&self) -> Option<PathBuf> {
        self.map
            .as_ref()
            .filter(|_| !self.ignored)
            .map(PathBuf::from)
    }

    /// `LONGSHORE_STRICT=1`.
    pub fn is_strict(&self) -> bool {
        !self.ignored && self.strict.as_deref() == Some("1")
    }

    pub(super) fn plugin_dirs(&self) -> Vec<PathBuf> {
        let path = self
            .plugin_path
            .as_deref()
            .filter(|_| !self.ignored)
            .unwrap_or_default();
        path.split(':')
            .filter(|d| !d.is_empty())
            .take(ITEMS_MAX)
            .map(PathBuf::from)
            .collect()
    }

    /// What is set and ignored, as warnings.
    pub(super) fn refusals(&self) -> Vec<Diagnostic> {
        let set = [
            (MAP, &self.map),
            (PLUGIN_PATH, &self.plugin_path),
            (DISABLE, &self.disable),
            (ENTRY, &self.entry),
            (STRICT, &self.strict),
        ];
        let set = set
            .into_iter()
            .filter(|(_, value)| self.ignored && value.is_some());
        set.map(|(name, _)| {
            refused(
                name,
                &format!("`{name}`"),
                "the process runs with raised rights",
            )
        })
        .collect()
    }

    /// The items of `LONGSHORE_DISABLE`; `None` as name means all.
    pub(super) fn disables(&self, fatal: &mut Vec<Diagnostic>) -> Vec<(String, Option<String>)> {
        let mut out = Vec::new();
        for item in self.items(DISABLE, &self.disable, fatal) {
            match item.rsplit_once('/') {
                Some((namespace, name)) if is_named(namespace, name) => {
                    out.push((namespace.to_owned(), (name != "*").then(|| name.to_owned())));
                }
                _ => fatal.push(malformed(DISABLE, item, "NAMESPACE/NAME")),
            }
        }
        out
    }

    /// The items of `LONGSHORE_ENTRY`.
    pub(super) fn entries(&self, fatal: &mut Vec<Diagnostic>) -> Vec<RawEntry> {
        let dir: Arc<Path> = Arc::from(Path::new("."));
        let mut out = Vec::new();
        for item in self.items(ENTRY, &self.entry, fatal) {
            let parts = item.split_once('=').and_then(|(left, target)| {
                let (namespace, name) = left.rsplit_once('/')?;
                Some((namespace, name, target))
            });
            let Some((namespace, name, target)) = parts.filter(|p| is_named(p.0, p.1)) else {
                fatal.push(malformed(ENTRY, item, "NAMESPACE/NAME=TARGET"));
                continue;
            };
            let (lib, export) = split_target(target);
            if let Some((why, _)) = lib_fault(lib) {
                fatal.push(malformed(ENTRY, item, "NAMESPACE/NAME=TARGET").with_note(why));
                continue;
            }
            let place = Place::Environment(ENTRY.to_owned());
            let mut raw = RawEntry::new(&Arc::from(namespace), name, &dir, place);
            raw.mode = Mode::Override;
            raw.lib = Some(lib.to_owned());
            raw.export = export.map(str::to_owned);
            out.push(raw);
        }
        out
    }

    fn items<'v>(
        &self,
        variable: &str,
        value: &'v Option<String>,
        fatal: &mut Vec<Diagnostic>,
    ) -> Vec<&'v str> {
        let value = value.as_deref().filter(|_| !self.ignored);
        let items = value.unwrap_or_default().split(';').map(str::trim);
        let mut items: Vec<&str> = items
            .filter(|i| !i.is_empty())
            .take(ITEMS_MAX + 1)
            .collect();
        if items.len() > ITEMS_MAX {
            items.truncate(ITEMS_MAX);
            let place = Place::Environment(variable.to_owned());
            let what = format!("`{variable}` has more than {ITEMS_MAX} items");
            let d = Diagnostic::error(codes::MAP_TOO_LARGE, place, what);
            fatal.push(d.with_help("write them into a drop-in file"));
        }
        items
    }
}

/// The warning that a change was not made.
pub(super) fn refused(variable: &str, target: &str, reason: &str) -> Diagnostic {
    let place = Place::Environment(variable.to_owned());
    let what = if target == format!("`{variable}`") {
        format!("{target} ignored: {reason}")
    } else {
        format!("`{variable}` for {target} ignored: {reason}")
    };
    Diagnostic::warning(codes::MAP_ENVIRONMENT_REFUSED, place, what)
        .with_help("unset the variable, or change the map")
}

fn malformed(variable: &str, item: &str, expected: &str) -> Diagnostic {
    let what = format!(
        "`{variable}`: cannot read `{}`: expected `{expected}`",
        escape(item)
    );
    Diagnostic::error(
        codes::MAP_BAD_ENVIRONMENT,
        Place::Environment(variable.to_owned()),
        what,
    )
    .with_help(format!("write `{expected}`, with `;` between several"))
}

fn is_named(namespace: &str, name: &str) -> bool {
    name_fault(namespace).is_none() && name_fault(name).is_none()
}

/// Real and effective user or group differ.
fn has_raised_rights() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let differ = |line: &str| {
        let mut ids = line.split_whitespace().skip(1);
        ids.next() != ids.next()
    };
    status
        .lines()
        .filter(|l| l.starts_with("Uid:") || l.starts_with("Gid:"))
        .any(differ)
}
