//! The last call of a builder, which names the manager: from options to a manager, entry by entry.

use std::sync::Arc;

use longshore_plugin_api::__abi::table::DriverKind;

use super::builder::{Builder, Unset};
use super::find::{self, failure};
use super::loading::{Loaded, Make};
use super::{
    DispatchExtensionManager, DriverManager, EnabledExtensionManager, ExtensionManager,
    HookManager, NameDispatchExtensionManager, NamedExtensionManager,
};
use crate::codes;
use crate::diagnostic::escape;
use crate::report::{FailureKind, LoadFailure};

impl<K: ?Sized + DriverKind, E: Make<K>, R> Builder<'_, K, E, (Unset, R, Unset)> {
    /// Every entry of the namespace that is switched on, in the map's order.
    ///
    /// # Errors
    /// Only when `strict`, or from `on_failure`: the first failure.
    pub fn all(mut self) -> Result<ExtensionManager<K, E>, LoadFailure> {
        let loaded = self.load_enabled(None)?;
        Ok(self.manager(loaded))
    }
}

impl<K: ?Sized + DriverKind, E: Make<K>, R, M> Builder<'_, K, E, (Unset, R, M)> {
    /// `named` gives its extensions in the map's order rather than that of the names.
    #[must_use]
    pub fn in_map_order(mut self) -> Self {
        self.map_order = true;
        self
    }

    /// The entries with these names, in the order of the names. All names are looked up before anything is opened.
    ///
    /// # Errors
    /// Unless `strict(false)`: the first name that is unknown, switched off or ambiguous, or that cannot be loaded. In
    /// any case a name that is given twice.
    pub fn named<S: AsRef<str>>(
        mut self,
        names: &[S],
    ) -> Result<NamedExtensionManager<K, E>, LoadFailure> {
        let names: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
        self.refuse_twice(&names)?;
        let strict = self.strict.unwrap_or(true);
        let (mut wanted, mut missing, mut failures) = (Vec::new(), Vec::new(), Vec::new());
        for name in &names {
            match find::find(self.loader, &self.namespace, name, &self.choice) {
                Ok(entry) => wanted.push((entry, *name)),
                Err(failure) if failure.kind == FailureKind::NoMatch => {
                    missing.push((*name, failure));
                }
                Err(failure) => {
                    self.note(name, &failure);
                    self.handle(failure, strict, &mut failures)?;
                }
            }
        }
        let missing = self.handle_missing(missing, strict)?;
        if self.map_order {
            let all = self.loader.map().entries(&self.namespace);
            wanted.sort_by_key(|(e, _)| all.iter().position(|other| Arc::ptr_eq(other, e)));
        }
        let mut loaded = Loaded {
            extensions: Vec::with_capacity(wanted.len()),
            failures,
        };
        for (entry, asked) in wanted {
            self.load_into(&mut loaded, entry, asked, strict)?;
        }
        Ok(NamedExtensionManager::new(self.manager(loaded), missing))
    }

    fn refuse_twice(&self, names: &[&str]) -> Result<(), LoadFailure> {
        let twice = |(i, name): (usize, &&str)| names[..i].contains(name);
        let Some((_, name)) = names.iter().enumerate().find(|(i, n)| twice((*i, n))) else {
            return Ok(());
        };
        let why = format!("`{}` is asked for twice", escape(name));
        let (kind, code) = (FailureKind::Refused, codes::PLUGIN_ASKED_TWICE);
        let namespace = &self.namespace;
        Err(failure(
            self.loader,
            kind,
            code,
            namespace,
            name,
            why,
            "name it once",
        ))
    }

    /// The one entry with this name.
    ///
    /// # Errors
    /// Why there is not exactly one that loads.
    pub fn driver(mut self, name: &str) -> Result<DriverManager<K, E>, LoadFailure> {
        let entry = match find::find(self.loader, &self.namespace, name, &self.choice) {
            Ok(entry) => entry,
            Err(failure) => {
                self.note(name, &failure);
                if failure.kind == FailureKind::NoMatch
                    && let Some(call) = &mut self.hooks.on_missing
                {
                    call(&[name])?;
                }
                return Err(failure);
            }
        };
        let made = E::make(self.loader, entry, name, &self.site);
        if let (Err(failure), Some(call)) = (&made, &mut self.hooks.on_failure) {
            call(failure)?;
        }
        made.map(DriverManager::from_extension)
    }

    /// The entry for the scheme of a URL: `rabbit+ssl` is looked up as `rabbit`, what precedes the first `+`.
    ///
    /// # Errors
    /// As [`Builder::driver`].
    pub fn driver_for_scheme(self, scheme: &str) -> Result<DriverManager<K, E>, LoadFailure> {
        let name = scheme.split('+').next().unwrap_or(scheme);
        self.driver(name)
    }

    /// The entry that the map's policy names as `default` for this namespace.
    ///
    /// # Errors
    /// `NoMatch` when the policy names none, and as [`Builder::driver`].
    pub fn default_driver(self) -> Result<DriverManager<K, E>, LoadFailure> {
        let loader = self.loader;
        if let Some(name) = loader.map().default_name(&self.namespace) {
            return self.driver(name);
        }
        let namespace = &self.namespace;
        let why = format!("the policy of `{}` names no `default`", escape(namespace));
        let help = "name a driver, or set `default` in `[longshore.policy]`";
        let (kind, code) = (FailureKind::NoMatch, codes::PLUGIN_NO_SUCH_DRIVER);
        Err(failure(loader, kind, code, namespace, "", why, help))
    }
}

impl<K: ?Sized + DriverKind, E: Make<K>, M> Builder<'_, K, E, (Unset, Unset, M)> {
    /// All entries of one name, in the map's order; none is fine.
    ///
    /// # Errors
    /// Only when `strict`, or from a callback: the first failure.
    pub fn hook(mut self, name: &str) -> Result<HookManager<K, E>, LoadFailure> {
        let loaded = self.load_enabled(Some(name))?;
        let none = loaded.extensions.is_empty() && loaded.failures.is_empty();
        if let (true, Some(call)) = (none, &mut self.hooks.on_missing) {
            call(&[name])?;
        }
        let Loaded {
            extensions,
            failures,
        } = loaded;
        let loader = self.loader.clone();
        Ok(HookManager::loaded(
            loader,
            self.namespace,
            name,
            extensions,
            failures,
        ))
    }
}

impl<K: ?Sized + DriverKind, E: Make<K>, C, R> Builder<'_, K, E, (C, R, Unset)> {
    /// The entries that the checks accept, in the map's order.
    ///
    /// # Errors
    /// Only when `strict`, or from `on_failure`: the first failure.
    pub fn enabled(mut self) -> Result<EnabledExtensionManager<K, E>, LoadFailure> {
        let loaded = self.load_enabled(None)?;
        Ok(EnabledExtensionManager::new(self.manager(loaded)))
    }

    /// As [`Builder::enabled`], to be called through a filter.
    ///
    /// # Errors
    /// As [`Builder::enabled`].
    pub fn dispatch(mut self) -> Result<DispatchExtensionManager<K, E>, LoadFailure> {
        let loaded = self.load_enabled(None)?;
        Ok(DispatchExtensionManager::new(self.manager(loaded)))
    }

    /// As [`Builder::enabled`], to be called by name.
    ///
    /// # Errors
    /// As [`Builder::enabled`]; and `MultipleMatches` for a name that means several.
    pub fn name_dispatch(mut self) -> Result<NameDispatchExtensionManager<K, E>, LoadFailure> {
        let loaded = self.load_enabled(None)?;
        NameDispatchExtensionManager::new(self.manager(loaded))
    }
}
