//! The loader: what the steps from an entry of the map to a driver share. They are: resolve, trust, inspect, check settings
//! (`examine`); stage, check pins, ask the gates, open the library once per content (`library`); check the kind and construct (`factory`).
//! Nothing of the file runs before it is opened.
//!
//! Owns the map's snapshot, what was examined in it, which libraries are open, and the report. Must not know kinds,
//! factories or managers.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock};

use crate::examine::{self, Examined, Inspections, Surroundings};
use crate::gate::{Content, Gate, LoaderOptions, Wanted};
use crate::inspect::Refusal;
use crate::library::{Libraries, Library};
use crate::log::{self, Level};
use crate::look::Digests;
use crate::map::{EntryPoint, MapError, PluginMap, Reload};
use crate::oddities;
use crate::patience::Patience;
use crate::process::{Doing, During};
use crate::quarantine::Quarantine;
use crate::record::InFlight;
use crate::report::{LoadFailure, LoadReport, Outcome};
use crate::stage::{self, Staging};
use crate::watch::Watch;

/// Loads drivers of one map. Cloning it shares everything; it may be used from any thread.
#[derive(Clone)]
pub struct Loader {
    inner: Arc<Inner>,
}

/// One snapshot of the map, and what was found out about its entries.
struct Inner {
    map: PluginMap,
    state_dir: PathBuf,
    options: LoaderOptions,
    /// By the address of the entry, which `map` keeps alive. Only what may be loaded is kept.
    examined: RwLock<HashMap<usize, Arc<Examined>>>,
    shared: Arc<Shared>,
}

/// What outlives a snapshot.
#[derive(Default)]
struct Shared {
    libraries: Mutex<Libraries>,
    inspections: Inspections,
    digests: Digests,
    patience: Patience,
    report: Mutex<LoadReport>,
    /// Names whose deprecation was said.
    deprecated: Mutex<HashSet<String>>,
    watch: OnceLock<Watch>,
}

impl Loader {
    /// A loader of this map. Drivers keep their files below `state_dir`.
    pub fn new(map: PluginMap, state_dir: impl Into<PathBuf>) -> Loader {
        Loader::with_options(map, state_dir, LoaderOptions::default())
    }

    /// As `new`, with options.
    pub fn with_options(
        map: PluginMap,
        state_dir: impl Into<PathBuf>,
        options: LoaderOptions,
    ) -> Loader {
        Loader::over(map, state_dir.into(), options, Arc::default())
    }

    fn over(
        map: PluginMap,
        state_dir: PathBuf,
        options: LoaderOptions,
        shared: Arc<Shared>,
    ) -> Loader {
        let inner = Inner {
            map,
            state_dir,
            options,
            examined: RwLock::default(),
            shared,
        };
        Loader {
            inner: Arc::new(inner),
        }
    }

    /// Reads the map's files again: a loader of the new snapshot, and what is different in it. Open libraries and
    /// the report are shared with this one; managers that were made keep what they have.
    ///
    /// # Errors
    /// What is wrong with the files; this loader goes on as it is.
    pub fn reload(&self) -> Result<(Loader, Reload), MapError> {
        let reload = self.inner.map.reload()?;
        let (map, dir) = (reload.map.clone(), self.inner.state_dir.clone());
        let shared = Arc::clone(&self.inner.shared);
        let loader = Loader::over(map, dir, self.inner.options.clone(), shared);
        Ok((loader, reload))
    }

    /// The map.
    pub fn map(&self) -> &PluginMap {
        &self.inner.map
    }

    /// What was decided so far.
    pub fn report(&self) -> LoadReport {
        self.lock_report().clone()
    }

    /// How many libraries are open.
    pub fn open_libraries(&self) -> usize {
        self.lock_libraries().len()
    }

    /// Notes in `record` which driver is being built, and refuses what `quarantine` locks out; so do loaders that this
    /// one is reloaded to. The first call counts.
    pub fn watch(&self, record: Arc<InFlight>, quarantine: Quarantine) {
        // The second one: the drivers that are loaded stand in the first record.
        let _ = self.inner.shared.watch.set(Watch::new(record, quarantine));
    }

    pub(crate) fn watched(&self) -> Option<&Watch> {
        self.inner.shared.watch.get()
    }

    /// Looks at the process until the answer is dropped, if somebody is to look.
    pub(crate) fn during(&self, namespace: &str, name: &str, doing: Doing) -> Option<During> {
        let process = self.inner.options.process.as_ref()?;
        Some(process.during(namespace, name, doing))
    }

    pub(crate) fn state_dir(&self) -> &std::path::Path {
        &self.inner.state_dir
    }

