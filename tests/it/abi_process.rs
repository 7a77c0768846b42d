//! What must be seen from outside of the process that loads: its stderr, its exit, its memory map, its log. Each test runs
//! `longshore-probe`, a small host, on plugins that are kept in `tests/old` or made from them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use longshore_tests::files::workspace;

/// A plugin of the workspace's own compiler, and one of the oldest.
fn kept() -> [PathBuf; 2] {
    ["1.95", "1.63"]
        .map(|rustc| workspace().join(format!("tests/old/api-1.0_rustc-{rustc}_release.so")))
}

fn host(command: &str, files: &[&Path], backtrace: Option<&str>) -> Output {
    let mut host = Command::new(env!("CARGO_BIN_EXE_longshore-probe"));
    host.arg(command).args(files).env_remove("RUST_BACKTRACE");
    host.envs(backtrace.map(|value| ("RUST_BACKTRACE", value)));
    host.output().unwrap()
}

fn said(out: &Output) -> String {
    String::from_utf8(out.stdout.clone()).unwrap()
}

/// Panics in methods, by an index, with a payload that panics itself, in a constructor, in a drop, in a thread, in
/// filters and in what is lent: the host lives, knows where each was, and nothing was written to stderr.
#[test]
fn panics_of_every_sort_leave_the_host_alive_and_stderr_empty() {
    for file in kept() {
        for backtrace in [None, Some("1"), Some("full")] {
            let out = host("exercise", &[&file], backtrace);
            assert_eq!(said(&out), format!("{}: loads\n", file.display()));
            assert_eq!(String::from_utf8_lossy(&out.stderr), "", "{backtrace:?}");
            assert!(out.status.success(), "{:?}", out.status);
        }
    }
}

/// No lock is held while a plugin runs, so that one may call the host, which calls it again.
#[test]
fn a_plugin_that_calls_the_host_is_called_again_from_there() {
    for file in kept() {
        let text = said(&host("reentrant", &[&file], None));
        for depth in 1..=3 {
            let line = format!("{depth} deep: answered Ok(true), 1 library\n");
            assert!(text.contains(&line), "{text}");
        }
        assert!(text.contains("\nend\n"), "{text}");
        assert!(!text.contains("Err") && !text.contains("failed"), "{text}");
    }
}

/// The level is the host's, also for plugins that are loaded already; a record says which driver wrote it and where. A
/// drop runs once, when the last holder is gone, also after a panic.
#[test]
fn records_follow_the_hosts_level_and_a_drop_runs_once() {
    for file in kept() {
        let out = host("log", &[&file], None);
        let text = said(&out);
        let parts: Vec<&str> = text.split("level ").collect();
        let [_, info, warnings, off] = parts.as_slice() else {
            panic!("{text}");
        };
        let count = |part: &str, word: &str| part.matches(word).count();
        assert!(info.contains("3 plain driver src/probes.rs:"), "{text}");
        assert_eq!(
            (count(info, "starts at 7"), count(info, " dropped")),
            (1, 1),
            "{text}"
        );
        let panic = "thread `unnamed` of `longshore-old-plugin` panicked at src/probes.rs:";
        assert!(info.contains("2  panic src/probes.rs:"), "{text}");
        assert_eq!(
            (count(info, panic), count(warnings, panic)),
            (2, 2),
            "{text}"
        );
        assert_eq!(count(warnings, "3 plain"), 0, "{text}");
        let (off, last) = off.split_once("a drop that panics\n").unwrap();
        assert_eq!(off, "0\n", "{text}");
        assert_eq!(
            (
                count(last, "3 drop_panics driver"),
                count(last, "while being dropped")
            ),
            (1, 1),
            "{text}"
        );
        assert!(last.ends_with("end\n") && out.stderr.is_empty(), "{text}");
    }
}

/// Copies of a plugin that differ in one number, which their own code tells.
fn copies(dir: &Path, count: usize) {
    let bytes = fs::read(&kept()[0]).unwrap();
    let digits = b"00000000, as told by its own code";
    let at = bytes
        .windows(digits.len())
        .position(|w| w == digits)
        .unwrap();
    for n in 0..count {
        let mut copy = bytes.clone();
        copy[at..at + 8].copy_from_slice(format!("{n:08}").as_bytes());
        fs::write(dir.join(format!("{n}.so")), copy).unwrap();
    }
}

