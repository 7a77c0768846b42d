//! The merged plugin map for people and for machines, with secrets hidden.
//!
//! What is a secret stands in the schema that a plugin carries, so the files are inspected; nothing
//! of them runs. Called by `config show --map`.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::HashMap;
use std::path::PathBuf;

use longshore_loader::inspect::{Inspection, Refusal, inspect_with};
use longshore_loader::map::{EntryPoint, PluginMap};
use serde_json::{Map, Value as Json, json};

use super::plugin_files::visible;

type Settings = Map<String, Json>;

/// A map, and what of its settings may be shown.
pub(crate) struct Visible<'m> {
    map: &'m PluginMap,
    /// Each file is inspected once.
    files: RefCell<HashMap<PathBuf, Result<Inspection, Refusal>>>,
}

impl Visible<'_> {
    pub(crate) fn new(map: &PluginMap) -> Visible<'_> {
        Visible {
            map,
            files: RefCell::default(),
        }
    }

    /// The map as one document.
    pub(crate) fn to_toml(&self) -> String {
        self.map
            .to_toml_with(|entry| Cow::Owned(self.settings(entry)))
    }

    /// The map as an object: namespaces, each with its entries in order.
    pub(crate) fn to_json(&self) -> Json {
        let namespace = |name: &str| {
            let entries = self.map.entries(name).iter();
            let entries: Vec<Json> = entries.map(|e| to_json(e, self.settings(e))).collect();
            (name.to_owned(), Json::Array(entries))
        };
        Json::Object(self.map.namespaces().map(namespace).collect())
    }

    fn settings(&self, entry: &EntryPoint) -> Settings {
        if entry.settings.is_empty() {
            return Settings::new();
        }
        let mut files = self.files.borrow_mut();
        let inspection = self.map.resolve_library(entry).ok().and_then(|path| {
            let read = || inspect_with(&path, true);
            files.entry(path.clone()).or_insert_with(read).as_ref().ok()
        });
        let export = entry.export.as_deref();
        let driver = inspection.and_then(|i| i.choose(&entry.namespace, &entry.name, export).ok());
        let schema = driver.map(|d| d.settings.as_slice()).unwrap_or_default();
        visible(&entry.settings, schema)
    }
}

fn to_json(entry: &EntryPoint, settings: Settings) -> Json {
    json!({
        "name": entry.name,
        "lib": (!entry.lib.is_empty()).then_some(&entry.lib),
        "export": entry.export,
        "alias": entry.alias,
        "enabled": entry.is_enabled(),
        "why": entry.disabled.as_ref().map(ToString::to_string),
        "optional": entry.optional,
        "allow_panic_abort": entry.allow_panic_abort,
        "append": entry.append,
        "priority": entry.priority,
        "settings": settings,
        "deprecated": entry.deprecated,
        "about": entry.about,
        "version": entry.version,
        "sha256": entry.sha256,
        "origin": entry.origin.to_string(),
        "error": entry.fault.as_ref().map(|d| json!({"code": d.code, "message": d.what})),
    })
}
