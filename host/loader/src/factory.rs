//! The way from an entry point to a driver, which can be gone more than once: `create` with the map's settings,
//! `create_with` with others. stevedore calls this the plugin, as against the object made of it.
//!
//! The library is opened at the first `create`; both are in `extension`. Must not know extensions or managers.

use std::sync::Arc;

use longshore_plugin_api::__abi::host::{BuildError, Built, Checked, Plugin};
use longshore_plugin_api::__abi::table::DriverKind;
use longshore_plugin_api::{Category, Context, DriverError};
use serde_json::{Map, Value as Json};

use crate::codes;
use crate::diagnostic::{Diagnostic, escape};
use crate::examine::{self, Examined, Site, refused};
use crate::info::ExtensionInfo;
use crate::inspect::Refusal;
use crate::library::{Library, NEW};
use crate::load::Loader;
use crate::log::{self, Level};
use crate::map::EntryPoint;
use crate::process::{Doing, During};
use crate::record::Recorded;
use crate::report::{FailureKind, LoadFailure, Outcome};
use crate::settings_check;

/// Makes drivers of one entry point. Cloning it shares everything.
pub struct Factory<K: ?Sized> {
    info: Arc<ExtensionInfo>,
    source: Source<K>,
}

enum Source<K: ?Sized> {
    File {
        loader: Loader,
        examined: Arc<Examined>,
        site: Site,
        bind: Bind<K>,
    },
    Program(Arc<Maker<K>>),
}

/// Checks the kind and builds: what needs to know `DriverKind`, kept as a function so that whoever holds a factory need
/// not.
type Bind<K> = fn(&Examined, Plugin, &str, &Context) -> Result<Built<K>, BuildError>;
/// How a program makes a driver of its own.
type Maker<K> = dyn Fn(&Map<String, Json>) -> Result<Arc<K>, DriverError> + Send + Sync;

impl<K: ?Sized> Clone for Factory<K> {
    fn clone(&self) -> Self {
        let source = match &self.source {
            Source::File {
                loader,
                examined,
                site,
                bind,
            } => Source::File {
                loader: loader.clone(),
                examined: Arc::clone(examined),
                site: site.clone(),
                bind: *bind,
            },
            Source::Program(make) => Source::Program(Arc::clone(make)),
        };
        let info = Arc::clone(&self.info);
        Factory { info, source }
    }
}

impl<K: ?Sized + DriverKind> Factory<K> {
    /// The way to a driver of an entry, without opening its library.
    ///
    /// # Errors
    /// Why there is none; also kept in the report.
    pub(crate) fn of_entry(
        loader: &Loader,
        entry: &Arc<EntryPoint>,
        asked: &str,
        site: &Site,
    ) -> Result<Self, LoadFailure> {
        loader.say_deprecated(entry, asked);
        let examined = loader.examine(entry).and_then(|examined| {
            let free = match loader.watched() {
                Some(watch) => watch.check_file(entry, &examined.inspection),
                None => Ok(()),
            };
            free.map(|()| examined)
                .map_err(|r| refused(r.for_entry(&entry.namespace, &entry.name)))
        });
        let examined = examined.inspect_err(|failure| {
            let outcome = Outcome::Failed(failure.clone());
            loader.note(&entry.namespace, &entry.name, &site.host, outcome);
        })?;
        let info = with_alias(&examined.info, asked);
        let source = Source::File {
            loader: loader.clone(),
            examined,
            site: site.clone(),
            bind: build::<K>,
        };
        Ok(Factory { info, source })
    }
}

impl<K: ?Sized> Factory<K> {
    /// The factory of a driver that comes with the program. `make` gets the settings.
    pub fn from_fn(
        namespace: &str,
        name: &str,
        make: impl Fn(&Map<String, Json>) -> Result<Arc<K>, DriverError> + Send + Sync + 'static,
    ) -> Self {
        let info = Arc::new(ExtensionInfo::of_program(namespace, name));
        let source = Source::Program(Arc::new(make));
        Factory { info, source }
    }

    /// What is known of the entry point; the settings are the map's.
    pub fn info(&self) -> &ExtensionInfo {
        &self.info
    }

    pub(crate) fn shared_info(&self) -> &Arc<ExtensionInfo> {
        &self.info
    }

