//! The names of drivers in the configuration against the plugin map, and the settings of the map
//! against what the plugins say of themselves.
//!
//! Runs no code of a plugin. A name that only stands in the built-in defaults is a warning: the
//! map of a host that never needs it may lack it. Called by `config check` and by the start.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use longshore_loader::codes;
use longshore_loader::diagnostic::{Diagnostic, Place, Severity, escape, quoted_list};
use longshore_loader::inspect::{Inspection, Refusal, inspect_with};
use longshore_loader::map::{EntryPoint, Lookup, PluginMap};
use longshore_loader::settings_check;

use super::diagnose;
use super::raw::{RawConfig, Setting};

/// A driver that the configuration names.
#[derive(Debug, Clone, PartialEq)]
pub struct Wanted {
    /// The key that names it, `section.name`.
    pub key: String,
    /// The namespace it is looked up in.
    pub namespace: &'static str,
    /// Its name.
    pub name: String,
    /// Where it is named.
    pub place: Place,
}

/// All drivers that the configuration names, in the order of the keys.
pub fn wanted(raw: &RawConfig) -> Vec<Wanted> {
    let mut out = Vec::new();
    for (key, value) in raw.iter() {
        let Some(namespace) = key.namespace else {
            continue;
        };
        let mut want = |name: &str, place: &Place| {
            out.push(Wanted {
                key: key.path(),
                namespace,
                name: name.to_owned(),
                place: place.clone(),
            });
        };
        match &value.setting {
            Setting::Text(name) => want(name, &value.place),
            Setting::Names(names) => names.iter().for_each(|n| want(&n.value, &n.place)),
            Setting::Weights(weights) => {
                weights
                    .iter()
                    .for_each(|w| want(&w.name.value, &w.name.place));
            }
            Setting::Absent | Setting::Integer(_) | Setting::Float(_) | Setting::Boolean(_) => {}
        }
    }
    out
}

/// Reports names that mean no entry point.
pub fn check_names(raw: &RawConfig, map: &PluginMap) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for want in wanted(raw) {
        let Some(mut d) = name_fault(map, &want) else {
            continue;
        };
        if want.place == Place::Program {
            d.severity = Severity::Warning;
            d = d.with_note(format!("it is a built-in default of `{}`", want.key));
        }
        found.push(d);
    }
    found
}

/// Why a name means no entry point that can be used.
pub fn name_fault(map: &PluginMap, want: &Wanted) -> Option<Diagnostic> {
    let (name, namespace) = (escape(&want.name), want.namespace);
    let error = |code, what: String| Diagnostic::error(code, want.place.clone(), what);
    match map.lookup(namespace, &want.name) {
        Lookup::One(entry) => entry.fault.as_deref().cloned(),
        Lookup::Several(entries) => {
            let what = format!("`{name}` of `{namespace}` is given by several entries");
            let places: Vec<String> = entries.iter().map(|e| e.origin.to_string()).collect();
            let mut d = error(codes::PLUGIN_CONFLICT, what);
            // A built-in default has no place to show; the entry that came later has.
            if let (Place::Program, Some(last)) = (&want.place, entries.last()) {
                d.place = last.origin.clone();
            }
            let d = d.with_why(format!("it stands at {}", places.join(" and ")));
            Some(d.with_help("remove one of them, or set `conflicts` for the namespace"))
        }
        Lookup::Disabled(entry) => {
            let what = format!("`{name}` of `{namespace}` is switched off");
            let d = error(codes::PLUGIN_DISABLED, what);
            let d = match &entry.disabled {
                Some(disabled) => d.with_why(disabled.to_string()),
                None => d,
            };
            Some(d.with_help("switch it on, or name another driver"))
        }
        Lookup::Unknown { available, .. } => Some(unknown(map, want, &available)),
    }
}

