//! Everything about an entry point that can be known without running any of its code: where its file is, what the
//! file says of itself, whether pins hold and settings fit. Called by the loader; must not open libraries.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use longshore_plugin_api::__abi::host as bridge;
use longshore_plugin_api::Context;
use serde_json::Value as Json;

use crate::codes;
use crate::diagnostic::{self, Severity, escape};
use crate::gate::{Content, LoaderOptions};
use crate::info::ExtensionInfo;
use crate::inspect::{FileIdentity, Inspection, Refusal, inspect_with};
use crate::library::Library;
use crate::log;
use crate::map::{EntryPoint, PluginMap};
use crate::note::{EntryMetadata, SettingSchema};
use crate::report::{FailureKind, LoadFailure};
use crate::settings_check;
use crate::stage::SILENCE_MAX;

/// Most files whose inspection is remembered; beyond it all are forgotten and looked at anew.
const INSPECTIONS_MAX: usize = 4_096;
/// Most hosts whose context for one driver is remembered.
const CONTEXTS_MAX: usize = 1_024;

/// An entry point that may be loaded, as far as can be known without running it.
pub(crate) struct Examined {
    pub(crate) entry: Arc<EntryPoint>,
    pub(crate) inspection: Arc<Inspection>,
    pub(crate) info: Arc<ExtensionInfo>,
    /// Its settings with the schema's defaults, as the constructor gets them.
    pub(crate) settings: String,
    /// Once it is open.
    pub(crate) library: OnceLock<Library>,
    /// The entry as the kind that it was checked against first, a `Checked<K>`.
    pub(crate) checked: OnceLock<Box<dyn std::any::Any + Send + Sync>>,
    /// Which of the file's entries it is.
    driver: usize,
    contexts: Mutex<HashMap<Arc<str>, Context>>,
}

/// Where an entry is looked at.
pub(crate) struct Surroundings<'l> {
    pub(crate) map: &'l PluginMap,
    pub(crate) inspections: &'l Inspections,
    pub(crate) options: &'l LoaderOptions,
}

/// Where and for whom a driver is built.
#[derive(Debug, Clone, Default)]
pub struct Site {
    /// The host it serves; empty when it serves the whole process.
    pub host: Arc<str>,
}

/// Resolves, inspects and checks an entry.
pub(crate) fn examine(
    around: &Surroundings<'_>,
    entry: &Arc<EntryPoint>,
) -> Result<Examined, LoadFailure> {
    let path = resolve(around, entry)?;
    let inspection = inspected(around, entry, &path)?;
    let number = judge(entry, &inspection)?;
    let driver = &inspection.metadata.entries[number];
    let settings = settings_check::with_defaults(&entry.settings, &driver.settings);
    let metadata = &inspection.metadata;
    let info = ExtensionInfo {
        namespace: entry.namespace.to_string(),
        name: entry.name.clone(),
        alias: None,
        target: entry.target(),
        file: path,
        export: driver.name.clone(),
        kind: driver.trait_name.clone(),
        plugin: metadata.plugin.clone(),
        version: metadata.version.clone(),
        api_version: metadata.api.clone(),
        description: driver.description.clone(),
        place: entry.origin.clone(),
        priority: entry.priority,
        rank: entry.rank(),
        settings: settings.clone(),
    };
    Ok(Examined {
        entry: Arc::clone(entry),
        info: Arc::new(info),
        settings: Json::Object(settings).to_string(),
        library: OnceLock::new(),
        checked: OnceLock::new(),
        contexts: Mutex::default(),
        driver: number,
        inspection,
    })
}

