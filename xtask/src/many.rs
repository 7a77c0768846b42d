//! The benchmark `many`: 1 100 plugins that differ in one number, in one process. Prints how long loading them took and
//! what memory they hold; `tests/it/abi_process.rs` does the same with 200 and checks the answers.

use std::fs;
use std::process::Command;

use crate::cargo::{cargo, root, run, target_dir};

const COUNT: usize = 1_100;
const PLUGIN: &str = "tests/old/api-1.0_rustc-1.95_release.so";
/// Follows the eight digits that make a file differ.
const BEHIND: &[u8] = b", as told by its own code";

/// Makes the files, loads them in a release host and removes them.
pub(crate) fn many() -> Result<(), String> {
    run(&mut cargo(&[
        "build",
        "--release",
        "--package",
        "longshore-tests",
        "--bin",
        "longshore-probe",
    ]))?;
    let mut bytes = fs::read(root().join(PLUGIN)).map_err(|e| format!("{PLUGIN}: {e}"))?;
    let at = bytes
        .windows(BEHIND.len())
        .position(|w| w == BEHIND)
        .and_then(|at| at.checked_sub(8));
    let at = at.ok_or_else(|| format!("{PLUGIN} has no serial number"))?;
    let dir = target_dir().join("many");
    fs::create_dir_all(&dir).map_err(|e| format!("{}: {e}", dir.display()))?;
    for n in 0..COUNT {
        bytes[at..at + 8].copy_from_slice(format!("{n:08}").as_bytes());
        let file = dir.join(format!("{n}.so"));
        fs::write(&file, &bytes).map_err(|e| format!("{}: {e}", file.display()))?;
    }
    let ran = run(Command::new(target_dir().join("release/longshore-probe"))
        .arg("many")
        .arg(&dir));
    fs::remove_dir_all(&dir).map_err(|e| format!("{}: {e}", dir.display()))?;
    ran
}
