//! `docs/bad-plugins.md` is whole and true: 104 cases, each shown by tests that exist or with the reason why not. And what
//! only a compiler can make.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;
use std::process::Command;

use longshore_loader::{Loader, PluginMap};
use longshore_plugin_api::Filter;
use longshore_tests::files::{self, workspace};

/// How many cases there are.
const CASES: usize = 104;

/// The cells of every case, without the outer bars.
fn rows() -> Vec<Vec<String>> {
    let page = fs::read_to_string(workspace().join("docs/bad-plugins.md")).unwrap();
    let rows = page.lines().filter(|l| l.starts_with("| "));
    let cells = |line: &str| {
        let line = line.strip_prefix("| ").unwrap().strip_suffix(" |").unwrap();
        line.split(" | ").map(|c| c.trim().to_owned()).collect()
    };
    let rows = rows.map(cells);
    rows.filter(|r: &Vec<String>| r[0].parse::<usize>().is_ok())
        .collect()
}

/// The texts in backticks.
fn literals(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

#[test]
fn every_case_has_its_row() {
    let numbers: Vec<usize> = rows().iter().map(|r| r[0].parse().unwrap()).collect();
    assert_eq!(numbers, (1..=CASES).collect::<Vec<_>>());
    for row in rows() {
        assert_eq!(row.len(), 5, "{row:?}");
        assert!(!row[1].is_empty() && !row[2].is_empty(), "{row:?}");
    }
}

#[test]
fn every_case_is_shown_by_tests_that_exist_or_says_why_not() {
    for row in rows() {
        let shown = &row[4];
        let gap = ["not yet: ", "not tested: "]
            .iter()
            .find_map(|g| shown.strip_prefix(g));
        let tests = literals(shown).filter(|l| l.contains(".rs::"));
        let tests: Vec<&str> = tests.collect();
        match gap {
            Some(reason) => assert!(reason.len() > 10, "{row:?}"),
            None => assert!(!tests.is_empty(), "{row:?}"),
        }
        for test in tests {
            let (file, name) = test.split_once("::").unwrap();
            let text = fs::read_to_string(workspace().join(file));
            let text = text.unwrap_or_else(|_| panic!("{}: no file `{file}`", row[0]));
            assert!(
                text.contains(&format!("fn {name}(")),
                "{}: no test `{test}`",
                row[0]
            );
        }
    }
}

#[test]
fn every_code_of_a_case_that_is_noticed_exists() {
    let known = fs::read_to_string(workspace().join("ERRORS.md")).unwrap();
    for row in rows() {
        let later = row[4].starts_with("not yet: ");
        for code in literals(&row[3]).filter(|_| !later) {
            let title = format!("### `{code}`");
            assert!(known.contains(&title), "{}: no code `{code}`", row[0]);
        }
    }
}

/// Tests may run as root, who may read everything: then the program runs as another user.
fn as_no_special_user(program: &Path) -> Command {
    let is_root = fs::metadata("/proc/self").unwrap().uid() == 0;
    if !is_root {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    let user = ["--reuid", "12345", "--regid", "12345", "--clear-groups"];
    command.args(user).arg(program);
    command
}

#[test]
fn a_file_that_the_service_user_may_not_read_is_named_with_owner_and_mode() {
    let dir = tempfile::tempdir().unwrap();
    let lib = dir.path().join("secret.so");
    fs::copy(files::plugin("debug", "longshore-misbehaving"), &lib).unwrap();
    let mode = |path: &Path, mode| fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    mode(dir.path(), 0o755);
    let inspect = || {
        let mut command = as_no_special_user(&files::program("debug"));
        command
            .args(["plugin", "inspect"])
            .arg(&lib)
            .output()
            .unwrap()
    };
    mode(&lib, 0o644);
    assert_eq!(inspect().status.code(), Some(0));
    mode(&lib, 0o000);
    let refused = inspect();
    let said = String::from_utf8(refused.stderr).unwrap();
    assert_eq!(refused.status.code(), Some(4), "{said}");
    let owner = fs::metadata(&lib).unwrap().uid();
    let why =
        format!("Permission denied (os error 13); the file belongs to user {owner}, mode 0000");
    assert!(said.contains("error[plugin/unreadable]: "), "{said}");
    assert!(said.contains(&why), "{said}");
    assert!(said.contains("chmod a+r"), "{said}");
    // So is a file behind a directory that this user may not enter.
    mode(&lib, 0o644);
    mode(dir.path(), 0o600);
    let refused = inspect();
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(said.contains("error[plugin/unreadable]: "), "{said}");
}

/// Bound at first use it would load, and end the process at some later call.
#[test]
fn a_symbol_that_nobody_defines_is_named_and_nothing_is_opened() {
    let dir = tempfile::tempdir().unwrap();
    let good = files::plugin("debug", "longshore-misbehaving");
    let lib = dir.path().join("libundefined.so");
    let mut bytes = fs::read(good).unwrap();
    // A function that every plugin imports, by a name that nobody has.
    for at in 0..bytes.len() - 8 {
        if bytes[at..].starts_with(b"\0memmove\0") {
            bytes[at + 1..at + 8].copy_from_slice(b"memmuve");
        }
    }
    fs::write(&lib, bytes).unwrap();
    let defined = Command::new("nm").arg("-D").arg(&lib).output().unwrap();
    assert!(String::from_utf8_lossy(&defined.stdout).contains("U memmuve"));
    let text = format!(
        "[\"longshore.scheduler.filter\"]\nfails = \"{}\"\n",
        lib.display()
    );
    let loader = Loader::new(PluginMap::parse(&text, "plugins.toml").unwrap(), dir.path());
    let filters = loader.namespace::<dyn Filter>("longshore.scheduler.filter");
    let failure = filters.driver("fails").map(drop).unwrap_err();
    let line = failure.one_line();
    assert_eq!(failure.code(), "plugin/missing-symbol", "{line}");
    assert!(line.contains("`memmuve` is defined nowhere"), "{line}");
    assert_eq!(loader.open_libraries(), 0);
}
