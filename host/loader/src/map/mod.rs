//! The plugin map: which entry points exist, by namespace and name, before any library is touched.
//!
//! An immutable snapshot, made from `plugins.toml`, its drop-ins and the environment. Reloading
//! makes a new one or fails and leaves the old. Must not know kinds of drivers, or open
//! libraries. The managers and the `plugin` commands ask it.

mod build;
mod changes;
mod entry;
pub mod environment;
mod file;
mod finish;
mod load;
mod lookup;
mod meaning;
mod merge;
mod misplaced;
pub(crate) mod names;
mod policy;
mod policy_form;
mod raw;
mod reload;
mod resolve;
mod settings;
mod stamp;
mod table_form;
mod to_toml;
mod unquoted;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use changes::{Change, ChangeKind};
pub use entry::{Disabled, DisabledBy, EntryPoint, NAME_BYTES_MAX, PRIORITY_MAX, split_target};
pub use environment::Environment;
pub use load::{DROP_INS_MAX, Include};
pub use lookup::Lookup;
pub use meaning::FieldChange;
pub use policy::{Conflicts, Order, Placed, Policy};
pub use reload::Reload;
pub use resolve::LibraryNotFound;

use crate::diagnostic::{Diagnostic, Source, Style, nearest, render};
use names::{NameMap, Names};

/// The one table that is no namespace.
const RESERVED: &str = "longshore";

/// Longest chain of aliases. Circles are found when the map is built; this bound holds in any case.
pub const ALIAS_HOPS_MAX: usize = 16;

/// Choices of the program that loads a map.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LoadOptions {
    /// A drop-in with a fatal error is skipped as a whole and reported, instead of failing the
    /// load.
    pub lenient: bool,
    /// Directories for bare file names, after all others.
    pub builtin_dirs: Vec<PathBuf>,
}

/// Why there is no map: everything that is wrong with its files and variables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MapError {
    /// At least one, in order of files and places.
    pub diagnostics: Vec<Diagnostic>,
}

impl fmt::Display for MapError {
    /// The whole text for people, without colour.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&render(&self.diagnostics, Style::default()))
    }
}

impl std::error::Error for MapError {}

/// All entry points.
#[derive(Debug, Clone, Default)]
pub struct PluginMap {
    namespaces: Vec<Namespace>,
    index: NameMap<Arc<str>, usize>,
    /// First those of the environment, `environment_dirs` of them.
    search: Vec<PathBuf>,
    environment_dirs: usize,
    diagnostics: Vec<Diagnostic>,
    changes: Vec<String>,
    sources: Vec<Arc<Source>>,
    includes: Vec<Include>,
    origin: reload::Origin,
}

/// The entry points of one namespace.
#[derive(Debug, Clone)]
struct Namespace {
    name: Arc<str>,
    entries: Vec<Arc<EntryPoint>>,
    by_name: Names,
    policy: Policy,
}

impl PluginMap {
    /// Loads the base file at `path`, its drop-ins, and applies the environment.
    ///
    /// # Errors
    /// Every fatal diagnostic of all files; with `LONGSHORE_STRICT=1` every diagnostic.
    pub fn load(path: &Path, environment: &Environment) -> Result<PluginMap, MapError> {
        load::load(path, environment, &LoadOptions::default())
    }

    /// As `load`, with options.
    ///
    /// # Errors
    /// As `load`.
    pub fn load_with(
        path: &Path,
        environment: &Environment,
        options: &LoadOptions,
    ) -> Result<PluginMap, MapError> {
        load::load(path, environment, options)
    }

    /// Reads one text, without drop-ins and environment. `file` is its name in messages;
    /// libraries with a `/` and `search` are relative to its directory.
    ///
    /// # Errors
    /// Every fatal diagnostic of the text.
    pub fn parse(text: &str, file: &str) -> Result<PluginMap, MapError> {
        PluginMap::parse_with(text, file, &Environment::default())
    }

    /// As `parse`, and applies the environment.
    ///
    /// # Errors
    /// As `load`.
    pub fn parse_with(
        text: &str,
        file: &str,
        environment: &Environment,
    ) -> Result<PluginMap, MapError> {
        PluginMap::parse_files(&[(file, text)], environment)
    }

