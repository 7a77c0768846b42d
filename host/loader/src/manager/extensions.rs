//! `ExtensionManager`: the extensions of a namespace, looked up by name or called one after the other. The others are
//! this one and a rule about which extensions are in it.

use std::fmt::Display;
use std::marker::PhantomData;
use std::path::Path;
use std::sync::Arc;

use super::conflict::{self, Choice, Index};
use crate::codes;
use crate::diagnostic::{escape, nearest, quoted_list};
use crate::extension::{Extension, LazyExtension, Member};
use crate::info::ExtensionInfo;
use crate::inspect::Refusal;
use crate::load::Loader;
use crate::log::{self, Level};
use crate::map::{Conflicts, EntryPoint};
use crate::report::{FailureKind, LoadFailure};

/// The namespace of [`ExtensionManager::test_instance`] and its siblings.
pub const TEST_NAMESPACE: &str = "TESTING";

/// One name and what calling it gave; see [`ExtensionManager::map`].
pub type Called<'m, T, X> = (&'m str, Result<T, X>);

/// The extensions of a namespace. Immutable: what `names` lists is what `get` finds.
pub struct ExtensionManager<K: ?Sized, E = Extension<K>> {
    namespace: String,
    extensions: Vec<E>,
    failures: Vec<LoadFailure>,
    index: Index,
    loader: Option<Loader>,
    kind: PhantomData<fn() -> Box<K>>,
}

impl<K: ?Sized, E: Member<K>> ExtensionManager<K, E> {
    pub(super) fn loaded(
        loader: Loader,
        namespace: String,
        extensions: Vec<E>,
        failures: Vec<LoadFailure>,
        choice: &Choice,
    ) -> Self {
        let policy = loader.map().policy(&namespace);
        let of_map = policy.map_or(Conflicts::Error, |p| p.conflicts());
        ExtensionManager {
            index: index(&extensions, choice, of_map),
            namespace,
            extensions,
            failures,
            loader: Some(loader),
            kind: PhantomData,
        }
    }

    /// A manager of ready extensions, with no file: for tests, and for drivers that are linked in. Several of one name
    /// conflict; see [`ExtensionManager::with_conflicts`].
    pub fn from_extensions(namespace: &str, extensions: Vec<E>) -> Self {
        ExtensionManager {
            index: index(&extensions, &Choice::Map, Conflicts::Error),
            namespace: namespace.to_owned(),
            extensions,
            failures: Vec::new(),
            loader: None,
            kind: PhantomData,
        }
    }

    /// As [`ExtensionManager::from_extensions`], in the namespace [`TEST_NAMESPACE`].
    pub fn test_instance(extensions: Vec<E>) -> Self {
        Self::from_extensions(TEST_NAMESPACE, extensions)
    }

    /// The same extensions, with this policy for access by name.
    #[must_use]
    pub fn with_conflicts(self, policy: Conflicts) -> Self {
        self.with_choice(&Choice::Policy(policy))
    }

    /// The same extensions, with this function to choose among several of one name.
    #[must_use]
    pub fn with_resolver(
        self,
        resolve: impl Fn(&[&ExtensionInfo]) -> Option<usize> + Send + Sync + 'static,
    ) -> Self {
        self.with_choice(&Choice::Resolver(Arc::new(resolve)))
    }

    fn with_choice(mut self, choice: &Choice) -> Self {
        self.index = index(&self.extensions, choice, Conflicts::Error);
        self
    }