/// What the map asks of a file that is a plugin: its version, a driver in it, settings that fit. Answers which of the
/// file's drivers it is.
pub(crate) fn judge(entry: &EntryPoint, inspection: &Inspection) -> Result<usize, LoadFailure> {
    let path = &inspection.file;
    check_version(entry, path, inspection)?;
    let export = entry.export.as_deref();
    let driver = inspection.choose(&entry.namespace, &entry.name, export);
    let driver = driver.map_err(refused)?;
    check_settings(entry, path, &driver.settings)?;
    let mut all = inspection.metadata.entries.iter();
    Ok(all
        .position(|e| std::ptr::eq(e, driver))
        .unwrap_or_default())
}

impl Examined {
    /// What the file says of the driver.
    pub(crate) fn driver(&self) -> &EntryMetadata {
        &self.inspection.metadata.entries[self.driver]
    }

    /// What the driver gets: its names, its directory, the log. One per host.
    pub(crate) fn context(&self, state_dir: &Path, site: &Site) -> Context {
        let contexts = self.contexts.lock();
        let mut contexts = contexts.unwrap_or_else(PoisonError::into_inner);
        if let Some(context) = contexts.get(&site.host) {
            return context.clone();
        }
        let (namespace, name) = (&self.entry.namespace, &self.entry.name);
        let number = log::register(namespace, name, &site.host);
        let mut dir = state_dir.join("drivers");
        if !site.host.is_empty() {
            dir.push(file_name(&site.host));
        }
        dir.push(file_name(namespace));
        dir.push(file_name(name));
        let context = bridge::context(log::services(), number, namespace, name, &site.host, dir);
        if contexts.len() >= CONTEXTS_MAX {
            contexts.clear();
        }
        contexts.insert(Arc::clone(&site.host), context.clone());
        context
    }
}

/// What files said of themselves, as long as they are the same files with the same content.
#[derive(Default)]
pub(crate) struct Inspections {
    files: Mutex<HashMap<PathBuf, Arc<Inspection>>>,
}

impl Inspections {
    /// Looks at a file, or remembers what it said when nothing about it has changed.
    fn get(&self, path: &Path, panic_abort: bool) -> Result<Arc<Inspection>, Refusal> {
        let lock = || self.files.lock().unwrap_or_else(PoisonError::into_inner);
        let known = lock().get(path).cloned();
        if let Some(known) = known
            && (panic_abort || known.metadata.panic == "unwind")
            && std::fs::metadata(path).is_ok_and(|m| FileIdentity::of(&m) == known.identity)
        {
            return Ok(known);
        }
        let fresh = Arc::new(inspect_with(path, panic_abort)?);
        let mut files = lock();
        if files.len() >= INSPECTIONS_MAX {
            files.clear();
        }
        files.insert(path.to_owned(), Arc::clone(&fresh));
        Ok(fresh)
    }
}

/// Where the file of an entry is, with every link followed, if owners and modes on the way are right.
pub(crate) fn resolve(
    around: &Surroundings<'_>,
    entry: &EntryPoint,
) -> Result<PathBuf, LoadFailure> {
    if let Some(fault) = &entry.fault {
        let help = fault.help.clone().unwrap_or_default();
        let refusal = Refusal::new(fault.code, Path::new(&entry.lib), fault.what.clone(), help);
        let refusal = refusal.for_entry(&entry.namespace, &entry.name);
        let failure = LoadFailure::new(FailureKind::Refused, refusal);
        return Err(failure.with_diagnostics(vec![fault.as_ref().clone()]));
    }
    let found = around.map.resolve_library(entry);
    let path = found.map_err(|e| LoadFailure::new(FailureKind::Missing, e.into_refusal(entry)))?;
    around.options.trust.resolve(&path).map_err(|r| {
        let kind = match r.code {
            codes::PLUGIN_NOT_FOUND => FailureKind::Missing,
            _ => FailureKind::Refused,
        };
        LoadFailure::new(kind, r.for_entry(&entry.namespace, &entry.name))
    })
}

