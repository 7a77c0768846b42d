//! What the plugin map and the files say of entry points, when no host is running.
//!
//! Reads headers and notes, runs nothing. Never claims that something is in use. Called by
//! `plugin`.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use longshore_loader::codes;
use longshore_loader::inspect::{Inspection, Refusal, inspect, sha256};
use longshore_loader::map::{EntryPoint, Lookup, PluginMap};
use longshore_loader::note::{EntryMetadata, SettingSchema};
use serde_json::{Map, Value as Json, json};

use super::failure::Failure;
use super::plugin::{kind_of, no_entry, setting};

/// What became of a file, so that each is read once.
#[derive(Default)]
struct Files {
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
    let schema: Vec<Json> = state.schema.iter().map(setting).collect();
    json["file"] = json!(state.file.map(|f| f.display().to_string()));
    json["origin"] = json!(entry.origin.to_string());
    json["description"] = json!(entry.about.clone().or(state.description));
    json["deprecated"] = json!(entry.deprecated);
    json["alias"] = json!(entry.alias);
    json["priority"] = json!(entry.priority);
    json["settings"] = Json::Object(visible(&entry.settings, &state.schema));
    json["settings_schema"] = Json::Array(schema);
    Ok(json)
}

/// The settings without secrets. What no schema describes might be one.
pub(crate) fn visible(settings: &Map<String, Json>, schema: &[SettingSchema]) -> Map<String, Json> {
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

/// What is known of an entry point.
#[derive(Default)]
struct State {
    word: &'static str,
    /// The library of what an alias stands for.
    lib: Option<String>,
    file: Option<PathBuf>,
    kind: Option<String>,
    export: Option<String>,
    plugin: Option<String>,
    version: Option<String>,
    sha256: Option<String>,
    description: Option<String>,
    schema: Vec<SettingSchema>,
    code: Option<&'static str>,
    why: Option<String>,
    help: Option<String>,
}

impl State {
    fn word(word: &'static str) -> State {
        State {
            word,
            ..State::default()
        }
    }

    fn refused(refusal: &Refusal) -> State {
        let word = match refusal.code {
            codes::PLUGIN_NOT_FOUND => "missing",
            _ => "refused",
        };
        State {
            code: Some(refusal.code),
            why: Some(refusal.why.clone()),
            help: Some(refusal.help.clone()),
            ..State::word(word)
        }
    }

    /// The contract's shape.
    fn to_json(&self, entry: &EntryPoint) -> Json {
        let error = self
            .code
            .map(|code| json!({"code": code, "message": self.why}));
        json!({
            "namespace": &*entry.namespace,
            "name": entry.name,
            "lib": self.lib.as_ref().unwrap_or(&entry.lib),
            "export": self.export.as_ref().or(entry.export.as_ref()),
            "kind": self.kind,
            "state": self.word,
            "plugin": self.plugin,
            "version": self.version,
            "sha256": self.sha256,
            "error": error,
            "why": self.why,
            "help": self.help,
        })
    }
}

fn describe(map: &PluginMap, entry: &EntryPoint, files: &mut Files) -> State {
    if let Some(disabled) = &entry.disabled {
        let why = Some(disabled.to_string());
        return State {
            why,
            ..State::word("disabled")
        };
    }
    if let Some(fault) = &entry.fault {
        return State {
            code: Some(fault.code),
            why: Some(fault.what.clone()),
            help: fault.help.clone(),
            ..State::word("refused")
        };
    }
    let Some(target) = &entry.alias else {
        return describe_library(map, entry, files);
    };
    match map.lookup(&entry.namespace, target) {
        Lookup::One(meant) => {
            let mut state = describe_library(map, meant, files);
            state
                .why
                .get_or_insert_with(|| format!("stands for `{target}`"));
            state
        }
        _ => State {
            code: Some(codes::PLUGIN_NO_SUCH_DRIVER),
            why: Some(format!("`{target}`, for which it stands, cannot be used")),
            help: Some("correct the alias".to_owned()),
            ..State::word("refused")
        },
    }
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

fn inspected(entry: &EntryPoint, inspection: &Inspection, digest: &str) -> State {
    let export = entry.export.as_deref();
    let mut state = match inspection.choose(&entry.namespace, &entry.name, export) {
        Ok(driver) => available(driver),
        Err(refusal) => State::refused(&refusal),
    };
    if let Some(pinned) = entry.sha256.as_deref().filter(|p| *p != digest) {
        state = State {
            code: Some(codes::PLUGIN_UNTRUSTED),
            why: Some(format!(
                "the file has another digest than the map asks for, `{pinned}`"
            )),
            help: Some("install the right file, or correct `sha256` in the map".to_owned()),
            ..State::word("refused")
        };
    }
    state.plugin = Some(inspection.metadata.plugin.clone());
    state.version = Some(inspection.metadata.version.clone());
    state.sha256 = Some(digest.to_owned());
    state
}

fn available(driver: &EntryMetadata) -> State {
    State {
        kind: Some(kind_of(driver).to_owned()),
        export: Some(driver.name.clone()),
        description: Some(driver.description.clone()),
        schema: driver.settings.clone(),
        ..State::word("available")
    }
}
