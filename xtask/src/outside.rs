//! Builds crates outside the workspace with a compiler, a profile and features of choice, as an author would.
//!
//! The crates are copied first, so that no lock file or target directory of theirs lands among the sources.
//! Called by `old-plugins` and `matrix`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::cargo::{root, target_dir};

/// A compiler at hand.
#[derive(Clone)]
pub(crate) struct Compiler {
    /// Major and minor version, such as `1.63`.
    pub(crate) version: String,
    /// What it says of itself.
    pub(crate) full: String,
    /// Its `rustc`; the workspace's own when there is none.
    rustc: Option<PathBuf>,
}

/// How a crate is built.
#[derive(Clone, Copy, Default)]
pub(crate) struct Recipe<'a> {
    pub(crate) release: bool,
    /// `panic = "abort"`.
    pub(crate) abort: bool,
    pub(crate) features: &'a [&'a str],
    /// Further variables.
    pub(crate) env: &'a [(&'a str, &'a str)],
}

/// The workspace's own compiler, then the unpacked ones, oldest first.
pub(crate) fn compilers() -> Result<Vec<Compiler>, String> {
    let mut found = vec![compiler(None)?];
    let dir = target_dir().join("toolchains");
    let names = fs::read_dir(&dir)
        .map_err(|e| format!("{}: {e}; run `cargo xtask test`", dir.display()))?;
    let mut names: Vec<PathBuf> = names.filter_map(|e| Some(e.ok()?.path())).collect();
    names.sort();
    for name in names {
        let rustc = name.join("bin/rustc");
        if rustc.is_file() {
            found.push(compiler(Some(rustc))?);
        }
    }
    Ok(found)
}

fn compiler(rustc: Option<PathBuf>) -> Result<Compiler, String> {
    let program = rustc.clone().unwrap_or_else(|| PathBuf::from("rustc"));
    let said = Command::new(&program)
        .arg("--version")
        .current_dir(root())
        .output();
    let said = said.map_err(|e| format!("cannot run {}: {e}", program.display()))?;
    let full = String::from_utf8_lossy(&said.stdout).trim().to_owned();
    let version = full.split_whitespace().nth(1).unwrap_or_default();
    let version = version.split('.').take(2).collect::<Vec<_>>().join(".");
    Ok(Compiler {
        version,
        full,
        rustc,
    })
}

/// Copies directories of the workspace below `to`, at the same relative places.
pub(crate) fn copy(dirs: &[&str], to: &Path) -> Result<(), String> {
    for dir in dirs {
        copy_dir(&root().join(dir), &to.join(dir))
            .map_err(|e| format!("cannot copy {dir}: {e}"))?;
        let manifest = to.join(dir).join("Cargo.toml");
        let text =
            fs::read_to_string(&manifest).map_err(|e| format!("{}: {e}", manifest.display()))?;
        let api = format!("\"{}\"", root().join("plugin-api").display());
        let text = text.replace("\"../../../plugin-api\"", &api);
        fs::write(&manifest, text).map_err(|e| format!("{}: {e}", manifest.display()))?;
    }
    Ok(())
}

fn copy_dir(from: &Path, to: &Path) -> std::io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (source, dest) = (entry.path(), to.join(entry.file_name()));
        if source.is_dir() {
            copy_dir(&source, &dest)?;
        } else {
            fs::copy(&source, &dest)?;
        }
    }
    Ok(())
}

/// Builds the crate in `dir`, whose library is called `name`; answers the `.so`.
///
/// # Errors
/// The first line that was marked as an error; all of them are on stderr.
pub(crate) fn build(
    dir: &Path,
    name: &str,
    compiler: &Compiler,
    how: Recipe<'_>,
) -> Result<PathBuf, String> {
    let own = compiler.rustc.is_none();
    let cache = if own { "own" } else { &compiler.version };
    let target = target_dir().join("outside").join(cache);
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo
        .arg("build")
        .arg("--target-dir")
        .arg(&target)
        .current_dir(dir);
    // The task's own cargo left its marks in the environment.
    for (key, _) in std::env::vars().filter(|(k, _)| k.starts_with("CARGO_") && k != "CARGO_HOME") {
        cargo.env_remove(key);
    }
    cargo.env("CARGO_RESOLVER_INCOMPATIBLE_RUST_VERSIONS", "fallback");
    let profile = if how.release { "RELEASE" } else { "DEV" };
    if how.release {
        cargo.arg("--release");
    }
    if how.abort {
        cargo.env(format!("CARGO_PROFILE_{profile}_PANIC"), "abort");
    }
    if !how.features.is_empty() {
        cargo.arg("--features").arg(how.features.join(","));
    }
    if let Some(rustc) = &compiler.rustc {
        cargo.env("RUSTC", rustc);
    }
    cargo.envs(how.env.iter().copied());
    let out = cargo
        .output()
        .map_err(|e| format!("cannot run cargo: {e}"))?;
    if !out.status.success() {
        let said = String::from_utf8_lossy(&out.stderr);
        eprintln!("{said}");
        let line = said
            .lines()
            .find(|l| l.starts_with("error"))
            .unwrap_or("cargo failed");
        return Err(line.to_owned());
    }
    Ok(target
        .join(if how.release { "release" } else { "debug" })
        .join(format!("lib{name}.so")))
}