/// What a file says of itself.
pub(crate) fn inspected(
    around: &Surroundings<'_>,
    entry: &EntryPoint,
    path: &Path,
) -> Result<Arc<Inspection>, LoadFailure> {
    let panic_abort = entry.allow_panic_abort || around.options.panic_abort;
    let inspection = around.inspections.get(path, panic_abort);
    inspection.map_err(|r| {
        let kind = match r.code {
            codes::PLUGIN_NOT_FOUND => FailureKind::Missing,
            _ => FailureKind::Refused,
        };
        LoadFailure::new(kind, r.for_entry(&entry.namespace, &entry.name))
    })
}

/// The settings against the schema that the file carries.
pub(crate) fn check_settings(
    entry: &EntryPoint,
    path: &Path,
    schema: &[SettingSchema],
) -> Result<(), LoadFailure> {
    remember_secrets(entry, schema);
    let mut errors = settings_check::check(entry, &entry.name, schema);
    errors.retain(|d| d.severity == Severity::Error);
    let Some(first) = errors.first() else {
        return Ok(());
    };
    let help = first.help.clone().unwrap_or_default();
    let refusal = Refusal::new(first.code, path, first.what.clone(), help);
    let failure = refused(refusal.for_entry(&entry.namespace, &entry.name));
    Err(failure.with_diagnostics(errors))
}

/// From here on the driver may get them, and repeat them.
fn remember_secrets(entry: &EntryPoint, schema: &[SettingSchema]) {
    for secret in schema.iter().filter(|s| s.secret) {
        match entry.settings.get(&secret.key) {
            Some(Json::String(text)) => diagnostic::secret::remember(text),
            Some(Json::Array(all)) => {
                let texts = all.iter().filter_map(Json::as_str);
                texts.for_each(diagnostic::secret::remember);
            }
            _ => {}
        }
    }
}

/// The digest that the map pins against that of the bytes that will be opened.
pub(crate) fn check_pin(entry: &EntryPoint, content: &Content<'_>) -> Result<(), Refusal> {
    let Some(wanted) = &entry.sha256 else {
        return Ok(());
    };
    if content.digest.eq_ignore_ascii_case(wanted) {
        return Ok(());
    }
    let short = |digest: &str| digest.chars().take(12).collect::<String>();
    let (found, wanted, at) = (short(content.digest), short(wanted), &entry.origin);
    let why = format!("its digest is `{found}…`, {at} pins `{wanted}…`");
    let help = "install the pinned file, or put the digest that `longshore plugin inspect` prints into the map";
    let file = &content.inspection.file;
    Err(Refusal::new(codes::PLUGIN_UNTRUSTED, file, why, help))
}

fn check_version(
    entry: &EntryPoint,
    path: &Path,
    inspection: &Inspection,
) -> Result<(), LoadFailure> {
    let Some(wanted) = &entry.version else {
        return Ok(());
    };
    let found = &inspection.metadata.version;
    let requirement = semver::VersionReq::parse(wanted).ok();
    let version = semver::Version::parse(found).ok();
    if requirement.zip(version).is_some_and(|(r, v)| r.matches(&v)) {
        return Ok(());
    }
    let (found, at) = (escape(found), &entry.origin);
    let why = format!("it is version {found}, {at} asks for `{wanted}`");
    let help = "install a version that fits, or correct `version` in the map";
    let refusal = Refusal::new(codes::PLUGIN_WRONG_VERSION, path, why, help);
    Err(refused(refusal.for_entry(&entry.namespace, &entry.name)))
}

/// The file system of an entry's file does not answer.
pub(crate) fn silent(entry: &EntryPoint) -> LoadFailure {
    let why = format!("no data for {} s", SILENCE_MAX.as_secs());
    let help = "see whether its file system answers";
    let refusal = Refusal::new(codes::PLUGIN_UNREADABLE, Path::new(&entry.lib), why, help);
    refused(refusal.for_entry(&entry.namespace, &entry.name))
}

/// A refusal as a failure.
pub(crate) fn refused(refusal: Refusal) -> LoadFailure {
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
