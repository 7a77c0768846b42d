//! `cargo xtask fuzz`: damaged input for everything that reads foreign bytes. It runs on the stable compiler, and so knows
//! nothing of which code an input reached.

use crate::cargo::{cargo, run};

/// How long each target runs, in seconds: for a developer who waits for it, and as a part of all tests.
const SECONDS: &str = "60";
const SHORT_SECONDS: &str = "2";

/// Optimised, and with the checks that stop at an overflow.
const RUN: &[&str] = &[
    "run",
    "--quiet",
    "--package",
    "longshore-tests",
    "--bin",
    "longshore-fuzz",
    "--config",
    "profile.dev.opt-level=1",
    "--",
];

/// Runs targets for a long time. `args` go to the fuzzer.
pub(crate) fn fuzz(args: &[String]) -> Result<(), String> {
    let mut command = cargo(RUN);
    if !args.iter().any(|a| a == "--seconds") {
        command.args(["--seconds", SECONDS]);
    }
    run(command.args(args))
}

/// Runs every target for a short time, with what `test` has built.
pub(crate) fn short() -> Result<(), String> {
    let mut command = cargo(&["run", "--quiet", "--package", "longshore-tests", "--bin"]);
    run(command.args(["longshore-fuzz", "--", "--seconds", SHORT_SECONDS]))
}
