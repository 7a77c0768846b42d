//! `DriverManager`: exactly one extension.

use std::sync::Arc;

use crate::extension::{Extension, Member};

/// One driver, chosen by name.
pub struct DriverManager<K: ?Sized, E = Extension<K>> {
    extension: E,
    kind: std::marker::PhantomData<fn() -> Box<K>>,
}

impl<K: ?Sized, E: Member<K>> DriverManager<K, E> {
    /// A manager of a ready extension, with no file.
    pub fn from_extension(extension: E) -> Self {
        let kind = std::marker::PhantomData;
        DriverManager { extension, kind }
    }

    /// The namespace of the extension.
    pub fn namespace(&self) -> &str {
        &self.extension.info().namespace
    }

    /// The name of the extension, as the other managers list theirs.
    pub fn names<'m>(&'m self) -> impl Iterator<Item = &'m str>
    where
        K: 'm,
    {
        std::iter::once(self.extension.name())
    }

    /// The extension.
    pub fn extension(&self) -> &E {
        &self.extension
    }

    /// Calls `call` with the extension and gives its result.
    pub fn call<T>(&self, call: impl FnOnce(&E) -> T) -> T {
        call(&self.extension)
    }
}

impl<K: ?Sized> DriverManager<K> {
    /// As [`DriverManager::from_extension`], of a driver that is called `name` in the namespace
    /// [`super::TEST_NAMESPACE`].
    pub fn test_instance(name: &str, driver: Arc<K>) -> Self {
        Self::from_extension(Extension::from_driver(super::TEST_NAMESPACE, name, driver))
    }

    /// The driver, as services hold it.
    pub fn driver(&self) -> Arc<K> {
        Arc::clone(self.extension.driver())
    }
}
