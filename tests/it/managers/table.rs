//! `docs/stevedore.md` is whole and true: every upstream test and every deviation has its row, and every test that a row
//! names exists.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use longshore_tests::files::workspace;

/// Tests of stevedore 5.10.0 by file.
const UPSTREAM: &[(&str, usize)] = &[
    ("test_cache", 7),
    ("test_callback", 2),
    ("test_dispatch", 5),
    ("test_driver", 9),
    ("test_enabled", 2),
    ("test_example_fields", 2),
    ("test_example_simple", 1),
    ("test_extension", 25),
    ("test_hook", 3),
    ("test_named", 4),
    ("test_sphinxext", 5),
    ("test_test_manager", 32),
];

/// Deviations, those with several parts by part.
const DEVIATIONS: &[&str] = &[
    "D1", "D2", "D3a", "D3b", "D3c", "D3d", "D4", "D5", "D6", "D7", "D8", "D9", "D10", "D11",
    "D12", "D13", "D14", "D15", "D16", "D17", "D18", "D19", "D20", "D21", "D22", "D23", "D24",
    "D25",
];

fn rows(page: &str) -> Vec<Vec<String>> {
    let cells = |line: &str| {
        let line = line.trim().trim_matches('|');
        line.split('|').map(|c| c.trim().to_owned()).collect()
    };
    let rows = page.lines().filter(|l| l.starts_with("| "));
    rows.map(cells).collect()
}

/// The names of all tests of the workspace.
fn tests() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for dir in ["host", "tests", "plugin-api", "plugins"] {
        collect(&workspace().join(dir), &mut found);
    }
    found
}

fn collect(dir: &Path, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && path.file_name().is_some_and(|n| n != "target") {
            collect(&path, found);
        } else if path.extension().is_some_and(|x| x == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            let mut lines = text.lines().map(str::trim).peekable();
            while let Some(line) = lines.next() {
                if line != "#[test]" {
                    continue;
                }
                let name = lines
                    .find_map(|l| l.strip_prefix("fn "))
                    .unwrap_or_default();
                found.insert(name.split('(').next().unwrap_or_default().to_owned());
            }
        }
    }
}

fn literal(cell: &str) -> Option<&str> {
    cell.strip_prefix('`')?.strip_suffix('`')
}

#[test]
fn every_upstream_test_has_its_row_and_its_test() {
    let page = fs::read_to_string(workspace().join("docs/stevedore.md")).unwrap();
    let tests = tests();
    let (mut upstream, mut not_applicable) = (BTreeSet::new(), 0);
    for row in rows(&page).iter().filter(|r| r[0].starts_with("`test_")) {
        let name = literal(&row[0]).unwrap();
        assert!(upstream.insert(name.to_owned()), "{name} is listed twice");
        match literal(&row[1]) {
            Some(test) => assert!(tests.contains(test), "{name}: no test `{test}`"),
            None => {
                not_applicable += 1;
                assert!(row[2].len() > 20, "{name} needs its reason");
            }
        }
    }
    for (file, count) in UPSTREAM {
        let prefix = format!("{file}::");
        let listed = upstream.iter().filter(|n| n.starts_with(&prefix)).count();
        assert_eq!(listed, *count, "tests of {file}");
    }
    assert_eq!((upstream.len(), not_applicable), (97, 2));
}

#[test]
fn every_deviation_has_its_row_and_its_test() {
    let page = fs::read_to_string(workspace().join("docs/stevedore.md")).unwrap();
    let (tests, rows) = (tests(), rows(&page));
    for deviation in DEVIATIONS {
        let row = rows.iter().find(|r| r[0] == *deviation);
        let row = row.unwrap_or_else(|| panic!("{deviation} is not listed"));
        let test = literal(&row[3]).unwrap();
        assert!(tests.contains(test), "{deviation}: no test `{test}`");
    }
}
