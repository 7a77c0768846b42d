//! The worked example of the tutorial, built outside the workspace as a reader builds it: its formatters are called
//! through the loader, and `docs/tutorial.md` is held to its word, file by file and command by command.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use formatter_kind::{Data, Formatter, NAMESPACE};
use longshore_loader::{Loader, PluginMap};
use longshore_tests::files::{target, workspace};
use longshore_tests::outside;

const EXAMPLE: &str = "host/loader/examples/formatters";
/// How the example's crates name the workspace.
const UP: &str = "../../../../../";
/// How the tutorial names it.
const CHECKOUT: &str = "/opt/longshore/";

/// The example, built, in a directory of its own. One process at a time has it.
struct Example {
    dir: PathBuf,
    _lock: File,
}

fn example() -> &'static Example {
    static EXAMPLE: OnceLock<Example> = OnceLock::new();
    EXAMPLE.get_or_init(build)
}

fn build() -> Example {
    let outside = target().join("outside");
    let (dir, own) = (outside.join("formatters"), outside.join("own"));
    fs::create_dir_all(&own).unwrap();
    let lock = File::create(outside.join("formatters.lock")).unwrap();
    lock.lock().unwrap();
    let _ = fs::remove_dir_all(&dir);
    outside::copy(EXAMPLE, &dir);
    let versions = workspace().join("Cargo.lock");
    fs::copy(versions, dir.join("program/Cargo.lock")).unwrap();
    for part in ["kind", "simple", "fields", "program"] {
        outside::point_outwards(&dir.join(part), UP);
    }
    for part in ["simple", "fields", "program"] {
        // Where the map looks for what a reader builds; here all of it is in one directory, which is faster.
        std::os::unix::fs::symlink(&own, dir.join(part).join("target")).unwrap();
        let how = outside::Build {
            debug: true,
            ..Default::default()
        };
        outside::build(&dir.join(part), &how);
    }
    Example { dir, _lock: lock }
}

/// The lines that a formatter of the example gives, called through a loader in this process.
fn formatted(name: &str, settings: &str, data: &[(&str, &str)]) -> Vec<String> {
    let libs = example().dir.join("simple/target/debug");
    let file = match name {
        "field" => "libformatter_fields.so",
        _ => "libformatter_simple.so",
    };
    let lib = libs.join(file);
    let entry = format!("{{ lib = \"{}\", settings = {settings} }}", lib.display());
    let text = format!("[\"{NAMESPACE}\"]\n{name} = {entry}\n");
    let state = tempfile::tempdir().unwrap();
    let loader = Loader::new(
        PluginMap::parse(&text, "plugins.toml").unwrap(),
        state.path(),
    );
    let formatters = loader.namespace::<dyn Formatter>(NAMESPACE);
    let manager = formatters.driver(name).unwrap_or_else(|e| panic!("{e}"));
    let data: Data = data.iter().copied().collect();
    manager.driver().format(&data).unwrap()
}

#[test]
fn example_simple_formats_items() {
    let data = [("b", "B"), ("a", "A")];
    for name in ["simple", "plain"] {
        assert_eq!(formatted(name, "{}", &data), ["a = A", "b = B"], "{name}");
    }
}

#[test]
fn example_field_formats_items() {
    let lines = formatted("field", "{}", &[("b", "B"), ("a", "A")]);
    assert_eq!(lines, [": a : A", ": b : B"]);
}

#[test]
fn example_field_wraps_long_value() {
    let value = "a value that is longer than one line is";
    let lines = formatted("field", "{ max_width = 25 }", &[("name", value)]);
    let expected = [
        ": name : a value that is",
        "    longer than one line",
        "    is",
    ];
    assert_eq!(lines, expected);
    let lines = formatted("field", "{}", &[("name", &"word ".repeat(20))]);
    assert_eq!(lines.len(), 2, "the default width is 60: {lines:?}");
    assert!(lines[1].starts_with("    word") && lines.iter().all(|l| l.len() <= 60));
}

/// One fenced block of the tutorial.
struct Block {
    language: String,
    /// The last line before it.
    above: String,
    text: String,
}

fn blocks() -> Vec<Block> {
    let tutorial = fs::read_to_string(workspace().join("docs/tutorial.md")).unwrap();
    let parts: Vec<&str> = tutorial.split("```").collect();
    let block = |pair: &[&str]| {
        let above = pair[0].lines().rfind(|l| !l.trim().is_empty());
        let (language, text) = pair[1].split_once('\n').unwrap();
        Block {
            language: language.to_owned(),
            above: above.unwrap_or_default().to_owned(),
            text: text.to_owned(),
        }
    };
    parts.chunks_exact(2).map(block).collect()
}

