//! Kinds and contracts of another release, really built: what loads, what is refused, and that nothing of a refused entry
//! has run.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use longshore_loader::{LoadFailure, Loader, PluginMap};
use longshore_plugin_api::__abi::table::DriverKind;
use longshore_plugin_api::{API_VERSION, Weigher};
use longshore_tests::files::workspace;
use longshore_tests::outside::{self, Build};

#[path = "../outside/changed/src/now.rs"]
mod now;

const NAMESPACE: &str = "test.changed";
/// Longest reason of a refusal, in characters.
const WHY_MAX: usize = 200;

fn loader(lib: &Path, dir: &Path) -> Loader {
    let names = [
        "argument",
        "result",
        "record",
        "count",
        "renamed",
        "reordered",
        "removed",
        "lent",
        "older",
        "newer",
    ];
    let line = |name: &&str| format!("{name} = \"{}\"\n", lib.display());
    let text: String = names.iter().map(line).collect();
    let map = PluginMap::parse(&format!("[\"{NAMESPACE}\"]\n{text}"), "plugins.toml");
    Loader::new(map.unwrap(), dir)
}

fn drive<K: ?Sized + DriverKind>(loader: &Loader, name: &str) -> Result<Arc<K>, LoadFailure> {
    let manager = loader.namespace::<K>(NAMESPACE).driver(name)?;
    Ok(manager.driver())
}

/// The reason alone, as an operator reads it.
fn why(failure: &LoadFailure) -> String {
    let text = failure.to_string();
    let line = text
        .lines()
        .find_map(|l| l.trim_start().strip_prefix("why:"));
    line.unwrap_or(&text).trim().to_owned()
}

/// Each entry of one file is judged alone: those that changed are refused by naming what did, and have not run; those
/// that only grew work.
#[test]
fn a_kind_that_changed_is_refused_entry_by_entry_before_its_constructor() {
    let source =
        outside::checkout("changed", &["tests/outside/changed"]).join("tests/outside/changed");
    let lib = outside::build(&source, &Build::default()).join("liblongshore_changed_plugin.so");
    let dir = tempfile::tempdir().unwrap();
    let loader = loader(&lib, dir.path());
    let ran = |name: &str| {
        dir.path()
            .join("drivers")
            .join(NAMESPACE)
            .join(name)
            .join("was-here")
            .is_file()
    };
    let refused = [
        (
            drive::<dyn now::Argument>(&loader, "argument").err(),
            "argument",
            "`first` argument 1: type `u64` here, `u32`",
        ),
        (
            drive::<dyn now::Answer>(&loader, "result").err(),
            "result",
            "`first` result: type `u64` here, `u32`",
        ),
        (
            drive::<dyn now::Record>(&loader, "record").err(),
            "record",
            "`Guest.stay`: `Stay.days`: type `u32` here, `u64`",
        ),
        (
            drive::<dyn now::Count>(&loader, "count").err(),
            "count",
            "`first` takes 1 arguments here, 2 in",
        ),
        (
            drive::<dyn now::Renamed>(&loader, "renamed").err(),
            "renamed",
            "method #1 is `first` here, `primary` in",
        ),
        (
            drive::<dyn now::Reordered>(&loader, "reordered").err(),
            "reordered",
            "method #1 is `first` here, `second` in",
        ),
        (
            drive::<dyn now::Removed>(&loader, "removed").err(),
            "removed",
            "the plugin has no method `second`",
        ),
        (
            drive::<dyn now::Borrows>(&loader, "lent").err(),
            "lent",
            "kind test.changed.is_lent: `ask` argument 1: type `text` here, `String`",
        ),
    ];
    for (failure, name, said) in refused {
        let failure = failure.unwrap_or_else(|| panic!("{name} was loaded"));
        let why = why(&failure);
        assert_eq!(failure.code(), "abi/layout", "{name}: {why}");
        assert!(
            why.contains(&format!("kind test.changed.{name}: ")),
            "{why}"
        );
        assert!(why.contains(said), "{name}: {why}");
        assert!(why.chars().count() <= WHY_MAX, "{why}");
        assert!(!ran(name), "{name} ran");
    }
    let older = drive::<dyn now::Older>(&loader, "older").unwrap();
    assert_eq!((older.first().unwrap(), older.later(5).unwrap()), (7, 12));
    let newer = drive::<dyn now::Newer>(&loader, "newer").unwrap();
    assert_eq!(newer.first().unwrap(), 7);
    assert!(
        ran("older") && ran("newer"),
        "the proof of not having run works"
    );
}

/// This release's contract under another version, with a plugin built against it.
fn contract(name: &str, versions: [&str; 2]) -> std::path::PathBuf {
    let [api, number] = versions;
    let dirs = [
        "plugin-api/src",
        "plugin-api/Cargo.toml",
        "plugin-api/build.rs",
        "tests/outside/clash",
    ];
    outside::checkout_changed(name, &dirs, |file, text| {
        if file.ends_with("plugin-api/src/lib.rs") {
            let stated = format!("__API_VERSION: &str = \"{API_VERSION}\"");
            assert!(text.contains(&stated));
            return Some(text.replace(&stated, &format!("__API_VERSION: &str = \"{api}\"")));
        }
        let root = file.ends_with("plugin-api/src/abi/root.rs");
        root.then(|| text.replace("pub const API_MAJOR: u32 = 1;", number))
    })
}

