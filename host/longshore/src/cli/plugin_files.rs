//! What the plugin map and the files say of entry points, when no host is running.
//!
//! Reads headers and notes, runs nothing. Never claims that something is in use. Called by
//! `plugin`, `config check` and `doctor`, and by a running host for its API.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use longshore_loader::codes;
use longshore_loader::diagnostic::{Diagnostic, Place, escape};
use longshore_loader::inspect::{Inspection, Refusal, inspect, sha256};
use longshore_loader::map::{Conflicts, EntryPoint, Lookup, PluginMap};
use longshore_loader::note::{EntryMetadata, Metadata, SettingSchema};
use longshore_loader::settings_check;
use serde_json::{Map, Value as Json, json};

use super::failure::Failure;
use super::plugin::{kind_of, no_entry};
use super::plugin_inspect::setting;
use super::plugin_kinds::wrong_kind;
use crate::config::raw::RawConfig;
use crate::config::wanted;

/// The codes of what is wrong with settings.
const SETTINGS: &[&str] = &[
    codes::DRIVER_UNKNOWN_SETTING,
    codes::DRIVER_BAD_SETTING,
    codes::DRIVER_MISSING_SETTING,
];

/// What became of a file, so that each is read once.
#[derive(Default)]
pub(crate) struct Files {
    seen: HashMap<PathBuf, Result<(Inspection, String), Refusal>>,
}

impl Files {
    fn get(&mut self, path: &Path) -> &Result<(Inspection, String), Refusal> {
        let read = || {
            let inspection = inspect(path)?;
            Ok((inspection, sha256(path)?))
        };
        self.seen.entry(path.to_owned()).or_insert_with(read)
    }
}

/// All entry points of the map, or those of one namespace.
pub(crate) fn list(map: &PluginMap, namespace: Option<&str>) -> Vec<Json> {
    let mut files = Files::default();
    map.all_entries()
        .filter(|e| namespace.is_none_or(|n| n == &*e.namespace))
        .map(|entry| describe(map, entry, &mut files).to_json(entry))
        .collect()
}

/// All about one entry point.
pub(crate) fn show(map: &PluginMap, namespace: &str, name: &str) -> Result<Json, Failure> {
    let entries = map.entries(namespace);
    let mut named = entries.iter().filter(|e| e.name == name);
    let Some(entry) = named.next() else {
        return Err(no_entry(map, namespace, name));
    };
    let state = describe(map, entry, &mut Files::default());
    let mut json = state.to_json(entry);
    let meant = meant(map, entry).unwrap_or(entry);
    let schema: Vec<Json> = state.schema.iter().map(setting).collect();
    json["file"] = json!(state.file.as_ref().map(|f| f.display().to_string()));
    json["origin"] = json!(entry.origin.to_string());
    json["priority"] = json!(entry.priority);
    json["others"] = named.map(|e| e.origin.to_string()).collect();
    json["aliases"] = aliases(map, namespace, name);
    json["pins"] = json!({"sha256": meant.sha256, "version": meant.version});
    json["revision"] = json!(state.revision);
    json["size"] = json!(state.size);
    if let Some(plugin) = &state.metadata {
        json["license"] = json!(plugin.license);
        json["api_version"] = json!(plugin.api);
        json["rustc"] = json!(plugin.rustc);
        json["target"] = json!(plugin.target);
        json["panic"] = json!(plugin.panic);
    }
    json["settings"] = Json::Object(visible(&meant.settings, &state.schema));
    json["settings_schema"] = Json::Array(schema);
    json["settings_in_force"] = in_force(meant, &state.schema);
    Ok(json)
}

/// The entry that an alias leads to.
fn meant<'m>(map: &'m PluginMap, entry: &EntryPoint) -> Option<&'m EntryPoint> {
    let target = entry.alias.as_deref()?;
    match map.lookup(&entry.namespace, target) {
        Lookup::One(meant) => Some(meant),
        _ => None,
    }
}

/// The other names of an entry.
fn aliases(map: &PluginMap, namespace: &str, name: &str) -> Json {
    let leads_here = |e: &&std::sync::Arc<EntryPoint>| {
        e.name != name && e.is_enabled() && meant(map, e).is_some_and(|m| m.name == name)
    };
    let alias = |e: &std::sync::Arc<EntryPoint>| {
        let place = e.origin.to_string();
        json!({"name": e.name, "deprecated": e.deprecated, "origin": place})
    };
    let found = map.entries(namespace).iter().filter(leads_here);
    found.map(alias).collect()
}

