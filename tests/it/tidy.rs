//! The invariants of ARCHITECTURE.md that a machine can check. Each failure says file, line, rule.

use std::fs;
use std::path::{Path, PathBuf};

use longshore_tests::files::workspace;

/// Every source file of the workspace that is ours, with its path relative to the root.
fn sources(under: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    collect(&workspace().join(under), &mut found);
    let root = workspace();
    found
        .into_iter()
        .map(|path| {
            let name = path.strip_prefix(&root).unwrap().display().to_string();
            (name, fs::read_to_string(&path).unwrap())
        })
        .collect()
}

fn collect(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            if entry.file_name() != "target" {
                collect(&path, found);
            }
        } else if path.extension().is_some_and(|x| x == "rs") {
            found.push(path);
        }
    }
}

fn all_sources() -> Vec<(String, String)> {
    ["plugin-api", "host", "plugins", "tests", "xtask"]
        .iter()
        .flat_map(|d| sources(d))
        .collect()
}

/// `file:line` of every line of code (not a comment) that `wrong` points at.
fn offences(sources: &[(String, String)], wrong: impl Fn(&str, &str) -> bool) -> Vec<String> {
    let mut found = Vec::new();
    for (file, text) in sources {
        for (number, line) in text.lines().enumerate() {
            if !line.trim_start().starts_with("//") && wrong(file, line) {
                found.push(format!("{file}:{}: {}", number + 1, line.trim()));
            }
        }
    }
    found
}

fn manifests(under: &str) -> Vec<(String, String)> {
    let dir = workspace().join(under);
    let crates = fs::read_dir(dir)
        .unwrap()
        .map(|e| e.unwrap().path().join("Cargo.toml"));
    crates
        .filter(|p| p.is_file())
        .map(|p| (p.display().to_string(), fs::read_to_string(p).unwrap()))
        .collect()
}

/// The names under `[dependencies]`.
fn dependencies(manifest: &str) -> Vec<&str> {
    let table = manifest
        .split("\n[")
        .find(|t| t.starts_with("dependencies]"))
        .unwrap_or("");
    let keys = table
        .lines()
        .skip(1)
        .filter_map(|l| l.split(['=', '.']).next());
    keys.map(str::trim)
        .filter(|k| !k.is_empty() && !k.starts_with('#'))
        .collect()
}

#[test]
fn plugins_depend_on_the_contract_alone() {
    for (file, manifest) in manifests("plugins") {
        assert_eq!(dependencies(&manifest), ["longshore-plugin-api"], "{file}");
    }
}

#[test]
fn the_contract_depends_on_nothing() {
    let manifest = fs::read_to_string(workspace().join("plugin-api/Cargo.toml")).unwrap();
    assert!(
        dependencies(&manifest).is_empty(),
        "{:?}",
        dependencies(&manifest)
    );
}

#[test]
fn the_loader_knows_no_async_runtime_and_messaging_no_objects() {
    let read = |name: &str| fs::read_to_string(workspace().join(name)).unwrap();
    let loader = read("host/loader/Cargo.toml");
    for forbidden in ["tokio", "tracing", "axum", "sqlx"] {
        assert!(
            !dependencies(&loader).contains(&forbidden),
            "the loader uses {forbidden}"
        );
    }
    let messaging = read("host/messaging/Cargo.toml");
    for forbidden in [
        "longshore-objects",
        "longshore-store",
        "longshore-plugin-api",
    ] {
        assert!(
            !dependencies(&messaging).contains(&forbidden),
            "messaging uses {forbidden}"
        );
    }
}

#[test]
fn unsafe_stands_only_in_the_bridge() {
    let allowed = |file: &str| {
        file.starts_with("plugin-api/src/abi/")
            || file.starts_with("host/loader/src/dynlib/")
            || matches!(
                file,
                "plugin-api/src/kind.rs"
                    | "plugin-api/src/record.rs"
                    | "plugin-api/src/export.rs"
                    | "plugin-api/src/testing/mod.rs"
                    | "host/loader/src/dynlib.rs"
                    | "host/loader/src/dynlib/shared_file.rs"
            )
    };
    let word = |line: &str| {
        let uses = ["{", "fn ", "impl ", "extern ", "trait "];
        uses.iter().any(|u| line.contains(&format!("unsafe {u}")))
    };
    let found = offences(&all_sources(), |file, line| {
        !allowed(file) && word(line) && file != "tests/it/tidy.rs"
    });
    assert!(
        found.is_empty(),
        "unsafe outside of the bridge:\n{}",
        found.join("\n")
    );
}