fn unknown(map: &PluginMap, want: &Wanted, available: &[&str]) -> Diagnostic {
    let (name, namespace) = (escape(&want.name), want.namespace);
    let elsewhere: Vec<&str> = map.namespaces_with(&want.name).collect();
    let what = format!("no entry point `{name}` in `{namespace}`");
    let code = codes::PLUGIN_NO_SUCH_DRIVER;
    let d = Diagnostic::error(code, want.place.clone(), what).with_label("not in the map");
    let pointer = format!("see `longshore plugin list --namespace {namespace}`");
    let d = if elsewhere.is_empty() {
        d
    } else {
        d.with_why(format!("`{name}` is in {}", quoted_list(&elsewhere)))
    };
    if available.is_empty() {
        let help = format!("add it to `plugins.toml` below `[\"{namespace}\"]`");
        return d.with_help(help);
    }
    d.with_advice(&want.name, available, &pointer)
}

/// Warns of names that several entries give and nobody said to be meant, which is legal until one of them is wanted:
/// those in use are left to `check_names`.
pub fn check_conflicts(raw: &RawConfig, map: &PluginMap) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let used = wanted(raw);
    let is_used = |e: &EntryPoint| {
        let is = |w: &Wanted| w.namespace == &*e.namespace && w.name == e.name;
        used.iter().any(is)
    };
    for group in map.conflicts() {
        for pair in group.windows(2) {
            let [other, entry] = pair else { continue };
            if is_used(entry) {
                continue;
            }
            let (name, namespace) = (escape(&entry.name), escape(&entry.namespace));
            let what = format!(
                "`{}` and `{}` both give `{name}` of `{namespace}`",
                other.origin, entry.origin
            );
            let help = "nothing until it is used; then remove one, say `append = true`, \
                        or set `conflicts`";
            found.push(diagnose::odd(entry.origin.clone(), what, help));
        }
    }
    found
}

/// Warns of drop-in directories that the map names and that give nothing. The default one is
/// passed over: a map may name it for those who come later.
pub fn check_includes(map: &PluginMap) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for include in map.includes().iter().filter(|i| i.files == 0) {
        let Some(place) = &include.place else {
            continue;
        };
        let dir = escape(&include.dir.display().to_string());
        if include.holds_base {
            let what = format!("`{dir}` is the directory of the map itself, and has no other");
            let help = "name a directory of drop-ins, or remove it";
            found.push(diagnose::odd(place.clone(), what, help));
        } else if !include.dir.ends_with("plugins.d") {
            let what = format!("`{dir}` holds no `*.toml`");
            let help = "correct the name, or leave it for files to come";
            found.push(diagnose::odd(place.clone(), what, help));
        }
    }
    found
}

/// Checks settings against the schemas that plugins carry: errors for drivers in use, warnings
/// for the others. Files that are absent or refused are passed over; the start reports them.
pub fn check_settings(raw: &RawConfig, map: &PluginMap) -> Vec<Diagnostic> {
    let used: Vec<Wanted> = wanted(raw);
    let mut files: HashMap<PathBuf, Result<Inspection, Refusal>> = HashMap::new();
    let mut found = Vec::new();
    let usable = |e: &&Arc<EntryPoint>| e.is_enabled() && e.alias.is_none() && e.fault.is_none();
    for entry in map.all_entries().filter(usable) {
        let Ok(path) = map.resolve_library(entry) else {
            continue;
        };
        let inspection = files
            .entry(path.clone())
            .or_insert_with(|| inspect_with(&path, true));
        let Ok(inspection) = inspection else { continue };
        let export = entry.export.as_deref();
        let Ok(driver) = inspection.choose(&entry.namespace, &entry.name, export) else {
            continue;
        };
        let in_use = used
            .iter()
            .any(|w| w.namespace == &*entry.namespace && w.name == entry.name);
        for mut d in settings_check::check(entry, &entry.name, &driver.settings) {
            if !in_use {
                d.severity = Severity::Warning;
            }
            found.push(d);
        }
    }
    found
}
