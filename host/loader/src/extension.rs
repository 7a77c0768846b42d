//! An extension: an entry point that can be called. `Extension` has its driver; `LazyExtension` makes it at first use.
//! Which one a manager holds is part of its type, so "not made yet" is never mistaken for a driver.

use std::sync::{Arc, OnceLock};

use longshore_plugin_api::__abi::host::Built;
use longshore_plugin_api::DriverError;
use serde_json::{Map, Value as Json};

use crate::factory::Factory;
use crate::info::ExtensionInfo;
use crate::process::{Doing, During};
use crate::record::CallName;
use crate::report::LoadFailure;

/// What asking for readiness is called in the in-flight record.
const READY: CallName = CallName::new("ready");

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
    /// Of the driver's end. Stands last: fields are dropped in their order.
    during_drop: Option<During>,
}

impl<K: ?Sized> Drop for Extension<K> {
    /// If nobody else has the driver, it ends with this; else it ends where nobody looks.
    fn drop(&mut self) {
        if Arc::strong_count(&self.built.driver) == 1 {
            let factory = self.factory.as_ref();
            self.during_drop = factory.and_then(|f| f.during(Doing::Dropped));
        }
    }
}

impl<K: ?Sized> Clone for Extension<K> {
    fn clone(&self) -> Self {
        Extension {
            info: Arc::clone(&self.info),
            built: self.built.clone(),
            factory: self.factory.clone(),
            during_drop: None,
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

impl<K: ?Sized> Factory<K> {
    /// Makes a driver with the settings of the map. Opens the library if it is not open.
    ///
    /// # Errors
    /// Why there is no driver; also kept in the loader's report.
    pub fn create(&self) -> Result<Extension<K>, LoadFailure> {
        Ok(Extension {
            info: Arc::clone(self.shared_info()),
            built: self.make()?,
            factory: Some(self.clone()),
            during_drop: None,
        })
    }

    /// As `create`, with these settings in place of the map's. They are checked against the plugin's schema first.
    ///
    /// # Errors
    /// As `create`.
    pub fn create_with(&self, settings: Map<String, Json>) -> Result<Extension<K>, LoadFailure> {
        let (info, built) = self.make_with(settings)?;
        Ok(Extension {
            info: Arc::new(info),
            built,
            factory: Some(self.clone()),
            during_drop: None,
        })
    }
}

impl<K: ?Sized> Extension<K> {
    /// An extension of a driver that came with the program: for tests, and for drivers linked in.
    pub fn from_driver(namespace: &str, name: &str, driver: Arc<K>) -> Self {
        Extension {
            info: Arc::new(ExtensionInfo::of_program(namespace, name)),
            built: Built::of_program(driver),
            factory: None,
            during_drop: None,
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
        let recorded = self.factory.as_ref().and_then(Factory::recorded);
        let _in_call = recorded.as_ref().map(|r| r.begin(READY));
        let factory = self.factory.as_ref();
        let _during = factory.and_then(|f| f.during(Doing::Asked));
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
