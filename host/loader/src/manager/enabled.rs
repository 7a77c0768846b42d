//! `EnabledExtensionManager`: the extensions of a namespace that the program accepts. It is asked about an entry before
//! anything of it is opened, and may be asked again when the driver is there.

use std::fmt::Display;
use std::ops::Deref;

use super::ExtensionManager;
use crate::extension::{Extension, Member};

/// The extensions that passed the program's checks.
pub struct EnabledExtensionManager<K: ?Sized, E = Extension<K>> {
    extensions: ExtensionManager<K, E>,
}

impl<K: ?Sized, E: Member<K>> EnabledExtensionManager<K, E> {
    pub(super) fn new(extensions: ExtensionManager<K, E>) -> Self {
        EnabledExtensionManager { extensions }
    }

    /// A manager of ready extensions, with no file and no check.
    pub fn from_extensions(namespace: &str, extensions: Vec<E>) -> Self {
        Self::new(ExtensionManager::from_extensions(namespace, extensions))
    }

    /// As [`EnabledExtensionManager::from_extensions`], in the namespace [`super::TEST_NAMESPACE`].
    pub fn test_instance(extensions: Vec<E>) -> Self {
        Self::from_extensions(super::TEST_NAMESPACE, extensions)
    }
}

impl<K: ?Sized, E> Deref for EnabledExtensionManager<K, E> {
    type Target = ExtensionManager<K, E>;
    fn deref(&self) -> &ExtensionManager<K, E> {
        &self.extensions
    }
}

/// What a check may answer: yes or no, or that it cannot tell, which is a failure of its own kind.
pub trait Verdict {
    /// Yes or no.
    ///
    /// # Errors
    /// Why it cannot tell.
    fn verdict(self) -> Result<bool, String>;
}

impl Verdict for bool {
    fn verdict(self) -> Result<bool, String> {
        Ok(self)
    }
}

impl<X: Display> Verdict for Result<bool, X> {
    fn verdict(self) -> Result<bool, String> {
        self.map_err(|e| e.to_string())
    }
}
