//! What a start would make of an entry point, as far as can be said without running its code.
//!
//! The loader looks, with the configuration's owners and signatures; here the kind is added, and who is locked out. Called
//! by `plugin_files` and `doctor`; must not know how it is shown.

use std::path::PathBuf;

use longshore_loader::codes;
use longshore_loader::diagnostic::{Diagnostic, escape};
use longshore_loader::inspect::{Inspection, Refusal};
use longshore_loader::map::{Conflicts, EntryPoint, Lookup, PluginMap};
use longshore_loader::note::{EntryMetadata, Metadata, SettingSchema};
use longshore_loader::quarantine::Quarantine;
use longshore_loader::{LoadFailure, Loader, Looked, OnDisk};
use serde_json::{Value as Json, json};

use super::plugin::kind_of;
use super::plugin_kinds::wrong_kind;
use crate::config::Config;
use crate::loading;

/// Looks at entry points as a start would. Each file is read once.
pub(crate) struct Outlook {
    loader: Loader,
    /// Absent where the loader asks it itself, or where it cannot be read: the commands that are about it say why.
    quarantine: Option<Quarantine>,
}

impl Outlook {
    /// Of the next start with this configuration.
    pub(crate) fn of_start(map: PluginMap, config: &Config) -> Outlook {
        let dir = &config.host.state_dir;
        Outlook {
            loader: Loader::with_options(map, dir, loading::options(config)),
            quarantine: Quarantine::open(dir).ok(),
        }
    }

    /// Of the host that runs with this loader.
    pub(crate) fn of_host(loader: Loader) -> Outlook {
        let quarantine = None;
        Outlook { loader, quarantine }
    }

    /// The map whose entries are looked at.
    pub(crate) fn map(&self) -> &PluginMap {
        self.loader.map()
    }

    /// What a start would make of an entry that names a library.
    fn look(&self, entry: &EntryPoint) -> (Looked, Option<Refusal>) {
        let looked = self.loader.look(entry);
        let locked_out = self.quarantine.as_ref().zip(looked.digest.as_deref());
        let locked_out = locked_out.and_then(|(q, d)| q.check(d, &entry.namespace, &entry.name));
        (looked, locked_out)
    }
}

/// What is known of an entry point.
#[derive(Default)]
pub(crate) struct State {
    pub(crate) word: &'static str,
    /// The library of what an alias stands for.
    lib: Option<String>,
    pub(crate) file: Option<PathBuf>,
    pub(crate) kind: Option<String>,
    pub(crate) revision: Option<u32>,
    pub(crate) export: Option<String>,
    pub(crate) metadata: Option<Metadata>,
    pub(crate) size: Option<u64>,
    pub(crate) sha256: Option<String>,
    /// What became of the file since it was loaded; only a running host knows.
    pub(crate) on_disk: Option<OnDisk>,
    pub(crate) description: Option<String>,
    pub(crate) schema: Vec<SettingSchema>,
    /// What is odd about the file and no reason to refuse it.
    pub(crate) warnings: Vec<Diagnostic>,
    pub(crate) code: Option<&'static str>,
    pub(crate) why: Option<String>,
    pub(crate) help: Option<String>,
}

impl State {
    fn word(word: &'static str) -> State {
        State {
            word,
            ..State::default()
        }
    }

    fn refuse(&mut self, code: &'static str, why: String, help: Option<String>) {
        self.word = word_of(code);
        (self.code, self.why, self.help) = (Some(code), Some(why), help);
    }

    /// A wrong setting, which the schema found, is shown with its place.
    fn fail(&mut self, failure: &LoadFailure) {
        let refusal = &failure.refusal;
        let (why, help) = match failure.diagnostics.first() {
            Some(d) => (format!("{} ({})", d.what, d.place), d.help.clone()),
            None => (refusal.why.clone(), Some(refusal.help.clone())),
        };
        self.refuse(refusal.code, why, help);
        if !refusal.file.as_os_str().is_empty() {
            self.file.get_or_insert_with(|| refusal.file.clone());
        }
    }

    /// The contract's shape.
    pub(crate) fn to_json(&self, entry: &EntryPoint) -> Json {
        let error = self
            .code
            .map(|code| json!({"code": code, "message": self.why}));
        let plugin = self.metadata.as_ref();
        json!({
            "namespace": &*entry.namespace,
            "name": entry.name,
            "lib": self.lib.as_ref().unwrap_or(&entry.lib),
            "export": self.export.as_ref().or(entry.export.as_ref()),
            "kind": self.kind,
            "state": self.word,
            "plugin": plugin.map(|p| &p.plugin),
            "version": plugin.map(|p| &p.version),
            "sha256": self.sha256,
            "on_disk": self.on_disk.map(on_disk_word),
            "error": error,
            "warnings": self.warnings.iter().map(warning_shape).collect::<Json>(),
            "why": self.why,
            "help": self.help,
            "description": entry.about.as_ref().or(self.description.as_ref()),
            "alias": entry.alias,
            "deprecated": entry.deprecated,
        })
    }
}

