//! `cargo xtask bench`: the benchmarks behind the tables in the README and the documents, each by name.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::cargo::{cargo, root, run, target_dir};
use crate::nova::{RELEASES, nova};
use crate::{many, simulate, up};

/// The side of the managers' table that is Python: what is measured, and with what.
const STEVEDORE: &str = "stevedore==5.10.0";
const SCRIPT: &str = "tests/bench/managers.py";

/// The side of the scheduler's table that is Nova, and where the plot goes.
const SCHEDULER_SCRIPT: &str = "tests/bench/scheduler.py";
const PLOT: &str = "docs/scheduler-growth.svg";

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

type Program = fn() -> Result<(), String>;

/// Those that are programs of their own.
const PROGRAMS: &[(&str, Program)] = &[("many", many::many), ("simulate", simulate::simulate)];

/// Builds everything in release and runs the benchmarks that are named, or all.
pub(crate) fn bench(names: &[String]) -> Result<(), String> {
    let of_criterion = BENCHES.iter().map(|(name, ..)| *name);
    let known: Vec<&str> = of_criterion
        .chain(PROGRAMS.iter().map(|(name, _)| *name))
        .collect();
    if let Some(unknown) = names.iter().find(|n| !known.contains(&n.as_str())) {
        let known = known.join(", ");
        return Err(format!("no benchmark `{unknown}`; there are {known}"));
    }
    let is_wanted = |name: &str| names.is_empty() || names.iter().any(|n| n == name);
    if BENCHES.iter().any(|(name, ..)| is_wanted(name)) {
        measured(is_wanted)?;
    }
    for (name, program) in PROGRAMS {
        if is_wanted(name) {
            program()?;
        }
    }
    Ok(())
}

/// Those of criterion, and what is measured beside them.
fn measured(is_wanted: impl Fn(&str) -> bool) -> Result<(), String> {
    up::build(true)?;
    run(&mut cargo(&[
        "build",
        "--release",
        "--package",
        "longshore-bench-plugin",
    ]))?;
    for (name, package, target) in BENCHES {
        if !is_wanted(name) {
            continue;
        }
        match *name {
            "managers" => managers()?,
            "scheduler" => scheduler()?,
            _ => run(&mut cargo(&[
                "bench",
                "--package",
                package,
                "--bench",
                target,
            ]))?,
        }
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

/// Both sides of the scheduler's table, in one run: Nova by a script, ours by criterion. Draws the plot of the documents.
fn scheduler() -> Result<(), String> {
    nova()?;
    let (dir, nova) = (target_dir().join("bench"), target_dir().join("nova"));
    fs::create_dir_all(&dir).map_err(|e| format!("{}: {e}", dir.display()))?;
    let script = || {
        let mut script = Command::new(nova.join("venv/bin/python"));
        script.arg(root().join(SCHEDULER_SCRIPT));
        script
    };
    let theirs = dir.join("nova.json");
    let releases = RELEASES.map(|release| nova.join(format!("nova-{release}")));
    run(script().arg("measure").args(releases).arg(&theirs))?;
    let said = dir.join("scheduler.log");
    let log = File::create(&said).map_err(|e| format!("{}: {e}", said.display()))?;
    let bench = ["bench", "--package", "longshore-tests", "--bench"];
    run(cargo(&bench).arg("scheduler").stdout(log))?;
    let criterion = target_dir().join("criterion");
    let mut table = script();
    table.arg("table").args([&theirs, &criterion, &said]);
    run(table.arg(root().join(PLOT)))
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
