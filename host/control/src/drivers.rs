//! Drivers as the managers hold them: a trait object and the name the operator uses for it.
//!
//! Plain values; must not know how a driver is loaded. Built by the wiring, read by the managers.

use std::sync::Arc;

use longshore_plugin_api::Weigher;

use crate::call_watch::Watched;

/// A driver of kind `K` under its name in the map.
pub struct NamedDriver<K: ?Sized> {
    /// The operator's name for it.
    pub name: String,
    /// The driver.
    pub driver: Arc<K>,
    /// Who looks on while it is called.
    pub watch: Watched,
}

impl<K: ?Sized> NamedDriver<K> {
    /// Names a driver.
    pub fn new(name: impl Into<String>, driver: Arc<K>) -> Self {
        Self {
            name: name.into(),
            driver,
            watch: Watched::default(),
        }
    }

    /// The same, watched.
    #[must_use]
    pub fn watched(self, watch: Watched) -> Self {
        Self { watch, ..self }
    }
}

impl<K: ?Sized> Clone for NamedDriver<K> {
    fn clone(&self) -> Self {
        Self::new(self.name.clone(), Arc::clone(&self.driver)).watched(self.watch.clone())
    }
}

/// Largest factor of a weigher: weights are 32 bits wide, and a sum of some of these is still a number. Nothing is lost by it,
/// for what is multiplied by it outweighs everything else as well.
pub const MULTIPLIER_MAX: f64 = 1e30;

/// A weigher under its name, with the operator's factor.
#[derive(Clone)]
pub struct NamedWeigher {
    /// The operator's name for it.
    pub name: String,
    /// The driver.
    pub driver: Arc<dyn Weigher>,
    /// What its normalised weight is multiplied by; negative to prefer low weights. At most [`MULTIPLIER_MAX`] either way.
    pub multiplier: f64,
    /// Who looks on while it is called.
    pub watch: Watched,
}

impl NamedWeigher {
    /// Names a weigher. A factor beyond [`MULTIPLIER_MAX`] counts as that.
    pub fn new(name: impl Into<String>, driver: Arc<dyn Weigher>, multiplier: f64) -> Self {
        Self {
            name: name.into(),
            driver,
            multiplier: multiplier.clamp(-MULTIPLIER_MAX, MULTIPLIER_MAX),
            watch: Watched::default(),
        }
    }

    /// The same, watched.
    #[must_use]
    pub fn watched(self, watch: Watched) -> Self {
        Self { watch, ..self }
    }
}
