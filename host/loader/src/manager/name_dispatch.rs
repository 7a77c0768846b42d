//! `NameDispatchExtensionManager`: at each call, a list of names says which extensions are called, and in which order.

use std::fmt::Display;
use std::ops::Deref;

use super::ExtensionManager;
use super::conflict;
use super::extensions::{Called, called};
use crate::extension::{Extension, LazyExtension, Member};
use crate::log::{self, Level};
use crate::report::LoadFailure;

/// Extensions that are called by name.
pub struct NameDispatchExtensionManager<K: ?Sized, E = Extension<K>> {
    extensions: ExtensionManager<K, E>,
}

impl<K: ?Sized, E: Member<K>> NameDispatchExtensionManager<K, E> {
    /// Every name must mean one extension: that is what the manager is for.
    pub(super) fn new(extensions: ExtensionManager<K, E>) -> Result<Self, LoadFailure> {
        if let Some(name) = extensions.index().conflicts().first() {
            let several: Vec<_> = extensions.get_all(name).map(Member::info).collect();
            return Err(conflict::conflict("", name, &several));
        }
        Ok(NameDispatchExtensionManager { extensions })
    }

    /// A manager of ready extensions, with no file.
    ///
    /// # Errors
    /// `MultipleMatches` when two have one name.
    pub fn from_extensions(namespace: &str, extensions: Vec<E>) -> Result<Self, LoadFailure> {
        Self::from_manager(ExtensionManager::from_extensions(namespace, extensions))
    }

    /// The extensions of another manager, with its choice among several of one name.
    ///
    /// # Errors
    /// `MultipleMatches` for the first name that means several and was not resolved.
    pub fn from_manager(extensions: ExtensionManager<K, E>) -> Result<Self, LoadFailure> {
        Self::new(extensions)
    }

    /// As [`NameDispatchExtensionManager::from_extensions`], in the namespace [`super::TEST_NAMESPACE`].
    ///
    /// # Errors
    /// As [`NameDispatchExtensionManager::from_extensions`].
    pub fn test_instance(extensions: Vec<E>) -> Result<Self, LoadFailure> {
        Self::from_extensions(super::TEST_NAMESPACE, extensions)
    }

    /// Calls `call` for the extension of each name, in the order of the names; a name given twice is called twice, a
    /// name that no extension has is left out. Otherwise as [`ExtensionManager::map`].
    ///
    /// One text is no list of names:
    ///
    /// ```compile_fail,E0277
    /// # use longshore_loader::NameDispatchExtensionManager;
    /// # use longshore_plugin_api::Filter;
    /// # fn demo(manager: &NameDispatchExtensionManager<dyn Filter>) {
    /// let _ = manager.map("ram", |_| Ok::<_, String>(()));
    /// # }
    /// ```
    pub fn map<T, X: Display>(
        &self,
        names: impl IntoIterator<Item = impl AsRef<str>>,
        mut call: impl FnMut(&E) -> Result<T, X>,
    ) -> Vec<Called<'_, T, X>> {
        let names = names.into_iter();
        let mut results = Vec::with_capacity(names.size_hint().0);
        for name in names {
            match self.extensions.get(name.as_ref()) {
                Some(extension) => results.push(called(extension, &mut call)),
                None => self.say_missing(name.as_ref()),
            }
        }
        results
    }

    #[cold]
    fn say_missing(&self, name: &str) {
        let text = format_args!("no extension has this name: it is left out");
        log::say(Level::Debug, self.extensions.namespace(), name, text);
    }
}

impl<K: ?Sized> NameDispatchExtensionManager<K> {
    /// Calls a method of the driver of each name.
    pub fn map_driver<T, X: Display>(
        &self,
        names: impl IntoIterator<Item = impl AsRef<str>>,
        mut call: impl FnMut(&K) -> Result<T, X>,
    ) -> Vec<Called<'_, T, X>> {
        self.map(names, |e| call(e.driver()))
    }
}

impl<K: ?Sized> NameDispatchExtensionManager<K, LazyExtension<K>> {
    /// Calls a method of the driver of each name; only those drivers are made.
    pub fn map_driver<T, X: Display + From<LoadFailure>>(
        &self,
        names: impl IntoIterator<Item = impl AsRef<str>>,
        mut call: impl FnMut(&K) -> Result<T, X>,
    ) -> Vec<Called<'_, T, X>> {
        self.map(names, |e| call(e.driver()?))
    }
}

impl<K: ?Sized, E> Deref for NameDispatchExtensionManager<K, E> {
    type Target = ExtensionManager<K, E>;
    fn deref(&self) -> &ExtensionManager<K, E> {
        &self.extensions
    }
}
