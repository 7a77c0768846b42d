//! The configuration as its users see it: values, origins and whole messages.

mod messages;
mod values;

use std::path::Path;

use longshore_loader::diagnostic::{Style, render};
use tempfile::TempDir;

use super::{CONFIG_FILE, Loaded, Surroundings, load};

/// A directory with this `longshore.toml`.
fn directory(text: &str) -> (TempDir, Surroundings) {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join(CONFIG_FILE), text).unwrap();
    let around = bare(dir.path());
    (dir, around)
}

/// Nothing but a directory.
fn bare(dir: &Path) -> Surroundings {
    Surroundings {
        working_dir: dir.to_owned(),
        system_dir: dir.join("etc"),
        machine: "quay".to_owned(),
        ..Surroundings::default()
    }
}

fn with_variable(name: &str, value: &str) -> Loaded {
    let (_dir, mut around) = directory("");
    around.variables = vec![(name.to_owned(), value.to_owned())];
    load(&around)
}

fn load_text(text: &str) -> Loaded {
    let (_dir, around) = directory(text);
    load(&around)
}

/// Everything that is said about a text, as it is shown.
fn messages(text: &str) -> String {
    render(&load_text(text).diagnostics, Style::default())
}

fn codes_of(loaded: &Loaded) -> Vec<&'static str> {
    loaded.diagnostics.iter().map(|d| d.code).collect()
}

#[track_caller]
fn says(text: &str, expected: &str) {
    assert_eq!(messages(text), expected.trim_start_matches('\n'));
}
