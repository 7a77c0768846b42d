//! How a manager is made: one builder for all of them. Options that make no sense for a manager do not compile with it.

use std::marker::PhantomData;
use std::sync::Arc;

use longshore_plugin_api::__abi::table::DriverKind;

use super::Verdict;
use super::conflict::{Choice, Resolver};
use crate::examine::Site;
use crate::extension::{Extension, LazyExtension};
use crate::info::ExtensionInfo;
use crate::load::Loader;
use crate::map::{Conflicts, EntryPoint};
use crate::report::LoadFailure;

/// An option of a [`Builder`] was given.
pub struct Set;
/// An option of a [`Builder`] was not given.
pub struct Unset;

/// How a manager is made: a loader, a namespace, a kind, and options. The last call names the manager.
///
/// ```no_run
/// # use longshore_loader::{Loader, map::{Conflicts, PluginMap}};
/// # use longshore_plugin_api::{Filter, Scheduler};
/// # fn demo(loader: &Loader) -> Result<(), Box<dyn std::error::Error>> {
/// let scheduler = loader.namespace::<dyn Scheduler>("longshore.scheduler.driver").driver("filter_scheduler")?;
/// let filters = loader.namespace::<dyn Filter>("longshore.scheduler.filter").named(&["ram", "disk"])?;
/// // Whatever is there, opened at first use; the last of several with one name counts.
/// let all = loader.namespace::<dyn Filter>("acme.filter").lazy().conflicts(Conflicts::Last).all()?;
/// # Ok(()) }
/// ```
///
/// The last parameter remembers which of these options were given: checks, a choice among several of one name, and what
/// to do with missing names. An option without a meaning for a manager is an error of the compiler. A hook, whose point is
/// several of one name, resolves nothing:
///
/// ```compile_fail,E0599
/// # use longshore_loader::{Loader, map::Conflicts};
/// # use longshore_plugin_api::Filter;
/// # fn demo(loader: &Loader) {
/// let _ = loader.namespace::<dyn Filter>("acme.filter").conflicts(Conflicts::First).hook("created");
/// # }
/// ```
///
/// A driver is chosen by its name, and no check could change that:
///
/// ```compile_fail,E0599
/// # use longshore_loader::Loader;
/// # use longshore_plugin_api::Filter;
/// # fn demo(loader: &Loader) {
/// let _ = loader.namespace::<dyn Filter>("acme.filter").check_entry(|_| true).driver("ram");
/// # }
/// ```
///
/// Where no names are asked for, none can be missing:
///
/// ```compile_fail,E0599
/// # use longshore_loader::Loader;
/// # use longshore_plugin_api::Filter;
/// # fn demo(loader: &Loader) {
/// let _ = loader.namespace::<dyn Filter>("acme.filter").on_missing(|_| Ok(())).all();
/// # }
/// ```
pub struct Builder<'l, K: ?Sized, E = Extension<K>, O = (Unset, Unset, Unset)> {
    pub(super) loader: &'l Loader,
    pub(super) namespace: String,
    pub(super) site: Site,
    pub(super) strict: Option<bool>,
    pub(super) map_order: bool,
    pub(super) choice: Choice,
    pub(super) hooks: Hooks<'l, E>,
    kind: PhantomData<fn() -> Box<K>>,
    options: PhantomData<O>,
}

type OnFailure<'l> = Box<dyn FnMut(&LoadFailure) -> Result<(), LoadFailure> + 'l>;
type OnMissing<'l> = Box<dyn FnMut(&[&str]) -> Result<(), LoadFailure> + 'l>;
type CheckEntry<'l> = Box<dyn FnMut(&EntryPoint) -> Result<bool, String> + 'l>;
type CheckLoaded<'l, E> = Box<dyn FnMut(&E) -> Result<bool, String> + 'l>;

/// What the program wants to be asked or told.
pub(super) struct Hooks<'l, E> {
    pub(super) on_failure: Option<OnFailure<'l>>,
    pub(super) on_missing: Option<OnMissing<'l>>,
    pub(super) check_entry: Option<CheckEntry<'l>>,
    pub(super) check_loaded: Option<CheckLoaded<'l, E>>,
}

impl Loader {
    /// Starts to make a manager of one namespace's drivers, which are of kind `K`.
    pub fn namespace<K: ?Sized + DriverKind>(&self, namespace: &str) -> Builder<'_, K> {
        Builder {
            loader: self,
            namespace: namespace.to_owned(),
            site: Site::default(),
            strict: None,
            map_order: false,
            choice: Choice::Map,
            hooks: Hooks {
                on_failure: None,
                on_missing: None,
                check_entry: None,
                check_loaded: None,
            },
            kind: PhantomData,
            options: PhantomData,
        }
    }
}

