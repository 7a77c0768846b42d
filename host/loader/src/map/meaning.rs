//! What an entry and a policy mean, apart from how and where it is written.
//!
//! Two maps are compared by this, and printed from it. Must not know files. Called by `changes` and
//! `to_toml`.

use std::path::{Component, Path, PathBuf};

use super::entry::EntryPoint;
use super::policy::{Conflicts, Order, Placed, Policy};
use super::print::{list, quoted};
use super::snapshot::{Namespace, PluginMap};
use crate::codes;
use crate::diagnostic::Place;

/// One field that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldChange {
    /// The key in the map.
    pub field: &'static str,
    /// The old value, for fields whose value is short and no secret.
    pub from: Option<String>,
    /// The new value, likewise.
    pub to: Option<String>,
}

impl PluginMap {
    /// Whether both say the same of every entry point, every policy and the search directories.
    /// Where it is written, and in how many files, does not count; of the order, that of the names
    /// and that of the entries of one name count.
    pub fn same_meaning(&self, other: &PluginMap) -> bool {
        let equal = |mine: &Namespace| {
            other
                .namespace(&mine.name)
                .is_some_and(|theirs| is_same_namespace(mine, theirs))
        };
        self.namespaces.len() == other.namespaces.len()
            && self.absolute_search() == other.absolute_search()
            && self.namespaces.iter().all(equal)
    }

    /// The search directories, so that they mean the same in every file.
    pub(super) fn absolute_search(&self) -> Vec<PathBuf> {
        self.search.iter().map(|d| absolute(d)).collect()
    }
}

fn is_same_namespace(a: &Namespace, b: &Namespace) -> bool {
    let names = sequence(a);
    let same_entries = |name: &&str| {
        let (mine, theirs) = (group(a, name), group(b, name));
        mine.len() == theirs.len()
            && mine
                .iter()
                .zip(theirs)
                .all(|(m, t)| differences(m, t).is_empty())
    };
    policy_words(&a.policy) == policy_words(&b.policy)
        && names == sequence(b)
        && names.iter().all(same_entries)
}

/// The names of a namespace, each once, in order.
pub(super) fn sequence(namespace: &Namespace) -> Vec<&str> {
    let is_first = |(i, e): &(usize, &std::sync::Arc<EntryPoint>)| {
        namespace.by_name.get(&e.name).first() == Some(i)
    };
    let firsts = namespace.entries.iter().enumerate().filter(is_first);
    firsts.map(|(_, e)| e.name.as_str()).collect()
}

/// The entries of a name as they were written.
pub(super) fn group<'m>(namespace: &'m Namespace, name: &str) -> Vec<&'m EntryPoint> {
    let mut found: Vec<&EntryPoint> = namespace.named(name).map(|e| &**e).collect();
    found.sort_by_key(|e| e.rank);
    found
}

/// In which fields two entries differ.
pub(super) fn differences(a: &EntryPoint, b: &EntryPoint) -> Vec<FieldChange> {
    let mut found = Vec::new();
    let mut shown = |field, from: Option<String>, to: Option<String>| {
        if from != to {
            found.push(FieldChange { field, from, to });
        }
    };
    let some = |text: &str| Some(text.to_owned()).filter(|t| !t.is_empty());
    shown("lib", some(&effective_lib(a)), some(&effective_lib(b)));
    shown("export", a.export.clone(), b.export.clone());
    shown("alias", a.alias.clone(), b.alias.clone());
    let yes_or_no = |b: bool| Some(b.to_string());
    shown(
        "enabled",
        yes_or_no(a.is_enabled()),
        yes_or_no(b.is_enabled()),
    );
    shown("optional", yes_or_no(a.optional), yes_or_no(b.optional));
    let (abort_a, abort_b) = (a.allow_panic_abort, b.allow_panic_abort);
    shown("allow_panic_abort", yes_or_no(abort_a), yes_or_no(abort_b));
    let number = |n: i64| Some(n.to_string());
    shown("priority", number(a.priority), number(b.priority));
    shown("version", a.version.clone(), b.version.clone());
    shown("sha256", a.sha256.clone(), b.sha256.clone());
    let fault = |e: &EntryPoint| e.fault.as_ref().map(|d| d.code.to_owned());
    shown("fault", fault(a), fault(b));
    if a.fault.is_none() && b.fault.is_none() {
        shown("append", yes_or_no(a.append), yes_or_no(b.append));
    }
    let quiet = [
        ("settings", a.settings != b.settings),
        ("deprecated", a.deprecated != b.deprecated),
        ("about", a.about != b.about),
    ];
    let quiet = quiet.into_iter().filter(|(_, differ)| *differ);
    found.extend(quiet.map(|(field, _)| FieldChange {
        field,
        from: None,
        to: None,
    }));
    found
}

/// The library, so that it means the same in every file: a path below the file that says so
/// becomes absolute. What is refused anyway stays as it is written.
pub(super) fn effective_lib(entry: &EntryPoint) -> String {
    let refused = entry
        .fault
        .as_ref()
        .is_some_and(|d| d.code == codes::MAP_BAD_NAME);
    if !entry.is_relative() || refused {
        return entry.lib.clone();
    }
    let path = absolute(&entry.dir.join(&entry.lib));
    path.to_string_lossy().into_owned()
}

/// Absolute and without `.` and `..`. Links are followed only to get rid of a `..`.
fn absolute(path: &Path) -> PathBuf {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                out = out.canonicalize().unwrap_or(out);
                out.pop();
            }
            part => out.push(part),
        }
    }
    out
}

/// The keys of a policy that are not at their defaults, as the map spells them, each with its
/// place.
pub(super) fn policy_places(policy: &Policy) -> Vec<(&'static str, String, Place)> {
    let Policy {
        conflicts,
        order,
        only,
        disabled,
        default,
        env,
    } = policy;
    let mut out = Vec::new();
    let names = |list: &Placed<Vec<Placed<String>>>| list_of(&list.value);
    if let Some(p) = conflicts
        .as_ref()
        .filter(|p| p.value != Conflicts::default())
    {
        out.push(("conflicts", quoted(p.value.as_str()), p.place.clone()));
    }
    if let Some(p) = order.as_ref().filter(|p| p.value != Order::default()) {
        out.push(("order", quoted(p.value.as_str()), p.place.clone()));
    }
    out.extend(only.iter().map(|p| ("only", names(p), p.place.clone())));
    out.extend(
        disabled
            .iter()
            .map(|p| ("disabled", names(p), p.place.clone())),
    );
    out.extend(
        default
            .iter()
            .map(|p| ("default", quoted(&p.value), p.place.clone())),
    );
    if let Some(p) = env.as_ref().filter(|p| !p.value) {
        out.push(("env", "false".to_owned(), p.place.clone()));
    }
    out
}

/// As `policy_places`, without the places.
pub(super) fn policy_words(policy: &Policy) -> Vec<(&'static str, String)> {
    let words = policy_places(policy).into_iter();
    words.map(|(key, word, _)| (key, word)).collect()
}

fn list_of(names: &[Placed<String>]) -> String {
    list(names.iter().map(|p| quoted(&p.value)))
}