/// What a start would make of an entry point, as far as can be said without running its code.
pub(crate) fn describe(outlook: &Outlook, entry: &EntryPoint) -> State {
    let map = outlook.map();
    if let Some(disabled) = &entry.disabled {
        let why = Some(disabled.to_string());
        return State {
            why,
            ..State::word("disabled")
        };
    }
    if let Some(fault) = &entry.fault {
        let mut state = State::default();
        state.refuse(fault.code, fault.what.clone(), fault.help.clone());
        return state;
    }
    let Some(target) = &entry.alias else {
        let mut state = describe_library(outlook, entry);
        if state.why.is_none() && is_ambiguous(map, entry) {
            let why = "several entries have this name: it cannot be used alone";
            state.why = Some(why.to_owned());
            state.help = Some("remove one, or set `conflicts` for the namespace".to_owned());
        }
        return state;
    };
    let target = escape(target);
    match meant(map, entry) {
        Some(meant) => {
            let mut state = describe_library(outlook, meant);
            state
                .why
                .get_or_insert_with(|| format!("stands for `{target}`"));
            state.lib = Some(meant.lib.clone());
            state
        }
        None => {
            let mut state = State::default();
            let why = format!("`{target}`, for which it stands, cannot be used");
            let help = "correct the alias".to_owned();
            state.refuse(codes::PLUGIN_NO_SUCH_DRIVER, why, Some(help));
            state
        }
    }
}

/// Several entries have the name, and the policy does not choose. Hooks may be meant so.
fn is_ambiguous(map: &PluginMap, entry: &EntryPoint) -> bool {
    let keeps_all = map
        .policy(&entry.namespace)
        .is_some_and(|p| p.conflicts() == Conflicts::All);
    let found = map.lookup(&entry.namespace, &entry.name);
    !keeps_all && matches!(found, Lookup::Several(_))
}

fn describe_library(outlook: &Outlook, entry: &EntryPoint) -> State {
    if let Some(loaded) = outlook.loader.loaded(entry) {
        let mut state = inspected(entry, Some(&loaded.inspection));
        state.file = Some(loaded.inspection.file.clone());
        state.sha256 = Some(loaded.digest.to_string()).filter(|d| !d.is_empty());
        state.on_disk = Some(loaded.on_disk);
        return state;
    }
    let (looked, locked_out) = outlook.look(entry);
    let mut state = inspected(entry, looked.inspection.as_deref());
    state.file = looked.file;
    state.sha256 = looked.digest;
    state.warnings = looked.warnings;
    if let Some(refusal) = locked_out {
        state.refuse(refusal.code, refusal.why, Some(refusal.help));
    } else if let Some(failure) = &looked.failure {
        state.fail(failure);
    }
    state
}

/// What the file says of itself, and of the driver that the entry means.
fn inspected(entry: &EntryPoint, inspection: Option<&Inspection>) -> State {
    let Some(inspection) = inspection else {
        return State::word("available");
    };
    let (metadata, export) = (&inspection.metadata, entry.export.as_deref());
    let driver = metadata.driver(&entry.namespace, &entry.name, export);
    State {
        metadata: Some(metadata.clone()),
        size: Some(inspection.size),
        ..driver.map_or_else(|| State::word("available"), offered)
    }
}

/// What is known of a driver that the file has; refused when it is of another kind than its namespace.
fn offered(driver: &EntryMetadata) -> State {
    let mut state = State {
        kind: Some(kind_of(driver).to_owned()),
        revision: Some(driver.revision),
        export: Some(driver.name.clone()),
        description: Some(driver.description.clone()).filter(|d| !d.is_empty()),
        schema: driver.settings.clone(),
        ..State::word("available")
    };
    if let Some((why, help)) = wrong_kind(driver) {
        state.refuse(codes::PLUGIN_WRONG_KIND, why, Some(help));
    }
    state
}

fn warning_shape(d: &Diagnostic) -> Json {
    json!({"code": d.code, "message": d.what, "do": d.help})
}

/// What is said of the file of something that is loaded.
fn on_disk_word(on_disk: OnDisk) -> &'static str {
    match on_disk {
        OnDisk::Same => "unchanged",
        OnDisk::Changed => "changed on disk",
        OnDisk::Deleted => "deleted on disk",
    }
}

/// The word for what is refused with this code.
pub(crate) fn word_of(code: &str) -> &'static str {
    match code {
        codes::PLUGIN_NOT_FOUND => "missing",
        codes::PLUGIN_QUARANTINED => "quarantined",
        _ => "refused",
    }
}

/// The entry that an alias leads to.
pub(crate) fn meant<'m>(map: &'m PluginMap, entry: &EntryPoint) -> Option<&'m EntryPoint> {
    let target = entry.alias.as_deref()?;
    match map.lookup(&entry.namespace, target) {
        Lookup::One(meant) => Some(meant),
        _ => None,
    }
}