    /// The namespace.
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// The names of the extensions, in order, duplicates kept.
    pub fn names<'m>(&'m self) -> impl Iterator<Item = &'m str>
    where
        K: 'm,
    {
        self.extensions.iter().map(Member::name)
    }

    /// All entry points of the namespace in the map, loaded or not, in order: the very ones that every manager of the
    /// snapshot hands out. None for a manager of ready extensions.
    pub fn entry_points(&self) -> &[Arc<EntryPoint>] {
        let loader = self.loader.as_ref();
        loader.map_or(&[], |l| l.map().entries(&self.namespace))
    }

    /// Their names.
    pub fn entry_point_names(&self) -> impl Iterator<Item = &str> {
        self.entry_points().iter().map(|e| e.name.as_str())
    }

    /// The extensions, in order.
    pub fn iter(&self) -> std::slice::Iter<'_, E> {
        self.extensions.iter()
    }

    /// Names and extensions, in order.
    pub fn items<'m>(&'m self) -> impl Iterator<Item = (&'m str, &'m E)>
    where
        K: 'm,
    {
        self.extensions.iter().map(|e| (e.name(), e))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.extensions.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.extensions.is_empty()
    }

    /// Whether an extension has this name.
    pub fn contains(&self, name: &str) -> bool {
        !self.index.all(name).is_empty()
    }

    /// The extension that the name means: `None` when there is none, and when there are several and the policy does not
    /// choose ([`ExtensionManager::require`] says which it is).
    pub fn get(&self, name: &str) -> Option<&E> {
        self.index.chosen(name).map(|i| &self.extensions[i])
    }

    /// All extensions of a name, in order.
    pub fn get_all(&self, name: &str) -> impl Iterator<Item = &E> {
        self.index.all(name).iter().map(|i| &self.extensions[*i])
    }

    /// The extension that the name means.
    ///
    /// # Errors
    /// `NoMatch`, with the nearest name; `MultipleMatches`, with all that have it; or why the one that has it could not
    /// be loaded.
    pub fn require(&self, name: &str) -> Result<&E, LoadFailure> {
        if let Some(found) = self.get(name) {
            return Ok(found);
        }
        if self.contains(name) {
            let several: Vec<_> = self.get_all(name).map(Member::info).collect();
            return Err(conflict::conflict("", name, &several));
        }
        if let Some(failed) = self.failures.iter().find(|f| f.entry().1 == name) {
            return Err(failed.clone());
        }
        Err(self.no_match(name))
    }

    fn no_match(&self, name: &str) -> LoadFailure {
        let (shown, namespace) = (escape(name), escape(&self.namespace));
        let mut names: Vec<&str> = self.names().collect();
        names.dedup();
        let there = match names.as_slice() {
            [] => "nothing is loaded there".to_owned(),
            names => format!("there are {}", quoted_list(names)),
        };
        let why = format!("no extension `{shown}` in `{namespace}`; {there}");
        let help = match nearest(name, names) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "name one that is there".to_owned(),
        };
        let code = codes::PLUGIN_NO_SUCH_DRIVER;
        let refusal = Refusal::new(code, Path::new(""), why, help);
        LoadFailure::new(
            FailureKind::NoMatch,
            refusal.for_entry(&self.namespace, name),
        )
    }

    /// What could not be loaded and why, in order; also what says that it is not for this machine
    /// ([`LoadFailure::is_skip`]).
    pub fn failures(&self) -> &[LoadFailure] {
        &self.failures
    }

    pub(super) fn index(&self) -> &Index {
        &self.index
    }

    /// Calls `call` for each extension, in order, in this thread. One result per extension: nothing is swallowed and
    /// nothing loses its place. An error is logged once. No extensions, no results.
    pub fn map<T, X: Display>(
        &self,
        mut call: impl FnMut(&E) -> Result<T, X>,
    ) -> Vec<Called<'_, T, X>> {
        let called = |e| called(e, &mut call);
        self.extensions.iter().map(called).collect()
    }

    /// As [`ExtensionManager::map`], and keeps only what succeeded.
    pub fn map_ok<T, X: Display>(&self, call: impl FnMut(&E) -> Result<T, X>) -> Vec<T> {
        let called = self.map(call).into_iter();
        called.filter_map(|(_, result)| result.ok()).collect()
    }

    /// As [`ExtensionManager::map`], and stops at the first error.
    ///
    /// # Errors
    /// The name of the extension that failed, and its error.
    pub fn try_map<T, X: Display>(
        &self,
        mut call: impl FnMut(&E) -> Result<T, X>,
    ) -> Result<Vec<(&str, T)>, (&str, X)> {
        let each = |e| match called(e, &mut call) {
            (name, Ok(value)) => Ok((name, value)),
            (name, Err(error)) => Err((name, error)),
        };
        self.extensions.iter().map(each).collect()
    }

    /// As [`ExtensionManager::map`], where none is an error.
    ///
    /// # Errors
    /// `plugin/no-entries` when there is no extension.
    pub fn map_required<T, X: Display>(
        &self,
        call: impl FnMut(&E) -> Result<T, X>,
    ) -> Result<Vec<Called<'_, T, X>>, LoadFailure> {
        if self.is_empty() {
            return Err(self.nothing());
        }
        Ok(self.map(call))
    }

    fn nothing(&self) -> LoadFailure {
        let namespace = escape(&self.namespace);
        let sources = self.loader.iter().flat_map(|l| l.map().sources());
        let files: Vec<&str> = sources.map(|s| s.name()).collect();
        let why = match (self.failures.len(), files.as_slice()) {
            (0, []) => format!("`{namespace}` has no extensions"),
            (0, files) => format!("`{namespace}` has no entries in {}", quoted_list(files)),
            (n, _) => format!("none of the {n} entries of `{namespace}` could be used"),
        };
        let help = match self.failures.first() {
            Some(first) => format!("the first: {}", first.refusal.why),
            None => "add an entry to the namespace".to_owned(),
        };
        let code = codes::PLUGIN_NO_ENTRIES;
        let mut refusal = Refusal::new(code, Path::new(""), why, help);
        refusal.namespace = Some(self.namespace.as_str().into());
        LoadFailure::new(FailureKind::NoMatch, refusal)
    }
}

