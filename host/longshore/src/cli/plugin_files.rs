//! What the plugin map and the files say of entry points, when no host is running: the documents
//! of `plugin list` and `plugin show`, and warnings.
//!
//! Reads headers and notes, runs nothing. Never claims that something is in use. Called by
//! `plugin`, `config check`, and by a running host for its API.

use std::sync::Arc;

use longshore_loader::codes;
use longshore_loader::diagnostic::{Diagnostic, Place, escape};
use longshore_loader::map::{EntryPoint, Lookup, PluginMap};
use longshore_loader::note::SettingSchema;
use longshore_loader::settings_check;
use serde_json::{Map, Value as Json, json};

use super::failure::Failure;
use super::plugin::no_entry;
use super::plugin_inspect::setting;
use super::plugin_state::{Outlook, describe, meant};
use crate::config::raw::RawConfig;
use crate::config::wanted;

/// The codes of what is wrong with settings.
const SETTINGS: &[&str] = &[
    codes::DRIVER_UNKNOWN_SETTING,
    codes::DRIVER_BAD_SETTING,
    codes::DRIVER_MISSING_SETTING,
];

/// All entry points of the map, or those of one namespace.
pub(crate) fn list(outlook: &Outlook, namespace: Option<&str>) -> Vec<Json> {
    let entries = outlook.map().all_entries();
    entries
        .filter(|e| namespace.is_none_or(|n| n == &*e.namespace))
        .map(|entry| describe(outlook, entry).to_json(entry))
        .collect()
}

/// All about one entry point.
pub(crate) fn show(outlook: &Outlook, namespace: &str, name: &str) -> Result<Json, Failure> {
    let map = outlook.map();
    let entries = map.entries(namespace);
    let mut named = entries.iter().filter(|e| e.name == name);
    let Some(entry) = named.next() else {
        return Err(no_entry(map, namespace, name));
    };
    let state = describe(outlook, entry);
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

/// The other names of an entry.
fn aliases(map: &PluginMap, namespace: &str, name: &str) -> Json {
    let leads_here = |e: &&Arc<EntryPoint>| {
        e.name != name && e.is_enabled() && meant(map, e).is_some_and(|m| m.name == name)
    };
    let alias = |e: &Arc<EntryPoint>| {
        let place = e.origin.to_string();
        json!({"name": e.name, "deprecated": e.deprecated, "origin": place})
    };
    let found = map.entries(namespace).iter().filter(leads_here);
    found.map(alias).collect()
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

/// Warns of drivers in use that cannot be loaded. What the policy makes of it is the start's
/// business, which says it again; wrong settings are reported with their places elsewhere.
pub(crate) fn unusable(raw: &RawConfig, outlook: &Outlook) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for want in wanted(raw) {
        let Lookup::One(entry) = outlook.map().lookup(want.namespace, &want.name) else {
            continue;
        };
        let state = describe(outlook, entry);
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
