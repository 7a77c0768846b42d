//! Merging: raw entries of all files, in order, into namespaces; then the environment.
//!
//! Says which file comes when and what the environment may do; what an entry does to earlier ones
//! is `merge`'s business. Must not know text or libraries.

use std::path::PathBuf;
use std::sync::Arc;

use super::entry::{Disabled, DisabledBy};
use super::environment::{self, Environment, refused};
use super::file::RawFile;
use super::finish;
use super::merge::{Growing, Standing};
use super::names::NameMap;
use super::origin::Origin;
use super::policy::Policy;
use super::raw::RawEntry;
use super::snapshot::{Namespace, PluginMap};
use crate::codes;
use crate::diagnostic::{Diagnostic, Place, Source, escape};

/// What is known so far.
#[derive(Debug, Default)]
pub(super) struct Builder {
    namespaces: Vec<Growing>,
    index: NameMap<Arc<str>, usize>,
    defaults: Policy,
    /// Where libraries are looked for, to tell whether two spellings name one file.
    pub(super) search: Vec<PathBuf>,
    pub(super) diagnostics: Vec<Diagnostic>,
    changes: Vec<String>,
    sources: Vec<Arc<Source>>,
    file_rank: usize,
    rank: usize,
}

/// The outcome of merging.
#[derive(Debug)]
pub(super) struct Built {
    pub(super) namespaces: Vec<Namespace>,
    pub(super) index: NameMap<Arc<str>, usize>,
    pub(super) search: Vec<PathBuf>,
    pub(super) diagnostics: Vec<Diagnostic>,
    pub(super) changes: Vec<String>,
    pub(super) sources: Vec<Arc<Source>>,
}

impl Builder {
    /// Adds a file after all earlier ones.
    pub(super) fn add(&mut self, file: RawFile) {
        self.file_rank += 1;
        self.sources.push(Arc::clone(&file.source));
        for (namespace, entries) in &file.namespaces {
            let growing = self.namespace(namespace);
            growing.slots.reserve(*entries);
            growing.names.reserve(*entries);
        }
        let replaced = self.defaults.replace_from(file.defaults);
        self.warn_replaced("longshore.defaults", replaced);
        for (name, policy) in file.policies {
            let replaced = self
                .namespace(&Arc::from(name.as_str()))
                .policy
                .replace_from(policy);
            self.warn_replaced(&name, replaced);
        }
        for raw in file.entries {
            self.apply(raw);
        }
    }

    /// Applies the environment, after all files.
    pub(super) fn add_environment(
        &mut self,
        environment: &Environment,
        fatal: &mut Vec<Diagnostic>,
    ) {
        self.file_rank += 1;
        self.diagnostics.extend(environment.refusals());
        for raw in environment.entries(fatal) {
            let name = raw.full_name();
            if !self.allows_environment(&raw.namespace) {
                let reason = "its policy says `env = false`";
                self.diagnostics
                    .push(refused(environment::ENTRY, &name, reason));
                continue;
            }
            let old = self.targets(&raw.namespace, &raw.name);
            let new = escape(&raw.target());
            let variable = environment::ENTRY;
            self.changes
                .push(format!("{variable} sets {name} to `{new}`, was {old}"));
            self.apply(raw);
        }
        for (namespace, name) in environment.disables(fatal) {
            self.disable(&namespace, name.as_deref());
        }
    }

    /// The finished namespaces, and what is wrong with them.
    pub(super) fn finish(mut self) -> Built {
        let mut namespaces = Vec::with_capacity(self.namespaces.len());
        for mut growing in std::mem::take(&mut self.namespaces) {
            growing.policy.fill_from(&self.defaults);
            let (namespace, found) = finish::namespace(growing);
            self.diagnostics.extend(found);
            namespaces.push(namespace);
        }
        let rank = |d: &Diagnostic| match &d.place {
            Place::Text { source, span } => {
                let file = self.sources.iter().position(|s| Arc::ptr_eq(s, source));
                (file.unwrap_or(usize::MAX - 1), span.start)
            }
            _ => (usize::MAX, 0),
        };
        let mut diagnostics = std::mem::take(&mut self.diagnostics);
        diagnostics.sort_by_key(rank);
        Built {
            namespaces,
            index: self.index,
            search: self.search,
            diagnostics,
            changes: self.changes,
            sources: self.sources,
        }
    }