    /// The number of its library among the open ones, once it is open: equal numbers are the same library.
    pub fn library(&self) -> Option<usize> {
        match &self.source {
            Source::File { examined, .. } => examined.library.get().map(|l| l.number),
            Source::Program(_) => None,
        }
    }

    /// Its drivers' place in the in-flight record, if the loader keeps one (`Loader::watch`) and its library is open.
    pub fn recorded(&self) -> Option<Recorded> {
        match &self.source {
            Source::File {
                loader, examined, ..
            } => {
                let (watch, library) = (loader.watched()?, examined.library.get()?);
                let (entry, file) = (&examined.entry, &examined.inspection);
                Some(watch.recorded(entry, &library.digest, file))
            }
            Source::Program(_) => None,
        }
    }

    /// Looks at the process until the answer is dropped, if the loader does that.
    pub(crate) fn during(&self, doing: Doing) -> Option<During> {
        match &self.source {
            Source::File { loader, .. } => {
                loader.during(&self.info.namespace, &self.info.name, doing)
            }
            Source::Program(_) => None,
        }
    }

    /// A driver with the settings of the map; see `create`.
    pub(crate) fn make(&self) -> Result<Built<K>, LoadFailure> {
        match &self.source {
            Source::File { examined, .. } => self.reported(self.built(&examined.settings)),
            Source::Program(make) => self.of_program(make.as_ref(), &self.info.settings),
        }
    }

    /// A driver with other settings; see `create_with`.
    pub(crate) fn make_with(
        &self,
        settings: Map<String, Json>,
    ) -> Result<(ExtensionInfo, Built<K>), LoadFailure> {
        let mut info = ExtensionInfo::clone(&self.info);
        let built = match &self.source {
            Source::File { examined, .. } => {
                let driver = examined.driver();
                let entry = examined.entry.with_settings(settings);
                examine::check_settings(&entry, &info.file, &driver.settings)?;
                info.settings = settings_check::with_defaults(&entry.settings, &driver.settings);
                let json = Json::Object(info.settings.clone()).to_string();
                self.reported(self.built(&json))?
            }
            Source::Program(make) => {
                info.settings = settings;
                self.of_program(make.as_ref(), &info.settings)?
            }
        };
        Ok((info, built))
    }

    fn of_program(
        &self,
        make: &Maker<K>,
        settings: &Map<String, Json>,
    ) -> Result<Built<K>, LoadFailure> {
        let driver = make(settings).map_err(|e| self.constructor_failed(e))?;
        Ok(Built::of_program(driver))
    }

    fn reported(&self, made: Result<Built<K>, LoadFailure>) -> Result<Built<K>, LoadFailure> {
        if let Source::File { loader, site, .. } = &self.source {
            let outcome = match &made {
                Ok(_) => Outcome::Loaded(self.info.file.clone()),
                Err(failure) => Outcome::Failed(failure.clone()),
            };
            loader.note(&self.info.namespace, &self.info.name, &site.host, outcome);
        }
        made
    }

    fn built(&self, settings: &str) -> Result<Built<K>, LoadFailure> {
        let Source::File {
            loader,
            examined,
            site,
            bind,
        } = &self.source
        else {
            let why = "a driver of the program has no library";
            return Err(self.refuse(codes::PLUGIN_NOT_FOUND, why.to_owned(), ""));
        };
        let _during = self.during(Doing::Built);
        let library = self.opened(loader, examined)?;
        let recorded = self.recorded();
        let _in_call = recorded.as_ref().map(|r| r.begin(NEW));
        let context = examined.context(loader.state_dir(), site);
        bind(examined, library.plugin, settings, &context).map_err(|e| self.not_built(e))
    }

