//! What a name means: the entry, several, switched off, or unknown with advice.
//!
//! Follows aliases and the policy for conflicts. The way to a single entry allocates nothing. Must
//! not know libraries. Called by the managers and by every command that takes a name.

use std::sync::Arc;

use super::entry::EntryPoint;
use super::policy::Conflicts;
use super::snapshot::{Namespace, PluginMap};
use crate::diagnostic::nearest;

/// Longest chain of aliases. Circles are found when the map is built; this bound holds in any case.
pub const ALIAS_HOPS_MAX: usize = 16;

/// What a name means in a namespace.
#[derive(Debug, Clone)]
pub enum Lookup<'m> {
    /// This entry, aliases followed. It may have a `fault`.
    One(&'m Arc<EntryPoint>),
    /// Several enabled entries, and the policy does not choose.
    Several(Vec<&'m Arc<EntryPoint>>),
    /// It exists and is switched off; `entry.disabled` says by what.
    Disabled(&'m Arc<EntryPoint>),
    /// It does not exist.
    Unknown {
        /// The name that is clearly nearest.
        nearest: Option<&'m str>,
        /// The enabled names of the namespace, in order.
        available: Vec<&'m str>,
    },
}

impl PluginMap {
    /// What a name means: one hash look-up for the namespace and one for the name.
    pub fn lookup(&self, namespace: &str, name: &str) -> Lookup<'_> {
        self.lookup_with(namespace, name, None)
    }

    /// As `lookup`; a choice of the program beats the map's policy for conflicts.
    pub fn lookup_with(
        &self,
        namespace: &str,
        name: &str,
        conflicts: Option<Conflicts>,
    ) -> Lookup<'_> {
        match self.namespace(namespace) {
            Some(found) => {
                let conflicts = conflicts.unwrap_or_else(|| found.policy.conflicts());
                found.lookup(name, conflicts, 0)
            }
            None => Lookup::Unknown {
                nearest: None,
                available: Vec::new(),
            },
        }
    }

    /// Groups of several enabled entries of one name that nobody said to be meant: neither the
    /// policy `all`, `first`, `last` or `priority`, nor `append = true` on every later one. In the
    /// order in which they are written.
    pub fn conflicts(&self) -> Vec<Vec<&Arc<EntryPoint>>> {
        let mut found = Vec::new();
        for namespace in &self.namespaces {
            for (position, first) in namespace.entries.iter().enumerate() {
                let positions = namespace.by_name.get(&first.name);
                if positions.len() < 2 || positions[0] != position {
                    continue;
                }
                let enabled: Vec<_> = namespace.enabled(&first.name).collect();
                let conflicts = namespace.policy.conflicts();
                if enabled.len() < 2 || namespace.chosen(&first.name, conflicts).is_some() {
                    continue;
                }
                let mut group = enabled;
                group.sort_by_key(|e| e.rank);
                if conflicts != Conflicts::All && !group[1..].iter().all(|e| e.append) {
                    found.push(group);
                }
            }
        }
        found
    }
}

impl Namespace {
    pub(super) fn named(&self, name: &str) -> impl Iterator<Item = &Arc<EntryPoint>> {
        let positions = self.by_name.get(name).iter();
        positions.map(|i| &self.entries[*i])
    }

    fn enabled(&self, name: &str) -> impl Iterator<Item = &Arc<EntryPoint>> {
        self.named(name).filter(|e| e.is_enabled())
    }

    fn lookup(&self, name: &str, conflicts: Conflicts, hops: usize) -> Lookup<'_> {
        let Some(entry) = self.chosen(name, conflicts) else {
            return self.no_single(name);
        };
        match &entry.alias {
            Some(target) if entry.fault.is_none() && hops < ALIAS_HOPS_MAX => {
                self.lookup(target, conflicts, hops + 1)
            }
            _ => Lookup::One(entry),
        }
    }

    /// The one enabled entry, or the one that is chosen among several.
    fn chosen(&self, name: &str, conflicts: Conflicts) -> Option<&Arc<EntryPoint>> {
        let mut enabled = self.enabled(name);
        let first = enabled.next()?;
        if enabled.next().is_none() {
            return Some(first);
        }
        let enabled = || self.enabled(name);
        match conflicts {
            Conflicts::Error | Conflicts::All => None,
            Conflicts::First => enabled().min_by_key(|e| e.rank),
            Conflicts::Last => enabled().max_by_key(|e| e.rank),
            Conflicts::Priority => {
                let least = enabled().map(|e| e.priority).min()?;
                let mut first = enabled().filter(|e| e.priority == least);
                let chosen = first.next()?;
                first.next().is_none().then_some(chosen)
            }
        }
    }

    #[cold]
    fn no_single(&self, name: &str) -> Lookup<'_> {
        let enabled: Vec<&Arc<EntryPoint>> = self.enabled(name).collect();
        if !enabled.is_empty() {
            return Lookup::Several(enabled);
        }
        match self.named(name).next() {
            Some(entry) => Lookup::Disabled(entry),
            None => self.unknown(name),
        }
    }

    fn unknown(&self, name: &str) -> Lookup<'_> {
        let is_enabled = |i: &&usize| self.entries[**i].is_enabled();
        let is_first = |i: usize, name: &str| {
            let mut enabled = self.by_name.get(name).iter().filter(is_enabled);
            enabled.next() == Some(&i)
        };
        let entries = self.entries.iter().enumerate();
        let firsts = entries.filter(|(i, e)| is_first(*i, &e.name));
        let available: Vec<&str> = firsts.map(|(_, e)| e.name.as_str()).collect();
        Lookup::Unknown {
            nearest: nearest(name, available.iter().copied()),
            available,
        }
    }
}