/// None answers for another, and none is closed when its drivers are gone.
#[test]
fn two_hundred_plugins_at_once_are_two_hundred_libraries() {
    let dir = tempfile::tempdir().unwrap();
    copies(dir.path(), 200);
    let text = said(&host("many", &[dir.path()], None));
    let wanted = "200 files, 200 drivers, 200 serial numbers, 200 libraries\n\
                  200 libraries when the drivers are gone\n";
    assert!(text.starts_with(wanted), "{text}");
}

/// By its name, a symbolic link, a hard link, and twice.
#[test]
fn one_file_under_several_names_is_one_library() {
    let dir = tempfile::tempdir().unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    copies(elsewhere.path(), 1);
    let file = elsewhere.path().join("0.so");
    fs::hard_link(&file, dir.path().join("hard.so")).unwrap();
    std::os::unix::fs::symlink(&file, dir.path().join("soft.so")).unwrap();
    std::os::unix::fs::symlink("soft.so", dir.path().join("softer.so")).unwrap();
    let text = said(&host("many", &[dir.path()], None));
    let wanted = "3 files, 3 drivers, 1 serial numbers, 1 libraries\n";
    assert!(text.starts_with(wanted), "{text}");
}

/// What the note forbids is found before the file is opened: no code of it is ever mapped.
#[test]
fn a_refused_plugin_is_never_mapped() {
    let dir = tempfile::tempdir().unwrap();
    let bytes = fs::read(&kept()[0]).unwrap();
    for (name, from, to) in [
        ("abort.so", "\"panic\":\"unwind\"", "\"panic\":\"abort\" "),
        ("minor.so", "\"api\":\"1.0\"", "\"api\":\"1.9\""),
        ("major.so", "\"api\":\"1.0\"", "\"api\":\"2.0\""),
    ] {
        let at = bytes
            .windows(from.len())
            .position(|w| w == from.as_bytes())
            .unwrap();
        let mut copy = bytes.clone();
        copy[at..at + to.len()].copy_from_slice(to.as_bytes());
        fs::write(dir.path().join(name), copy).unwrap();
    }
    let text = said(&host("many", &[dir.path()], None));
    let refused: Vec<&str> = text
        .lines()
        .filter(|l| l.starts_with("refused: "))
        .collect();
    let codes = refused.iter().map(|l| l.rsplit_once("code=").unwrap().1);
    assert_eq!(
        codes.collect::<Vec<_>>(),
        ["abi/panic-abort", "abi/version", "abi/version"]
    );
    assert!(
        text.contains("3 files, 0 drivers, 0 serial numbers, 0 libraries\n"),
        "{text}"
    );
}

/// A note whose length leads out of the file, and one that is not there: one line each.
#[test]
fn a_damaged_note_is_a_refusal_in_one_line() {
    let dir = tempfile::tempdir().unwrap();
    let bytes = fs::read(&kept()[0]).unwrap();
    // Length of the name, length of the text, type, name.
    let name = b"\x01\0\0\0longshore\0\0\0";
    let at = bytes.windows(name.len()).position(|w| w == name).unwrap();
    for (file, place, value) in [
        ("long.so", at - 4, [0xff, 0xff, 0xff, 0x7f]),
        ("short.so", at - 4, [4, 0, 0, 0]),
        ("absent.so", at + 4, *b"LONG"),
    ] {
        let mut copy = bytes.clone();
        copy[place..place + 4].copy_from_slice(&value);
        fs::write(dir.path().join(file), copy).unwrap();
    }
    let out = host("many", &[dir.path()], None);
    let text = said(&out);
    assert_eq!(
        text.lines().filter(|l| l.starts_with("refused: ")).count(),
        3,
        "{text}"
    );
    assert!(
        text.contains(" 0 libraries\n") && out.status.success(),
        "{text}"
    );
}

/// Plugins are never closed: neither the host nor the bridge has a call for it.
#[test]
fn nothing_closes_a_library() {
    let dynlib = fs::read_to_string(workspace().join("host/loader/src/dynlib.rs")).unwrap();
    let code: String = dynlib
        .lines()
        .filter(|l| !l.trim_start().starts_with("//"))
        .collect();
    assert!(
        !code.contains("dlclose") && !code.contains(".close("),
        "dynlib.rs closes"
    );
    assert!(
        code.contains("forget("),
        "a library that is dropped is closed"
    );
}
