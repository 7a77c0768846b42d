//! `cargo xtask up`: builds the host and the shipped plugins and runs them on the map in the workspace.

use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::Command;

use crate::cargo::{cargo, root, run, target_dir};

/// The shipped plugins, by package.
pub(crate) const PLUGINS: &[&str] = &[
    "longshore-filters",
    "longshore-host-manager",
    "longshore-plugin-template",
    "longshore-scheduler-chance",
    "longshore-scheduler-filter",
    "longshore-virt-fake",
    "longshore-virt-process",
    "longshore-weighers",
];

/// Builds the program and the plugins; answers the directory that holds them.
pub(crate) fn build(release: bool) -> Result<PathBuf, String> {
    let mut args = vec!["build", "--package", "longshore"];
    for plugin in PLUGINS {
        args.extend(["--package", plugin]);
    }
    if release {
        args.push("--release");
    }
    run(&mut cargo(&args))?;
    Ok(target_dir().join(if release { "release" } else { "debug" }))
}

/// Builds, then becomes `longshore up`.
pub(crate) fn up(args: &[String]) -> Result<(), String> {
    let release = args.iter().any(|a| a == "--release");
    let dir = build(release)?;
    let passed = args.iter().filter(|a| *a != "--release");
    let mut command = Command::new(dir.join("longshore"));
    command.arg("up").args(passed).current_dir(root());
    if std::env::var_os("LONGSHORE_PLUGIN_PATH").is_none() {
        command.env("LONGSHORE_PLUGIN_PATH", &dir);
    }
    // The program takes this process's place, so that signals and the exit code are its own.
    let error = command.exec();
    Err(format!(
        "cannot run {}: {error}",
        dir.join("longshore").display()
    ))
}
