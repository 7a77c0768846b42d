//! Tells the crate which compiler builds it and for which target: both go into a plugin's note.

use std::process::Command;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let version = Command::new(rustc).arg("--version").output().ok();
    let version = version
        .and_then(|out| String::from_utf8(out.stdout).ok())
        .unwrap_or_default();
    println!("cargo:rustc-env=LONGSHORE_RUSTC={}", version.trim());
    println!(
        "cargo:rustc-env=LONGSHORE_TARGET={}",
        std::env::var("TARGET").unwrap_or_default()
    );
}
