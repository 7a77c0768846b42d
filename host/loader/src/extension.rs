//! An extension: a loaded entry point, which is everything the map and the file say of it, and the
//! driver itself as the trait object that services hold.

use std::path::PathBuf;
use std::sync::Arc;

use longshore_plugin_api::__abi::host::Built;
use longshore_plugin_api::DriverError;
use serde_json::{Map, Value as Json};

use crate::diagnostic::Place;

/// What is known of an extension beside its driver.
#[derive(Debug, Clone)]
pub struct ExtensionInfo {
    /// The namespace.
    pub namespace: String,
    /// The name of the entry.
    pub name: String,
    /// The name that was asked for, when it is an alias of `name`.
    pub alias: Option<String>,
    /// The library file; empty for a driver that came with the program.
    pub file: PathBuf,
    /// The name of the driver inside the file.
    pub export: String,
    /// The trait's name.
    pub kind: String,
    /// The plugin's name.
    pub plugin: String,
    /// The plugin's version.
    pub version: String,
    /// The version of plugin-api it was built with.
    pub api_version: String,
    /// What it says of itself.
    pub description: String,
    /// Where the map says so; `Place::Program` for a driver that came with the program.
    pub place: Place,
    /// What it was built with: the map's settings and the schema's defaults.
    pub settings: Map<String, Json>,
}

/// A loaded entry point. Cloning it shares the driver.
pub struct Extension<K: ?Sized> {
    info: Arc<ExtensionInfo>,
    driver: Arc<K>,
    built: Option<Built<K>>,
}

impl<K: ?Sized> Clone for Extension<K> {
    fn clone(&self) -> Self {
        let (info, driver) = (Arc::clone(&self.info), Arc::clone(&self.driver));
        Extension {
            info,
            driver,
            built: self.built.clone(),
        }
    }
}

impl<K: ?Sized> std::fmt::Debug for Extension<K> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Extension({}/{})", self.info.namespace, self.info.name)
    }
}

impl<K: ?Sized> Extension<K> {
    pub(crate) fn loaded(info: ExtensionInfo, built: Built<K>) -> Self {
        let driver = Arc::clone(&built.driver);
        Extension {
            info: Arc::new(info),
            driver,
            built: Some(built),
        }
    }

    /// An extension of a driver that came with the program: for tests, and for drivers linked in.
    pub fn from_driver(namespace: &str, name: &str, driver: Arc<K>) -> Self {
        let info = ExtensionInfo {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            alias: None,
            file: PathBuf::new(),
            export: name.to_owned(),
            kind: String::new(),
            plugin: String::new(),
            version: String::new(),
            api_version: longshore_plugin_api::API_VERSION.to_owned(),
            description: String::new(),
            place: Place::Program,
            settings: Map::new(),
        };
        Extension {
            info: Arc::new(info),
            driver,
            built: None,
        }
    }

    /// The name of the entry.
    pub fn name(&self) -> &str {
        &self.info.name
    }

    /// Everything known of it.
    pub fn info(&self) -> &ExtensionInfo {
        &self.info
    }

    /// The driver.
    pub fn driver(&self) -> &Arc<K> {
        &self.driver
    }

    /// Whether what the driver stands on answers (`Driver::ready`).
    ///
    /// # Errors
    /// The driver's own.
    pub fn ready(&self) -> Result<(), DriverError> {
        self.built.as_ref().map_or(Ok(()), Built::ready)
    }
}
