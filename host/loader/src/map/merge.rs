//! What an entry does to earlier ones of its name, within one namespace.
//!
//! Knows what `override`, `patch`, `append` and `false` mean; must not know text, policies or other
//! namespaces. The order is total: it depends on file rank and position only.

use std::path::PathBuf;
use std::sync::Arc;

use super::entry::{Disabled, DisabledBy, EntryPoint};
use super::names::Names;
use super::policy::Policy;
use super::raw::{Mode, RawEntry};
use super::resolve;
use crate::codes;
use crate::diagnostic::{Diagnostic, Place};

/// A namespace while files are added.
#[derive(Debug)]
pub(super) struct Growing {
    pub(super) name: Arc<str>,
    pub(super) slots: Vec<Slot>,
    pub(super) names: Names,
    pub(super) policy: Policy,
}

/// An entry, as far as the files up to now say.
#[derive(Debug)]
pub(super) struct Slot {
    pub(super) entry: Arc<EntryPoint>,
    file_rank: usize,
    /// Only remembers a mask or a failed patch: gives way to a real entry.
    pub(super) placeholder: bool,
    pub(super) dropped: bool,
}

/// Where in the order an entry stands, and where libraries are looked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Standing<'a> {
    pub(super) file_rank: usize,
    pub(super) rank: usize,
    pub(super) search: &'a [PathBuf],
}

impl Growing {
    pub(super) fn new(name: Arc<str>) -> Growing {
        Growing {
            name,
            slots: Vec::new(),
            names: Names::default(),
            policy: Policy::default(),
        }
    }

    /// Applies one entry; the answer is what is wrong with that.
    pub(super) fn apply(&mut self, raw: RawEntry, at: Standing<'_>) -> Option<Diagnostic> {
        match raw.mode {
            Mode::Plain => {
                self.push(raw, at);
                None
            }
            Mode::Override => self.replace(raw, at),
            Mode::Mask => {
                self.mask(raw, at);
                None
            }
            Mode::Patch => self.patch(raw, at),
        }
    }

    /// Slots of this name from earlier files.
    fn earlier(&self, name: &str, at: Standing<'_>) -> Vec<usize> {
        let counts = |i: &usize| !self.slots[*i].dropped && self.slots[*i].file_rank < at.file_rank;
        self.names
            .get(name)
            .iter()
            .copied()
            .filter(counts)
            .collect()
    }

    fn push(&mut self, raw: RawEntry, at: Standing<'_>) {
        let entry = raw.into_entry(at.rank);
        for i in self.names.get(&entry.name) {
            let slot = &mut self.slots[*i];
            let counts = !slot.dropped && !slot.placeholder && slot.entry.is_enabled();
            if counts && entry.is_enabled() && repeats(&slot.entry, &entry, at.search) {
                return;
            }
            slot.dropped |= slot.placeholder;
        }
        self.add(entry, at, false);
    }

    fn add(&mut self, entry: EntryPoint, at: Standing<'_>, placeholder: bool) {
        self.names.add(&entry.name, self.slots.len());
        self.slots.push(Slot {
            entry: Arc::new(entry),
            file_rank: at.file_rank,
            placeholder,
            dropped: false,
        });
    }

    fn replace(&mut self, raw: RawEntry, at: Standing<'_>) -> Option<Diagnostic> {
        let earlier = self.earlier(&raw.name, at);
        let nothing = earlier.iter().all(|i| self.slots[*i].placeholder);
        for i in earlier {
            self.slots[i].dropped = true;
        }
        // The environment may add an entry: that is its purpose.
        let by_environment = matches!(raw.place, Place::Environment(_));
        let warn = nothing && !by_environment && raw.fault.is_none();
        let d = warn.then(|| {
            let what = format!("override of {} replaces nothing", raw.full_name());
            Diagnostic::warning(codes::MAP_OVERRIDES_NOTHING, raw.place.clone(), what)
                .with_help("correct the name, or remove `override`")
        });
        self.push(raw, at);
        d
    }

    fn mask(&mut self, raw: RawEntry, at: Standing<'_>) {
        let earlier = self.earlier(&raw.name, at);
        if earlier.is_empty() {
            let entry = raw.into_entry(at.rank);
            self.add(entry, at, true);
            return;
        }
        for i in earlier {
            Arc::make_mut(&mut self.slots[i].entry).disabled = Some(Disabled {
                by: DisabledBy::Mask,
                place: raw.place.clone(),
            });
        }
    }

    fn patch(&mut self, mut raw: RawEntry, at: Standing<'_>) -> Option<Diagnostic> {
        let earlier = self.earlier(&raw.name, at);
        let real = |i: &usize| !self.slots[*i].placeholder && !is_masked(&self.slots[*i].entry);
        let hits: Vec<usize> = earlier.iter().copied().filter(real).collect();
        if let [only] = hits.as_slice() {
            raw.patch(Arc::make_mut(&mut self.slots[*only].entry));
            return None;
        }
        let count = hits.len();
        let full_name = raw.full_name();
        let what = format!("nothing to patch: {full_name} has {count} earlier entries");
        let help = if count == 0 {
            "correct the name, or write a whole entry with `lib`"
        } else {
            "replace them with `override = true`"
        };
        let place = raw.place.clone();
        let d = Diagnostic::error(codes::MAP_NOTHING_TO_PATCH, place, what).with_help(help);
        if count == 0 && earlier.is_empty() {
            raw.fault.get_or_insert_with(|| Arc::new(d.clone()));
            let entry = raw.into_entry(at.rank);
            self.add(entry, at, true);
        }
        Some(d)
    }
}

fn is_masked(entry: &EntryPoint) -> bool {
    let disabled = entry.disabled.as_ref();
    disabled.is_some_and(|d| d.by == DisabledBy::Mask)
}

/// The same library, export and settings: writing it twice means nothing more than once. Two
/// spellings of one file are told by the file; that is looked at only if all else is equal.
fn repeats(known: &EntryPoint, new: &EntryPoint, search: &[PathBuf]) -> bool {
    known.says_the_same(new)
        && (known.has_same_lib_text(new)
            || (known.alias.is_none() && resolve::is_same_file(known, new, search)))
}
