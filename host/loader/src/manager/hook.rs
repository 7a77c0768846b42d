//! `HookManager`: all extensions of one name, called one after the other.

use longshore_plugin_api::DriverError;

use super::ExtensionManager;
use crate::extension::Extension;
use crate::report::LoadFailure;

/// The extensions of one name, in the map's order.
pub struct HookManager<K: ?Sized> {
    name: String,
    extensions: ExtensionManager<K>,
}

impl<K: ?Sized> HookManager<K> {
    pub(super) fn loaded(
        name: &str,
        extensions: Vec<Extension<K>>,
        failures: Vec<LoadFailure>,
    ) -> Self {
        let extensions = ExtensionManager::loaded(String::new(), extensions, failures);
        HookManager {
            name: name.to_owned(),
            extensions,
        }
    }

    /// A manager of ready extensions, with no file.
    pub fn from_extensions(name: &str, extensions: Vec<Extension<K>>) -> Self {
        Self::loaded(name, extensions, Vec::new())
    }

    /// The hook's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The extensions, in order.
    pub fn extensions(&self) -> &ExtensionManager<K> {
        &self.extensions
    }

    /// Calls `call` for each extension, in order; one result per extension.
    pub fn map<T>(
        &self,
        call: impl FnMut(&Extension<K>) -> Result<T, DriverError>,
    ) -> Vec<(&str, Result<T, DriverError>)> {
        self.extensions.map(call)
    }
}
