//! What differs between two maps, one line each, for the operator.
//!
//! Compares meanings: a file that was touched, moved or split changes nothing. Values of settings
//! are never repeated, for they may be secrets. Called by `reload`.

use std::fmt;

use super::entry::EntryPoint;
use super::keys::{POLICY_KEYS, RESERVED};
use super::meaning::{FieldChange, differences, group, policy_places, sequence};
use super::snapshot::{Namespace, PluginMap};
use crate::diagnostic::{Place, escape};

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The namespace; `longshore` for the search directories.
    pub namespace: String,
    /// The entry point; nothing for the namespace as a whole.
    pub name: Option<String>,
    /// What became of it.
    pub what: ChangeKind,
    /// Where it was written before.
    pub from: Option<Place>,
    /// Where it is written now.
    pub to: Option<Place>,
}

/// What became of an entry point or a namespace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChangeKind {
    /// It is new. Its target.
    Added(String),
    /// It is gone. What its target was.
    Removed(String),
    /// It says something else: the fields that differ, at least one.
    Changed(Vec<FieldChange>),
}

impl fmt::Display for Change {
    /// `+ NAMESPACE/NAME  TARGET (PLACE)`, with `-` and `~` for removed and changed ones.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = match self.what {
            ChangeKind::Added(_) => '+',
            ChangeKind::Removed(_) => '-',
            ChangeKind::Changed(_) => '~',
        };
        write!(f, "{sign} {}", escape(&self.namespace))?;
        if let Some(name) = &self.name {
            write!(f, "/{}", escape(name))?;
        }
        match &self.what {
            ChangeKind::Added(target) | ChangeKind::Removed(target) => {
                write!(f, "  {}", escape(target))?;
            }
            ChangeKind::Changed(fields) => {
                let fields: Vec<String> = fields.iter().map(ToString::to_string).collect();
                write!(f, "  {}", fields.join(", "))?;
            }
        }
        match self.to.as_ref().or(self.from.as_ref()) {
            Some(place) => write!(f, " ({place})"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for FieldChange {
    /// `field: old -> new`, or the field alone when its value is not shown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.field)?;
        if self.from.is_none() && self.to.is_none() {
            return Ok(());
        }
        let shown = |v: &Option<String>| v.as_deref().map_or_else(|| "none".to_owned(), escape);
        write!(f, ": {} -> {}", shown(&self.from), shown(&self.to))
    }
}

/// Everything that differs, namespace by namespace in the order of the new map.
pub(super) fn between(old: &PluginMap, new: &PluginMap) -> Vec<Change> {
    let mut found = Vec::new();
    if old.absolute_search() != new.absolute_search() {
        let field = FieldChange {
            field: "search",
            from: None,
            to: None,
        };
        found.push(whole(RESERVED, vec![field], None, None));
    }
    for namespace in &new.namespaces {
        in_namespace(old.namespace(&namespace.name), Some(namespace), &mut found);
    }
    for namespace in &old.namespaces {
        if new.namespace(&namespace.name).is_none() {
            in_namespace(Some(namespace), None, &mut found);
        }
    }
    found
}

fn whole(
    namespace: &str,
    fields: Vec<FieldChange>,
    from: Option<Place>,
    to: Option<Place>,
) -> Change {
    Change {
        namespace: namespace.to_owned(),
        name: None,
        what: ChangeKind::Changed(fields),
        from,
        to,
    }
}

fn in_namespace(old: Option<&Namespace>, new: Option<&Namespace>, found: &mut Vec<Change>) {
    let Some(any) = new.or(old) else { return };
    of_policy(&any.name, old, new, found);
    let names = |n: Option<&'_ Namespace>| -> Vec<String> {
        let names = n.map(sequence).unwrap_or_default();
        names.into_iter().map(str::to_owned).collect()
    };
    let (before, after) = (names(old), names(new));
    for name in &after {
        of_name(old, new, name, found);
    }
    for name in before.iter().filter(|n| !knows(new, n)) {
        of_name(old, None, name, found);
    }
}

fn knows(namespace: Option<&Namespace>, name: &str) -> bool {
    namespace.is_some_and(|n| n.by_name.contains(name))
}

fn of_policy(
    name: &str,
    old: Option<&Namespace>,
    new: Option<&Namespace>,
    found: &mut Vec<Change>,
) {
    let words = |n: Option<&Namespace>| n.map(|n| policy_places(&n.policy)).unwrap_or_default();
    let (before, after) = (words(old), words(new));
    let (mut fields, mut from, mut to) = (Vec::new(), None, None);
    for field in POLICY_KEYS {
        let was = before.iter().find(|(key, ..)| key == field);
        let is = after.iter().find(|(key, ..)| key == field);
        if was.map(|w| &w.1) != is.map(|w| &w.1) {
            fields.push(FieldChange {
                field,
                from: was.map(|w| w.1.clone()),
                to: is.map(|w| w.1.clone()),
            });
            from = from.or_else(|| was.map(|w| w.2.clone()));
            to = to.or_else(|| is.map(|w| w.2.clone()));
        }
    }
    if let (Some(old), Some(new)) = (old, new)
        && kept(old, new) != kept(new, old)
    {
        fields.push(FieldChange {
            field: "sequence",
            from: None,
            to: None,
        });
    }
    if !fields.is_empty() {
        found.push(whole(name, fields, from, to));
    }
}

/// The names of `of` that `other` has too, in the order of `of`.
fn kept<'m>(of: &'m Namespace, other: &Namespace) -> Vec<&'m str> {
    let names = sequence(of).into_iter();
    names.filter(|n| other.by_name.contains(n)).collect()
}

/// The differences of one name. Entries that are the same cancel out; the others are paired in
/// order.
fn of_name(old: Option<&Namespace>, new: Option<&Namespace>, name: &str, found: &mut Vec<Change>) {
    let mut before = old.map(|n| group(n, name)).unwrap_or_default();
    let mut after = new.map(|n| group(n, name)).unwrap_or_default();
    before.retain(|b| {
        let same = after.iter().position(|a| differences(b, a).is_empty());
        same.map(|i| after.remove(i)).is_none()
    });
    let mut before = before.into_iter();
    let mut after = after.into_iter();
    loop {
        let what = match (before.next(), after.next()) {
            (None, None) => return,
            (None, Some(new)) => change(new, ChangeKind::Added(words(new)), None, Some(new)),
            (Some(old), None) => change(old, ChangeKind::Removed(words(old)), Some(old), None),
            (Some(old), Some(new)) => {
                let fields = ChangeKind::Changed(differences(old, new));
                change(new, fields, Some(old), Some(new))
            }
        };
        found.push(what);
    }
}

fn change(
    of: &EntryPoint,
    what: ChangeKind,
    from: Option<&EntryPoint>,
    to: Option<&EntryPoint>,
) -> Change {
    let place = |e: &EntryPoint| e.origin.clone();
    Change {
        namespace: of.namespace.to_string(),
        name: Some(of.name.clone()),
        what,
        from: from.map(place),
        to: to.map(place),
    }
}

/// What an entry is, in a word.
fn words(entry: &EntryPoint) -> String {
    match &entry.alias {
        Some(target) => format!("alias of {target}"),
        None if entry.lib.is_empty() => "false".to_owned(),
        None => entry.target(),
    }
}
