//! A hundred plugin files and the map of them, for the benchmarks about many plugins.

use std::fs;
use std::path::{Path, PathBuf};

/// The namespace of the benchmarks' plugin.
pub(crate) const NS: &str = "longshore.bench";
/// How many plugins are many.
pub(crate) const MANY: usize = 100;

/// The benchmarks' plugin, which `cargo xtask bench` builds beforehand.
pub(crate) fn plugin() -> PathBuf {
    let exe = std::env::current_exe().expect("a running benchmark has a file");
    let profile = exe.ancestors().nth(2);
    let profile = profile.expect("benchmarks are built below the target directory");
    profile.join("liblongshore_bench_plugin.so")
}

/// Copies of the plugin, no two of one length, and a map of them.
pub(crate) fn plugins(dir: &Path, side: &str) -> (PathBuf, Vec<PathBuf>) {
    let bytes = fs::read(plugin()).expect("the plugin is built");
    let mut text = format!("['{NS}']\n");
    let mut files = Vec::new();
    for i in 0..MANY {
        let file = dir.join(format!("{side}{i}.so"));
        let mut bytes = bytes.clone();
        bytes.resize(bytes.len() + i, 0);
        fs::write(&file, bytes).expect("a copy of the plugin");
        text.push_str(&format!("e{i} = '{}:count'\n", file.display()));
        files.push(file);
    }
    let map = dir.join(format!("{side}.toml"));
    fs::write(&map, text).expect("a map");
    (map, files)
}
