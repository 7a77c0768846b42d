//! The merged map as one TOML document that reads back to the same meaning.
//!
//! One line per entry, an array where several have one name. Libraries and search directories are
//! absolute, so the document means the same wherever it lies. Prints nothing itself and hides
//! nothing: a caller that shows it to people says what of the settings is shown.

use std::borrow::Cow;
use std::fmt::Write as _;

use serde_json::{Map, Value as Json};

use super::entry::{DisabledBy, EntryPoint, split_target};
use super::meaning::{effective_lib, group, policy_words, sequence};
use super::print::{list, quoted};
use super::snapshot::{Namespace, PluginMap};
use crate::codes;

impl PluginMap {
    /// The merged map as one document, with all settings. It reads back to the same meaning, as
    /// long as it is within the bounds of one file.
    pub fn to_toml(&self) -> String {
        self.to_toml_with(|entry| Cow::Borrowed(&entry.settings))
    }

    /// As `to_toml`, with what `settings` answers in place of the settings.
    pub fn to_toml_with<'m>(
        &'m self,
        settings: impl Fn(&'m EntryPoint) -> Cow<'m, Map<String, Json>>,
    ) -> String {
        let mut out = String::from("[longshore]\n");
        let search = self.absolute_search();
        let search = search.iter().map(|d| quoted(&d.to_string_lossy()));
        let _ = writeln!(out, "search = {}", list(search));
        // The drop-ins are in here already.
        out.push_str("include = []\n");
        for namespace in &self.namespaces {
            policy(&mut out, namespace);
        }
        for namespace in &self.namespaces {
            let _ = writeln!(out, "\n[{}]", quoted(&namespace.name));
            for name in sequence(namespace) {
                let _ = write!(out, "{} = ", key(name));
                values(&mut out, &group(namespace, name), &settings);
                out.push('\n');
            }
        }
        out
    }
}

fn policy(out: &mut String, namespace: &Namespace) {
    let words = policy_words(&namespace.policy);
    if !words.is_empty() {
        let _ = writeln!(out, "\n[longshore.policy.{}]", quoted(&namespace.name));
    }
    for (key, word) in words {
        let _ = writeln!(out, "{key} = {word}");
    }
}

fn values<'m>(
    out: &mut String,
    entries: &[&'m EntryPoint],
    settings: &impl Fn(&'m EntryPoint) -> Cow<'m, Map<String, Json>>,
) {
    if let [only] = entries {
        out.push_str(&value(only, &settings(only)));
        return;
    }
    out.push_str("[\n");
    for entry in entries {
        let _ = writeln!(out, "  {},", value(entry, &settings(entry)));
    }
    out.push(']');
}

/// One entry in the shortest form that says all.
fn value(entry: &EntryPoint, settings: &Map<String, Json>) -> String {
    if entry.lib.is_empty() && entry.alias.is_none() && entry.fault.is_none() {
        return "false".to_owned();
    }
    let pairs = pairs(entry, settings);
    let is_short = pairs.iter().all(|(k, _)| matches!(*k, "lib" | "export"));
    let target = match &entry.export {
        Some(export) => format!("{}:{export}", effective_lib(entry)),
        None => effective_lib(entry),
    };
    let says_it = split_target(&target) == (&*effective_lib(entry), entry.export.as_deref());
    if is_short && says_it && entry.fault.is_none() {
        return quoted(&target);
    }
    let pairs: Vec<String> = pairs.iter().map(|(k, v)| format!("{k} = {v}")).collect();
    format!("{{ {} }}", pairs.join(", "))
}

fn pairs(entry: &EntryPoint, settings: &Map<String, Json>) -> Vec<(&'static str, String)> {
    let code = entry.fault.as_ref().map(|d| d.code);
    let misshapen = code == Some(codes::MAP_BAD_ENTRY);
    let mut out = Vec::new();
    if !entry.lib.is_empty() || code == Some(codes::MAP_BAD_NAME) && entry.alias.is_none() {
        out.push(("lib", quoted(&effective_lib(entry))));
    }
    let texts = [("export", &entry.export), ("alias", &entry.alias)];
    out.extend(
        texts
            .iter()
            .filter_map(|(k, t)| Some((*k, quoted(t.as_ref()?)))),
    );
    // What the policy switches off, the policy switches off again.
    let by_policy = [DisabledBy::Policy, DisabledBy::Only];
    let disabled = entry.disabled.as_ref();
    if disabled.is_some_and(|d| !by_policy.contains(&d.by)) {
        out.push(("enabled", "false".to_owned()));
    }
    let yes = || "true".to_owned();
    if entry.optional || misshapen {
        out.push(("optional", entry.optional.to_string()));
    }
    if entry.allow_panic_abort {
        out.push(("allow_panic_abort", entry.allow_panic_abort.to_string()));
    }
    if entry.priority != 0 || misshapen {
        out.push(("priority", entry.priority.to_string()));
    }
    if code == Some(codes::MAP_NOTHING_TO_PATCH) {
        out.push(("patch", yes()));
    }
    // A library with two of the merging keys is the one wrong shape that the others do not give.
    let contradicts = misshapen && !entry.lib.is_empty() && entry.alias.is_none();
    if contradicts {
        out.push(("override", yes()));
    }
    if entry.append || contradicts {
        out.push(("append", yes()));
    }
    let texts = [
        ("deprecated", &entry.deprecated),
        ("about", &entry.about),
        ("version", &entry.version),
        ("sha256", &entry.sha256),
    ];
    out.extend(
        texts
            .iter()
            .filter_map(|(k, t)| Some((*k, quoted(t.as_ref()?)))),
    );
    if !settings.is_empty() {
        out.push(("settings", object(settings)));
    }
    out
}

fn object(members: &Map<String, Json>) -> String {
    if members.is_empty() {
        return "{}".to_owned();
    }
    let pairs = members.iter();
    let pairs: Vec<String> = pairs
        .map(|(k, v)| format!("{} = {}", key(k), json(v)))
        .collect();
    format!("{{ {} }}", pairs.join(", "))
}

fn json(value: &Json) -> String {
    match value {
        // The reader of settings makes no null; a text is what TOML can hold.
        Json::Null => quoted("null"),
        Json::Bool(b) => b.to_string(),
        Json::Number(number) => match number.as_f64() {
            Some(float) if number.is_f64() => format!("{float:?}"),
            _ => number.to_string(),
        },
        Json::String(text) => quoted(text),
        Json::Array(items) => list(items.iter().map(json)),
        Json::Object(members) => object(members),
    }
}

/// A key, bare if it can be.
fn key(text: &str) -> String {
    let is_bare = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-');
    if !text.is_empty() && text.bytes().all(is_bare) {
        text.to_owned()
    } else {
        quoted(text)
    }
}
