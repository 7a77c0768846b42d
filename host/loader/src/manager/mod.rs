//! The extension managers, stevedore's classes one by one, over one builder.
//!
//! | stevedore | here |
//! |---|---|
//! | `ExtensionManager` | [`ExtensionManager`]: every entry of a namespace |
//! | `NamedExtensionManager` | [`NamedExtensionManager`]: the entries with given names |
//! | `DriverManager` | [`DriverManager`]: exactly one |
//! | `HookManager` | [`HookManager`]: all entries of one name |
//! | `EnabledExtensionManager`, `DispatchExtensionManager`, `NameDispatchExtensionManager` | to come, beside these |
//!
//! What is different on purpose: nothing that is not wanted is opened, errors are values, order is
//! defined, and a conflict is an error unless the map's policy says otherwise.

mod driver;
mod extensions;
mod hook;
mod named;

use std::marker::PhantomData;

pub use driver::DriverManager;
pub use extensions::ExtensionManager;
pub use hook::HookManager;
use longshore_plugin_api::__abi::table::DriverKind;
pub use named::NamedExtensionManager;

use crate::codes;
use crate::diagnostic::{escape, quoted_list};
use crate::extension::Extension;
use crate::inspect::Refusal;
use crate::load::{Loader, Site};
use crate::map::{EntryPoint, Lookup};
use crate::report::{FailureKind, LoadFailure, Outcome};

/// How a manager is made: a loader, a namespace, a kind, and options. The last call names the manager.
///
/// ```no_run
/// # use longshore_loader::{Loader, map::PluginMap};
/// # use longshore_plugin_api::{Filter, Scheduler};
/// # fn demo(loader: &Loader) -> Result<(), Box<dyn std::error::Error>> {
/// let scheduler = loader.namespace::<dyn Scheduler>("longshore.scheduler.driver").driver("filter_scheduler")?;
/// let filters = loader.namespace::<dyn Filter>("longshore.scheduler.filter").named(&["ram", "disk"])?;
/// # Ok(()) }
/// ```
pub struct Builder<'l, K: ?Sized> {
    loader: &'l Loader,
    namespace: String,
    site: Site,
    strict: Option<bool>,
    kind: PhantomData<fn() -> Box<K>>,
}

impl Loader {
    /// Starts to make a manager of one namespace's drivers, which are of kind `K`.
    pub fn namespace<K: ?Sized + DriverKind>(&self, namespace: &str) -> Builder<'_, K> {
        Builder {
            loader: self,
            namespace: namespace.to_owned(),
            site: Site::default(),
            strict: None,
            kind: PhantomData,
        }
    }
}

