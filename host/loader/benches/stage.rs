//! What staging costs: a plugin read, hashed, copied into sealed memory and looked at, against only looking at it. Each
//! sealed copy is dropped again, so that memory is handed out that the machine has already; a machine that has to find
//! memory first takes longer, whoever asks for it.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use longshore_loader::stage::{self, LoadMode, Staging};

const SIZES_MB: &[usize] = &[1, 16, 64];

fn plugin() -> PathBuf {
    let exe = std::env::current_exe().expect("a running benchmark has a file");
    let profile = exe.ancestors().nth(2);
    let profile = profile.expect("benchmarks are built below the target directory");
    profile.join("liblongshore_bench_plugin.so")
}

/// Median of `rounds`, in milliseconds.
fn staged(file: &Path, load: LoadMode, rounds: usize) -> f64 {
    let staging = Staging {
        load,
        dir: file.with_extension("staged"),
        hash: load != LoadMode::Direct,
    };
    let mut times: Vec<f64> = (0..rounds)
        .map(|_| {
            let start = Instant::now();
            let staged = stage::stage(file, &staging, false).expect("a good plugin");
            let spent = start.elapsed();
            drop(staged);
            spent.as_secs_f64() * 1e3
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[rounds / 2]
}

fn main() {
    let rounds = match std::env::args().any(|a| a == "--bench") {
        true => 31,
        false => 1,
    };
    let dir = tempfile::tempdir().expect("a temporary directory");
    let good = fs::read(plugin()).expect("the plugin is built");
    for &mb in SIZES_MB {
        let file = dir.path().join(format!("p{mb}.so"));
        // Bytes behind the end of an ELF file mean nothing.
        let mut bytes = good.clone();
        bytes.resize(mb << 20, 0x5a);
        fs::write(&file, bytes).expect("a larger plugin");
        let direct = staged(&file, LoadMode::Direct, rounds);
        let sealed = staged(&file, LoadMode::Sealed, rounds);
        let more = (sealed - direct) / mb as f64;
        println!(
            "{mb} MiB: sealed {sealed:.3} ms, direct {direct:.3} ms: {more:.3} ms more per MiB"
        );
    }
}
