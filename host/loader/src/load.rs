//! From an entry of the map to a driver: resolve → inspect → check pins and settings → open → check
//! the kind → construct. One function per arrow; nothing of the file runs before `open`.
//!
//! Called by the managers. Sealed staging, vetting and signatures take their place between `inspect`
//! and `open`.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use longshore_plugin_api::__abi::host::{self as bridge, BuildError, Built, Plugin, RootError};
use longshore_plugin_api::__abi::table::DriverKind;
use longshore_plugin_api::{Category, DriverError};

use crate::codes;
use crate::diagnostic::escape;
use crate::dynlib::{self, OpenError};
use crate::extension::{Extension, ExtensionInfo};
use crate::inspect::{FileIdentity, Inspection, Refusal, inspect, sha256};
use crate::log::{self, DriverName};
use crate::map::{EntryPoint, PluginMap};
use crate::note::EntryMetadata;
use crate::report::{FailureKind, LoadFailure, LoadReport, Outcome};
use crate::settings_check;

/// Loads drivers of one map. Cloning it shares everything; it may be used from any thread.
#[derive(Clone)]
pub struct Loader {
    inner: Arc<Inner>,
}

struct Inner {
    map: PluginMap,
    state_dir: PathBuf,
    /// By device and inode. Held while a library opens, so that concurrent first use opens it once.
    libraries: Mutex<HashMap<(u64, u64), Library>>,
    report: Mutex<LoadReport>,
}

#[derive(Clone)]
struct Library {
    plugin: Plugin,
    identity: FileIdentity,
}

/// Where and for whom a driver is built.
#[derive(Debug, Clone, Default)]
pub struct Site {
    /// The host it serves; empty when it serves the whole process.
    pub host: String,
}

impl Loader {
    /// A loader of this map. Drivers keep their files below `state_dir`.
    pub fn new(map: PluginMap, state_dir: impl Into<PathBuf>) -> Loader {
        let inner = Inner {
            map,
            state_dir: state_dir.into(),
            libraries: Mutex::default(),
            report: Mutex::default(),
        };
        Loader {
            inner: Arc::new(inner),
        }
    }

    /// The map.
    pub fn map(&self) -> &PluginMap {
        &self.inner.map
    }

    /// What was decided so far.
    pub fn report(&self) -> LoadReport {
        self.lock_report().clone()
    }

    pub(crate) fn note(&self, namespace: &str, name: &str, host: &str, outcome: Outcome) {
        self.lock_report().add(namespace, name, host, outcome);
    }

    fn lock_report(&self) -> std::sync::MutexGuard<'_, LoadReport> {
        self.inner
            .report
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Resolves, inspects and checks an entry without running any of its code.
    ///
    /// # Errors
    /// Why it cannot be used.
    fn examine(
        &self,
        entry: &EntryPoint,
    ) -> Result<(PathBuf, Inspection, EntryMetadata), LoadFailure> {
        let path = self.resolve(entry)?;
        let inspection = Self::inspected(entry, &path)?;
        check_pins(entry, &path, &inspection)?;
        let driver = inspection.choose(&entry.namespace, &entry.name, entry.export.as_deref());
        let driver = driver.map_err(refused)?.clone();
        let wrong = settings_check::check(entry, &entry.name, &driver.settings);
        let errors: Vec<_> = wrong
            .into_iter()
            .filter(|d| d.severity == crate::diagnostic::Severity::Error)
            .collect();
        if let Some(first) = errors.first() {
            let help = first.help.clone().unwrap_or_default();
            let refusal = Refusal::new(first.code, &path, first.what.clone(), help);
            let refusal = refusal.for_entry(&entry.namespace, &entry.name);
            return Err(LoadFailure::new(FailureKind::Refused, refusal).with_diagnostics(errors));
        }
        Ok((path, inspection, driver))
    }