/// The settings without secrets. What no schema describes might be one.
fn visible(settings: &Map<String, Json>, schema: &[SettingSchema]) -> Map<String, Json> {
    let hidden = |key: &str| {
        schema
            .iter()
            .find(|s| s.key == key)
            .is_none_or(|s| s.secret)
    };
    let shown = |(key, value): (&String, &Json)| {
        let value = if hidden(key) {
            json!("***")
        } else {
            value.clone()
        };
        (key.clone(), value)
    };
    settings.iter().map(shown).collect()
}

/// Each setting with the value that the driver gets, and where that comes from.
fn in_force(entry: &EntryPoint, schema: &[SettingSchema]) -> Json {
    let set = visible(&entry.settings, schema);
    let place = |key: &str| {
        let pointer = settings_check::pointer(key);
        entry.setting_key_place(&pointer).to_string()
    };
    let known = schema.iter().map(|s| match (set.get(&s.key), &s.default) {
        (Some(value), _) => json!({"key": s.key, "value": value, "from": place(&s.key)}),
        (None, Some(default)) if !default.is_null() => {
            json!({"key": s.key, "value": default, "from": "default"})
        }
        (None, _) => json!({"key": s.key, "value": null, "from": null}),
    });
    let is_known = |key: &str| schema.iter().any(|s| s.key == key);
    let unknown = set.iter().filter(|(key, _)| !is_known(key));
    let unknown = unknown.map(|(key, v)| json!({"key": key, "value": v, "from": place(key)}));
    known.chain(unknown).collect()
}

/// What is known of an entry point.
#[derive(Default)]
pub(crate) struct State {
    pub(crate) word: &'static str,
    /// The library of what an alias stands for.
    lib: Option<String>,
    pub(crate) file: Option<PathBuf>,
    pub(crate) kind: Option<String>,
    revision: Option<u32>,
    export: Option<String>,
    pub(crate) metadata: Option<Metadata>,
    size: Option<u64>,
    pub(crate) sha256: Option<String>,
    description: Option<String>,
    schema: Vec<SettingSchema>,
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
    fn to_json(&self, entry: &EntryPoint) -> Json {
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

/// Warns of drivers in use that cannot be loaded. What the policy makes of it is the start's
/// business, which says it again; wrong settings are reported with their places elsewhere.
pub(crate) fn unusable(raw: &RawConfig, map: &PluginMap) -> Vec<Diagnostic> {
    let mut files = Files::default();
    let mut found = Vec::new();
    for want in wanted(raw) {
        let Lookup::One(entry) = map.lookup(want.namespace, &want.name) else {
            continue;
        };
        let state = describe(map, entry, &mut files);
        let (Some(code), None) = (state.code, &entry.fault) else {
            continue;
        };
        if SETTINGS.contains(&code) {
            continue;
        }
        // A built-in default has no place to show; its entry has.
        let place = match &want.place {
            Place::Program => entry.origin.clone(),
            place => place.clone(),
        };
        let (name, namespace) = (escape(&want.name), want.namespace);
        let what = format!("`{name}` of `{namespace}` cannot be loaded");
        let mut d = Diagnostic::warning(code, place, what);
        d.why = state.why;
        let pointer = || format!("see `longshore plugin show {namespace} {name}`");
        d.help = state.help.or_else(|| Some(pointer()));
        found.push(d);
    }
    found
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
    let mut state = match files.get(&path) {
        Ok((inspection, digest)) => inspected(entry, inspection, digest),
        Err(refusal) => State::refused(refusal),
    };
    state.file = Some(path);
    state
}

/// In the order of the loader: pins, then the driver and its kind, then the settings.
fn inspected(entry: &EntryPoint, inspection: &Inspection, digest: &str) -> State {
    let export = entry.export.as_deref();
    let mut state = match inspection.choose(&entry.namespace, &entry.name, export) {
        Ok(driver) => available(entry, driver),
        Err(refusal) => State::refused(&refusal),
    };
    if let Some((code, why, help)) = broken_pin(entry, inspection, digest) {
        state.refuse(code, why, Some(help.to_owned()));
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
