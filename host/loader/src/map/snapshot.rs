//! The snapshot itself: namespaces with their entries, and what was said while it was made.
//!
//! Immutable, and only asked here; how it is read, looked up, compared, printed and read again stands in the files of those
//! names.

use std::path::PathBuf;
use std::sync::Arc;

use super::entry::EntryPoint;
use super::include::Include;
use super::names::{NameMap, Names};
use super::origin::Origin;
use super::policy::Policy;
use crate::diagnostic::{Diagnostic, Source, nearest};
use crate::lock::PluginsLock;

/// All entry points.
#[derive(Debug, Clone, Default)]
pub struct PluginMap {
    pub(super) namespaces: Vec<Namespace>,
    pub(super) index: NameMap<Arc<str>, usize>,
    /// First those of the environment, `environment_dirs` of them.
    pub(super) search: Vec<PathBuf>,
    pub(super) environment_dirs: usize,
    pub(super) diagnostics: Vec<Diagnostic>,
    pub(super) changes: Vec<String>,
    pub(super) sources: Vec<Arc<Source>>,
    pub(super) includes: Vec<Include>,
    pub(super) origin: Origin,
    pub(super) lock: Option<Arc<PluginsLock>>,
}

/// The entry points of one namespace.
#[derive(Debug, Clone)]
pub(super) struct Namespace {
    pub(super) name: Arc<str>,
    pub(super) entries: Vec<Arc<EntryPoint>>,
    pub(super) by_name: Names,
    pub(super) policy: Policy,
}

impl PluginMap {
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

    /// What is locked, if `plugins.lock` lies beside the map. It holds for every entry.
    pub fn lock(&self) -> Option<&PluginsLock> {
        self.lock.as_deref()
    }

    pub(super) fn namespace(&self, name: &str) -> Option<&Namespace> {
        self.index.get(name).map(|i| &self.namespaces[*i])
    }
}
