//! `cargo xtask test`: installs what tests need, builds everything they load, and runs them all.

use std::path::Path;
use std::process::Command;

use crate::cargo::{cargo, has, root, run, target_dir};
use crate::{fuzz, memcheck, nova, up};

/// Programs that tests use, and the Debian packages they come from.
const PROGRAMS: &[(&str, &str)] = &[
    ("cc", "gcc"),
    ("setsid", "util-linux"),
    ("strip", "binutils"),
    ("nm", "binutils"),
    ("dpkg-deb", "dpkg"),
    ("valgrind", "valgrind"),
];

/// Compilers beside the workspace's own that a plugin is built with; unpacked, not installed.
const OLD_TOOLCHAINS: &str = "tests/old-toolchains.sh";

/// Runs all tests, then the bridge under valgrind and each reader on damaged input. `args` go to `cargo test`; with any, only those tests run.
pub(crate) fn test(args: &[String]) -> Result<(), String> {
    install()?;
    old_toolchains()?;
    nova::nova()?;
    // Everything: also the plugins that only tests load.
    run(&mut cargo(&["build", "--workspace"]))?;
    // The release host loads plugins of other compilers and profiles; plugins are also measured in it.
    up::build(true)?;
    let mut test = cargo(&["test", "--workspace"]);
    run(test.args(args))?;
    if args.is_empty() {
        memcheck::memcheck()?;
        fuzz::short()?;
    }
    Ok(())
}

fn install() -> Result<(), String> {
    let mut packages: Vec<&str> = PROGRAMS
        .iter()
        .filter(|(program, _)| !has(program))
        .map(|(_, package)| *package)
        .collect();
    packages.dedup();
    if packages.is_empty() {
        return Ok(());
    }
    let by_hand = format!(
        "install them with: apt-get install --yes {}",
        packages.join(" ")
    );
    if !has("apt-get") {
        return Err(format!(
            "these packages are missing and there is no apt-get; {by_hand}"
        ));
    }
    run(Command::new("apt-get").args(["update", "--quiet"]))
        .map_err(|e| format!("{e}; {by_hand}"))?;
    let mut install = Command::new("apt-get");
    install
        .args(["install", "--yes", "--quiet"])
        .args(&packages);
    run(&mut install).map_err(|e| format!("{e}; {by_hand}"))
}

/// Unpacks the distribution's compilers once; tests find them under `target/toolchains`.
fn old_toolchains() -> Result<(), String> {
    let dir = target_dir().join("toolchains");
    if Path::new(&dir).join("1.63/bin/rustc").is_file() {
        return Ok(());
    }
    let lists_are_fresh = || {
        let known = Command::new("apt-cache").args(["policy", "rustc"]).output();
        known.is_ok_and(|out| String::from_utf8_lossy(&out.stdout).contains("Candidate: 1"))
    };
    if !lists_are_fresh() {
        run(Command::new("apt-get").args(["update", "--quiet"]))?;
    }
    run(Command::new("sh")
        .arg(root().join(OLD_TOOLCHAINS))
        .arg(&dir))
}
