//! Plugins and programs from outside the workspace, by this compiler and by others.

use std::fs;
use std::process::Command;

use longshore_loader::{Loader, PluginMap};
use longshore_tests::probe::PROBES;
use longshore_tests::probe::kind::Probe;
use longshore_tests::{files, logs, outside, probe};

/// One source by every compiler at hand, as an author writes it: no `unsafe`, no warning, no other dependency. In debug,
/// and in release with everything that makes a file small; in edition 2021 and, where there is one, 2024. Each loads into
/// this host, every method answers and every panic is caught.
#[test]
fn plugins_of_other_compilers_and_profiles_load_and_work() {
    let crates = ["tests/old/source"];
    let of_2021 = outside::checkout("compilers", &crates).join(crates[0]);
    let api = format!("\"{}\"", files::workspace().join("plugin-api").display());
    let of_2024 = outside::checkout_changed("compilers-2024", &crates, |file, text| {
        let text = text.replace("\"../../../plugin-api\"", &api);
        let manifest = file.ends_with("Cargo.toml");
        manifest.then(|| text.replace("edition = \"2021\"", "edition = \"2024\""))
    });
    let of_2024 = of_2024.join(crates[0]);
    let source = fs::read_to_string(of_2021.join("src/lib.rs")).unwrap();
    assert!(source.contains("#![forbid(unsafe_code)]\n#![deny(warnings)]"));
    let toolchains = outside::toolchains();
    assert!(toolchains.iter().any(|t| t == "1.63"), "{toolchains:?}");
    let own = |debug| outside::Build {
        debug,
        ..Default::default()
    };
    let mut builds = vec![
        (&of_2021, own(true)),
        (&of_2021, own(false)),
        (&of_2024, own(true)),
    ];
    for version in toolchains {
        // Edition 2024 came with 1.85.
        let knows_2024 = version != "1.63";
        let how = outside::Build {
            toolchain: Some(version.leak()),
            ..Default::default()
        };
        builds.push((if knows_2024 { &of_2024 } else { &of_2021 }, how));
    }
    for (source, how) in builds {
        let _ = fs::remove_file(source.join("Cargo.lock"));
        let lib = outside::build(source, &how).join("liblongshore_old_plugin.so");
        let dir = tempfile::tempdir().unwrap();
        probe::exercise(&lib, dir.path()).unwrap_or_else(|why| panic!("{how:?}: {why}"));
    }
}

/// `panic = "abort"` is found in the note, before any code runs.
#[test]
fn a_plugin_that_aborts_on_panic_is_refused() {
    let crates = ["tests/old/source"];
    let source = outside::checkout("abort", &crates).join(crates[0]);
    let how = outside::Build {
        env: vec![("CARGO_PROFILE_RELEASE_PANIC", "abort")],
        ..Default::default()
    };
    let lib = outside::build(&source, &how).join("liblongshore_old_plugin.so");
    let error = longshore_loader::inspect::inspect(&lib).unwrap_err();
    assert_eq!(error.code, "abi/panic-abort");
    let dir = tempfile::tempdir().unwrap();
    let why = probe::exercise(&lib, dir.path()).unwrap_err();
    assert!(why.ends_with("code=abi/panic-abort"), "{why}");
    // Who accepts that in the entry gets it, with a warning.
    logs::start();
    let load = |options: &str| {
        let text = format!(
            "['{PROBES}']\nplain = {{ lib = '{}'{options} }}\n",
            lib.display()
        );
        let map = PluginMap::parse(&text, "plugins.toml").unwrap();
        let loader = Loader::new(map, dir.path());
        let manager = loader.namespace::<dyn Probe>(PROBES).driver("plain");
        manager.map(|m| m.names().count()).map_err(|f| f.code())
    };
    assert_eq!(load(""), Err("abi/panic-abort"));
    assert_eq!(load(", allow_panic_abort = true"), Ok(1));
    let warned = logs::records(|r| r.level == 2 && r.text.contains("panic = \"abort\""));
    assert_eq!(warned.len(), 1, "{warned:?}");
}

/// A stripped, fully optimised plugin keeps its note and exports one symbol.
#[test]
fn a_stripped_plugin_keeps_its_note_and_exports_one_symbol() {
    let dir = tempfile::tempdir().unwrap();
    let stripped = dir.path().join("stripped.so");
    let plugin = files::plugin("release", "longshore-plugin-template");
    let status = Command::new("strip")
        .arg("-s")
        .arg("-o")
        .arg(&stripped)
        .arg(&plugin)
        .status()
        .unwrap();
    assert!(status.success());
    let inspection = longshore_loader::inspect::inspect(&stripped).unwrap();
    assert_eq!(inspection.metadata.entries.len(), 1);
    let symbols = Command::new("nm")
        .args(["-D", "--defined-only"])
        .arg(&plugin)
        .output()
        .unwrap();
    let symbols = String::from_utf8(symbols.stdout).unwrap();
    let names: Vec<&str> = symbols
        .lines()
        .filter_map(|l| l.split_whitespace().last())
        .collect();
    assert_eq!(names, ["longshore_plugin_1"]);
    let host = Command::new("nm")
        .args(["-D", "--defined-only"])
        .arg(files::program("release"))
        .output()
        .unwrap();
    let host = String::from_utf8(host.stdout).unwrap();
    assert!(
        !host.contains("longshore"),
        "the host exports nothing of its own:\n{host}"
    );
}

