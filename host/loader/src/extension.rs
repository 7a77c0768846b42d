//! An extension: an entry point that can be called. `Extension` has its driver; `LazyExtension` makes it at first use.
//! Which one a manager holds is part of its type, so "not made yet" is never mistaken for a driver.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use longshore_plugin_api::__abi::host::Built;
use longshore_plugin_api::DriverError;
use serde_json::{Map, Value as Json};

use crate::diagnostic::Place;
use crate::factory::Factory;
use crate::map::EntryPoint;
use crate::report::LoadFailure;

/// What is known of an extension beside its driver. All of it is known without running the plugin.
#[derive(Debug, Clone)]
pub struct ExtensionInfo {
    /// The namespace.
    pub namespace: String,
    /// The name of the entry.
    pub name: String,
    /// The name that was asked for, when it is an alias of `name`.
    pub alias: Option<String>,
    /// The target as the map writes it: `lib.so` or `lib.so:export`; empty for a driver of the program.
    pub target: String,
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
    /// The map's priority: smaller goes first.
    pub priority: i64,
    /// What it was built with: the map's settings and the schema's defaults.
    pub settings: Map<String, Json>,
    /// Its place among all entries as written.
    pub(crate) rank: usize,
}

impl ExtensionInfo {
    /// What there is to know of a driver that comes with the program.
    pub(crate) fn of_program(namespace: &str, name: &str) -> ExtensionInfo {
        ExtensionInfo {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            alias: None,
            target: String::new(),
            file: PathBuf::new(),
            export: name.to_owned(),
            kind: String::new(),
            plugin: String::new(),
            version: String::new(),
            api_version: longshore_plugin_api::API_VERSION.to_owned(),
            description: String::new(),
            place: Place::Program,
            priority: 0,
            settings: Map::new(),
            rank: 0,
        }
    }

    /// What the map says of an entry, when its file cannot be asked.
    pub(crate) fn of_entry(entry: &EntryPoint) -> ExtensionInfo {
        ExtensionInfo {
            target: entry.target(),
            export: entry.export.clone().unwrap_or_default(),
            api_version: String::new(),
            place: entry.origin.clone(),
            priority: entry.priority,
            settings: entry.settings.clone(),
            rank: entry.rank(),
            ..ExtensionInfo::of_program(&entry.namespace, &entry.name)
        }
    }

    /// The library part of the target, as written in the map.
    pub fn library(&self) -> &str {
        crate::map::split_target(&self.target).0
    }
}

/// What managers hold: an [`Extension`] or a [`LazyExtension`] of kind `K`.
pub trait Member<K: ?Sized>: sealed::Sealed + Clone {
    /// Everything known of it.
    fn info(&self) -> &ExtensionInfo;

    /// The name of the entry.
    fn name(&self) -> &str {
        &self.info().name
    }
}

mod sealed {
    /// Managers know how to make these two, and no others.
    pub trait Sealed {}
    impl<K: ?Sized> Sealed for super::Extension<K> {}
    impl<K: ?Sized> Sealed for super::LazyExtension<K> {}
}

/// A loaded entry point with its driver. Cloning it shares the driver.
pub struct Extension<K: ?Sized> {
    info: Arc<ExtensionInfo>,
    built: Built<K>,
    factory: Option<Factory<K>>,
}

impl<K: ?Sized> Clone for Extension<K> {
    fn clone(&self) -> Self {
        Extension {
            info: Arc::clone(&self.info),
            built: self.built.clone(),
            factory: self.factory.clone(),
        }
    }
}

impl<K: ?Sized> std::fmt::Debug for Extension<K> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Extension({}/{})", self.info.namespace, self.info.name)
    }
}

impl<K: ?Sized> Member<K> for Extension<K> {
    fn info(&self) -> &ExtensionInfo {
        &self.info
    }
}

impl<K: ?Sized> Extension<K> {
    pub(crate) fn made(info: Arc<ExtensionInfo>, built: Built<K>, factory: Factory<K>) -> Self {
        let factory = Some(factory);
        Extension {
            info,
            built,
            factory,
        }
    }

    /// An extension of a driver that came with the program: for tests, and for drivers linked in.
    pub fn from_driver(namespace: &str, name: &str, driver: Arc<K>) -> Self {
        Extension {
            info: Arc::new(ExtensionInfo::of_program(namespace, name)),
            built: Built::of_program(driver),
            factory: None,
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
        &self.built.driver
    }

    /// What made the driver, and can make more of them; `None` for a driver that came ready with the program.
    pub fn factory(&self) -> Option<&Factory<K>> {
        self.factory.as_ref()
    }

    /// Whether what the driver stands on answers (`Driver::ready`).
    ///
    /// # Errors
    /// The driver's own.
    pub fn ready(&self) -> Result<(), DriverError> {
        self.built.ready()
    }
}

/// An entry point that may be loaded: resolved, inspected and checked. Its library is opened and its driver made at
/// first use, once, from whichever thread comes first. Cloning it shares the driver.
pub struct LazyExtension<K: ?Sized>(Arc<Lazy<K>>);

struct Lazy<K: ?Sized> {
    factory: Factory<K>,
    made: OnceLock<Result<Extension<K>, LoadFailure>>,
}

impl<K: ?Sized> Clone for LazyExtension<K> {
    fn clone(&self) -> Self {
        LazyExtension(Arc::clone(&self.0))
    }
}

impl<K: ?Sized> std::fmt::Debug for LazyExtension<K> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let info = self.0.factory.info();
        write!(f, "LazyExtension({}/{})", info.namespace, info.name)
    }
}

impl<K: ?Sized> Member<K> for LazyExtension<K> {
    fn info(&self) -> &ExtensionInfo {
        self.0.factory.info()
    }
}

impl<K: ?Sized> LazyExtension<K> {
    /// An extension that this factory makes at first use.
    pub fn from_factory(factory: Factory<K>) -> Self {
        let made = OnceLock::new();
        LazyExtension(Arc::new(Lazy { factory, made }))
    }

    /// The name of the entry.
    pub fn name(&self) -> &str {
        &self.0.factory.info().name
    }

    /// Everything known of it.
    pub fn info(&self) -> &ExtensionInfo {
        self.0.factory.info()
    }

    /// What makes the driver.
    pub fn factory(&self) -> &Factory<K> {
        &self.0.factory
    }

    /// The driver, if it was made.
    pub fn instance(&self) -> Option<&Arc<K>> {
        let made = self.0.made.get()?.as_ref();
        made.ok().map(Extension::driver)
    }

    /// The extension with its driver, which is made now if it was not.
    ///
    /// # Errors
    /// Why there is none. The answer stays the same for the life of the extension.
    pub fn extension(&self) -> Result<&Extension<K>, LoadFailure> {
        let made = self.0.made.get_or_init(|| self.0.factory.create());
        made.as_ref().map_err(LoadFailure::clone)
    }

    /// The driver, which is made now if it was not.
    ///
    /// # Errors
    /// As [`LazyExtension::extension`].
    pub fn driver(&self) -> Result<&Arc<K>, LoadFailure> {
        self.extension().map(Extension::driver)
    }
}
