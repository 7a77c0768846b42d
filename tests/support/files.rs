//! Where the workspace's built files are.

use std::path::{Path, PathBuf};

/// The workspace's directory.
pub fn workspace() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_owned()
}

/// The target directory that this test was built into.
pub fn target() -> PathBuf {
    // target/<profile>/deps/<test>
    let exe = std::env::current_exe().expect("a running test has a file");
    exe.ancestors()
        .nth(3)
        .expect("tests are built below the target directory")
        .to_owned()
}

/// A file that `cargo xtask test` builds beforehand.
///
/// # Panics
/// If it is not there, with the command that makes it.
pub fn built(profile: &str, name: &str) -> PathBuf {
    let path = target().join(profile).join(name);
    assert!(
        path.is_file(),
        "{} is missing; run `cargo xtask test`",
        path.display()
    );
    path
}

/// The shared library of a package: `longshore-filters` → `liblongshore_filters.so`.
pub fn plugin(profile: &str, package: &str) -> PathBuf {
    built(profile, &format!("lib{}.so", package.replace('-', "_")))
}

/// The program.
pub fn program(profile: &str) -> PathBuf {
    built(profile, "longshore")
}
