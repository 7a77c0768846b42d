//! How a manager is made: one builder for all of them. Options that make no sense for a manager do not compile with it.

use std::marker::PhantomData;
use std::sync::Arc;

use longshore_plugin_api::__abi::table::DriverKind;

use super::conflict::{Choice, Resolver};
use super::find::{self, failure};
use super::{
    DispatchExtensionManager, DriverManager, EnabledExtensionManager, ExtensionManager,
    HookManager, NameDispatchExtensionManager, NamedExtensionManager, Verdict,
};
use crate::codes;
use crate::diagnostic::escape;
use crate::extension::{Extension, ExtensionInfo, LazyExtension, Member};
use crate::inspect::Refusal;
use crate::load::{Loader, Site};
use crate::log::{self, Level};
use crate::map::{Conflicts, EntryPoint};
use crate::report::{FailureKind, LoadFailure, Outcome};

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
    loader: &'l Loader,
    namespace: String,
    site: Site,
    strict: Option<bool>,
    map_order: bool,
    choice: Choice,
    hooks: Hooks<'l, E>,
    kind: PhantomData<fn() -> Box<K>>,
    options: PhantomData<O>,
}

type OnFailure<'l> = Box<dyn FnMut(&LoadFailure) -> Result<(), LoadFailure> + 'l>;
type OnMissing<'l> = Box<dyn FnMut(&[&str]) -> Result<(), LoadFailure> + 'l>;
type CheckEntry<'l> = Box<dyn FnMut(&EntryPoint) -> Result<bool, String> + 'l>;
type CheckLoaded<'l, E> = Box<dyn FnMut(&E) -> Result<bool, String> + 'l>;

/// What the program wants to be asked or told.
struct Hooks<'l, E> {
    on_failure: Option<OnFailure<'l>>,
    on_missing: Option<OnMissing<'l>>,
    check_entry: Option<CheckEntry<'l>>,
    check_loaded: Option<CheckLoaded<'l, E>>,
}

/// What became of the entries that were wanted.
struct Loaded<E> {
    extensions: Vec<E>,
    failures: Vec<LoadFailure>,
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

impl<'l, K: ?Sized + DriverKind, E: Make<K>, O> Builder<'l, K, E, O> {
    fn manager(self, loaded: Loaded<E>) -> ExtensionManager<K, E> {
        let Loaded {
            extensions,
            failures,
        } = loaded;
        let loader = self.loader.clone();
        ExtensionManager::loaded(loader, self.namespace, extensions, failures, &self.choice)
    }

    /// Every entry that is switched on, of one name or of all.
    fn load_enabled(&mut self, name: Option<&str>) -> Result<Loaded<E>, LoadFailure> {
        let strict = self.strict.unwrap_or(false);
        let mut loaded = Loaded {
            extensions: Vec::new(),
            failures: Vec::new(),
        };
        let entries = self.loader.map().enabled(&self.namespace);
        let wanted: Vec<&'l Arc<EntryPoint>> = entries
            .filter(|e| name.is_none_or(|n| n == e.name))
            .collect();
        for entry in wanted {
            self.load_into(&mut loaded, entry, &entry.name, strict)?;
        }
        Ok(loaded)
    }

    fn load_into(
        &mut self,
        loaded: &mut Loaded<E>,
        entry: &Arc<EntryPoint>,
        asked: &str,
        strict: bool,
    ) -> Result<(), LoadFailure> {
        match self.checked(entry, asked) {
            Ok(Some(extension)) => loaded.extensions.push(extension),
            Ok(None) => {
                let text = format_args!("not taken: the program's check rejects it");
                log::say(Level::Debug, &entry.namespace, &entry.name, text);
            }
            Err(failure) if failure.kind == FailureKind::Missing && entry.optional => {
                let text = format_args!("left out, being optional: {}", failure.refusal.why);
                log::say(Level::Debug, &entry.namespace, &entry.name, text);
            }
            Err(failure) => self.handle(failure, strict, &mut loaded.failures)?,
        }
        Ok(())
    }

