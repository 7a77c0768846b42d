//! `cargo xtask bench`: the benchmarks behind the table in the README, each by name.

use crate::cargo::{cargo, run};
use crate::{many, up};

/// Name, package, bench target.
const BENCHES: &[(&str, &str, &str)] = &[
    ("bridge", "longshore-loader", "bridge"),
    ("load", "longshore-loader", "load"),
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
        if names.is_empty() || names.iter().any(|n| n == name) {
            run(&mut cargo(&[
                "bench",
                "--package",
                package,
                "--bench",
                target,
            ]))?;
        }
    }
    if names.is_empty() || names.iter().any(|n| n == MANY) {
        many::many()?;
    }
    Ok(())
}
