//! `DispatchExtensionManager`: at each call, a filter says which of the extensions are called.

use std::fmt::Display;
use std::ops::Deref;

use super::ExtensionManager;
use super::extensions::{Called, called};
use crate::extension::{Extension, LazyExtension, Member};
use crate::report::LoadFailure;

/// Extensions that are called when a filter accepts them.
pub struct DispatchExtensionManager<K: ?Sized, E = Extension<K>> {
    extensions: ExtensionManager<K, E>,
}

impl<K: ?Sized, E: Member<K>> DispatchExtensionManager<K, E> {
    pub(super) fn new(extensions: ExtensionManager<K, E>) -> Self {
        DispatchExtensionManager { extensions }
    }

    /// A manager of ready extensions, with no file.
    pub fn from_extensions(namespace: &str, extensions: Vec<E>) -> Self {
        Self::new(ExtensionManager::from_extensions(namespace, extensions))
    }

    /// As [`DispatchExtensionManager::from_extensions`], in the namespace [`super::TEST_NAMESPACE`].
    pub fn test_instance(extensions: Vec<E>) -> Self {
        Self::from_extensions(super::TEST_NAMESPACE, extensions)
    }

    /// Calls `call` for each extension that `filter` accepts, in order; otherwise as [`ExtensionManager::map`]. A
    /// question that may fail belongs into `call`: its error then stands in its place.
    pub fn map<T, X: Display>(
        &self,
        mut filter: impl FnMut(&E) -> bool,
        mut call: impl FnMut(&E) -> Result<T, X>,
    ) -> Vec<Called<'_, T, X>> {
        let accepted = self.extensions.iter().filter(|e| filter(e));
        accepted.map(|e| called(e, &mut call)).collect()
    }
}

impl<K: ?Sized> DispatchExtensionManager<K> {
    /// Calls a method of each driver whose extension `filter` accepts.
    pub fn map_driver<T, X: Display>(
        &self,
        filter: impl FnMut(&Extension<K>) -> bool,
        mut call: impl FnMut(&K) -> Result<T, X>,
    ) -> Vec<Called<'_, T, X>> {
        self.map(filter, |e| call(e.driver()))
    }
}

impl<K: ?Sized> DispatchExtensionManager<K, LazyExtension<K>> {
    /// Calls a method of each driver whose extension `filter` accepts; only those drivers are made.
    pub fn map_driver<T, X: Display + From<LoadFailure>>(
        &self,
        filter: impl FnMut(&LazyExtension<K>) -> bool,
        mut call: impl FnMut(&K) -> Result<T, X>,
    ) -> Vec<Called<'_, T, X>> {
        self.map(filter, |e| call(e.driver()?))
    }
}

impl<K: ?Sized, E> Deref for DispatchExtensionManager<K, E> {
    type Target = ExtensionManager<K, E>;
    fn deref(&self) -> &ExtensionManager<K, E> {
        &self.extensions
    }
}
