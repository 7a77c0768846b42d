//! What is known of an extension without running its plugin: from the map, and from what the file says of itself.
//!
//! A value, shared by everything that is made of one entry point. Must not know loading.

use std::path::PathBuf;

use serde_json::{Map, Value as Json};

use crate::diagnostic::Place;
use crate::map::EntryPoint;

/// What is known of an extension beside its driver. All of it is known without running the plugin.
#[derive(Debug, Clone)]
pub struct ExtensionInfo {
    /// The namespace.
    pub namespace: String,
    /// The name of the entry.
    pub name: String,
    /// The name that was asked for, when it is an alias of `name`.
    pub alias: Option<String>,
    /// The target as the map writes it: `lib.so` or `lib.so:export`; empty for a driver of the program.
    pub target: String,
    /// The library file; empty for a driver that came with the program.
    pub file: PathBuf,
    /// The name of the driver inside the file.
    pub export: String,
    /// The trait's name.
    pub kind: String,
    /// The plugin's name.
    pub plugin: String,
    /// The plugin's version.
    pub version: String,
    /// The version of plugin-api it was built with.
    pub api_version: String,
    /// What it says of itself.
    pub description: String,
    /// Where the map says so; `Place::Program` for a driver that came with the program.
    pub place: Place,
    /// The map's priority: smaller goes first.
    pub priority: i64,
    /// What it was built with: the map's settings and the schema's defaults.
    pub settings: Map<String, Json>,
    /// Its place among all entries as written.
    pub(crate) rank: usize,
}

impl ExtensionInfo {
    /// What there is to know of a driver that comes with the program.
    pub(crate) fn of_program(namespace: &str, name: &str) -> ExtensionInfo {
        ExtensionInfo {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            alias: None,
            target: String::new(),
            file: PathBuf::new(),
            export: name.to_owned(),
            kind: String::new(),
            plugin: String::new(),
            version: String::new(),
            api_version: longshore_plugin_api::API_VERSION.to_owned(),
            description: String::new(),
            place: Place::Program,
            priority: 0,
            settings: Map::new(),
            rank: 0,
        }
    }

    /// What the map says of an entry, when its file cannot be asked.
    pub(crate) fn of_entry(entry: &EntryPoint) -> ExtensionInfo {
        ExtensionInfo {
            target: entry.target(),
            export: entry.export.clone().unwrap_or_default(),
            api_version: String::new(),
            place: entry.origin.clone(),
            priority: entry.priority,
            settings: entry.settings.clone(),
            rank: entry.rank(),
            ..ExtensionInfo::of_program(&entry.namespace, &entry.name)
        }
    }

    /// The library part of the target, as written in the map.
    pub fn library(&self) -> &str {
        crate::map::split_target(&self.target).0
    }
}