    fn resolve(&self, entry: &EntryPoint) -> Result<PathBuf, LoadFailure> {
        if let Some(fault) = &entry.fault {
            let help = fault.help.clone().unwrap_or_default();
            let refusal = Refusal::new(fault.code, Path::new(&entry.lib), fault.what.clone(), help);
            let refusal = refusal.for_entry(&entry.namespace, &entry.name);
            let failure = LoadFailure::new(FailureKind::Refused, refusal);
            return Err(failure.with_diagnostics(vec![fault.as_ref().clone()]));
        }
        let found = self.inner.map.resolve_library(entry);
        found.map_err(|e| LoadFailure::new(FailureKind::Missing, e.into_refusal(entry)))
    }

    fn inspected(entry: &EntryPoint, path: &Path) -> Result<Inspection, LoadFailure> {
        inspect(path).map_err(|r| {
            let kind = match r.code {
                codes::PLUGIN_NOT_FOUND => FailureKind::Missing,
                _ => FailureKind::Refused,
            };
            LoadFailure::new(kind, r.for_entry(&entry.namespace, &entry.name))
        })
    }

    /// Loads one entry as a driver of kind `K` and builds it.
    ///
    /// # Errors
    /// Why it cannot be used; also kept in the report.
    pub(crate) fn load<K: ?Sized + DriverKind>(
        &self,
        entry: &EntryPoint,
        asked: &str,
        site: &Site,
    ) -> Result<Extension<K>, LoadFailure> {
        let loaded = self.load_unreported(entry, asked, site);
        let outcome = match &loaded {
            Ok(extension) => Outcome::Loaded(extension.info().file.clone()),
            Err(failure) => Outcome::Failed(failure.clone()),
        };
        self.note(&entry.namespace, &entry.name, &site.host, outcome);
        loaded
    }

    fn load_unreported<K: ?Sized + DriverKind>(
        &self,
        entry: &EntryPoint,
        asked: &str,
        site: &Site,
    ) -> Result<Extension<K>, LoadFailure> {
        let (path, inspection, driver) = self.examine(entry)?;
        let refuse = |code, why: String, help: &str| {
            let refusal = Refusal::new(code, &path, why, help.to_owned());
            refused(refusal.for_entry(&entry.namespace, &entry.name))
        };
        let library = self.opened(entry, &path, &inspection)?;
        let Some(found) = library.plugin.entry(&driver.namespace, &driver.name) else {
            let why = format!(
                "the note lists `{}`, the library's root does not",
                driver.name
            );
            let help = "rebuild the plugin on a clean target directory";
            return Err(refuse(codes::PLUGIN_UNSTABLE_METADATA, why, help));
        };
        let settings = settings_check::with_defaults(&entry.settings, &driver.settings);
        let json = serde_json::Value::Object(settings.clone()).to_string();
        let context = self.context(entry, site);
        let built: Built<K> = match found.build(&json, &context) {
            Ok(built) => built,
            Err(BuildError::WrongKind(there, here)) => {
                let why = format!(
                    "it is of kind {there}, `{}` is used as {here}",
                    entry.namespace
                );
                let help = "name a driver of that kind, or move the entry to its own namespace";
                return Err(refuse(codes::PLUGIN_WRONG_KIND, why, help));
            }
            Err(BuildError::Layout(why)) => {
                let help =
                    "build it with an unchanged `longshore-plugin-api` of this major version";
                return Err(refuse(codes::ABI_LAYOUT, why, help));
            }
            Err(BuildError::Driver(error)) => return Err(constructor_failed(entry, &path, error)),
        };
        let info = ExtensionInfo {
            namespace: entry.namespace.to_string(),
            name: entry.name.clone(),
            alias: (asked != entry.name).then(|| asked.to_owned()),
            file: path,
            export: driver.name,
            kind: driver.trait_name,
            plugin: inspection.metadata.plugin,
            version: inspection.metadata.version,
            api_version: inspection.metadata.api,
            description: driver.description,
            place: entry.origin.clone(),
            settings,
        };
        Ok(Extension::loaded(info, built))
    }

