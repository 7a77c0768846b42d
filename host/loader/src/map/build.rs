//! Merging: raw entries of all files, in order, into namespaces.
//!
//! Knows what `override`, `patch`, `append` and `false` mean; must not know text, disk or
//! libraries. The order is total: it depends on file rank and position only.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use super::entry::{Disabled, DisabledBy, EntryPoint};
use super::environment::{self, Environment, refused};
use super::file::RawFile;
use super::policy::Policy;
use super::raw::{Mode, RawEntry};
use super::{Namespace, finish};
use crate::codes;
use crate::diagnostic::{Diagnostic, Place, Source, escape};

/// What is known so far.
#[derive(Debug, Default)]
pub(super) struct Builder {
    pub(super) namespaces: Vec<Growing>,
    index: HashMap<Arc<str>, usize>,
    defaults: Policy,
    pub(super) diagnostics: Vec<Diagnostic>,
    pub(super) changes: Vec<String>,
    pub(super) sources: Vec<Arc<Source>>,
    file_rank: usize,
    rank: usize,
}

/// A namespace while files are added.
#[derive(Debug)]
pub(super) struct Growing {
    name: Arc<str>,
    slots: Vec<Slot>,
    by_name: HashMap<String, Vec<usize>>,
    policy: Policy,
}

#[derive(Debug)]
struct Slot {
    entry: EntryPoint,
    file_rank: usize,
    /// Only remembers a mask or a failed patch: gives way to a real entry.
    placeholder: bool,
    dropped: bool,
}

impl Builder {
    /// Adds a file after all earlier ones.
    pub(super) fn add(&mut self, file: RawFile) {
        self.file_rank += 1;
        self.sources.push(Arc::clone(&file.source));
        for namespace in &file.namespaces {
            self.namespace(namespace);
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
            let name = format!("`{}/{}`", escape(&raw.namespace), escape(&raw.name));
            if !self.allows_environment(&raw.namespace) {
                let reason = "its policy says `env = false`";
                self.diagnostics
                    .push(refused(environment::ENTRY, &name, reason));
                continue;
            }
            let old = self.targets(&raw.namespace, &raw.name);
            let new = raw.lib.clone().unwrap_or_default();
            self.changes.push(format!(
                "{} sets {name} to `{new}`, was {old}",
                environment::ENTRY
            ));
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
            let slots = growing.slots.into_iter().filter(|s| !s.dropped);
            let entries = slots.map(|s| s.entry).collect();
            let (namespace, found) = finish::namespace(growing.name, entries, growing.policy);
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
            diagnostics,
            changes: self.changes,
            sources: self.sources,
        }
    }

    fn namespace(&mut self, name: &Arc<str>) -> &mut Growing {
        let next = self.namespaces.len();
        let i = *self.index.entry(Arc::clone(name)).or_insert(next);
        if i == next {
            self.namespaces.push(Growing {
                name: Arc::clone(name),
                slots: Vec::new(),
                by_name: HashMap::new(),
                policy: Policy::default(),
            });
        }
        &mut self.namespaces[i]
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
        let (file_rank, rank) = (self.file_rank, self.rank);
        self.rank += 1;
        if let Some(fault) = &raw.fault {
            self.diagnostics.push(fault.clone());
        }
        let growing = self.namespace(&raw.namespace);
        let earlier = growing.earlier(&raw.name, file_rank);
        let found = match raw.mode {
            Mode::Plain => {
                growing.push(raw, file_rank, rank);
                None
            }
            Mode::Override => growing.replace(raw, &earlier, file_rank, rank),
            Mode::Mask => {
                growing.mask(raw, &earlier, file_rank, rank);
                None
            }
            Mode::Patch => growing.patch(raw, &earlier, file_rank, rank),
        };
        self.diagnostics.extend(found);
    }

    fn allows_environment(&self, namespace: &str) -> bool {
        let growing = self.index.get(namespace).map(|i| &self.namespaces[*i]);
        let own = growing.and_then(|g| g.policy.env.as_ref());
        own.or(self.defaults.env.as_ref()).is_none_or(|p| p.value)
    }

    fn targets(&self, namespace: &str, name: &str) -> String {
        let Some(growing) = self.index.get(namespace).map(|i| &self.namespaces[*i]) else {
            return "absent".to_owned();
        };
        let slots = growing
            .by_name
            .get(name)
            .into_iter()
            .flatten()
            .map(|i| &growing.slots[*i]);
        let slots = slots.filter(|s| !s.dropped && !s.placeholder);
        let old: Vec<String> = slots.map(|s| format!("`{}`", s.entry.target())).collect();
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
                    slot.entry.disabled = Some(Disabled {
                        by: DisabledBy::Environment,
                        place,
                    });
                    hit = true;
                }
            }
        }
        if hit {
            self.changes
                .push(format!("{} switches {shown} off", environment::DISABLE));
        } else {
            self.diagnostics.push(refused(
                environment::DISABLE,
                &shown,
                "it is not in the map",
            ));
        }
    }
}

