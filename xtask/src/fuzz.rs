//! `cargo xtask fuzz`: damaged input for everything that reads what others wrote.
//!
//! A long run is libFuzzer's, which sees what code an input reaches; the stable compiler can instrument for it, and a C++
//! compiler builds it. The short run that is part of `test` is blind, and needs neither. The border between host and plugin
//! is no reader of bytes: `plugin-api` damages its values itself.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::cargo::{cargo, has, root, run, target_dir};

/// How long each target runs, in seconds: for a developer who waits for it, and as a part of all tests.
const SECONDS: &str = "60";
const SHORT_SECONDS: &str = "2";
/// Largest input, in bytes: a map may be larger, a header not.
const INPUT_BYTES_MAX: &str = "1048576";
/// Longest time for one input, in seconds.
const INPUT_SECONDS_MAX: &str = "10";

/// Memory for one target, most of it its corpus: plugins are large.
const MEMORY_MB_MAX: &str = "-rss_limit_mb=8192";

/// What tells libFuzzer which code ran. All of it is stable; sanitizers are not.
const INSTRUMENTED: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=3 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1";
/// Named, so that build scripts and macros are not instrumented.
const TRIPLE: &str = "x86_64-unknown-linux-gnu";
const PROGRAM: &str = "longshore-fuzz-guided";
/// Everything that can be fuzzed: what `tests/fuzz/targets.rs` lists, and the border.
const TARGETS: &[&str] = &[
    "elf",
    "linking",
    "note",
    "map",
    "settings",
    "lock",
    "signature",
    BORDER,
];
const BORDER: &str = "border";

/// Runs targets for a long time, one after the other: the ones named, or all.
pub(crate) fn fuzz(args: &[String]) -> Result<(), String> {
    let (targets, seconds) = wanted(args)?;
    if !has("c++") {
        return Err("a C++ compiler is missing; apt-get install --yes g++".to_owned());
    }
    let dir = target_dir().join("fuzz");
    if targets.iter().any(|t| t != BORDER) {
        build(&dir)?;
    }
    for target in &targets {
        match target.as_str() {
            BORDER => border(&seconds)?,
            reader => guided(&dir, reader, &seconds)?,
        }
    }
    Ok(())
}

/// Runs every target for a short time, with what `test` has built.
pub(crate) fn short() -> Result<(), String> {
    let mut command = cargo(&["run", "--quiet", "--package", "longshore-tests", "--bin"]);
    run(command.args(["longshore-fuzz", "--", "--seconds", SHORT_SECONDS]))
}

fn wanted(args: &[String]) -> Result<(Vec<String>, String), String> {
    let (mut targets, mut seconds) = (Vec::new(), SECONDS.to_owned());
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--seconds" => {
                let given = args.next().filter(|s| s.parse::<u64>().is_ok());
                seconds = given.ok_or("`--seconds` needs a number")?.clone();
            }
            name if TARGETS.contains(&name) => targets.push(name.to_owned()),
            other => {
                let known = TARGETS.join(" ");
                return Err(format!("no target `{other}`; there are: {known}"));
            }
        }
    }
    if targets.is_empty() {
        targets = TARGETS.iter().map(|t| (*t).to_owned()).collect();
    }
    Ok((targets, seconds))
}

fn build(dir: &Path) -> Result<(), String> {
    let mut build = cargo(&["build", "--release", "--target", TRIPLE, "--target-dir"]);
    build.arg(dir).env("RUSTFLAGS", INSTRUMENTED);
    run(build.current_dir(root().join("tests/fuzz/guided")))
}

fn guided(dir: &Path, target: &str, seconds: &str) -> Result<(), String> {
    let (corpus, found) = (dir.join("corpus").join(target), dir.join("found"));
    fs::create_dir_all(&found).map_err(|e| format!("cannot make {}: {e}", found.display()))?;
    let mut command = Command::new(dir.join(TRIPLE).join("release").join(PROGRAM));
    command.env("LONGSHORE_FUZZ_TARGET", target);
    command.env("LONGSHORE_FUZZ_CORPUS", &corpus);
    command.arg(format!("-artifact_prefix={}/{target}-", found.display()));
    command.arg(format!("-max_total_time={seconds}"));
    command.arg(format!("-max_len={INPUT_BYTES_MAX}"));
    command.arg(format!("-timeout={INPUT_SECONDS_MAX}"));
    command.args([MEMORY_MB_MAX, "-print_final_stats=1", "-verbosity=0"]);
    run(command.arg(corpus))
}

/// The border's values, damaged by its own test.
fn border(seconds: &str) -> Result<(), String> {
    let args = [
        "test",
        "--release",
        "--package",
        "longshore-plugin-api",
        "--lib",
    ];
    let mut command = cargo(&args);
    command.args(["abi::damaged", "--", "--nocapture"]);
    run(command.env("LONGSHORE_FUZZ_SECONDS", seconds))
}
