//! The tables of docs/scheduler.md against the code: one row per entry point, its keys, when it runs.
//! Knows the page's columns, and of a filter only what its plugin says of itself.

use std::collections::{BTreeMap, BTreeSet};

use longshore_loader::inspect::inspect;
use longshore_loader::note::EntryMetadata;
use longshore_tests::files::{plugin, workspace};
use serde_json::json;

use super::{Kind, file, theirs, with_drivers};

/// A row of a table: its cells, by the words of the table's head.
type Row = BTreeMap<String, String>;

fn cells(line: &str) -> Vec<String> {
    let line = line.trim().trim_matches('|');
    line.split('|').map(|cell| cell.trim().to_owned()).collect()
}

/// The rows of the table whose first column has this head, by the name in that column.
fn table(page: &str, head: &str) -> BTreeMap<String, Row> {
    let mut lines = page
        .lines()
        .skip_while(|line| !line.starts_with(&format!("| {head} |")));
    let heads = cells(
        lines
            .next()
            .unwrap_or_else(|| panic!("no table of {head}s")),
    );
    let rows = lines.skip(1).take_while(|line| line.starts_with('|'));
    let row = |line| {
        let row: Row = heads.iter().cloned().zip(cells(line)).collect();
        (row[head].trim_matches('`').to_owned(), row)
    };
    rows.map(row).collect()
}

/// Every text in backticks.
fn quoted(cell: &str) -> BTreeSet<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

/// The entry points of a library, as its note has them.
fn entries_of(package: &str) -> Vec<EntryMetadata> {
    inspect(&plugin("debug", package)).unwrap().metadata.entries
}

/// The keys of each entry point's settings.
fn keys_of(package: &str) -> BTreeMap<String, BTreeSet<String>> {
    let entries = entries_of(package).into_iter();
    let keys = |entry: &EntryMetadata| {
        entry
            .settings
            .iter()
            .map(|setting| setting.key.clone())
            .collect()
    };
    entries
        .map(|entry| (entry.name.clone(), keys(&entry)))
        .collect()
}

#[test]
fn the_page_has_every_filter_and_weigher_with_its_keys_and_runs() {
    let page = std::fs::read_to_string(workspace().join("docs/scheduler.md")).unwrap();
    let tables = [Kind::Filter, Kind::Weigher].map(|kind| table(&page, kind.word()));
    let keys = ["longshore-filters", "longshore-weighers"].map(keys_of);
    with_drivers(|drivers, every| {
        let rows = tables.iter().map(BTreeMap::len).sum::<usize>();
        assert_eq!(rows, every.len(), "rows and entry points");
        for (kind, name) in every {
            let row = tables[*kind as usize].get(name);
            let row = row.unwrap_or_else(|| panic!("the page has no {} `{name}`", kind.word()));
            let known = keys[*kind as usize][name]
                .iter()
                .map(String::as_str)
                .collect();
            assert_eq!(quoted(&row["keys"]), known, "keys of `{name}`");
            if *kind == Kind::Filter {
                let runs =
                    json!({"once": row["once"] == "yes", "rebuild": row["rebuild"] == "yes"});
                assert_eq!(runs, drivers.facts(*kind, name), "`{name}`");
            }
            assert!(file::path(*kind, name).is_file(), "cases of `{name}`");
        }
    });
}

#[test]
fn the_page_has_every_scheduler_and_host_manager_with_its_keys() {
    let page = std::fs::read_to_string(workspace().join("docs/scheduler.md")).unwrap();
    let map = std::fs::read_to_string(workspace().join("plugins.toml")).unwrap();
    for (head, packages) in [
        (
            "scheduler",
            &["longshore-scheduler-filter", "longshore-scheduler-chance"][..],
        ),
        ("host manager", &["longshore-host-manager"]),
    ] {
        let rows = table(&page, head);
        let keys: BTreeMap<_, _> = packages
            .iter()
            .flat_map(|package| keys_of(package))
            .collect();
        assert!(rows.keys().eq(keys.keys()), "{head}s: {rows:?}");
        for (name, row) in rows {
            let known: BTreeSet<&str> = keys[&name].iter().map(String::as_str).collect();
            assert_eq!(quoted(&row["keys"]), known, "keys of `{name}`");
            let is_it = |line: &str| line.split('=').next().map(str::trim) == Some(&name);
            assert!(map.lines().any(is_it), "`{name}` in plugins.toml");
        }
    }
}

/// Settings that Nova does not have, and the one that is a table here and a list there.
const NOT_NOVAS: &[&str] = &["level_stat", "weight_setting"];

#[test]
fn settings_have_novas_defaults() {
    let theirs = theirs::answers(&[json!({"facts": true})]).remove(0);
    let entries = ["longshore-filters", "longshore-weighers"].map(entries_of);
    let mut compared = BTreeSet::new();
    for entry in entries.iter().flatten() {
        for setting in &entry.settings {
            let key = setting.key.as_str();
            if !NOT_NOVAS.contains(&key) {
                let ours = json!(setting.default);
                assert_eq!(theirs["defaults"][key], ours, "`{key}` of `{}`", entry.name);
                compared.insert(key);
            }
        }
    }
    let known = theirs["defaults"].as_object().unwrap().keys();
    let known: BTreeSet<&str> = known.map(String::as_str).collect();
    assert!(
        known.difference(&compared).eq(["weight_setting"].iter()),
        "every option is a setting"
    );
}