/// Whole files under their names; other pieces of code are from somewhere in the files, tests included.
#[test]
fn the_tutorial_shows_the_files_of_the_example() {
    let read = |name: &str| fs::read_to_string(workspace().join(EXAMPLE).join(name)).unwrap();
    let mut there = Vec::new();
    list(&workspace().join(EXAMPLE), &mut there);
    there.sort();
    let all: String = there.iter().map(|name| read(name)).collect();
    let mut shown = Vec::new();
    for block in blocks().into_iter().filter(|b| b.language != "console") {
        let above = block.above.strip_prefix("`");
        let Some(name) = above.and_then(|l| l.strip_suffix("`:")) else {
            for line in block.text.lines() {
                assert!(all.contains(line), "no file has `{line}`");
            }
            continue;
        };
        let file = read(name).replace(UP, CHECKOUT);
        let without_tests = file.split("\n#[cfg(test)]").next().unwrap();
        assert_eq!(block.text, without_tests, "{name}");
        shown.push(name.to_owned());
    }
    shown.sort();
    assert_eq!(shown, there);
}

/// The sources below a directory of the example, relative to it.
fn list(dir: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(dir).unwrap().map(Result::unwrap) {
        let (path, name) = (entry.path(), entry.file_name());
        if name == "target" || name == "Cargo.lock" || name == ".gitignore" {
            continue;
        }
        if path.is_dir() {
            list(&path, found);
        } else {
            let name = path.strip_prefix(workspace().join(EXAMPLE)).unwrap();
            found.push(name.display().to_string());
        }
    }
}

/// A reader's shell in a directory of the example.
fn shell(line: &str, dir: &Path) -> (bool, String) {
    let mut shell = Command::new("bash");
    shell.arg("-c").arg(format!("exec 2>&1; {line}"));
    for (key, _) in std::env::vars().filter(|(k, _)| k.starts_with("CARGO_") && k != "CARGO_HOME") {
        shell.env_remove(key);
    }
    let out = shell.current_dir(dir).output().unwrap();
    let said = String::from_utf8(out.stdout).unwrap();
    (out.status.success(), said)
}

/// Every command of every console block, in order: what it prints is what stands below it. Where nothing does, it only
/// has to succeed.
#[test]
fn the_three_programs_print_what_the_tutorial_shows() {
    let mut dir = example().dir.clone();
    let mut programs = Vec::new();
    let console = blocks().into_iter().filter(|b| b.language == "console");
    for block in console {
        for command in block.text.strip_prefix("$ ").unwrap().split("\n$ ") {
            let (line, expected) = command.split_once('\n').unwrap_or((command, ""));
            if let Some(to) = line.strip_prefix("cd ") {
                dir.push(to);
                continue;
            }
            let (good, said) = shell(line, &dir);
            if expected.is_empty() {
                assert!(good, "`{line}`:\n{said}");
            } else {
                assert_eq!(said.trim_end(), expected.trim_end(), "`{line}`");
            }
            let program = line.split("target/debug/").nth(1);
            programs.extend(program.and_then(|p| p.split(' ').next()).map(str::to_owned));
        }
    }
    programs.sort();
    programs.dedup();
    let all = ["load_as_dispatch", "load_as_driver", "load_as_extension"];
    assert_eq!(programs, all);
}

#[test]
fn the_example_has_no_tokio_in_its_tree() {
    let line = "cargo tree --offline --locked --edges normal,build --prefix none --format '{lib}'";
    let (good, tree) = shell(line, &example().dir.join("program"));
    assert!(good, "{tree}");
    let crates: Vec<&str> = tree.lines().map(str::trim).collect();
    for wanted in ["longshore_loader", "longshore_plugin_api", "formatter_kind"] {
        assert!(crates.contains(&wanted), "no {wanted} in:\n{tree}");
    }
    for name in crates {
        let ours = name.strip_prefix("longshore_");
        assert!(
            ours.is_none_or(|n| n == "loader" || n == "plugin_api"),
            "{name}"
        );
        let runtimes = [
            "tokio", "async", "futures", "axum", "hyper", "sqlx", "tracing",
        ];
        assert!(!runtimes.iter().any(|r| name.starts_with(r)), "{name}");
    }
}