    fn checked(&mut self, entry: &Arc<EntryPoint>, asked: &str) -> Result<Option<E>, LoadFailure> {
        if let Some(check) = &mut self.hooks.check_entry
            && !check(entry).map_err(|e| check_failed(entry, &e))?
        {
            return Ok(None);
        }
        let made = E::make(self.loader, entry, asked, &self.site)?;
        if let Some(check) = &mut self.hooks.check_loaded
            && !check(&made).map_err(|e| check_failed(entry, &e))?
        {
            return Ok(None);
        }
        Ok(Some(made))
    }

    /// One failure: told to the program, or fatal, or kept and warned about.
    fn handle(
        &mut self,
        failure: LoadFailure,
        strict: bool,
        failures: &mut Vec<LoadFailure>,
    ) -> Result<(), LoadFailure> {
        let (namespace, name) = failure.entry();
        match &mut self.hooks.on_failure {
            Some(call) => call(&failure)?,
            None if failure.is_skip() => {
                let text = format_args!("skipped: {}", failure.refusal.why);
                log::say(Level::Info, namespace, name, text);
            }
            None if strict => return Err(failure),
            None => {
                let text = format_args!("{}", failure.one_line());
                log::say(Level::Warn, namespace, name, text);
            }
        }
        failures.push(failure);
        Ok(())
    }

    fn handle_missing(
        &mut self,
        missing: Vec<(&str, LoadFailure)>,
        strict: bool,
    ) -> Result<Vec<String>, LoadFailure> {
        for (name, failure) in &missing {
            self.note(name, failure);
        }
        let names: Vec<&str> = missing.iter().map(|(name, _)| *name).collect();
        match (&mut self.hooks.on_missing, missing.first()) {
            (_, None) => {}
            (Some(call), _) => call(&names)?,
            (None, Some((_, first))) if strict => return Err(first.clone()),
            (None, _) => {
                for (name, failure) in &missing {
                    let text = format_args!("{}", failure.one_line());
                    log::say(Level::Warn, &self.namespace, name, text);
                }
            }
        }
        Ok(names.into_iter().map(str::to_owned).collect())
    }

    /// A failure that no loading came to.
    fn note(&self, name: &str, failure: &LoadFailure) {
        let outcome = Outcome::Failed(failure.clone());
        self.loader
            .note(&self.namespace, name, &self.site.host, outcome);
    }
}

fn check_failed(entry: &EntryPoint, error: &str) -> LoadFailure {
    let why = format!("the program's check gave an error: {}", escape(error));
    let help = "the check belongs to the program; see its documentation";
    let path = std::path::Path::new(&entry.lib);
    let refusal = Refusal::new(codes::PLUGIN_CHECK_FAILED, path, why, help);
    let refusal = refusal.for_entry(&entry.namespace, &entry.name);
    LoadFailure::new(FailureKind::CheckFailed, refusal)
}

/// How a manager comes by what it holds.
pub trait Make<K: ?Sized>: Member<K> {
    /// Loads an entry, as far as this kind of extension is loaded.
    ///
    /// # Errors
    /// Why it cannot be used.
    fn make(
        loader: &Loader,
        entry: &Arc<EntryPoint>,
        asked: &str,
        site: &Site,
    ) -> Result<Self, LoadFailure>
    where
        Self: Sized;
}

impl<K: ?Sized + DriverKind> Make<K> for Extension<K> {
    fn make(
        loader: &Loader,
        entry: &Arc<EntryPoint>,
        asked: &str,
        site: &Site,
    ) -> Result<Self, LoadFailure> {
        loader.load(entry, asked, site)
    }
}

impl<K: ?Sized + DriverKind> Make<K> for LazyExtension<K> {
    fn make(
        loader: &Loader,
        entry: &Arc<EntryPoint>,
        asked: &str,
        site: &Site,
    ) -> Result<Self, LoadFailure> {
        let factory = loader.factory(entry, asked, site)?;
        Ok(LazyExtension::from_factory(factory))
    }
}
