//! Crates outside the workspace, as an author has them: copied to a directory of their own and built with
//! a compiler of choice.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::files::{target, workspace};

/// How a crate is built.
#[derive(Debug, Clone, Default)]
pub struct Build {
    /// `target/toolchains/<this>/bin/rustc` in place of the workspace's own compiler.
    pub toolchain: Option<&'static str>,
    /// Debug profile.
    pub debug: bool,
    /// Further environment, such as `RUSTFLAGS`.
    pub env: Vec<(&'static str, &'static str)>,
}

/// Copies a directory of the workspace to `to`, without what is built.
pub fn copy(from: &str, to: &Path) {
    copy_dir(&workspace().join(from), to);
}

fn copy_dir(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a directory for the copy");
    for entry in fs::read_dir(from).expect("the directory to copy") {
        let entry = entry.expect("an entry of it");
        let (source, dest) = (entry.path(), to.join(entry.file_name()));
        if entry.file_name() == "target" {
            continue;
        }
        if source.is_dir() {
            copy_dir(&source, &dest);
        } else {
            fs::copy(&source, &dest).expect("a copied file");
        }
    }
}

/// Replaces a text in a file, which must have it.
pub fn edit(file: &Path, from: &str, to: &str) {
    let text = fs::read_to_string(file).expect("the file to edit");
    assert!(text.contains(from), "{} has no `{from}`", file.display());
    fs::write(file, text.replace(from, to)).expect("the edited file");
}

/// Points a copied crate's `longshore-plugin-api` at the workspace's, by absolute path.
pub fn point_at_api(crate_dir: &Path) {
    point_outwards(crate_dir, "../../");
}

/// Points every dependency of a copied crate that leads `up` out of the copy at the workspace, by absolute path.
pub fn point_outwards(crate_dir: &Path, up: &str) {
    let root = format!("{}/", workspace().display());
    edit(&crate_dir.join("Cargo.toml"), up, &root);
}

/// Builds a crate and answers the directory of its artifacts.
///
/// # Panics
/// If it does not build, with everything that cargo said.
pub fn build(crate_dir: &Path, how: &Build) -> PathBuf {
    let cache = format!("outside/{}", how.toolchain.unwrap_or("own"));
    let target_dir = target().join(cache);
    let mut cargo = Command::new(env!("CARGO"));
    cargo
        .arg("build")
        .arg("--target-dir")
        .arg(&target_dir)
        .current_dir(crate_dir);
    // The test's own cargo left its marks in the environment.
    for (key, _) in std::env::vars().filter(|(k, _)| k.starts_with("CARGO_") && k != "CARGO_HOME") {
        cargo.env_remove(key);
    }
    if !how.debug {
        cargo.arg("--release");
    }
    if let Some(version) = how.toolchain {
        let rustc = target().join("toolchains").join(version).join("bin/rustc");
        assert!(
            rustc.is_file(),
            "{} is missing; run `cargo xtask test`",
            rustc.display()
        );
        cargo.env("RUSTC", rustc);
    }
    cargo.envs(how.env.iter().copied());
    let out = cargo.output().expect("cargo runs");
    let said = String::from_utf8_lossy(&out.stderr);
    assert!(
        out.status.success(),
        "building {} failed:\n{said}",
        crate_dir.display()
    );
    target_dir.join(if how.debug { "debug" } else { "release" })
}

/// The versions of the compilers that `cargo xtask test` unpacked.
pub fn toolchains() -> Vec<String> {
    let dir = target().join("toolchains");
    let names = fs::read_dir(&dir).expect("`cargo xtask test` unpacks compilers first");
    let mut found: Vec<String> = names
        .filter_map(|e| e.ok()?.file_name().into_string().ok())
        .filter(|n| dir.join(n).join("bin/rustc").is_file())
        .collect();
    found.sort();
    found
}