#[test]
fn every_other_crate_forbids_unsafe() {
    let outside = ["tests/outside/greeter", "host/loader/examples/formatters"];
    for dir in ["host", "plugins", "tests"].into_iter().chain(outside) {
        for (file, _) in manifests(dir) {
            let root = Path::new(&file).parent().unwrap();
            if root.ends_with("loader") {
                continue; // `dynlib.rs`; the test above watches the rest
            }
            let candidates = ["src/lib.rs", "src/main.rs", "support/lib.rs"];
            let roots = candidates
                .iter()
                .map(|c| root.join(c))
                .filter(|p| p.is_file());
            for path in roots {
                let text = fs::read_to_string(&path).unwrap();
                assert!(
                    text.contains("#![forbid(unsafe_code)]"),
                    "{} does not forbid unsafe",
                    path.display()
                );
            }
        }
    }
}

#[test]
fn compute_names_no_store() {
    let found = offences(&sources("host/control/src/compute"), |_, line| {
        line.contains("longshore_store") || line.contains("sqlx")
    });
    assert!(
        found.is_empty(),
        "compute reaches for the database:\n{}",
        found.join("\n")
    );
}

#[test]
fn every_file_says_what_it_is_for() {
    let silent: Vec<String> = all_sources()
        .into_iter()
        .filter(|(_, text)| !text.trim_start().starts_with("//!"))
        .map(|(file, _)| file)
        .collect();
    assert!(silent.is_empty(), "no module doc: {silent:?}");
}

#[test]
fn only_render_prints() {
    let found = offences(&sources("host"), |file, line| {
        let prints = ["println!", "eprintln!", "print!(", "eprint!("]
            .iter()
            .any(|m| line.contains(m));
        prints
            && !file.ends_with("cli/render.rs")
            && !file.contains("/benches/")
            && !file.contains("/tests")
    });
    assert!(
        found.is_empty(),
        "prints outside of cli/render.rs:\n{}",
        found.join("\n")
    );
}

#[test]
fn nothing_is_left_half_done() {
    let found = offences(&all_sources(), |file, line| {
        file != "tests/it/tidy.rs"
            && ["todo!(", "unimplemented!(", "dbg!(", "#[ignore]"]
                .iter()
                .any(|m| line.contains(m))
    });
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn no_channel_is_unbounded() {
    let found = offences(&sources("host"), |file, line| {
        !file.contains("/tests")
            && (line.contains("unbounded_channel") || line.contains("mpsc::channel()"))
    });
    assert!(
        found.is_empty(),
        "unbounded channels:\n{}",
        found.join("\n")
    );
}

#[test]
fn links_in_the_documents_lead_somewhere() {
    let root = workspace();
    let mut dead = Vec::new();
    for document in [
        "README.md",
        "ARCHITECTURE.md",
        "CONTRIBUTING.md",
        "CHANGELOG.md",
        "SPECIFICATION.md",
        "ERRORS.md",
        "docs/abi.md",
        "docs/author.md",
        "docs/bad-plugins.md",
        "docs/map.md",
        "docs/operator.md",
        "docs/simulate.md",
        "docs/trust.md",
        "docs/tutorial.md",
    ] {
        let text = fs::read_to_string(root.join(document)).unwrap();
        let base = root.join(document).parent().unwrap().to_owned();
        for link in text.split("](").skip(1).filter_map(|l| l.split(')').next()) {
            let file = link.split('#').next().unwrap_or("");
            if !file.is_empty() && !file.starts_with("http") && !base.join(file).exists() {
                dead.push(format!("{document}: {link}"));
            }
        }
    }
    assert!(dead.is_empty(), "{dead:?}");
}
