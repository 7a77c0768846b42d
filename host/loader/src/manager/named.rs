//! `NamedExtensionManager`: the extensions with given names, in the order of the names. Nothing else of
//! the namespace is opened.

use std::ops::Deref;

use super::ExtensionManager;
use crate::extension::{Extension, Member};

/// The extensions that were asked for by name.
pub struct NamedExtensionManager<K: ?Sized, E = Extension<K>> {
    extensions: ExtensionManager<K, E>,
    missing: Vec<String>,
}

impl<K: ?Sized, E: Member<K>> NamedExtensionManager<K, E> {
    pub(super) fn new(extensions: ExtensionManager<K, E>, missing: Vec<String>) -> Self {
        NamedExtensionManager {
            extensions,
            missing,
        }
    }

    /// A manager of ready extensions, with no file; their order is the order of the names.
    pub fn from_extensions(namespace: &str, extensions: Vec<E>) -> Self {
        let extensions = ExtensionManager::from_extensions(namespace, extensions);
        Self::new(extensions, Vec::new())
    }

    /// As [`NamedExtensionManager::from_extensions`], in the namespace [`super::TEST_NAMESPACE`].
    pub fn test_instance(extensions: Vec<E>) -> Self {
        Self::from_extensions(super::TEST_NAMESPACE, extensions)
    }

    /// Names that the map does not have, in the order of the request. What is there and failed is in `failures` instead.
    pub fn missing(&self) -> &[String] {
        &self.missing
    }
}

impl<K: ?Sized, E> Deref for NamedExtensionManager<K, E> {
    type Target = ExtensionManager<K, E>;
    fn deref(&self) -> &ExtensionManager<K, E> {
        &self.extensions
    }
}