    fn namespace(&mut self, name: &Arc<str>) -> &mut Growing {
        let next = self.namespaces.len();
        let i = match self.index.get(name) {
            Some(i) => *i,
            None => {
                self.index.insert(Arc::clone(name), next);
                self.namespaces.push(Growing::new(Arc::clone(name)));
                next
            }
        };
        &mut self.namespaces[i]
    }

    fn known(&self, name: &str) -> Option<&Growing> {
        self.index.get(name).map(|i| &self.namespaces[*i])
    }

    fn warn_replaced(&mut self, of: &str, replaced: Vec<(&'static str, Place, Place)>) {
        for (key, old, new) in replaced {
            let what = format!("`{key}` of `{}` is set again", escape(of));
            let d = Diagnostic::warning(codes::MAP_OVERWRITTEN_POLICY, new, what);
            self.diagnostics
                .push(d.with_note(format!("first at {old}")).with_help("keep one"));
        }
    }

    fn apply(&mut self, raw: RawEntry) {
        if let Some(fault) = &raw.fault {
            self.diagnostics.push(fault.as_ref().clone());
        }
        // Taken out for the call, because the namespace is changed meanwhile.
        let search = std::mem::take(&mut self.search);
        let at = Standing {
            file_rank: self.file_rank,
            rank: self.rank,
            search: &search,
        };
        let namespace = Arc::clone(&raw.namespace);
        let found = self.namespace(&namespace).apply(raw, at);
        self.search = search;
        self.rank += 1;
        self.diagnostics.extend(found);
    }

    fn allows_environment(&self, namespace: &str) -> bool {
        let own = self.known(namespace).and_then(|g| g.policy.env.as_ref());
        own.or(self.defaults.env.as_ref()).is_none_or(|p| p.value)
    }

    fn targets(&self, namespace: &str, name: &str) -> String {
        let Some(growing) = self.known(namespace) else {
            return "absent".to_owned();
        };
        let slots = growing.names.get(name).iter().map(|i| &growing.slots[*i]);
        let slots = slots.filter(|s| !s.dropped && !s.placeholder);
        let shown = |target: String| format!("`{}`", escape(&target));
        let old: Vec<String> = slots.map(|s| shown(s.entry.target())).collect();
        if old.is_empty() {
            "absent".to_owned()
        } else {
            old.join(", ")
        }
    }

    fn disable(&mut self, namespace: &str, name: Option<&str>) {
        let shown = format!("`{}/{}`", escape(namespace), escape(name.unwrap_or("*")));
        if !self.allows_environment(namespace) {
            let reason = "its policy says `env = false`";
            self.diagnostics
                .push(refused(environment::DISABLE, &shown, reason));
            return;
        }
        let mut hit = false;
        if let Some(i) = self.index.get(namespace) {
            for slot in self.namespaces[*i].slots.iter_mut().filter(|s| !s.dropped) {
                if name.is_none_or(|n| n == slot.entry.name) {
                    let place = Place::Environment(environment::DISABLE.to_owned());
                    let by = DisabledBy::Environment;
                    Arc::make_mut(&mut slot.entry).disabled = Some(Disabled { by, place });
                    hit = true;
                }
            }
        }
        if hit {
            self.changes
                .push(format!("{} switches {shown} off", environment::DISABLE));
        } else {
            let reason = "it is not in the map";
            self.diagnostics
                .push(refused(environment::DISABLE, &shown, reason));
        }
    }
}

/// Directories of `search`, relative ones below the base file's.
pub(super) fn search_dirs(base: &std::path::Path, search: &[String]) -> Vec<PathBuf> {
    search.iter().map(|d| base.join(d)).collect()
}

impl PluginMap {
    pub(super) fn new(built: Built, environment_dirs: usize) -> PluginMap {
        let Built {
            namespaces,
            index,
            search,
            diagnostics,
            changes,
            sources,
        } = built;
        PluginMap {
            namespaces,
            index,
            search,
            environment_dirs,
            diagnostics,
            changes,
            sources,
            includes: Vec::new(),
            origin: Origin::default(),
            lock: None,
        }
    }
}
