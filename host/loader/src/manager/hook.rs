//! `HookManager`: all extensions of one name, called one after the other. Several of one name are its point, so nothing
//! resolves conflicts here.

use std::ops::Deref;
use std::path::Path;

use super::ExtensionManager;
use super::conflict::Choice;
use crate::codes;
use crate::diagnostic::escape;
use crate::extension::{Extension, Member};
use crate::inspect::Refusal;
use crate::load::Loader;
use crate::report::{FailureKind, LoadFailure};

/// The extensions of one name, in the map's order.
pub struct HookManager<K: ?Sized, E = Extension<K>> {
    name: String,
    extensions: ExtensionManager<K, E>,
}

impl<K: ?Sized, E: Member<K>> HookManager<K, E> {
    pub(super) fn loaded(
        loader: Loader,
        namespace: String,
        name: &str,
        extensions: Vec<E>,
        failures: Vec<LoadFailure>,
    ) -> Self {
        let choice = Choice::default();
        let extensions = ExtensionManager::loaded(loader, namespace, extensions, failures, &choice);
        let name = name.to_owned();
        HookManager { name, extensions }
    }

    /// A manager of ready extensions, with no file.
    ///
    /// # Errors
    /// `NoMatch` for the first extension that is not called `name`.
    pub fn from_extensions(
        namespace: &str,
        name: &str,
        extensions: Vec<E>,
    ) -> Result<Self, LoadFailure> {
        if let Some(other) = extensions.iter().find(|e| e.name() != name) {
            let (other, shown) = (escape(other.name()), escape(name));
            let why = format!("an extension called `{other}` is no part of the hook `{shown}`");
            let help = "give it extensions of one name";
            let code = codes::PLUGIN_NO_SUCH_DRIVER;
            let refusal = Refusal::new(code, Path::new(""), why, help);
            let refusal = refusal.for_entry(namespace, name);
            return Err(LoadFailure::new(FailureKind::NoMatch, refusal));
        }
        let extensions = ExtensionManager::from_extensions(namespace, extensions);
        let name = name.to_owned();
        Ok(HookManager { name, extensions })
    }

    /// As [`HookManager::from_extensions`], in the namespace [`super::TEST_NAMESPACE`].
    ///
    /// # Errors
    /// As [`HookManager::from_extensions`].
    pub fn test_instance(name: &str, extensions: Vec<E>) -> Result<Self, LoadFailure> {
        Self::from_extensions(super::TEST_NAMESPACE, name, extensions)
    }

    /// The hook's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// All extensions, in order, if `name` is the hook's.
    pub fn get(&self, name: &str) -> Option<&[E]> {
        (name == self.name).then(|| self.extensions.iter().as_slice())
    }

    /// The extensions, in order.
    pub fn extensions(&self) -> &ExtensionManager<K, E> {
        &self.extensions
    }
}

impl<K: ?Sized, E> Deref for HookManager<K, E> {
    type Target = ExtensionManager<K, E>;
    fn deref(&self) -> &ExtensionManager<K, E> {
        &self.extensions
    }
}
