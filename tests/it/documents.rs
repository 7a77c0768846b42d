//! What the documents say of the program and of the tests: every key is in the operator's guide with its
//! default, and every test that `SPECIFICATION.md` names exists.
//!
//! Whether the sentences are true is for the reader; this only keeps names from going stale.

use std::fs;

use longshore_tests::files::workspace;
use longshore_tests::host::TestHost;
use serde_json::Value as Json;

fn read(document: &str) -> String {
    fs::read_to_string(workspace().join(document)).unwrap()
}

/// The texts in backticks.
fn literals(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

#[test]
fn the_operators_guide_has_every_key_and_no_other() {
    let guide = read("docs/operator.md");
    let rows: Vec<Vec<&str>> = guide
        .lines()
        .filter_map(|l| Some(l.strip_prefix("| ")?.split(" | ").collect()))
        .collect();
    let host = TestHost::new("[api]\nlisten = \"127.0.0.1:8774\"\n", "").vetting();
    let sections = host.json(&["config", "show"]);
    let mut keys = Vec::new();
    for (section, members) in sections.as_object().unwrap() {
        for (name, value) in members.as_object().unwrap() {
            let key = format!("{section}.{name}");
            let row = rows.iter().find(|r| literals(r[0]).any(|k| k == key));
            let row = row.unwrap_or_else(|| panic!("`{key}` is not in docs/operator.md"));
            let at = literals(row[0]).position(|k| k == key).unwrap();
            if let Some(shown) = plain(value).filter(|_| !depends_on_the_machine(&key)) {
                assert_eq!(literals(row[2]).nth(at), Some(&*shown), "{key}");
            }
            keys.push(key);
        }
    }
    let documented = rows.iter().filter(|r| r.len() == 4);
    for key in documented.flat_map(|r| literals(r[0])) {
        assert!(keys.iter().any(|k| k == key), "there is no key `{key}`");
    }
}

/// A value that stands in the table as it is.
fn plain(value: &Json) -> Option<String> {
    match value {
        Json::String(text) => Some(text.clone()),
        Json::Number(_) | Json::Bool(_) => Some(value.to_string()),
        Json::Null | Json::Array(_) | Json::Object(_) => None,
    }
}

fn depends_on_the_machine(key: &str) -> bool {
    matches!(
        key,
        "host.name" | "host.state_dir" | "host.plugins" | "database.url"
    )
}

#[test]
fn every_proof_in_the_specification_exists() {
    let specification = read("SPECIFICATION.md");
    let mut found = 0;
    for literal in literals(&specification) {
        let (file, test) = literal.split_once("::").unwrap_or((literal, ""));
        if !file.ends_with(".rs") {
            continue;
        }
        let path = workspace().join(file);
        assert!(path.is_file(), "{literal}: no such file");
        let text = fs::read_to_string(path).unwrap();
        assert!(
            test.is_empty() || text.contains(&format!("fn {test}(")),
            "{literal}: no such test"
        );
        found += 1;
    }
    assert!(found > 50, "only {found} proofs were found");
}
