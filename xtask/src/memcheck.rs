//! `cargo xtask memcheck`: the bridge under valgrind. In one process: tables of both lengths, every sort of value, errors
//! and panics, no invalid access and no leak. Across a real border: the kept plugins, no invalid access.
//!
//! What a compiler can add (AddressSanitizer) needs an unstable one, so it is not part of this.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::cargo::{cargo, root, run, target_dir};

/// What valgrind ends with when it found something.
const FOUND: &str = "--error-exitcode=9";

/// Runs both parts.
pub(crate) fn memcheck() -> Result<(), String> {
    for test in bridge_tests()? {
        let supp = format!(
            "--suppressions={}",
            root().join("xtask/memcheck.supp").display()
        );
        run(valgrind(&[
            "--leak-check=full",
            "--show-leak-kinds=definite",
            "--errors-for-leak-kinds=definite",
            &supp,
        ])
        .arg(test)
        .args(["--test-threads=1", "--quiet"]))?;
    }
    run(&mut cargo(&[
        "build",
        "--quiet",
        "--package",
        "longshore-tests",
        "--bin",
        "longshore-probe",
    ]))?;
    let mut host = valgrind(&["--leak-check=no"]);
    host.arg(target_dir().join("debug/longshore-probe"))
        .arg("exercise");
    run(host.args(kept()?))
}

fn valgrind(args: &[&str]) -> Command {
    let mut valgrind = Command::new("valgrind");
    // Frames with symbols are what takes time in a panic; nobody reads them here.
    valgrind
        .args(["--quiet", FOUND])
        .args(args)
        .env("RUST_BACKTRACE", "0")
        .current_dir(root());
    valgrind
}

/// The test programs of plugin-api, built.
fn bridge_tests() -> Result<Vec<PathBuf>, String> {
    let args = [
        "test",
        "--package",
        "longshore-plugin-api",
        "--lib",
        "--test",
        "bridge",
        "--no-run",
        "--message-format=json",
    ];
    let out = cargo(&args)
        .output()
        .map_err(|e| format!("cannot run cargo: {e}"))?;
    let said = String::from_utf8_lossy(&out.stdout).into_owned();
    let paths = said
        .split("\"executable\":\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next());
    let found: Vec<PathBuf> = paths.map(PathBuf::from).collect();
    if out.status.success() && found.len() == 2 {
        return Ok(found);
    }
    Err(format!(
        "cannot build the tests of plugin-api:\n{}",
        String::from_utf8_lossy(&out.stderr)
    ))
}

fn kept() -> Result<Vec<PathBuf>, String> {
    let dir = root().join("tests/old");
    let files = fs::read_dir(&dir).map_err(|e| format!("{}: {e}", dir.display()))?;
    let mut files: Vec<PathBuf> = files.filter_map(|e| Some(e.ok()?.path())).collect();
    files.retain(|f| f.extension().is_some_and(|x| x == "so"));
    files.sort();
    Ok(files)
}