/// A kind, a plugin and a program that longshore knows nothing of, all built outside the workspace.
#[test]
fn a_third_party_defines_a_kind_and_loads_it_with_the_same_managers() {
    let dir = tempfile::tempdir().unwrap();
    outside::copy("tests/outside/greeter", dir.path());
    for part in ["kind", "plugin", "program"] {
        outside::point_outwards(&dir.path().join(part), "../../../../");
    }
    let plugin = outside::build(&dir.path().join("plugin"), &outside::Build::default());
    let lock = files::workspace().join("Cargo.lock");
    fs::copy(lock, dir.path().join("program/Cargo.lock")).unwrap();
    let program = outside::build(&dir.path().join("program"), &outside::Build::default());
    let entry = format!(
        "{{ lib = \"{}\", settings = {{ mark = \".\" }} }}",
        plugin.join("libgreeter_plugin.so").display()
    );
    let map = dir.path().join("plugins.toml");
    fs::write(
        &map,
        format!("[\"example.greeter\"]\nenglish = {entry}\ngerman = {entry}\n"),
    )
    .unwrap();
    let greet = |name: &str, guest: &str| {
        let out = Command::new(program.join("greeter-program"))
            .arg(&map)
            .args([name, guest])
            .output()
            .unwrap();
        (
            out.status.success(),
            String::from_utf8(out.stdout).unwrap(),
            String::from_utf8(out.stderr).unwrap(),
        )
    };
    assert_eq!(
        greet("english", "Ada").1,
        "Hello, Ada.\nHello, Ada.\nHello, Ada.\n"
    );
    assert_eq!(
        greet("german", "Ada").1,
        "Grüß Gott, Ada.\nGrüß Gott, Ada.\nGrüß Gott, Ada.\n"
    );
    let (good, _, said) = greet("english", "");
    assert!(!good && said.contains("the guest has no name"), "{said}");
    let (good, _, said) = greet("englisch", "Ada");
    assert!(!good && said.contains("english"), "{said}");
    let listed = longshore_loader::inspect::inspect(&plugin.join("libgreeter_plugin.so")).unwrap();
    assert_eq!(listed.metadata.entries[0].trait_name, "Greeter");
}

/// What happens when the kind that a plugin was built with is older, newer or different from the host's: both
/// sides are really built from different sources.
#[test]
fn a_kind_may_grow_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    outside::copy("tests/outside/greeter", dir.path());
    for part in ["kind", "plugin", "program"] {
        outside::point_outwards(&dir.path().join(part), "../../../../");
    }
    fs::copy(
        files::workspace().join("Cargo.lock"),
        dir.path().join("program/Cargo.lock"),
    )
    .unwrap();
    let program = outside::build(&dir.path().join("program"), &outside::Build::default());
    let program = fs::copy(program.join("greeter-program"), dir.path().join("host"))
        .map(|_| dir.path().join("host"))
        .unwrap();
    let kind = dir.path().join("kind/src/lib.rs");
    let original = fs::read_to_string(&kind).unwrap();
    let provided = original
        .find("        /// The words for everybody.")
        .unwrap();
    let end = original[provided..].find("        }\n").unwrap() + provided + "        }\n".len();
    let without = format!("{}{}", &original[..provided].trim_end(), &original[end..]);
    let with = format!(
        "{}\n        /// Newer.\n        fn farewell(&self) -> Result<u32, DriverError> {{\n            Ok(1)\n        }}\n{}",
        &original[..end],
        &original[end..]
    );
    let field = original.replace(
        "pub titles: Vec<String>,",
        "pub titles: Vec<String>,\n        /// Years.\n        pub age: u32,",
    );
    let renamed = original
        .replace("fn greet(", "fn hail(")
        .replace("self.greet(", "self.hail(");
    let plugin_source = dir.path().join("plugin/src/lib.rs");
    let plugin = fs::read_to_string(&plugin_source).unwrap();
    for (what, source, refused) in [
        ("older", without, None),
        ("newer", with, None),
        ("a field more", field, Some(["age", "Guest"])),
        ("a method renamed", renamed, Some(["hail", "greet"])),
    ] {
        let is_renamed = source.contains("fn hail(");
        fs::write(&kind, source).unwrap();
        let text = if is_renamed {
            plugin.replace("fn greet(", "fn hail(")
        } else {
            plugin.clone()
        };
        fs::write(&plugin_source, text).unwrap();
        let lib = outside::build(&dir.path().join("plugin"), &outside::Build::default());
        // Of its own, so that the next build does not change the file under its name.
        let lib_copy = dir.path().join(format!("{}.so", what.replace(' ', "_")));
        fs::copy(lib.join("libgreeter_plugin.so"), &lib_copy).unwrap();
        let map = dir.path().join("plugins.toml");
        fs::write(
            &map,
            format!(
                "[\"example.greeter\"]\nenglish = \"{}\"\n",
                lib_copy.display()
            ),
        )
        .unwrap();
        let out = Command::new(&program)
            .arg(&map)
            .args(["english", "Ada"])
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&out.stderr).into_owned();
        match refused {
            // `greet_all` is answered by the trait's own body where the plugin does not have it.
            None => assert_eq!(
                String::from_utf8_lossy(&out.stdout),
                "Hello, Ada!\n".repeat(3),
                "{what}: {said}"
            ),
            Some(words) => {
                assert!(!out.status.success(), "{what}");
                assert!(said.contains("abi/layout"), "{what}: {said}");
                assert!(words.iter().all(|w| said.contains(w)), "{what}: {said}");
            }
        }
    }
}
