//! `ERRORS.md` is what the program says of its codes, and nothing else. `LONGSHORE_UPDATE=1` writes it anew.
//!
//! Asks the built program, not its tables. Which codes nothing raises yet is found in the sources, so that the
//! page does not promise what is to come.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use longshore_tests::files::workspace;
use longshore_tests::host::TestHost;
use serde_json::Value as Json;

const HEAD: &str = "# Error codes\n\n\
    Written by `tests/it/errors.rs` from `longshore explain`; do not edit. To write it anew:\n\
    `LONGSHORE_UPDATE=1 cargo test -p longshore-tests --test it errors::`\n\n\
    A code is `area/slug` and never changes its meaning; texts may improve. `longshore explain CODE` prints one of\n\
    them. With `--json` an error is `{\"error\":{\"code\",\"message\",\"why\",\"do\"}}` on stderr.\n\n\
    A code marked *reserved* has its meaning, and nothing in this release reports it.\n";

#[test]
fn the_page_of_errors_is_what_the_program_says() {
    let host = TestHost::new("", "");
    let sources = sources();
    let list = host.json(&["explain", "--list"]);
    let mut page = HEAD.to_owned();
    let mut area = "";
    for row in list.as_array().unwrap() {
        let code = row["code"].as_str().unwrap();
        let said = host.json(&["explain", code]);
        assert_eq!(&said, row, "the list and the single answer agree");
        let (own, _) = code.split_once('/').unwrap();
        if own != area {
            let _ = write!(page, "\n## {own}\n");
            area = own;
        }
        section(&mut page, &said, is_raised(code, &sources));
    }
    let path = workspace().join("ERRORS.md");
    if std::env::var_os("LONGSHORE_UPDATE").is_some_and(|v| v == "1") {
        fs::write(&path, &page).unwrap();
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    let differs = page
        .lines()
        .zip(found.lines())
        .position(|(said, there)| said != there);
    let line = differs.unwrap_or_else(|| page.lines().count().min(found.lines().count())) + 1;
    assert!(
        page == found,
        "ERRORS.md differs from line {line} on; write it with `LONGSHORE_UPDATE=1`"
    );
}

fn section(page: &mut String, said: &Json, raised: bool) {
    let text = |key: &str| said[key].as_str().unwrap();
    let reserved = if raised { "" } else { " *(reserved)*" };
    let (code, title) = (text("code"), text("title"));
    let _ = write!(page, "\n### `{code}`{reserved}\n\n{title}.\n\n");
    let _ = writeln!(page, "- cause: {}\n- cure: {}", text("cause"), text("cure"));
}

/// Every source file of the host, with its text.
fn sources() -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for member in fs::read_dir(workspace().join("host")).unwrap() {
        collect(&member.unwrap().path().join("src"), &mut found);
    }
    found
}

fn collect(dir: &Path, found: &mut Vec<(PathBuf, String)>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, found);
        } else {
            found.push((path.clone(), fs::read_to_string(path).unwrap()));
        }
    }
}

/// Whether a constant with this code is used anywhere but where it is defined and described.
fn is_raised(code: &str, sources: &[(PathBuf, String)]) -> bool {
    let literal = format!("= \"{code}\"");
    let tables = sources
        .iter()
        .filter(|(path, _)| path.ends_with("codes.rs"));
    let mut names = tables.flat_map(|(path, text)| {
        let lines = text.lines().filter(|line| line.contains(&literal));
        lines.filter_map(move |line| Some((path, constant(line)?)))
    });
    names.any(|(table, name)| {
        sources.iter().any(|(path, text)| {
            let here = path == table;
            text.lines()
                .any(|line| mentions(line, name) && !(here && describes(line, name)))
        })
    })
}

/// `pub const NAME: &str = "…"` or `NAME = "…", …`.
fn constant(line: &str) -> Option<&str> {
    let left = line.split(" = ").next()?.trim_end_matches(": &str");
    left.split_whitespace().last()
}

fn describes(line: &str, name: &str) -> bool {
    line.contains(&format!("code: {name},")) || constant(line) == Some(name)
}

/// The name as a path of the module `codes`, or as a value inside of it.
fn mentions(line: &str, name: &str) -> bool {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    line.match_indices(name).any(|(at, _)| {
        let (before, after) = (&line[..at], &line[at + name.len()..]);
        let whole = !before.ends_with(word) && !after.starts_with(word);
        whole && (before.ends_with("codes::") || before.ends_with(": ") || before.ends_with("=> "))
    })
}
