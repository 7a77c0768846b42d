//! `cargo xtask nova`: sets up the Nova beside which tests put our filters and weighers, once.
//!
//! A Python of its own with the few packages that filters and weighers import, pinned in
//! `tests/nova/requirements.txt`, and two releases of Nova unpacked, not installed: one is older
//! than its dependencies, the other is wanted for a single file. Knows nothing of the tests.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::cargo::{root, run, target_dir};

/// Pike, and the first release that has the weigher `cpu`; as in `tests/it/nova/theirs.rs`.
pub(crate) const RELEASES: [&str; 2] = ["16.1.8", "19.3.2"];
const REQUIREMENTS: &str = "tests/nova/requirements.txt";

/// Makes `target/nova`, unless it is there and was made from the same requirements.
pub(crate) fn nova() -> Result<(), String> {
    let dir = target_dir().join("nova");
    let wanted = read(&root().join(REQUIREMENTS))? + &RELEASES.join(" ");
    // Written last: what is there without it was interrupted.
    let made_from = dir.join("made-from");
    if fs::read_to_string(&made_from).is_ok_and(|made| made == wanted) {
        return Ok(());
    }
    eprintln!(
        "setting up Nova under {}: some 20 MB to fetch, 15 s",
        dir.display()
    );
    let venv = dir.join("venv");
    let by_hand = "it needs `apt-get install --yes python3 python3-venv`";
    run(Command::new("python3")
        .args(["-m", "venv", "--clear"])
        .arg(&venv))
    .map_err(|e| format!("{e}; {by_hand}"))?;
    let python = venv.join("bin/python");
    let pip = |args: &[&str]| {
        let mut pip = Command::new(&python);
        pip.args(["-m", "pip", "--disable-pip-version-check"])
            .args(args);
        pip.arg("--no-deps").current_dir(root());
        run(&mut pip)
    };
    pip(&["install", "--requirement", REQUIREMENTS])?;
    for release in RELEASES {
        let unpacked = dir.join(format!("nova-{release}"));
        let package = format!("nova=={release}");
        pip(&[
            "install",
            "--target",
            &unpacked.display().to_string(),
            "--upgrade",
            &package,
        ])?;
    }
    fs::write(&made_from, wanted).map_err(|e| format!("{}: {e}", made_from.display()))
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))
}
