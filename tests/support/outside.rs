//! Crates outside the workspace, as an author has them: copied to a directory of their own and built with
//! a compiler of choice.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use serde_json::Value as Json;

use crate::files::{target, workspace};

/// How a crate is built.
#[derive(Debug, Clone, Default)]
pub struct Build {
    /// `target/toolchains/<this>/bin/rustc` in place of the workspace's own compiler.
    pub toolchain: Option<&'static str>,
    /// Debug profile.
    pub debug: bool,
    /// Features of the crate.
    pub features: Vec<&'static str>,
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

/// Builds a crate and answers a directory of its own that holds the `.so` files and programs that came of it: the next
/// build, also of a crate of the same name, leaves them alone.
///
/// # Panics
/// If it does not build, with everything that cargo said.
pub fn build(crate_dir: &Path, how: &Build) -> PathBuf {
    /// The directory of each build of this process.
    static BUILT: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());
    let mut built = BUILT.lock().unwrap_or_else(PoisonError::into_inner);
    let mut cargo = cargo_for(crate_dir, how);
    let out = cargo.output().expect("cargo runs");
    let said = String::from_utf8_lossy(&out.stderr);
    assert!(
        out.status.success(),
        "building {} failed:\n{said}",
        crate_dir.display()
    );
    let all = crate_dir.join("built");
    if !built.iter().any(|dir| dir.starts_with(&all)) {
        // What an earlier run has left.
        let _ = fs::remove_dir_all(&all);
    }
    let kept = all.join(built.len().to_string());
    fs::create_dir_all(&kept).expect("a directory for what was built");
    built.push(kept.clone());
    for file in artifacts(&String::from_utf8_lossy(&out.stdout), crate_dir) {
        let name = file.file_name().expect("an artifact is a file");
        fs::copy(&file, kept.join(name)).expect("a copied artifact");
    }
    kept
}

/// The libraries and programs of the crate itself, from cargo's messages.
fn artifacts(messages: &str, crate_dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for message in messages.lines() {
        let message: Json = serde_json::from_str(message).unwrap_or_default();
        let manifest = message["manifest_path"].as_str().unwrap_or_default();
        if Path::new(manifest).parent() == Some(crate_dir) {
            let files = message["filenames"].as_array().into_iter().flatten();
            let files = files.chain([&message["executable"]]);
            let files = files.filter_map(Json::as_str).map(PathBuf::from);
            found.extend(files.filter(|f| f.extension().is_none_or(|x| x == "so")));
        }
    }
    found
}

fn cargo_for(crate_dir: &Path, how: &Build) -> Command {
    let target_dir = target()
        .join("outside")
        .join(how.toolchain.unwrap_or("own"));
    let mut cargo = Command::new(env!("CARGO"));
    cargo
        .args(["build", "--message-format", "json-render-diagnostics"])
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
    if !how.features.is_empty() {
        cargo.arg("--features").arg(how.features.join(","));
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
    cargo
}

/// Checks crates of the workspace out into a directory that stays, so that the next run builds only what changed, and
/// points them at the workspace's `longshore-plugin-api`. The copies keep their places relative to each other; `name`
/// belongs to one test.
pub fn checkout(name: &str, crates: &[&str]) -> PathBuf {
    let api = format!("\"{}\"", workspace().join("plugin-api").display());
    checkout_changed(name, crates, |file, text| {
        let manifest = file.ends_with("Cargo.toml");
        manifest.then(|| text.replace("\"../../../plugin-api\"", &api))
    })
}

/// As [`checkout`], with other texts in the files for which `change` (given the path in the workspace) answers one.
pub fn checkout_changed(
    name: &str,
    dirs: &[&str],
    change: impl Fn(&Path, &str) -> Option<String>,
) -> PathBuf {
    let to = target().join("outside/copies").join(name);
    for dir in dirs {
        update(Path::new(dir), &to, &change);
    }
    to
}

/// Writes what differs, and nothing else: cargo looks at the time of the last change.
fn update(path: &Path, to: &Path, change: &impl Fn(&Path, &str) -> Option<String>) {
    let (source, dest) = (workspace().join(path), to.join(path));
    if source.is_dir() {
        for entry in fs::read_dir(source).expect("the directory to copy") {
            let name = entry.expect("an entry of it").file_name();
            update(&path.join(name), to, change);
        }
        return;
    }
    let mut bytes = fs::read(&source).expect("a file to copy");
    if let Some(text) = std::str::from_utf8(&bytes)
        .ok()
        .and_then(|t| change(path, t))
    {
        bytes = text.into_bytes();
    }
    if fs::read(&dest).ok().as_deref() != Some(&bytes) {
        fs::create_dir_all(dest.parent().unwrap_or(to)).expect("a directory for the copy");
        fs::write(&dest, bytes).expect("a copied file");
    }
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
