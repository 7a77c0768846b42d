//! `ExtensionManager`: every extension of a namespace, looked up by name or called one after the other.

use std::collections::HashMap;

use longshore_plugin_api::DriverError;

use crate::extension::Extension;
use crate::report::LoadFailure;

/// The extensions of a namespace. Immutable: what `names` lists is what `get` finds.
pub struct ExtensionManager<K: ?Sized> {
    namespace: String,
    extensions: Vec<Extension<K>>,
    failures: Vec<LoadFailure>,
    by_name: HashMap<String, Vec<usize>>,
}

impl<K: ?Sized> ExtensionManager<K> {
    pub(super) fn loaded(
        namespace: String,
        extensions: Vec<Extension<K>>,
        failures: Vec<LoadFailure>,
    ) -> Self {
        let mut by_name: HashMap<String, Vec<usize>> = HashMap::new();
        for (i, extension) in extensions.iter().enumerate() {
            by_name
                .entry(extension.name().to_owned())
                .or_default()
                .push(i);
        }
        ExtensionManager {
            namespace,
            extensions,
            failures,
            by_name,
        }
    }

    /// A manager of ready extensions, with no file: for tests and drivers that are linked in.
    pub fn from_extensions(namespace: &str, extensions: Vec<Extension<K>>) -> Self {
        Self::loaded(namespace.to_owned(), extensions, Vec::new())
    }

    /// The namespace.
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// The names of the loaded extensions, in order, duplicates kept.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.extensions.iter().map(Extension::name)
    }

    /// The loaded extensions, in order.
    pub fn iter(&self) -> std::slice::Iter<'_, Extension<K>> {
        self.extensions.iter()
    }

    /// How many are loaded.
    pub fn len(&self) -> usize {
        self.extensions.len()
    }

    /// Whether none is loaded.
    pub fn is_empty(&self) -> bool {
        self.extensions.is_empty()
    }

    /// The extension of a name: `None` when there is none, and when there are several (ask
    /// `get_all`).
    pub fn get(&self, name: &str) -> Option<&Extension<K>> {
        match self.by_name.get(name)?.as_slice() {
            [only] => self.extensions.get(*only),
            _ => None,
        }
    }

    /// All extensions of a name, in order.
    pub fn get_all(&self, name: &str) -> impl Iterator<Item = &Extension<K>> {
        self.by_name
            .get(name)
            .into_iter()
            .flatten()
            .map(|i| &self.extensions[*i])
    }

    /// What could not be loaded, and why.
    pub fn failures(&self) -> &[LoadFailure] {
        &self.failures
    }

    /// Calls `call` for each extension, in order. One result per extension: nothing is swallowed and
    /// nothing loses its place. No extensions, no results.
    pub fn map<T>(
        &self,
        mut call: impl FnMut(&Extension<K>) -> Result<T, DriverError>,
    ) -> Vec<(&str, Result<T, DriverError>)> {
        self.extensions
            .iter()
            .map(|e| (e.name(), call(e)))
            .collect()
    }
}

impl<'m, K: ?Sized> IntoIterator for &'m ExtensionManager<K> {
    type Item = &'m Extension<K>;
    type IntoIter = std::slice::Iter<'m, Extension<K>>;
    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}
