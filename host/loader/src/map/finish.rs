//! The last step of a namespace: policy, order, aliases, and the index for look-ups.
//!
//! Works on one namespace at a time and knows nothing of files or of other namespaces.

use std::collections::HashMap;
use std::sync::Arc;

use super::Namespace;
use super::entry::{Disabled, DisabledBy, EntryPoint};
use super::policy::{Order, Placed, Policy};
use crate::codes;
use crate::diagnostic::{Diagnostic, escape};

/// Finishes a namespace; the diagnostics are those of its entries and of its policy.
pub(super) fn namespace(
    name: Arc<str>,
    mut entries: Vec<EntryPoint>,
    policy: Policy,
) -> (Namespace, Vec<Diagnostic>) {
    let mut found = Vec::new();
    apply_disabled(&mut entries, &policy);
    apply_only(&mut entries, &policy);
    sort(&mut entries, &policy);
    let by_name = index(&entries);
    check_aliases(&mut entries, &by_name, &mut found);
    check_policy(&name, &policy, &by_name, &mut found);
    (
        Namespace {
            name,
            entries: entries.into_iter().map(Arc::new).collect(),
            by_name,
            policy,
        },
        found,
    )
}

fn index(entries: &[EntryPoint]) -> HashMap<String, Vec<usize>> {
    let mut by_name: HashMap<String, Vec<usize>> = HashMap::with_capacity(entries.len());
    for (i, entry) in entries.iter().enumerate() {
        by_name.entry(entry.name.clone()).or_default().push(i);
    }
    by_name
}

fn apply_disabled(entries: &mut [EntryPoint], policy: &Policy) {
    let Some(disabled) = &policy.disabled else {
        return;
    };
    let listed: HashMap<&str, &Placed<String>> = disabled
        .value
        .iter()
        .map(|p| (p.value.as_str(), p))
        .collect();
    for entry in entries {
        if let Some(item) = listed.get(entry.name.as_str()) {
            let place = item.place.clone();
            entry.disabled.get_or_insert(Disabled {
                by: DisabledBy::Policy,
                place,
            });
        }
    }
}

fn apply_only(entries: &mut [EntryPoint], policy: &Policy) {
    let Some(only) = &policy.only else { return };
    for entry in entries {
        if !only.value.iter().any(|p| p.value == entry.name) {
            let place = only.place.clone();
            entry.disabled.get_or_insert(Disabled {
                by: DisabledBy::Only,
                place,
            });
        }
    }
}

fn sort(entries: &mut [EntryPoint], policy: &Policy) {
    if let Some(only) = &policy.only {
        let listed = |e: &EntryPoint| only.value.iter().position(|p| p.value == e.name);
        entries.sort_by_key(|e| (listed(e).unwrap_or(usize::MAX), e.rank));
        return;
    }
    match policy.order() {
        Order::Declared => entries.sort_by_key(|e| e.rank),
        Order::Priority => entries.sort_by_key(|e| (e.priority, e.rank)),
        Order::Name => entries.sort_by(|a, b| (&a.name, a.rank).cmp(&(&b.name, b.rank))),
    }
}

fn check_aliases(
    entries: &mut [EntryPoint],
    by_name: &HashMap<String, Vec<usize>>,
    found: &mut Vec<Diagnostic>,
) {
    let faults: Vec<(usize, Diagnostic)> = (0..entries.len())
        .filter(|i| entries[*i].fault.is_none())
        .filter_map(|i| Some((i, alias_fault(entries, by_name, i)?)))
        .collect();
    for (i, d) in faults {
        found.push(d.clone());
        entries[i].fault = Some(Arc::new(d));
    }
}

fn alias_fault(
    entries: &[EntryPoint],
    by_name: &HashMap<String, Vec<usize>>,
    start: usize,
) -> Option<Diagnostic> {
    let first = &entries[start];
    let mut path = vec![first.name.as_str()];
    let mut target = first.alias.as_deref()?;
    loop {
        let Some(found) = by_name.get(target) else {
            let names: Vec<&str> = by_name.keys().map(String::as_str).collect();
            return Some(unknown_alias(first, target, &names));
        };
        if path.contains(&target) {
            path.push(target);
            let circle: Vec<String> = path.iter().map(|n| format!("`{}`", escape(n))).collect();
            let what = format!("alias cycle {}", circle.join(" -> "));
            let d = Diagnostic::error(codes::MAP_ALIAS_CYCLE, first.origin.clone(), what);
            return Some(d.with_help("let one of them name a library"));
        }
        path.push(target);
        target = found.iter().find_map(|i| entries[*i].alias.as_deref())?;
    }
}

fn unknown_alias(entry: &EntryPoint, target: &str, names: &[&str]) -> Diagnostic {
    let mut names: Vec<&str> = names.iter().copied().filter(|n| *n != entry.name).collect();
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

fn check_policy(
    name: &str,
    policy: &Policy,
    by_name: &HashMap<String, Vec<usize>>,
    found: &mut Vec<Diagnostic>,
) {
    let mut names: Vec<&str> = by_name.keys().map(String::as_str).collect();
    names.sort_unstable();
    let list = |list: &Option<Placed<Vec<Placed<String>>>>| {
        list.as_ref().map(|p| p.value.clone()).unwrap_or_default()
    };
    let default = policy.default.iter().map(|p| ("default", p.clone()));
    let only = list(&policy.only).into_iter().map(|p| ("only", p));
    let disabled = list(&policy.disabled).into_iter().map(|p| ("disabled", p));
    for (key, item) in default.chain(only).chain(disabled) {
        if by_name.contains_key(&item.value) {
            continue;
        }
        let value = escape(&item.value);
        let what = format!(
            "`{key}` names `{value}`, which is not in `{}`",
            escape(name)
        );
        let d = Diagnostic::error(codes::MAP_UNKNOWN_DEFAULT, item.place, what).with_advice(
            &item.value,
            &names,
            "see `longshore plugin list`",
        );
        found.push(d);
    }
}