    /// Opens the library of an entry, or finds it open, after everything that may refuse it was asked.
    ///
    /// # Errors
    /// Why it may not be opened, or cannot be.
    pub(crate) fn open(&self, examined: &Examined) -> Result<Library, Refusal> {
        let options = &self.inner.options;
        let own = || self.inner.state_dir.join("stage");
        let staging = Staging {
            load: options.load,
            dir: options.stage_dir.clone().unwrap_or_else(own),
            hash: examined.entry.sha256.is_some()
                || self.map().lock().is_some()
                || self.watched().is_some()
                || !options.gates.is_empty(),
        };
        let wanted = Wanted {
            entry: &examined.entry,
            export: &examined.info.export,
            settings: &examined.settings,
            is_suspect: false,
        };
        let admit = |content: &Content<'_>| {
            self.admit(&wanted, content, |_| true)?;
            let watch = self.watched();
            Ok(watch.map(|w| w.recorded(&examined.entry, content.digest, content.inspection)))
        };
        let panic_abort = options.panic_abort || examined.entry.allow_panic_abort;
        // Asked before: afterwards the libraries that it needs are open too.
        let odd = oddities::of(&examined.inspection.facts);
        let mut libraries = self.lock_libraries();
        let before = libraries.len();
        let library = libraries.get(&examined.inspection, &staging, panic_abort, &admit)?;
        if libraries.len() > before {
            for warning in odd {
                let (entry, text) = (&examined.entry, format_args!("{warning}"));
                log::say(Level::Warn, &entry.namespace, &entry.name, text);
            }
        }
        Ok(library)
    }

    /// Whether a content may be opened for an entry: the lock-outs, its pin, the lock file, then the gates that are
    /// `asked`. What `wanted` says of suspicion is overruled by what the quarantine knows.
    pub(crate) fn admit(
        &self,
        wanted: &Wanted<'_>,
        content: &Content<'_>,
        asked: impl Fn(&dyn Gate) -> bool,
    ) -> Result<(), Refusal> {
        let entry = wanted.entry;
        let mut wanted = *wanted;
        if let Some(watch) = self.watched() {
            watch.check(entry, content.digest, content.inspection)?;
            wanted.is_suspect = watch.is_suspect(entry, content.digest);
        }
        examine::check_pin(entry, content)?;
        if let Some(lock) = self.map().lock() {
            lock.verify(entry, content.digest, &content.inspection.metadata)?;
        }
        let gates = self.inner.options.gates.iter();
        let mut gates = gates.filter(|gate| asked(gate.as_ref()));
        gates.try_for_each(|gate| gate.admit(&wanted, content))
    }

    fn lock_libraries(&self) -> MutexGuard<'_, Libraries> {
        let libraries = self.inner.shared.libraries.lock();
        libraries.unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn note(&self, namespace: &str, name: &str, host: &str, outcome: Outcome) {
        self.lock_report().add(namespace, name, host, outcome);
    }

    fn lock_report(&self) -> MutexGuard<'_, LoadReport> {
        let report = self.inner.shared.report.lock();
        report.unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks at an entry's file, as long as its file system answers.
    pub(crate) fn patiently<T: Send + 'static>(
        &self,
        entry: &EntryPoint,
        look: impl FnOnce() -> Result<T, LoadFailure> + Send + 'static,
    ) -> Result<T, LoadFailure> {
        let patience = &self.inner.shared.patience;
        let answer = patience.run(&entry.lib, stage::SILENCE_MAX, look);
        answer.unwrap_or_else(|| Err(examine::silent(entry)))
    }

    pub(crate) fn surroundings(&self) -> Surroundings<'_> {
        Surroundings {
            map: &self.inner.map,
            inspections: &self.inner.shared.inspections,
            options: &self.inner.options,
        }
    }

    pub(crate) fn digests(&self) -> &Digests {
        &self.inner.shared.digests
    }

    /// Everything about an entry that can be known without running any of its code. What may be loaded is remembered
    /// for the life of this snapshot; what may not is looked at anew, as a file may have been installed meanwhile.
    ///
    /// # Errors
    /// Why it cannot be used.
    pub(crate) fn examine(&self, entry: &Arc<EntryPoint>) -> Result<Arc<Examined>, LoadFailure> {
        if let Some(examined) = self.examined(entry) {
            return Ok(examined);
        }
        let (loader, wanted) = (self.clone(), Arc::clone(entry));
        let examined = self.patiently(entry, move || {
            examine::examine(&loader.surroundings(), &wanted)
        });
        let examined = Arc::new(examined?);
        let known = self.inner.examined.write();
        let mut known = known.unwrap_or_else(PoisonError::into_inner);
        // Whoever was first counts: contexts and verdicts are kept with it.
        let key = Arc::as_ptr(entry).addr();
        Ok(Arc::clone(known.entry(key).or_insert(examined)))
    }

    /// What is known of an entry that was examined, and may be loaded.
    pub(crate) fn examined(&self, entry: &EntryPoint) -> Option<Arc<Examined>> {
        let known = self.inner.examined.read();
        let known = known.unwrap_or_else(PoisonError::into_inner);
        known.get(&std::ptr::from_ref(entry).addr()).cloned()
    }

    /// Forgets what is known of an entry whose file is another one by now.
    pub(crate) fn forget(&self, entry: &Arc<EntryPoint>) {
        let known = self.inner.examined.write();
        let mut known = known.unwrap_or_else(PoisonError::into_inner);
        known.remove(&Arc::as_ptr(entry).addr());
    }

    /// Says once that a name is deprecated, when it is used.
    pub(crate) fn say_deprecated(&self, entry: &EntryPoint, asked: &str) {
        if entry.deprecated.is_none() && asked == entry.name {
            return;
        }
        let Some(text) = self.map().deprecation(&entry.namespace, asked) else {
            return;
        };
        let said = self.inner.shared.deprecated.lock();
        let mut said = said.unwrap_or_else(PoisonError::into_inner);
        let full_name = format!("{}/{asked}", entry.namespace);
        if said.insert(full_name.clone()) {
            let text = format_args!("`{full_name}` is deprecated: {text}");
            log::say(Level::Warn, &entry.namespace, asked, text);
        }
    }
}
