//! The map seen from outside, one file per topic. Messages are compared whole.
//!
//! | code | where it is produced |
//! |---|---|
//! | `map/not-found`, `map/unreadable` | `files` |
//! | `map/encoding`, `map/too-large` | `bad_bytes`, `environment` |
//! | `map/syntax` | `bad_syntax` |
//! | `map/duplicate` | `duplicates` |
//! | `map/unsupported-format`, `map/unknown-key`, `map/base-only-key` | `keys` |
//! | `map/unquoted-namespace` | `unquoted` |
//! | `map/wrong-type` | `wrong_types`, `wrong_values`, `wrong_policies` |
//! | `map/bad-entry`, `map/nothing-to-patch`, `map/overrides-nothing` | `entries` |
//! | `map/unknown-alias`, `map/alias-cycle` | `entries` |
//! | `map/bad-name` | `bad_names` |
//! | `map/unknown-default`, `map/overwritten-policy` | `policies` |
//! | `map/environment-refused`, `map/bad-environment` | `environment` |
//! | `plugin/not-found` | `files` |

mod bad_bytes;
mod bad_names;
mod bad_syntax;
mod document;
mod duplicates;
mod entries;
mod environment;
mod files;
mod keys;
mod merging;
mod order;
mod policies;
mod properties;
mod reload;
mod sample;
mod to_toml;
mod unquoted;
mod wrong_policies;
mod wrong_types;
mod wrong_values;

use super::*;
use crate::diagnostic::{Style, render};

const NAMES: [&str; 4] = ["plugins.toml", "10-a.toml", "20-b.toml", "30-c.toml"];

fn read_files(files: &[&str]) -> Result<PluginMap, MapError> {
    let files: Vec<(&str, &str)> = NAMES.iter().copied().zip(files.iter().copied()).collect();
    PluginMap::parse_files(&files, &Environment::default())
}

fn merged(files: &[&str]) -> PluginMap {
    read_files(files).expect("the files are good")
}

fn one<'m>(map: &'m PluginMap, namespace: &str, name: &str) -> &'m EntryPoint {
    match map.lookup(namespace, name) {
        Lookup::One(entry) => entry,
        other => panic!("{namespace}/{name}: {other:?}"),
    }
}

fn names(map: &PluginMap, namespace: &str) -> Vec<String> {
    map.enabled(namespace).map(|e| e.target()).collect()
}

/// There is no map, and this is why.
fn refuses(text: &str, message: &str) {
    refuses_files(&[text], message);
}

fn refuses_files(files: &[&str], message: &str) {
    let error = read_files(files).expect_err("the files are wrong");
    assert_eq!(error.to_string(), message);
}

/// There is a map, and this is what is wrong with it.
fn reports(text: &str, message: &str) {
    reports_files(&[text], message);
}

fn reports_files(files: &[&str], message: &str) {
    let map = merged(files);
    assert_eq!(render(map.diagnostics(), Style::default()), message);
    if files[0].contains("\nok = ") {
        let namespace = map.namespaces().next().unwrap_or_default();
        assert!(one(&map, namespace, "ok").fault.is_none(), "the rest works");
    }
}

/// A value of the wrong type: the place, the marked text, what is said, the words beside the mark,
/// what to do.
fn wrong(text: &str, at: &str, marked: &str, what: &str, label: &str, help: &str) {
    let mut mark = "^".repeat(marked.len());
    if !label.is_empty() {
        mark = format!("{mark} {label}");
    }
    let facts = format!("   = do: {help}\n");
    refuses(
        text,
        &whole("map/wrong-type", text, at, what, &mark, &facts),
    );
    assert_eq!(marked_text(text), marked);
}

/// As `wrong`, with a reason in place of the label.
fn wrong_because(text: &str, at: &str, marked: &str, what: &str, why: &str, help: &str) {
    let mark = "^".repeat(marked.len());
    let facts = format!("   = why: {why}\n   = do: {help}\n");
    refuses(
        text,
        &whole("map/wrong-type", text, at, what, &mark, &facts),
    );
    assert_eq!(marked_text(text), marked);
}

/// An entry whose name or target cannot be; `wrong_name` is the same for a namespace.
fn wrong_entry(text: &str, at: &str, marked: &str, what: &str, why: &str, help: &str) {
    let mark = "^".repeat(marked.len());
    let facts = format!("   = why: {why}\n   = do: {help}\n");
    reports(text, &whole("map/bad-name", text, at, what, &mark, &facts));
}

fn wrong_name(text: &str, at: &str, marked: &str, what: &str, why: &str, help: &str) {
    let mark = "^".repeat(marked.len());
    let facts = format!("   = why: {why}\n   = do: {help}\n");
    refuses(text, &whole("map/bad-name", text, at, what, &mark, &facts));
}

/// The whole message about a place in the first ten lines of `plugins.toml`.
fn whole(code: &str, text: &str, at: &str, what: &str, mark: &str, facts: &str) -> String {
    let (line, column) = at.split_once(':').expect("a line and a column");
    let number: usize = line.parse().expect("a line");
    let column: usize = column.parse().expect("a column");
    let shown = text.lines().nth(number - 1).unwrap_or_default();
    let lead = " ".repeat(column - 1);
    format!(
        "error[{code}]: {what}\n  --> plugins.toml:{at}\n   |\n {line} | {shown}\n   | {lead}{mark}\n   |\n{facts}"
    )
}

/// The text under the span of the first error.
fn marked_text(text: &str) -> String {
    let error = read_files(&[text]).expect_err("the text is wrong");
    match &error.diagnostics[0].place {
        crate::diagnostic::Place::Text { source, span } => source.slice(span).to_owned(),
        other => other.to_string(),
    }
}
