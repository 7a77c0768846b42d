//! Files that are no plugins, or not for this host: one line of refusal each, and the host goes on.

use std::fs;
use std::path::{Path, PathBuf};

use longshore_loader::{Loader, PluginMap};
use longshore_plugin_api::Filter;
use longshore_tests::files;

const FILTERS: &str = "longshore.scheduler.filter";

fn refusal(lib: &Path) -> (String, String) {
    let text = format!("[\"{FILTERS}\"]\nram = \"{}\"\n", lib.display());
    let map = PluginMap::parse(&text, "plugins.toml").unwrap();
    let loader = Loader::new(map, lib.parent().unwrap());
    let error = loader
        .namespace::<dyn Filter>(FILTERS)
        .driver("ram")
        .map(drop)
        .unwrap_err();
    let line = error.one_line();
    assert!(!line.contains('\n'), "one line: {line}");
    (error.code().to_owned(), line)
}

fn good() -> Vec<u8> {
    fs::read(files::plugin("debug", "longshore-misbehaving")).unwrap()
}

/// Replaces a text in a plugin's note with one of the same length.
fn patched(from: &str, to: &str) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let mut bytes = good();
    let places: Vec<usize> = bytes
        .windows(from.len())
        .enumerate()
        .filter(|(_, w)| *w == from.as_bytes())
        .map(|(i, _)| i)
        .collect();
    assert!(!places.is_empty(), "no `{from}` in the file");
    for at in places {
        bytes[at..at + to.len()].copy_from_slice(to.as_bytes());
    }
    bytes
}

fn file(dir: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let path = dir.join(name);
    fs::write(&path, bytes).unwrap();
    path
}

#[test]
fn every_bad_file_is_refused_with_its_own_code() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let library = files::target().join("debug/deps");
    let not_a_plugin = fs::read_dir(library)
        .unwrap()
        .filter_map(|e| Some(e.ok()?.path()))
        .find(|p| {
            p.extension().is_some_and(|x| x == "so") && p.to_string_lossy().contains("derive")
        })
        .unwrap();
    let cases = [
        (dir.join("absent.so"), "plugin/not-found"),
        (file(dir, "empty.so", b""), "plugin/not-elf"),
        (
            file(dir, "text.so", b"<html>404</html>\n"),
            "plugin/not-elf",
        ),
        (not_a_plugin, "plugin/no-entry"),
        (file(dir, "head.so", &good()[..1000]), "plugin/truncated"),
        (
            file(dir, "half.so", &good()[..good().len() / 2]),
            "plugin/truncated",
        ),
        (
            file(
                dir,
                "newer.so",
                &patched("\"api\":\"1.0\"", "\"api\":\"1.9\""),
            ),
            "abi/version",
        ),
        (
            file(
                dir,
                "major.so",
                &patched("\"api\":\"1.0\"", "\"api\":\"2.0\""),
            ),
            "abi/version",
        ),
        (
            file(
                dir,
                "abort.so",
                &patched("\"panic\":\"unwind\"", "\"panic\":\"abort\" "),
            ),
            "abi/panic-abort",
        ),
        (file(dir, "other.so", &good()), "plugin/no-such-driver"),
        (dir.to_owned(), "plugin/not-a-file"),
    ];
    for (path, code) in cases {
        let (found, line) = refusal(&path);
        assert_eq!(found, code, "{}: {line}", path.display());
    }
}

#[test]
fn a_plugin_for_another_api_version_is_refused_naming_both() {
    let dir = tempfile::tempdir().unwrap();
    let newer = file(
        dir.path(),
        "newer.so",
        &patched("\"api\":\"1.0\"", "\"api\":\"1.9\""),
    );
    let (_, line) = refusal(&newer);
    assert!(line.contains("1.9") && line.contains("1.0"), "{line}");
    let maps = fs::read_to_string("/proc/self/maps").unwrap();
    assert!(!maps.contains("newer.so"), "refused before it was mapped");
}

#[test]
fn a_note_that_does_not_match_the_root_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    // The note lies about a name; the root in the code does not.
    let bytes = patched("\"name\":\"fails\",\"kind\"", "\"name\":\"ram00\",\"kind\"");
    let lying = file(dir.path(), "lying.so", &bytes);
    let text = format!("[\"{FILTERS}\"]\nram00 = \"{}\"\n", lying.display());
    let loader = Loader::new(PluginMap::parse(&text, "plugins.toml").unwrap(), dir.path());
    let error = loader
        .namespace::<dyn Filter>(FILTERS)
        .driver("ram00")
        .map(drop)
        .unwrap_err();
    assert_eq!(error.code(), "plugin/unstable-metadata", "{error}");
}

#[test]
fn a_pinned_digest_is_held() {
    let dir = tempfile::tempdir().unwrap();
    let lib = file(dir.path(), "pinned.so", &good());
    let digest = longshore_loader::inspect::sha256(&lib).unwrap();
    for (pin, good) in [(digest.clone(), true), ("0".repeat(64), false)] {
        let entry = format!(
            "fails = {{ lib = \"{}\", sha256 = \"{pin}\" }}",
            lib.display()
        );
        let map = PluginMap::parse(&format!("[\"{FILTERS}\"]\n{entry}\n"), "plugins.toml").unwrap();
        let loaded = Loader::new(map, dir.path())
            .namespace::<dyn Filter>(FILTERS)
            .driver("fails");
        assert_eq!(loaded.is_ok(), good);
        if let Err(error) = loaded {
            assert_eq!(error.code(), "plugin/untrusted");
        }
    }
}
