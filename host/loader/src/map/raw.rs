//! An entry as one file says it, before files are merged: only the keys that were given.
//!
//! Made by `file` and `environment`, consumed by `build`.

use std::path::Path;
use std::sync::Arc;

use super::entry::{Disabled, DisabledBy, EntryPoint, name_fault};
use super::settings::Settings;
use crate::diagnostic::{Diagnostic, Place, escape};

/// What an entry does to earlier ones of its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// Stands beside them.
    Plain,
    /// Replaces them.
    Override,
    /// Changes the one there is.
    Patch,
    /// Switches them off.
    Mask,
}

/// Keys that were given.
#[derive(Debug, Clone)]
pub(super) struct RawEntry {
    pub(super) namespace: Arc<str>,
    pub(super) name: String,
    pub(super) dir: Arc<Path>,
    pub(super) place: Place,
    pub(super) mode: Mode,
    pub(super) lib: Option<String>,
    pub(super) export: Option<String>,
    pub(super) alias: Option<String>,
    pub(super) enabled: Option<(bool, Place)>,
    pub(super) append: bool,
    pub(super) optional: Option<bool>,
    pub(super) allow_panic_abort: Option<bool>,
    pub(super) priority: Option<i64>,
    pub(super) settings: Option<Settings>,
    pub(super) deprecated: Option<String>,
    pub(super) about: Option<String>,
    pub(super) version: Option<String>,
    pub(super) sha256: Option<String>,
    /// Shared, because the map's list of diagnostics has it too.
    pub(super) fault: Option<Arc<Diagnostic>>,
}

impl RawEntry {
    pub(super) fn new(namespace: &Arc<str>, name: &str, dir: &Arc<Path>, place: Place) -> RawEntry {
        RawEntry {
            namespace: Arc::clone(namespace),
            name: name.to_owned(),
            dir: Arc::clone(dir),
            place,
            mode: Mode::Plain,
            lib: None,
            export: None,
            alias: None,
            enabled: None,
            append: false,
            optional: None,
            allow_panic_abort: None,
            priority: None,
            settings: None,
            deprecated: None,
            about: None,
            version: None,
            sha256: None,
            fault: None,
        }
    }

    /// `` `namespace/name` ``, for messages.
    pub(super) fn full_name(&self) -> String {
        format!("`{}/{}`", escape(&self.namespace), escape(&self.name))
    }

    /// The target in the short form, for messages.
    pub(super) fn target(&self) -> String {
        let lib = self.lib.as_deref().unwrap_or_default();
        match &self.export {
            Some(export) => format!("{lib}:{export}"),
            None => lib.to_owned(),
        }
    }

    /// The entry point this would be on its own.
    pub(super) fn into_entry(self, rank: usize) -> EntryPoint {
        let disabled = match (&self.mode, self.enabled) {
            (Mode::Mask, _) => Some(Disabled {
                by: DisabledBy::Mask,
                place: self.place.clone(),
            }),
            (_, Some((false, place))) => Some(Disabled {
                by: DisabledBy::Entry,
                place,
            }),
            _ => None,
        };
        let settings = self.settings.unwrap_or_default();
        EntryPoint {
            namespace: self.namespace,
            name: self.name,
            lib: self.lib.unwrap_or_default(),
            dir: self.dir,
            export: self.export,
            alias: self.alias,
            disabled,
            append: self.append,
            optional: self.optional.unwrap_or(false),
            allow_panic_abort: self.allow_panic_abort.unwrap_or(false),
            priority: self.priority.unwrap_or(0),
            settings: settings.values,
            deprecated: self.deprecated,
            about: self.about,
            version: self.version,
            sha256: self.sha256,
            origin: self.place,
            fault: self.fault,
            spots: settings.spots,
            rank,
        }
    }

    /// Lays the given keys over an existing entry.
    pub(super) fn patch(self, entry: &mut EntryPoint) {
        let RawEntry {
            lib,
            export,
            alias: _,
            enabled,
            optional,
            allow_panic_abort,
            priority,
            ..
        } = self;
        if let Some(lib) = lib {
            entry.lib = lib;
            entry.dir = self.dir;
            entry.alias = None;
            // Another library has other exports: the old name would be a guess.
            entry.export = None;
            // What was wrong with the old library is wrong no more; a bad name stays bad.
            if name_fault(&entry.name).is_none() {
                entry.fault = None;
            }
        }
        replace(&mut entry.export, export);
        match enabled {
            Some((true, _)) => entry.disabled = None,
            Some((false, place)) => {
                entry.disabled = Some(Disabled {
                    by: DisabledBy::Entry,
                    place,
                });
            }
            None => {}
        }
        entry.optional = optional.unwrap_or(entry.optional);
        entry.allow_panic_abort = allow_panic_abort.unwrap_or(entry.allow_panic_abort);
        entry.priority = priority.unwrap_or(entry.priority);
        if let Some(later) = self.settings {
            let values = std::mem::take(&mut entry.settings);
            let spots = std::mem::take(&mut entry.spots);
            let mut merged = Settings { values, spots };
            merged.patch(later);
            entry.settings = merged.values;
            entry.spots = merged.spots;
        }
        replace(&mut entry.deprecated, self.deprecated);
        replace(&mut entry.about, self.about);
        replace(&mut entry.version, self.version);
        replace(&mut entry.sha256, self.sha256);
        if self.fault.is_some() {
            entry.fault = self.fault;
        }
    }
}

fn replace<T>(slot: &mut Option<T>, given: Option<T>) {
    if given.is_some() {
        *slot = given;
    }
}
