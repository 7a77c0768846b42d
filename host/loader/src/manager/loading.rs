//! Loading what a builder asks for: checks, failures and missing names, each to whom it concerns.

use std::sync::Arc;

use longshore_plugin_api::__abi::table::DriverKind;

use super::ExtensionManager;
use super::builder::Builder;
use crate::codes;
use crate::diagnostic::escape;
use crate::examine::Site;
use crate::extension::{Extension, LazyExtension, Member};
use crate::factory::Factory;
use crate::inspect::Refusal;
use crate::load::Loader;
use crate::log::{self, Level};
use crate::map::EntryPoint;
use crate::report::{FailureKind, LoadFailure, Outcome};

/// What became of the entries that were wanted.
pub(super) struct Loaded<E> {
    pub(super) extensions: Vec<E>,
    pub(super) failures: Vec<LoadFailure>,
}

impl<'l, K: ?Sized + DriverKind, E: Make<K>, O> Builder<'l, K, E, O> {
    pub(super) fn manager(self, loaded: Loaded<E>) -> ExtensionManager<K, E> {
        let Loaded {
            extensions,
            failures,
        } = loaded;
        let loader = self.loader.clone();
        ExtensionManager::loaded(loader, self.namespace, extensions, failures, &self.choice)
    }

    /// Every entry that is switched on, of one name or of all.
    pub(super) fn load_enabled(&mut self, name: Option<&str>) -> Result<Loaded<E>, LoadFailure> {
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

    pub(super) fn load_into(
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
    pub(super) fn handle(
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

    pub(super) fn handle_missing(
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
    pub(super) fn note(&self, name: &str, failure: &LoadFailure) {
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
        Factory::of_entry(loader, entry, asked, site)?.create()
    }
}

impl<K: ?Sized + DriverKind> Make<K> for LazyExtension<K> {
    fn make(
        loader: &Loader,
        entry: &Arc<EntryPoint>,
        asked: &str,
        site: &Site,
    ) -> Result<Self, LoadFailure> {
        let factory = Factory::of_entry(loader, entry, asked, site)?;
        Ok(LazyExtension::from_factory(factory))
    }
}