/// A plugin built against a newer contract is refused by the number in its note: one line, both numbers, nothing mapped.
#[test]
fn a_plugin_of_a_newer_contract_is_refused_in_one_line_and_not_opened() {
    let cases = [
        ("newer-minor", ["1.1", "pub const API_MAJOR: u32 = 1;"]),
        ("newer-major", ["2.0", "pub const API_MAJOR: u32 = 2;"]),
    ];
    for (name, versions) in cases {
        let source = contract(name, versions).join("tests/outside/clash");
        let how = Build {
            debug: true,
            ..Build::default()
        };
        let built = outside::build(&source, &how).join("liblongshore_clash_plugin.so");
        let lib = built.with_file_name(format!("{name}.so"));
        std::fs::rename(built, &lib).unwrap();
        let text = format!(
            "[\"longshore.scheduler.weigher\"]\nasks = \"{}\"\n",
            lib.display()
        );
        let loader = Loader::new(
            PluginMap::parse(&text, "plugins.toml").unwrap(),
            lib.parent().unwrap(),
        );
        let weighers = loader.namespace::<dyn Weigher>("longshore.scheduler.weigher");
        let failure = weighers.driver("asks").map(drop).unwrap_err();
        let line = failure.one_line();
        assert_eq!(
            (failure.code(), line.lines().count()),
            ("abi/version", 1),
            "{line}"
        );
        assert!(
            line.contains(versions[0]) && line.contains(API_VERSION),
            "{line}"
        );
        let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
        assert!(!maps.contains(&format!("{name}.so")));
    }
}

/// A later release of the host, written out of this one: its `Filter` has a method more, its contract is 1.1. The kept
/// plugins load in it, and the new method's own body answers for them.
#[test]
fn a_later_host_loads_the_plugins_of_this_release() {
    let dirs = [
        "Cargo.toml",
        "Cargo.lock",
        "plugin-api/src",
        "plugin-api/Cargo.toml",
        "plugin-api/build.rs",
        "host/loader/src",
        "host/loader/Cargo.toml",
        "tests/outside/later",
    ];
    let root = outside::checkout_changed("later", &dirs, |file, text| Some(later(file, text)));
    let how = Build {
        debug: true,
        ..Build::default()
    };
    let host = outside::build(&root.join("tests/outside/later"), &how).join("longshore-later-host");
    let kept = workspace().join("tests/old");
    let kept = std::fs::read_dir(kept).unwrap().map(|e| e.unwrap().path());
    let kept: Vec<_> = kept
        .filter(|p| p.extension().is_some_and(|x| x == "so"))
        .collect();
    let out = Command::new(host).args(&kept).output().unwrap();
    let said = String::from_utf8_lossy(&out.stdout).into_owned();
    let errors = String::from_utf8_lossy(&out.stderr);
    let line = "1.1: 70 pass, the new method says nobody overrides `later`\n";
    assert_eq!(said, line.repeat(kept.len()), "{errors}");
}

/// One file of that later release.
fn later(file: &Path, text: &str) -> String {
    let replace = |from: &str, to: &str| {
        assert!(text.contains(from), "{} has no `{from}`", file.display());
        text.replacen(from, to, 1)
    };
    match file.to_str().unwrap() {
        "Cargo.toml" => {
            let (_, rest) = text.split_once("exclude = ").unwrap();
            let (_, rest) = rest.split_once('\n').unwrap();
            let members = "\"plugin-api\", \"host/loader\", \"tests/outside/later\"";
            format!("[workspace]\nresolver = \"3\"\nmembers = [{members}]\n{rest}")
        }
        // Without what only its own tests and benchmarks need.
        "host/loader/Cargo.toml" => {
            let tables = text.split("\n[");
            let needed = |t: &&str| !t.starts_with("dev-dependencies") && !t.starts_with("[bench");
            tables.filter(needed).collect::<Vec<_>>().join("\n[")
        }
        "plugin-api/src/lib.rs" => replace(
            &format!("__API_VERSION: &str = \"{API_VERSION}\""),
            "__API_VERSION: &str = \"1.1\"",
        ),
        "plugin-api/src/abi/root.rs" => replace("API_MINOR: u32 = 0", "API_MINOR: u32 = 1"),
        "plugin-api/src/filter.rs" => {
            let last = text.rfind("        /// What this filter allows").unwrap();
            let end = last + text[last..].find("\n        }\n").unwrap() + "\n        }\n".len();
            let method = "\n        /// Appended.\n        fn appended(&self, text: &str) -> Result<String, DriverError> {\n            \
                Ok(format!(\"nobody overrides `{}`\", text))\n        }\n";
            format!("{}{method}{}", &text[..end], &text[end..])
        }
        "host/loader/src/note.rs" if text.contains("minor: 0 }") => {
            replace("minor: 0 }", "minor: 1 }")
        }
        _ => text.to_owned(),
    }
}