    /// Merges several texts, the first being the base.
    ///
    /// # Errors
    /// As `load`.
    pub fn parse_files(
        files: &[(&str, &str)],
        environment: &Environment,
    ) -> Result<PluginMap, MapError> {
        let mut builder = build::Builder::default();
        let mut fatal = Vec::new();
        builder.search = environment.plugin_dirs();
        let base = files.first().map(|(name, _)| *name);
        for (i, (name, text)) in files.iter().enumerate() {
            let dir = Path::new(name).parent().unwrap_or(Path::new(""));
            let drop_in_of = base.filter(|_| i > 0);
            let mut file = file::read(text.as_bytes(), name, &Arc::from(dir), drop_in_of);
            fatal.append(&mut file.fatal);
            builder.search.extend(build::search_dirs(dir, &file.search));
            builder.add(file);
        }
        load::finish(builder, environment, fatal)
    }

    fn new(built: build::Built, environment_dirs: usize) -> PluginMap {
        let build::Built {
            namespaces,
            index,
            search,
            diagnostics,
            changes,
            sources,
        } = built;
        PluginMap {
            namespaces,
            index,
            search,
            environment_dirs,
            diagnostics,
            changes,
            sources,
            includes: Vec::new(),
            origin: reload::Origin::default(),
        }
    }

    /// The namespaces, in order of first mention.
    pub fn namespaces(&self) -> impl Iterator<Item = &str> {
        self.namespaces.iter().map(|n| &*n.name)
    }

    /// All entries of a namespace in the order of its policy: also aliases, and those that are
    /// switched off.
    pub fn entries(&self, namespace: &str) -> &[Arc<EntryPoint>] {
        self.namespace(namespace)
            .map(|n| n.entries.as_slice())
            .unwrap_or_default()
    }

    /// All entries of all namespaces.
    pub fn all_entries(&self) -> impl Iterator<Item = &Arc<EntryPoint>> {
        self.namespaces.iter().flat_map(|n| &n.entries)
    }

    /// The entries that name a library and are not switched off, in order. An alias is another
    /// name, no entry.
    pub fn enabled(&self, namespace: &str) -> impl Iterator<Item = &Arc<EntryPoint>> {
        self.entries(namespace)
            .iter()
            .filter(|e| e.is_enabled() && e.alias.is_none())
    }

    /// The policy of a namespace, defaults filled in.
    pub fn policy(&self, namespace: &str) -> Option<&Policy> {
        self.namespace(namespace).map(|n| &n.policy)
    }

    /// The name that is used when none is given.
    pub fn default_name(&self, namespace: &str) -> Option<&str> {
        Some(self.policy(namespace)?.default.as_ref()?.value.as_str())
    }

    /// The warning that using a name deserves: of the entry, or of the alias that leads to it.
    pub fn deprecation(&self, namespace: &str, name: &str) -> Option<&str> {
        let namespace = self.namespace(namespace)?;
        let mut found = namespace.named(name).filter(|e| e.is_enabled());
        found.find_map(|e| e.deprecated.as_deref())
    }

    /// Warnings, and the errors of single entries, in order of files and places.
    pub fn diagnostics(&self) -> &[Diagnostic] {
        &self.diagnostics
    }

    /// What the environment changed, one sentence each, for the log.
    pub fn environment_changes(&self) -> &[String] {
        &self.changes
    }

    /// The texts that were read, the base first.
    pub fn sources(&self) -> &[Arc<Source>] {
        &self.sources
    }

    /// The drop-in directories, in order; none for a map made from text.
    pub fn includes(&self) -> &[Include] {
        &self.includes
    }

    /// Other namespaces that have the name, for a better message.
    pub fn namespaces_with(&self, name: &str) -> impl Iterator<Item = &str> {
        let with = self
            .namespaces
            .iter()
            .filter(move |n| n.by_name.contains(name));
        with.map(|n| &*n.name)
    }

    /// The namespace that is clearly nearest to one that does not exist.
    pub fn nearest_namespace(&self, namespace: &str) -> Option<&str> {
        nearest(namespace, self.namespaces())
    }

    fn namespace(&self, name: &str) -> Option<&Namespace> {
        self.index.get(name).map(|i| &self.namespaces[*i])
    }
}

#[cfg(test)]
mod tests;