    fn opened<'e>(
        &self,
        loader: &Loader,
        examined: &'e Arc<Examined>,
    ) -> Result<&'e Library, LoadFailure> {
        if let Some(library) = examined.library.get() {
            return Ok(library);
        }
        let library = loader.open(examined).map_err(|refusal| {
            // The next attempt looks at the file anew.
            loader.forget(&examined.entry);
            refused(refusal.for_entry(&self.info.namespace, &self.info.name))
        })?;
        if library.plugin.aborts_on_panic() {
            let text =
                "this plugin is built with `panic = \"abort\"`: a panic in it ends the process";
            let (namespace, name) = (&self.info.namespace, &self.info.name);
            log::say(Level::Warn, namespace, name, format_args!("{text}"));
        }
        Ok(examined.library.get_or_init(|| library))
    }

    fn refuse(&self, code: &'static str, why: String, help: &str) -> LoadFailure {
        let refusal = Refusal::new(code, &self.info.file, why, help.to_owned());
        refused(refusal.for_entry(&self.info.namespace, &self.info.name))
    }

    fn not_built(&self, error: BuildError) -> LoadFailure {
        match error {
            BuildError::Absent => {
                let name = &self.info.export;
                let why = format!("the note lists `{name}`, the library's root does not");
                let help = "rebuild the plugin on a clean target directory";
                self.refuse(codes::PLUGIN_UNSTABLE_METADATA, why, help)
            }
            BuildError::WrongKind(there, here) => {
                let namespace = &self.info.namespace;
                let why = format!("it is of kind {there}, `{namespace}` is used as {here}");
                let help = "name a driver of that kind, or move the entry to its own namespace";
                self.refuse(codes::PLUGIN_WRONG_KIND, why, help)
            }
            BuildError::Layout(why) => {
                let help =
                    "build it with an unchanged `longshore-plugin-api` of this major version";
                self.refuse(codes::ABI_LAYOUT, escape(&why), help)
            }
            BuildError::Driver(error) => self.constructor_failed(error),
        }
    }

    fn constructor_failed(&self, error: DriverError) -> LoadFailure {
        if let Some(key) = error.key() {
            return self.bad_setting(key.to_owned(), error);
        }
        let (code, kind) = match (error.panicked_at(), error.category()) {
            (Some(_), _) => (codes::DRIVER_PANICKED, FailureKind::Refused),
            (None, Category::Unavailable) => (codes::DRIVER_FAILED, FailureKind::Unavailable),
            (None, _) => (codes::DRIVER_FAILED, FailureKind::Refused),
        };
        let why = format!("its constructor: {}", escape(&error.to_string()));
        let default = || "see the driver's documentation".to_owned();
        let help = error.help().map_or_else(default, escape);
        let refusal = Refusal::new(code, &self.info.file, why, help);
        let refusal = refusal.for_entry(&self.info.namespace, &self.info.name);
        LoadFailure::new(kind, refusal).with_driver_error(error)
    }

    fn bad_setting(&self, key: String, error: DriverError) -> LoadFailure {
        let (name, code) = (&self.info.name, codes::DRIVER_BAD_SETTING);
        let (shown, message) = (escape(&key), escape(error.message()));
        let what = format!("driver `{name}`: `{shown}`: {message}");
        let help = error.help().unwrap_or("correct the setting").to_owned();
        let place = match &self.source {
            Source::File { examined, .. } => {
                let pointer = settings_check::pointer(&key);
                examined.entry.setting_place(&pointer)
            }
            Source::Program(_) => self.info.place.clone(),
        };
        let diagnostic = Diagnostic::error(code, place, what.clone()).with_help(help.clone());
        let refusal = Refusal::new(code, &self.info.file, what, help);
        let refusal = refusal.for_entry(&self.info.namespace, name);
        LoadFailure::new(FailureKind::Refused, refusal)
            .with_diagnostics(vec![diagnostic])
            .with_driver_error(error)
    }
}

fn build<K: ?Sized + DriverKind>(
    examined: &Examined,
    plugin: Plugin,
    settings: &str,
    context: &Context,
) -> Result<Built<K>, BuildError> {
    checked::<K>(examined, plugin)?.build(settings, context)
}

/// The entry as a `K`: looked up and checked once, as the verdict never changes.
fn checked<K: ?Sized + DriverKind>(
    examined: &Examined,
    plugin: Plugin,
) -> Result<Checked<K>, BuildError> {
    let known = examined.checked.get();
    if let Some(known) = known.and_then(|c| c.downcast_ref::<Checked<K>>()) {
        return Ok(*known);
    }
    let driver = examined.driver();
    let entry = plugin.entry(&driver.namespace, &driver.name);
    let checked = entry.ok_or(BuildError::Absent)?.check::<K>()?;
    // Another kind may have been first: then this one is checked each time, which is right and rare.
    let _ = examined.checked.set(Box::new(checked));
    Ok(checked)
}

fn with_alias(info: &Arc<ExtensionInfo>, asked: &str) -> Arc<ExtensionInfo> {
    if asked == info.name {
        return Arc::clone(info);
    }
    let mut info = ExtensionInfo::clone(info);
    info.alias = Some(asked.to_owned());
    Arc::new(info)
}
