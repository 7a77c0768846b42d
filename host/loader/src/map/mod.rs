//! The plugin map: which entry points exist, by namespace and name, before any library is touched.
//!
//! An immutable snapshot, made from `plugins.toml`, its drop-ins and the environment. Reloading
//! makes a new one or fails and leaves the old. Must not know kinds of drivers, or open
//! libraries. The managers and the `plugin` commands ask it.

mod build;
mod entry;
pub mod environment;
mod file;
mod finish;
mod load;
mod policy;
mod raw;
mod resolve;
mod settings;
mod table_form;
mod unquoted;

use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use entry::{Disabled, DisabledBy, EntryPoint, NAME_BYTES_MAX, PRIORITY_MAX, split_target};
pub use environment::Environment;
pub use load::DROP_INS_MAX;
pub use policy::{Conflicts, Order, Placed, Policy};
pub use resolve::LibraryNotFound;

use crate::diagnostic::{Diagnostic, Source, Style, nearest, render};

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
    index: HashMap<Arc<str>, usize>,
    search: Vec<PathBuf>,
    diagnostics: Vec<Diagnostic>,
    changes: Vec<String>,
    sources: Vec<Arc<Source>>,
}

/// The entry points of one namespace.
#[derive(Debug, Clone)]
struct Namespace {
    name: Arc<str>,
    entries: Vec<Arc<EntryPoint>>,
    by_name: HashMap<String, Vec<usize>>,
    policy: Policy,
}

/// What a name means in a namespace.
#[derive(Debug, Clone)]
pub enum Lookup<'m> {
    /// This entry, aliases followed. It may have a `fault`.
    One(&'m Arc<EntryPoint>),
    /// Several enabled entries, and the policy does not choose.
    Several(Vec<&'m Arc<EntryPoint>>),
    /// It exists and is switched off; `entry.disabled` says by what.
    Disabled(&'m Arc<EntryPoint>),
    /// It does not exist.
    Unknown {
        /// The name that is clearly nearest.
        nearest: Option<&'m str>,
        /// The enabled names of the namespace, in order.
        available: Vec<&'m str>,
    },
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
        let mut search = environment.plugin_dirs();
        let base = files.first().map(|(name, _)| *name);
        for (i, (name, text)) in files.iter().enumerate() {
            let dir = Path::new(name).parent().unwrap_or(Path::new(""));
            let drop_in_of = base.filter(|_| i > 0);
            let mut file = file::read(text.as_bytes(), name, &Arc::from(dir), drop_in_of);
            fatal.append(&mut file.fatal);
            search.extend(build::search_dirs(dir, &file.search));
            builder.add(file);
        }
        load::finish(builder, search, environment, fatal)
    }

    fn new(built: build::Built, search: Vec<PathBuf>) -> PluginMap {
        let build::Built {
            namespaces,
            diagnostics,
            changes,
            sources,
        } = built;
        let name = |(i, n): (usize, &Namespace)| (Arc::clone(&n.name), i);
        let index = namespaces.iter().enumerate().map(name).collect();
        PluginMap {
            namespaces,
            index,
            search,
            diagnostics,
            changes,
            sources,
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

    /// What a name means: one hash look-up for the namespace and one for the name.
    pub fn lookup(&self, namespace: &str, name: &str) -> Lookup<'_> {
        let unknown = || Lookup::Unknown {
            nearest: None,
            available: Vec::new(),
        };
        self.namespace(namespace)
            .map_or_else(unknown, |n| n.lookup(name, 0))
    }

    /// As `lookup`; a program's choice of policy beats the map's.
    pub fn lookup_with(
        &self,
        namespace: &str,
        name: &str,
        _conflicts: Option<Conflicts>,
    ) -> Lookup<'_> {
        self.lookup(namespace, name)
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

    /// Other namespaces that have the name, for a better message.
    pub fn namespaces_with(&self, name: &str) -> impl Iterator<Item = &str> {
        let with = self
            .namespaces
            .iter()
            .filter(move |n| n.by_name.contains_key(name));
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

impl Namespace {
    fn named(&self, name: &str) -> impl Iterator<Item = &Arc<EntryPoint>> {
        self.by_name
            .get(name)
            .into_iter()
            .flatten()
            .map(|i| &self.entries[*i])
    }

    fn lookup(&self, name: &str, hops: usize) -> Lookup<'_> {
        let enabled: Vec<&Arc<EntryPoint>> = self.named(name).filter(|e| e.is_enabled()).collect();
        if enabled.is_empty() {
            return match self.named(name).next() {
                Some(entry) => Lookup::Disabled(entry),
                None => self.unknown(name),
            };
        }
        let Some(entry) = self.choose(&enabled) else {
            return Lookup::Several(enabled);
        };
        match &entry.alias {
            Some(target) if entry.fault.is_none() && hops < ALIAS_HOPS_MAX => {
                self.lookup(target, hops + 1)
            }
            _ => Lookup::One(entry),
        }
    }

    fn choose<'m>(&self, enabled: &[&'m Arc<EntryPoint>]) -> Option<&'m Arc<EntryPoint>> {
        if let [only] = enabled {
            return Some(only);
        }
        match self.policy.conflicts() {
            Conflicts::Error | Conflicts::All => None,
            Conflicts::First => enabled.iter().copied().min_by_key(|e| e.rank),
            Conflicts::Last => enabled.iter().copied().max_by_key(|e| e.rank),
            Conflicts::Priority => {
                let least = enabled.iter().map(|e| e.priority).min()?;
                let mut first = enabled.iter().copied().filter(|e| e.priority == least);
                let chosen = first.next()?;
                first.next().is_none().then_some(chosen)
            }
        }
    }

    fn unknown(&self, name: &str) -> Lookup<'_> {
        let mut available: Vec<&str> = Vec::new();
        for entry in self.entries.iter().filter(|e| e.is_enabled()) {
            if available.last() != Some(&entry.name.as_str()) {
                available.push(&entry.name);
            }
        }
        Lookup::Unknown {
            nearest: nearest(name, available.iter().copied()),
            available,
        }
    }
}

#[cfg(test)]
mod tests;
