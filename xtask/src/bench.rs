//! `cargo xtask bench`: the benchmarks behind the tables in the README and the documents, each by name.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::cargo::{cargo, root, run, target_dir};
use crate::{many, up};

/// The side of the managers' table that is Python: what is measured, and with what.
const STEVEDORE: &str = "stevedore==5.10.0";
const SCRIPT: &str = "tests/bench/managers.py";

/// Name, package, bench target.
const BENCHES: &[(&str, &str, &str)] = &[
    ("bridge", "longshore-loader", "bridge"),
    ("known", "longshore-loader", "known"),
    ("load", "longshore-loader", "load"),
    ("map", "longshore-loader", "map"),
    ("managers", "longshore-loader", "managers"),
    ("record", "longshore-loader", "record"),
    ("stage", "longshore-loader", "stage"),
    ("vet", "longshore-loader", "vet"),
    ("scheduler", "longshore-tests", "scheduler"),
    ("boot", "longshore-tests", "boot"),
    ("startup", "longshore-tests", "startup"),
];

/// The one that is a program of its own.
const MANY: &str = "many";

/// Builds everything in release and runs the benchmarks that are named, or all.
pub(crate) fn bench(names: &[String]) -> Result<(), String> {
    if let Some(unknown) = names
        .iter()
        .find(|n| *n != MANY && !BENCHES.iter().any(|(name, ..)| name == n))
    {
        let known = BENCHES.iter().map(|(name, ..)| *name);
        let known: Vec<&str> = known.chain([MANY]).collect();
        return Err(format!(
            "no benchmark `{unknown}`; there are {}",
            known.join(", ")
        ));
    }
    if names.iter().all(|n| n == MANY) && !names.is_empty() {
        return many::many();
    }
    up::build(true)?;
    run(&mut cargo(&[
        "build",
        "--release",
        "--package",
        "longshore-bench-plugin",
    ]))?;
    for (name, package, target) in BENCHES {
        if !names.is_empty() && !names.iter().any(|n| n == name) {
            continue;
        }
        match *name {
            "managers" => managers()?,
            _ => run(&mut cargo(&[
                "bench",
                "--package",
                package,
                "--bench",
                target,
            ]))?,
        }
    }
    if names.is_empty() || names.iter().any(|n| n == MANY) {
        many::many()?;
    }
    Ok(())
}

/// Both sides of the managers' table, in one run: stevedore by a script, ours by criterion.
fn managers() -> Result<(), String> {
    let dir = target_dir().join("bench");
    fs::create_dir_all(&dir).map_err(|e| format!("{}: {e}", dir.display()))?;
    let python = python(&dir)?;
    let script = root().join(SCRIPT);
    let theirs = dir.join("stevedore.json");
    run(Command::new(&python)
        .arg(&script)
        .arg("measure")
        .arg(&theirs))?;
    let said = dir.join("managers.log");
    let log = File::create(&said).map_err(|e| format!("{}: {e}", said.display()))?;
    for (target, only) in [("bridge", "u64"), ("map", ""), ("managers", "")] {
        let mut bench = cargo(&["bench", "--package", "longshore-loader", "--bench", target]);
        let log = log
            .try_clone()
            .map_err(|e| format!("{}: {e}", said.display()))?;
        run(bench.args(["--", only]).stdout(log))?;
    }
    let criterion = target_dir().join("criterion");
    let mut table = Command::new(&python);
    table.arg(&script).arg("table");
    run(table.arg(&theirs).arg(&criterion).arg(&said))
}

/// A Python of its own, with stevedore in it.
fn python(dir: &Path) -> Result<PathBuf, String> {
    let venv = dir.join("venv");
    let python = venv.join("bin/python");
    if !python.is_file() {
        let by_hand = "it needs `apt-get install --yes python3 python3-venv`";
        run(Command::new("python3").args(["-m", "venv"]).arg(&venv))
            .map_err(|e| format!("{e}; {by_hand}"))?;
    }
    let mut pip = Command::new(&python);
    run(pip.args(["-m", "pip", "install", "--quiet", STEVEDORE]))?;
    Ok(python)
}