    fn context(&self, entry: &EntryPoint, site: &Site) -> longshore_plugin_api::Context {
        let number = log::register(DriverName {
            namespace: entry.namespace.to_string(),
            name: entry.name.clone(),
            host: site.host.clone(),
        });
        let mut dir = self.inner.state_dir.join("drivers");
        if !site.host.is_empty() {
            dir.push(file_name(&site.host));
        }
        dir.push(file_name(&entry.namespace));
        dir.push(file_name(&entry.name));
        bridge::context(
            log::services(),
            number,
            &entry.namespace,
            &entry.name,
            &site.host,
            dir,
        )
    }

    fn opened(
        &self,
        entry: &EntryPoint,
        path: &Path,
        inspection: &Inspection,
    ) -> Result<Library, LoadFailure> {
        let identity = inspection.identity;
        let key = (identity.dev, identity.inode);
        let mut libraries = self
            .inner
            .libraries
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(library) = libraries.get(&key) {
            if library.identity != identity {
                let why = "the file was changed in place after it was loaded".to_owned();
                let help = "install a new build by renaming it over the old one, then restart";
                let refusal = Refusal::new(codes::PLUGIN_CHANGING, path, why, help.to_owned());
                return Err(refused(refusal.for_entry(&entry.namespace, &entry.name)));
            }
            return Ok(library.clone());
        }
        let plugin =
            dynlib::open(path, log::services()).map_err(|e| open_failed(entry, path, &e))?;
        agrees(&plugin, inspection)
            .map_err(|r| refused(r.for_entry(&entry.namespace, &entry.name)))?;
        let library = Library { plugin, identity };
        libraries.insert(key, library.clone());
        Ok(library)
    }
}

fn refused(refusal: Refusal) -> LoadFailure {
    LoadFailure::new(FailureKind::Refused, refusal)
}

/// A name as one component of a path: anything that is not plain becomes `%xx`.
fn file_name(name: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-');
    let mut out = String::new();
    for (i, b) in name.bytes().enumerate() {
        if plain(b) || (b == b'.' && i > 0) {
            out.push(char::from(b));
        } else {
            out.push_str(&format!("%{b:02x}"));
        }
    }
    out
}

fn check_pins(entry: &EntryPoint, path: &Path, inspection: &Inspection) -> Result<(), LoadFailure> {
    let refuse = |code, why: String, help: String| {
        let refusal = Refusal::new(code, path, why, help);
        Err(refused(refusal.for_entry(&entry.namespace, &entry.name)))
    };
    if let Some(wanted) = &entry.sha256 {
        let found =
            sha256(path).map_err(|r| refused(r.for_entry(&entry.namespace, &entry.name)))?;
        if !found.eq_ignore_ascii_case(wanted) {
            let short = |digest: &str| digest.chars().take(12).collect::<String>();
            let (found, wanted) = (short(&found), short(wanted));
            let why = format!(
                "its digest is `{found}…`, {} pins `{wanted}…`",
                entry.origin
            );
            let help = "install the pinned file, or put the digest that `longshore plugin inspect` prints into the map";
            return refuse(codes::PLUGIN_UNTRUSTED, why, help.to_owned());
        }
    }
    if let Some(wanted) = &entry.version {
        let found = &inspection.metadata.version;
        let requirement = semver::VersionReq::parse(wanted).ok();
        let version = semver::Version::parse(found).ok();
        if !requirement.zip(version).is_some_and(|(r, v)| r.matches(&v)) {
            let why = format!(
                "it is version {}, {} asks for `{wanted}`",
                escape(found),
                entry.origin
            );
            return refuse(
                codes::PLUGIN_WRONG_VERSION,
                why,
                "install a version that fits".to_owned(),
            );
        }
    }
    Ok(())
}

