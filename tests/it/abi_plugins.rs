//! Plugins with something of their own that could get in the way: an allocator, a symbol that others have too.

use std::path::{Path, PathBuf};
use std::process::Command;

use longshore_loader::{Loader, PluginMap};
use longshore_plugin_api::{RequestFields, Weigher, testing};
use longshore_tests::outside::{self, Build};

fn with_allocator(feature: &'static str) -> PathBuf {
    let crates = ["tests/old/source", "tests/outside/allocators"];
    let source = outside::checkout("allocators", &crates).join("tests/outside/allocators");
    let how = Build {
        features: vec![feature],
        ..Build::default()
    };
    outside::build(&source, &how).join("liblongshore_allocator_plugin.so")
}

fn host(command: &str, lib: &Path) -> String {
    let host = env!("CARGO_BIN_EXE_longshore-probe");
    let out = Command::new(host).arg(command).arg(lib).output().unwrap();
    let said = String::from_utf8_lossy(&out.stdout).into_owned();
    assert!(out.stderr.is_empty(), "{out:?}");
    said
}

/// Memory is freed by the side that allocated it: texts grown on both sides by four threads, with panics between.
#[test]
fn plugins_with_an_allocator_of_their_own_work() {
    for feature in ["mimalloc-dynamic-tls", "jemalloc-dynamic-tls"] {
        let lib = with_allocator(feature);
        assert!(host("exercise", &lib).ends_with(": loads\n"), "{feature}");
        assert_eq!(host("strings", &lib), "", "{feature}");
    }
}

/// Thread-local storage that only a program is sure to get is found before the linker fails at it.
#[test]
fn an_allocator_with_static_tls_is_refused_by_the_files_own_headers() {
    for feature in ["mimalloc", "jemalloc"] {
        let said = host("exercise", &with_allocator(feature));
        assert!(
            said.contains("static TLS") && said.contains("code=plugin/unsafe-layout"),
            "{said}"
        );
    }
}

/// Two plugins export one name: each calls its own.
#[test]
fn plugins_that_export_the_same_name_keep_their_own() {
    let source = outside::checkout("clash", &["tests/outside/clash"]).join("tests/outside/clash");
    let libs = [vec![], vec!["other"]].map(|features| {
        let how = Build {
            features,
            ..Build::default()
        };
        outside::build(&source, &how).join("liblongshore_clash_plugin.so")
    });
    let text = format!(
        "[\"longshore.scheduler.weigher\"]\none = {{ lib = \"{}\", export = \"asks\" }}\ntwo = {{ lib = \"{}\", export = \"asks\" }}\n",
        libs[0].display(),
        libs[1].display()
    );
    let dir = tempfile::tempdir().unwrap();
    let loader = Loader::new(PluginMap::parse(&text, "plugins.toml").unwrap(), dir.path());
    let hosts = testing::hosts(1, |_, _| {}).snapshot();
    let weight = |name: &str| {
        let weighers = loader.namespace::<dyn Weigher>("longshore.scheduler.weigher");
        let weigher = weighers.driver(name).unwrap().driver();
        weigher
            .weigh(hosts.host(0), &RequestFields::default().into())
            .unwrap()
    };
    assert_eq!(
        (weight("one"), weight("two"), weight("one")),
        (1001.0, 2002.0, 1001.0)
    );
}
