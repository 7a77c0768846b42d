//! `DriverManager`: exactly one extension.

use std::sync::Arc;

use crate::extension::Extension;

/// One driver, chosen by name.
pub struct DriverManager<K: ?Sized> {
    extension: Extension<K>,
}

impl<K: ?Sized> DriverManager<K> {
    pub(super) fn new(extension: Extension<K>) -> Self {
        DriverManager { extension }
    }

    /// A manager of a ready extension, with no file.
    pub fn from_extension(extension: Extension<K>) -> Self {
        Self::new(extension)
    }

    /// The driver, as services hold it.
    pub fn driver(&self) -> Arc<K> {
        Arc::clone(self.extension.driver())
    }

    /// The extension.
    pub fn extension(&self) -> &Extension<K> {
        &self.extension
    }
}