/// Options that every manager has.
impl<'l, K: ?Sized + DriverKind, E, O> Builder<'l, K, E, O> {
    /// Builds the drivers for this host: they get its name, and directories of its own.
    #[must_use]
    pub fn for_host(mut self, host: &str) -> Self {
        self.site.host = Arc::from(host);
        self
    }

    /// Whether one failure fails the whole manager. By default it does for `named` and `driver`, and does not for the
    /// others, which list their failures instead and warn about each.
    #[must_use]
    pub fn strict(mut self, strict: bool) -> Self {
        self.strict = Some(strict);
        self
    }

    /// Called with each entry that could not be loaded, in order, in place of a warning and of failing the manager. An
    /// error that it gives ends the making of the manager. For `driver` the failure stays the answer.
    #[must_use]
    pub fn on_failure(
        mut self,
        call: impl FnMut(&LoadFailure) -> Result<(), LoadFailure> + 'l,
    ) -> Self {
        self.hooks.on_failure = Some(Box::new(call));
        self
    }

    fn turned<F, P>(self, hooks: Hooks<'l, F>) -> Builder<'l, K, F, P> {
        Builder {
            loader: self.loader,
            namespace: self.namespace,
            site: self.site,
            strict: self.strict,
            map_order: self.map_order,
            choice: self.choice,
            hooks,
            kind: PhantomData,
            options: PhantomData,
        }
    }
}

impl<'l, K: ?Sized + DriverKind, O> Builder<'l, K, Extension<K>, O> {
    /// Opens each library and makes each driver at first use. What can be known without running the plugins is found
    /// out now: a file that is absent, refused or of another kind of content is a failure now. Comes before
    /// `check_loaded`, which is asked about what is held.
    #[must_use]
    pub fn lazy(self) -> Builder<'l, K, LazyExtension<K>, O> {
        let mut this = self;
        let hooks = Hooks {
            on_failure: this.hooks.on_failure.take(),
            on_missing: this.hooks.on_missing.take(),
            check_entry: this.hooks.check_entry.take(),
            check_loaded: None,
        };
        this.turned(hooks)
    }
}

/// Checks by the program: for `enabled`, `dispatch` and `name_dispatch`.
impl<'l, K: ?Sized + DriverKind, E, C, R, M> Builder<'l, K, E, (C, R, M)> {
    /// Takes only entries that `check` accepts. It is asked before anything of the entry is opened.
    #[must_use]
    pub fn check_entry<V: Verdict>(
        mut self,
        mut check: impl FnMut(&EntryPoint) -> V + 'l,
    ) -> Builder<'l, K, E, (Set, R, M)> {
        let check = Box::new(move |entry: &EntryPoint| check(entry).verdict());
        let mut hooks = self.take_hooks();
        hooks.check_entry = Some(check);
        self.turned(hooks)
    }

    /// Takes only extensions that `check` accepts, asked when they are made: what it rejects was opened and built.
    #[must_use]
    pub fn check_loaded<V: Verdict>(
        mut self,
        mut check: impl FnMut(&E) -> V + 'l,
    ) -> Builder<'l, K, E, (Set, R, M)> {
        let check = Box::new(move |extension: &E| check(extension).verdict());
        let mut hooks = self.take_hooks();
        hooks.check_loaded = Some(check);
        self.turned(hooks)
    }

    /// What several entries of one name mean, whatever the map's policy says.
    #[must_use]
    pub fn conflicts(mut self, policy: Conflicts) -> Builder<'l, K, E, (C, Set, M)> {
        self.choice = Choice::Policy(policy);
        let hooks = self.take_hooks();
        self.turned(hooks)
    }

    /// Chooses among several entries of one name: `resolve` gets what is known of them without running them, and
    /// answers a number or, if they conflict, `None`.
    #[must_use]
    pub fn resolve(
        mut self,
        resolve: impl Fn(&[&ExtensionInfo]) -> Option<usize> + Send + Sync + 'static,
    ) -> Builder<'l, K, E, (C, Set, M)> {
        let resolve: Arc<Resolver> = Arc::new(resolve);
        self.choice = Choice::Resolver(resolve);
        let hooks = self.take_hooks();
        self.turned(hooks)
    }

    /// Called once with all names that were asked for and that the map does not have, in order, in place of failing the
    /// manager. An error that it gives ends the making of the manager.
    #[must_use]
    pub fn on_missing(
        mut self,
        call: impl FnMut(&[&str]) -> Result<(), LoadFailure> + 'l,
    ) -> Builder<'l, K, E, (C, R, Set)> {
        let mut hooks = self.take_hooks();
        hooks.on_missing = Some(Box::new(call));
        self.turned(hooks)
    }

    fn take_hooks(&mut self) -> Hooks<'l, E> {
        Hooks {
            on_failure: self.hooks.on_failure.take(),
            on_missing: self.hooks.on_missing.take(),
            check_entry: self.hooks.check_entry.take(),
            check_loaded: self.hooks.check_loaded.take(),
        }
    }
}
