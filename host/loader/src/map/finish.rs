//! The last step of a namespace: policy, order, aliases, and the index for look-ups.
//!
//! Works on one namespace at a time and knows nothing of files or of other namespaces.

use std::sync::Arc;

use super::entry::{Disabled, DisabledBy, EntryPoint};
use super::merge::Growing;
use super::names::{NameMap, Names};
use super::policy::{Order, Placed, Policy};
use super::snapshot::Namespace;
use crate::codes;
use crate::diagnostic::{Diagnostic, Severity, escape};

/// Finishes a namespace; the diagnostics are those of its entries and of its policy.
pub(super) fn namespace(growing: Growing) -> (Namespace, Vec<Diagnostic>) {
    let Growing {
        name,
        slots,
        names: mut by_name,
        policy,
    } = growing;
    let slot_count = slots.len();
    let kept = slots.into_iter().enumerate().filter(|(_, s)| !s.dropped);
    let mut placed: Vec<(usize, Arc<EntryPoint>)> = kept.map(|(i, s)| (i, s.entry)).collect();
    apply_disabled(&mut placed, &policy);
    apply_only(&mut placed, &policy);
    sort(&mut placed, &policy);
    let is_as_added = placed.len() == slot_count && placed.is_sorted_by_key(|(slot, _)| *slot);
    if !is_as_added {
        let mut moved = vec![None; slot_count];
        for (position, (slot, _)) in placed.iter().enumerate() {
            moved[*slot] = Some(position);
        }
        by_name.move_to(&moved);
    }
    let mut entries: Vec<Arc<EntryPoint>> = placed.into_iter().map(|(_, e)| e).collect();
    let mut found = check_aliases(&mut entries, &by_name);
    check_policy(&name, &policy, &by_name, &mut found);
    let namespace = Namespace {
        name,
        entries,
        by_name,
        policy,
    };
    (namespace, found)
}

fn switch_off(entry: &mut Arc<EntryPoint>, by: DisabledBy, list: &Placed<impl Sized>) {
    if entry.disabled.is_none() {
        let place = list.place.clone();
        Arc::make_mut(entry).disabled = Some(Disabled { by, place });
    }
}

fn apply_disabled(entries: &mut [(usize, Arc<EntryPoint>)], policy: &Policy) {
    let Some(disabled) = &policy.disabled else {
        return;
    };
    let items = disabled.value.iter();
    let listed: NameMap<&str, &Placed<String>> = items.map(|p| (p.value.as_str(), p)).collect();
    for (_, entry) in entries {
        if let Some(item) = listed.get(entry.name.as_str()) {
            switch_off(entry, DisabledBy::Policy, item);
        }
    }
}

/// The position of each listed name.
fn positions(list: &[Placed<String>]) -> NameMap<&str, usize> {
    let mut out = NameMap::default();
    for (i, item) in list.iter().enumerate() {
        out.entry(item.value.as_str()).or_insert(i);
    }
    out
}

fn apply_only(entries: &mut [(usize, Arc<EntryPoint>)], policy: &Policy) {
    let Some(only) = &policy.only else { return };
    let listed = positions(&only.value);
    for (_, entry) in entries {
        if !listed.contains_key(entry.name.as_str()) {
            switch_off(entry, DisabledBy::Only, only);
        }
    }
}

fn sort(entries: &mut [(usize, Arc<EntryPoint>)], policy: &Policy) {
    if let Some(only) = &policy.only {
        let listed = positions(&only.value);
        let position = |e: &EntryPoint| listed.get(e.name.as_str()).copied();
        entries.sort_by_key(|(_, e)| (position(e).unwrap_or(usize::MAX), e.rank));
        return;
    }
    match policy.order() {
        Order::Declared => entries.sort_by_key(|(_, e)| e.rank),
        Order::Priority => entries.sort_by_key(|(_, e)| (e.priority, e.rank)),
        Order::Name => entries.sort_by(|(_, a), (_, b)| (&a.name, a.rank).cmp(&(&b.name, b.rank))),
    }
}

fn check_aliases(entries: &mut [Arc<EntryPoint>], by_name: &Names) -> Vec<Diagnostic> {
    let wrong: Vec<(usize, Diagnostic)> = (0..entries.len())
        .filter(|i| entries[*i].alias.is_some() && entries[*i].fault.is_none())
        .filter_map(|i| Some((i, alias_fault(entries, by_name, i)?)))
        .collect();
    let mut found = Vec::with_capacity(wrong.len());
    for (i, d) in wrong {
        found.push(d.clone());
        Arc::make_mut(&mut entries[i]).fault = Some(Arc::new(d));
    }
    found
}

fn alias_fault(entries: &[Arc<EntryPoint>], by_name: &Names, start: usize) -> Option<Diagnostic> {
    let first = &entries[start];
    let mut path = vec![first.name.as_str()];
    let mut target = first.alias.as_deref()?;
    loop {
        if !by_name.contains(target) {
            return Some(unknown_alias(first, target, by_name));
        }
        if path.contains(&target) {
            path.push(target);
            let circle: Vec<String> = path.iter().map(|n| format!("`{}`", escape(n))).collect();
            let what = format!("alias cycle {}", circle.join(" -> "));
            let d = Diagnostic::error(codes::MAP_ALIAS_CYCLE, first.origin.clone(), what);
            return Some(d.with_help("let one of them name a library"));
        }
        path.push(target);
        let mut named = by_name.get(target).iter();
        target = named.find_map(|i| entries[*i].alias.as_deref())?;
    }
}

fn unknown_alias(entry: &EntryPoint, target: &str, by_name: &Names) -> Diagnostic {
    let mut names: Vec<&str> = by_name.iter().filter(|n| *n != entry.name).collect();
    names.sort_unstable();
    let what = format!(
        "`{}` is an alias of `{}`, which is not in the map",
        escape(&entry.full_name()),
        escape(target)
    );
    Diagnostic::error(codes::MAP_UNKNOWN_ALIAS, entry.origin.clone(), what).with_advice(
        target,
        &names,
        "see `longshore plugin list`",
    )
}

/// Reports names that are in no file. A `default` or `only` that names nothing cannot be obeyed;
/// switching off what is not there is obeyed already, so that is a warning.
fn check_policy(name: &str, policy: &Policy, by_name: &Names, found: &mut Vec<Diagnostic>) {
    let list = |list: &'_ Option<Placed<Vec<Placed<String>>>>| -> Vec<Placed<String>> {
        list.as_ref().map(|p| p.value.clone()).unwrap_or_default()
    };
    let default = policy.default.iter().map(|p| ("default", p.clone()));
    let only = list(&policy.only).into_iter().map(|p| ("only", p));
    let disabled = list(&policy.disabled).into_iter().map(|p| ("disabled", p));
    for (key, item) in default.chain(only).chain(disabled) {
        if by_name.contains(&item.value) {
            continue;
        }
        let mut names: Vec<&str> = by_name.iter().collect();
        names.sort_unstable();
        let value = escape(&item.value);
        let what = format!(
            "`{key}` names `{value}`, which is not in `{}`",
            escape(name)
        );
        let pointer = "see `longshore plugin list`";
        let mut d = Diagnostic::error(codes::MAP_UNKNOWN_DEFAULT, item.place, what).with_advice(
            &item.value,
            &names,
            pointer,
        );
        if key == "disabled" {
            d.severity = Severity::Warning;
        }
        found.push(d);
    }
}