impl<K: ?Sized> ExtensionManager<K> {
    /// Calls a method of each driver, in order; otherwise as [`ExtensionManager::map`].
    pub fn map_driver<T, X: Display>(
        &self,
        mut call: impl FnMut(&K) -> Result<T, X>,
    ) -> Vec<Called<'_, T, X>> {
        self.map(|e| call(e.driver()))
    }
}

impl<K: ?Sized> ExtensionManager<K, LazyExtension<K>> {
    /// Calls a method of each driver, in order, after making those that were not made; otherwise as
    /// [`ExtensionManager::map`].
    pub fn map_driver<T, X: Display + From<LoadFailure>>(
        &self,
        mut call: impl FnMut(&K) -> Result<T, X>,
    ) -> Vec<Called<'_, T, X>> {
        self.map(|e| call(e.driver()?))
    }
}

fn index<K: ?Sized, E: Member<K>>(extensions: &[E], choice: &Choice, of_map: Conflicts) -> Index {
    let infos: Vec<&ExtensionInfo> = extensions.iter().map(Member::info).collect();
    Index::new(&infos, choice, of_map)
}

/// Calls for one extension, and logs the error if there is one.
#[inline]
pub(super) fn called<'m, K: ?Sized, E: Member<K>, T, X: Display>(
    extension: &'m E,
    call: &mut impl FnMut(&E) -> Result<T, X>,
) -> Called<'m, T, X> {
    let result = call(extension);
    if let Err(error) = &result {
        say_failed(extension.info(), error);
    }
    (extension.name(), result)
}

#[cold]
fn say_failed(info: &ExtensionInfo, error: &dyn Display) {
    let text = format_args!("a call failed: {error}");
    log::say(Level::Error, &info.namespace, &info.name, text);
}

impl<'m, K: ?Sized, E: Member<K>> IntoIterator for &'m ExtensionManager<K, E> {
    type Item = &'m E;
    type IntoIter = std::slice::Iter<'m, E>;
    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}