/// The outcome of merging.
#[derive(Debug)]
pub(super) struct Built {
    pub(super) namespaces: Vec<Namespace>,
    pub(super) diagnostics: Vec<Diagnostic>,
    pub(super) changes: Vec<String>,
    pub(super) sources: Vec<Arc<Source>>,
}

impl Growing {
    /// Slots of this name from earlier files.
    fn earlier(&self, name: &str, file_rank: usize) -> Vec<usize> {
        let all = self
            .by_name
            .get(name)
            .map(Vec::as_slice)
            .unwrap_or_default();
        let counts = |i: &usize| !self.slots[*i].dropped && self.slots[*i].file_rank < file_rank;
        all.iter().copied().filter(counts).collect()
    }

    fn push(&mut self, raw: RawEntry, file_rank: usize, rank: usize) {
        let entry = raw.into_entry(rank);
        let known = self.by_name.entry(entry.name.clone()).or_default();
        for i in known.iter() {
            let slot = &mut self.slots[*i];
            let repeats = !slot.dropped && slot.entry.is_enabled() && slot.entry.repeats(&entry);
            if repeats && !slot.placeholder && entry.is_enabled() {
                return;
            }
            slot.dropped |= slot.placeholder;
        }
        known.push(self.slots.len());
        self.slots.push(Slot {
            entry,
            file_rank,
            placeholder: false,
            dropped: false,
        });
    }

    fn push_placeholder(&mut self, raw: RawEntry, file_rank: usize, rank: usize) {
        let entry = raw.into_entry(rank);
        self.by_name
            .entry(entry.name.clone())
            .or_default()
            .push(self.slots.len());
        self.slots.push(Slot {
            entry,
            file_rank,
            placeholder: true,
            dropped: false,
        });
    }

    fn replace(
        &mut self,
        raw: RawEntry,
        earlier: &[usize],
        file_rank: usize,
        rank: usize,
    ) -> Option<Diagnostic> {
        let nothing = earlier.iter().all(|i| self.slots[*i].placeholder);
        for i in earlier {
            self.slots[*i].dropped = true;
        }
        // The environment may add an entry: that is its purpose.
        let warn = nothing && !matches!(raw.place, Place::Environment(_));
        let d = warn.then(|| {
            let name = full_name(&raw);
            let what = format!("override of {name} replaces nothing");
            Diagnostic::warning(codes::MAP_OVERRIDES_NOTHING, raw.place.clone(), what)
                .with_help("correct the name, or remove `override`")
        });
        self.push(raw, file_rank, rank);
        d
    }

    fn mask(&mut self, raw: RawEntry, earlier: &[usize], file_rank: usize, rank: usize) {
        if earlier.is_empty() {
            self.push_placeholder(raw, file_rank, rank);
            return;
        }
        for i in earlier {
            let by = DisabledBy::Mask;
            self.slots[*i].entry.disabled = Some(Disabled {
                by,
                place: raw.place.clone(),
            });
        }
    }

    fn patch(
        &mut self,
        mut raw: RawEntry,
        earlier: &[usize],
        file_rank: usize,
        rank: usize,
    ) -> Option<Diagnostic> {
        let is_masked = |e: &EntryPoint| {
            e.disabled
                .as_ref()
                .is_some_and(|d| d.by == DisabledBy::Mask)
        };
        let real = |i: &usize| !self.slots[*i].placeholder && !is_masked(&self.slots[*i].entry);
        let hits: Vec<usize> = earlier.iter().copied().filter(real).collect();
        if let [only] = hits.as_slice() {
            raw.patch(&mut self.slots[*only].entry);
            return None;
        }
        let count = hits.len();
        let what = format!(
            "nothing to patch: {} has {count} earlier entries",
            full_name(&raw)
        );
        let help = "correct the name, or write a whole entry with `lib`";
        let d = Diagnostic::error(codes::MAP_NOTHING_TO_PATCH, raw.place.clone(), what).with_help(
            if count == 0 {
                help
            } else {
                "replace them with `override = true`"
            },
        );
        if count == 0 && earlier.is_empty() {
            raw.fault.get_or_insert_with(|| d.clone());
            self.push_placeholder(raw, file_rank, rank);
        }
        Some(d)
    }
}

fn full_name(raw: &RawEntry) -> String {
    format!("`{}/{}`", escape(&raw.namespace), escape(&raw.name))
}

/// Directories of `search`, relative ones below the base file's.
pub(super) fn search_dirs(base: &std::path::Path, search: &[String]) -> Vec<PathBuf> {
    search.iter().map(|d| base.join(d)).collect()
}
