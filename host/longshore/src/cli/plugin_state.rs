//! Whether an entry point could be loaded, as far as can be said without running its code.
//!
//! Looks at the map, the file, its pins, its kind and the settings, in the order of the loader.
//! Called by `plugin_files` and `doctor`; must not know how it is shown.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use longshore_loader::codes;
use longshore_loader::diagnostic::escape;
use longshore_loader::inspect::{Inspection, Refusal, inspect_with, sha256};
use longshore_loader::map::{Conflicts, EntryPoint, Lookup, PluginMap};
use longshore_loader::note::{EntryMetadata, Metadata, SettingSchema};
use longshore_loader::settings_check;
use serde_json::{Value as Json, json};

use super::plugin::kind_of;
use super::plugin_kinds::wrong_kind;

/// What became of a file, so that each is read once: for entries that take `panic = "abort"` and for the others.
#[derive(Default)]
pub(crate) struct Files {
    seen: HashMap<(PathBuf, bool), Result<(Inspection, String), Refusal>>,
}

impl Files {
    fn get(&mut self, path: &Path, panic_abort: bool) -> &Result<(Inspection, String), Refusal> {
        let read = || {
            let inspection = inspect_with(path, panic_abort)?;
            Ok((inspection, sha256(path)?))
        };
        let key = (path.to_owned(), panic_abort);
        self.seen.entry(key).or_insert_with(read)
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
    pub(crate) description: Option<String>,
    pub(crate) schema: Vec<SettingSchema>,
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
        self.word = match code {
            codes::PLUGIN_NOT_FOUND => "missing",
            _ => "refused",
        };
        (self.code, self.why, self.help) = (Some(code), Some(why), help);
    }

    fn refused(refusal: &Refusal) -> State {
        let mut state = State::default();
        let help = Some(refusal.help.clone());
        state.refuse(refusal.code, refusal.why.clone(), help);
        state
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
            "error": error,
            "why": self.why,
            "help": self.help,
            "description": entry.about.as_ref().or(self.description.as_ref()),
            "alias": entry.alias,
            "deprecated": entry.deprecated,
        })
    }
}

/// Whether an entry point could be loaded, as far as can be said without running its code.
pub(crate) fn describe(map: &PluginMap, entry: &EntryPoint, files: &mut Files) -> State {
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
        let mut state = describe_library(map, entry, files);
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
            let mut state = describe_library(map, meant, files);
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

fn describe_library(map: &PluginMap, entry: &EntryPoint, files: &mut Files) -> State {
    let path = match map.resolve_library(entry) {
        Ok(path) => path,
        Err(absent) => return State::refused(&absent.into_refusal(entry)),
    };
    let mut state = match files.get(&path, entry.allow_panic_abort) {
        Ok((inspection, digest)) => inspected(map, entry, inspection, digest),
        Err(refusal) => State::refused(refusal),
    };
    state.file = Some(path);
    state
}

/// In the order of the loader: the lock and pins, then the driver and its kind, then the settings.
fn inspected(map: &PluginMap, entry: &EntryPoint, inspection: &Inspection, digest: &str) -> State {
    let export = entry.export.as_deref();
    let mut state = match inspection.choose(&entry.namespace, &entry.name, export) {
        Ok(driver) => available(entry, driver),
        Err(refusal) => State::refused(&refusal),
    };
    if let Some((code, why, help)) = broken_pin(entry, inspection, digest) {
        state.refuse(code, why, Some(help.to_owned()));
    }
    let locked = map
        .lock()
        .map(|l| l.verify(entry, digest, &inspection.metadata));
    if let Some(Err(refusal)) = locked {
        state.refuse(refusal.code, refusal.why, Some(refusal.help));
    }
    state.metadata = Some(inspection.metadata.clone());
    state.size = Some(inspection.size);
    state.sha256 = Some(digest.to_owned());
    state
}

fn broken_pin(
    entry: &EntryPoint,
    inspection: &Inspection,
    digest: &str,
) -> Option<(&'static str, String, &'static str)> {
    if let Some(pinned) = entry
        .sha256
        .as_deref()
        .filter(|p| !p.eq_ignore_ascii_case(digest))
    {
        let why = format!("the file has another digest than the map asks for, `{pinned}`");
        let help = "install the right file, or correct `sha256` in the map";
        return Some((codes::PLUGIN_UNTRUSTED, why, help));
    }
    let wanted = entry.version.as_deref()?;
    let found = &inspection.metadata.version;
    let requirement = semver::VersionReq::parse(wanted).ok();
    let version = semver::Version::parse(found).ok();
    if requirement.zip(version).is_some_and(|(r, v)| r.matches(&v)) {
        return None;
    }
    let why = format!(
        "it is version {}, the map asks for `{wanted}`",
        escape(found)
    );
    let help = "install a version that fits, or correct `version` in the map";
    Some((codes::PLUGIN_WRONG_VERSION, why, help))
}

fn available(entry: &EntryPoint, driver: &EntryMetadata) -> State {
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
    } else if let Some(d) = settings_check::check(entry, &entry.name, &driver.settings).first() {
        let why = format!("{} ({})", d.what, d.place);
        state.refuse(d.code, why, d.help.clone());
    }
    state
}

/// The entry that an alias leads to.
pub(crate) fn meant<'m>(map: &'m PluginMap, entry: &EntryPoint) -> Option<&'m EntryPoint> {
    let target = entry.alias.as_deref()?;
    match map.lookup(&entry.namespace, target) {
        Lookup::One(meant) => Some(meant),
        _ => None,
    }
}
