//! The plugins of earlier releases in `tests/old`: what they are, and that they load and answer as on their first day.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use longshore_loader::inspect::{inspect, sha256};
use longshore_plugin_api::API_VERSION;
use longshore_tests::files::workspace;
use longshore_tests::probe;

fn kept() -> PathBuf {
    workspace().join("tests/old")
}

/// File and digest of each row of the table.
fn listed() -> BTreeMap<String, String> {
    let readme = fs::read_to_string(kept().join("README.md")).unwrap();
    let rows = readme.lines().filter(|l| l.starts_with("| `api-"));
    let cell = |row: &str, n: usize| {
        let cell = row.split('|').nth(n).unwrap();
        cell.trim().trim_matches('`').to_owned()
    };
    rows.map(|row| (cell(row, 1), cell(row, 4))).collect()
}

fn files() -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(kept())
        .unwrap()
        .map(|e| e.unwrap().path())
        .filter(|p| p.extension().is_some_and(|x| x == "so"))
        .collect();
    files.sort();
    files
}

fn name(file: &Path) -> String {
    file.file_name().unwrap().to_string_lossy().into_owned()
}

#[test]
fn every_kept_plugin_is_the_one_that_was_built() {
    const BYTES_MAX: u64 = 1 << 20;
    let listed = listed();
    let names: Vec<String> = files().iter().map(|f| name(f)).collect();
    assert_eq!(names, listed.keys().cloned().collect::<Vec<_>>());
    for file in files() {
        let name = name(&file);
        assert_eq!(sha256(&file).unwrap(), listed[&name], "{name} was changed");
        assert!(fs::metadata(&file).unwrap().len() <= BYTES_MAX, "{name}");
        let metadata = inspect(&file).unwrap().metadata;
        let stated = format!("api-{}_", metadata.api);
        assert!(name.starts_with(&stated), "{name} states {stated}");
    }
}

/// A release without its own files would be one whose plugins nobody tries again.
#[test]
fn this_release_has_its_plugins_kept() {
    for profile in ["release", "debug"] {
        let oldest = format!("api-{API_VERSION}_rustc-1.63_{profile}.so");
        assert!(
            kept().join(&oldest).is_file(),
            "no {oldest}; run `cargo xtask old-plugins`"
        );
        let newer = files().iter().any(|file| {
            let name = name(file);
            name.starts_with(&format!("api-{API_VERSION}_"))
                && name.ends_with(&format!("_{profile}.so"))
                && name != oldest
        });
        assert!(newer, "only the oldest compiler built for {API_VERSION}");
    }
}

#[test]
fn every_kept_plugin_loads_and_each_of_its_methods_answers() {
    assert!(files().len() >= 4);
    for file in files() {
        let dir = tempfile::tempdir().unwrap();
        if let Err(why) = probe::exercise(&file, dir.path()) {
            panic!("{}: {why}", name(&file));
        }
    }
}