impl<K: ?Sized + DriverKind> Builder<'_, K> {
    /// Builds the drivers for this host: they get its name, and directories of its own.
    #[must_use]
    pub fn for_host(mut self, host: &str) -> Self {
        host.clone_into(&mut self.site.host);
        self
    }

    /// Whether one failure fails the whole manager. By default it does for `named` and `driver`, and
    /// does not for `all` and `hook`, which list their failures instead.
    #[must_use]
    pub fn strict(mut self, strict: bool) -> Self {
        self.strict = Some(strict);
        self
    }

    /// Every entry of the namespace that is switched on, in the map's order.
    ///
    /// # Errors
    /// Only when `strict`: the first failure.
    pub fn all(self) -> Result<ExtensionManager<K>, LoadFailure> {
        let entries = self.loader.map().enabled(&self.namespace);
        let wanted: Vec<_> = entries.map(|e| (e, e.name.as_str())).collect();
        let (extensions, failures) = self.load_each(&wanted, self.strict.unwrap_or(false))?;
        Ok(ExtensionManager::loaded(
            self.namespace,
            extensions,
            failures,
        ))
    }

    /// The entries with these names, in the order of the names.
    ///
    /// # Errors
    /// Unless `strict(false)`: the first name that is unknown, switched off or ambiguous, given
    /// twice, or cannot be loaded.
    pub fn named<S: AsRef<str>>(
        self,
        names: &[S],
    ) -> Result<NamedExtensionManager<K>, LoadFailure> {
        named::load(self, names)
    }

    /// The one entry with this name.
    ///
    /// # Errors
    /// Why there is not exactly one that loads.
    pub fn driver(self, name: &str) -> Result<DriverManager<K>, LoadFailure> {
        let found = self.find(name);
        let entry = found.inspect_err(|f| self.report(name, f))?;
        let extension = self.loader.load(entry, name, &self.site)?;
        Ok(DriverManager::new(extension))
    }

    /// All entries of one name, in the map's order; none is fine.
    ///
    /// # Errors
    /// Only when `strict`: the first failure.
    pub fn hook(self, name: &str) -> Result<HookManager<K>, LoadFailure> {
        let entries = self.loader.map().enabled(&self.namespace);
        let wanted: Vec<_> = entries
            .filter(|e| e.name == name)
            .map(|e| (e, name))
            .collect();
        let (extensions, failures) = self.load_each(&wanted, self.strict.unwrap_or(false))?;
        Ok(HookManager::loaded(name, extensions, failures))
    }

    fn load_each(
        &self,
        wanted: &[(&std::sync::Arc<EntryPoint>, &str)],
        strict: bool,
    ) -> Result<(Vec<Extension<K>>, Vec<LoadFailure>), LoadFailure> {
        let (mut extensions, mut failures) = (Vec::new(), Vec::new());
        for (entry, asked) in wanted {
            match self.loader.load(entry, asked, &self.site) {
                Ok(extension) => extensions.push(extension),
                Err(failure) if strict => return Err(failure),
                Err(failure) => failures.push(failure),
            }
        }
        Ok((extensions, failures))
    }

    fn report(&self, name: &str, failure: &LoadFailure) {
        let outcome = Outcome::Failed(failure.clone());
        self.loader
            .note(&self.namespace, name, &self.site.host, outcome);
    }

    /// The one entry that a name means.
    fn find(&self, name: &str) -> Result<&EntryPoint, LoadFailure> {
        let map = self.loader.map();
        match map.lookup(&self.namespace, name) {
            Lookup::One(entry) => Ok(entry),
            Lookup::Several(entries) => {
                let list: Vec<String> = entries
                    .iter()
                    .map(|e| format!("`{}` ({})", e.target(), e.origin))
                    .collect();
                let why = format!("{} provide it: {}", entries.len(), list.join(", "));
                let help = "disable one, set `override` on one, or choose a policy: `conflicts = \"first\"`";
                Err(self.failure(
                    FailureKind::MultipleMatches,
                    codes::PLUGIN_CONFLICT,
                    name,
                    why,
                    help,
                ))
            }
            Lookup::Disabled(entry) => {
                let by = entry
                    .disabled
                    .as_ref()
                    .map(ToString::to_string)
                    .unwrap_or_default();
                let help = "switch it on, or name another driver";
                Err(self.failure(
                    FailureKind::Disabled,
                    codes::PLUGIN_DISABLED,
                    name,
                    by,
                    help,
                ))
            }
            Lookup::Unknown { nearest, available } => {
                let there = if available.is_empty() {
                    "the map has no entry there".to_owned()
                } else {
                    format!("there are {}", quoted_list(&available))
                };
                let why = format!(
                    "no entry point `{}` in `{}`; {there}",
                    escape(name),
                    escape(&self.namespace)
                );
                let help = match nearest {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => "add it to the plugin map, or name one that is there".to_owned(),
                };
                Err(self.failure(
                    FailureKind::NoMatch,
                    codes::PLUGIN_NO_SUCH_DRIVER,
                    name,
                    why,
                    &help,
                ))
            }
        }
    }

    fn failure(
        &self,
        kind: FailureKind,
        code: &'static str,
        name: &str,
        why: String,
        help: &str,
    ) -> LoadFailure {
        let file = self
            .loader
            .map()
            .sources()
            .first()
            .map(|s| s.name().to_owned())
            .unwrap_or_default();
        let refusal = Refusal::new(code, file.as_ref(), why, help.to_owned());
        LoadFailure::new(kind, refusal.for_entry(&self.namespace, name))
    }
}