fn open_failed(entry: &EntryPoint, path: &Path, error: &OpenError) -> LoadFailure {
    let (code, why, help) = match error {
        OpenError::Linker(text) => (
            codes::PLUGIN_REFUSED_BY_LOADER,
            format!("the dynamic linker says: {}", escape(text)),
            "see what it misses with `ldd -r FILE`, and build on the oldest system you support",
        ),
        OpenError::NoSymbol => (
            codes::ABI_BAD_HEADER,
            "it has a longshore note but not the symbol `longshore_plugin_1`".to_owned(),
            "do not strip the dynamic symbol table; rebuild with `export_plugin!`",
        ),
        OpenError::Root(RootError::BadHeader(what)) => (
            codes::ABI_BAD_HEADER,
            (*what).to_owned(),
            "rebuild with the same plugin-api on a clean target directory",
        ),
        OpenError::Root(RootError::Version(major, minor)) => (
            codes::ABI_VERSION,
            format!(
                "built for plugin-api {major}.{minor}, this host has {}",
                crate::note::HOST_API
            ),
            "upgrade the host, or build the plugin against this host's version",
        ),
    };
    let refusal = Refusal::new(code, path, why, help.to_owned());
    refused(refusal.for_entry(&entry.namespace, &entry.name))
}

/// The note is a hint; what is called is the root. Where they differ, somebody tampered or mixed.
fn agrees(plugin: &Plugin, inspection: &Inspection) -> Result<(), Refusal> {
    let refuse = |why: String| {
        let help = "rebuild the plugin on a clean target directory".to_owned();
        Err(Refusal::new(
            codes::PLUGIN_UNSTABLE_METADATA,
            &inspection.file,
            why,
            help,
        ))
    };
    let (major, minor) = plugin.api_version();
    let api = format!("{major}.{minor}");
    let metadata = &inspection.metadata;
    if api != metadata.api {
        return refuse(format!(
            "its note says plugin-api {}, its root {api}",
            metadata.api
        ));
    }
    if plugin.aborts_on_panic() != (metadata.panic == "abort") {
        return refuse("its note and its root disagree on the panic mode".to_owned());
    }
    let root: Vec<_> = plugin
        .entries()
        .map(|e| (e.namespace(), e.name(), e.kind()))
        .collect();
    let note = metadata
        .entries
        .iter()
        .map(|e| (e.namespace.as_str(), e.name.as_str(), e.kind.as_str()));
    if !note.eq(root) {
        return refuse("its note and its root list different entry points".to_owned());
    }
    Ok(())
}

fn constructor_failed(entry: &EntryPoint, path: &Path, error: DriverError) -> LoadFailure {
    let (namespace, name) = (&entry.namespace, &entry.name);
    if let Some(key) = error.key() {
        let pointer = settings_check::pointer(key);
        let what = format!(
            "driver `{name}`: `{}`: {}",
            escape(key),
            escape(error.message())
        );
        let help = error.help().unwrap_or("correct the setting").to_owned();
        let diagnostic = crate::diagnostic::Diagnostic::error(
            codes::DRIVER_BAD_SETTING,
            entry.setting_place(&pointer),
            what.clone(),
        )
        .with_help(help.clone());
        let refusal = Refusal::new(codes::DRIVER_BAD_SETTING, path, what, help);
        return LoadFailure::new(FailureKind::Refused, refusal.for_entry(namespace, name))
            .with_diagnostics(vec![diagnostic])
            .with_driver_error(error);
    }
    let (code, kind) = match (error.panicked_at(), error.category()) {
        (Some(_), _) => (codes::DRIVER_PANICKED, FailureKind::Refused),
        (None, Category::Unavailable) => (codes::DRIVER_FAILED, FailureKind::Unavailable),
        (None, _) => (codes::DRIVER_FAILED, FailureKind::Refused),
    };
    let why = format!("its constructor: {}", escape(&error.to_string()));
    let help = error
        .help()
        .map_or_else(|| "see the driver's documentation".to_owned(), escape);
    let refusal = Refusal::new(code, path, why, help).for_entry(namespace, name);
    LoadFailure::new(kind, refusal).with_driver_error(error)
}
