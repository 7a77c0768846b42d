//! What loading and inspecting one plugin cost, beside opening the same file alone. Each round has a file
//! of its own: the dynamic linker would answer a second open of one file from memory. The two are measured
//! in turn, because every library that is open makes the next one slower to open.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group};
use longshore_bench_plugin::Counter;
use longshore_loader::process::ProcessWatch;
use longshore_loader::{Loader, LoaderOptions, PluginMap, dynlib, inspect, log};

fn plugin() -> PathBuf {
    let exe = std::env::current_exe().expect("a running benchmark has a file");
    let profile = exe
        .ancestors()
        .nth(2)
        .expect("benchmarks are built below the target directory");
    profile.join("liblongshore_bench_plugin.so")
}

fn load(c: &mut Criterion) {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let mut group = c.benchmark_group("load");
    group.sample_size(50);
    group.bench_function("inspect", |b| {
        let path = plugin();
        b.iter(|| inspect::inspect(&path).expect("a good plugin"));
    });
    let known = loader(&plugin(), dir.path());
    group.bench_function("driver/library already open", |b| b.iter(|| one(&known)));
    let watched = LoaderOptions {
        process: Some(Arc::new(ProcessWatch::new(Vec::new))),
        ..LoaderOptions::default()
    };
    // Looks around the driver's making and around its end.
    let watched = loader_with(&plugin(), dir.path(), watched);
    group.bench_function("driver/the same, watched", |b| b.iter(|| one(&watched)));
    group.finish();
}

fn loader(lib: &Path, state: &Path) -> Loader {
    loader_with(lib, state, LoaderOptions::default())
}

fn loader_with(lib: &Path, state: &Path, options: LoaderOptions) -> Loader {
    let map = format!("[\"longshore.bench\"]\ncount = \"{}\"\n", lib.display());
    let map = PluginMap::parse(&map, "plugins.toml").expect("a map of one line");
    Loader::with_options(map, state, options)
}

fn one(loader: &Loader) -> u64 {
    let manager = loader
        .namespace::<dyn Counter>("longshore.bench")
        .driver("count")
        .expect("the plugin loads");
    manager.driver().add(1).expect("it counts")
}

/// Median times of opening a file alone and of loading a driver from its twin, in turn.
fn pairs(rounds: usize) {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let (mut bare, mut whole) = (Vec::new(), Vec::new());
    for round in 0..rounds {
        let fresh = |side: &str| {
            let path = dir.path().join(format!("{side}{round}.so"));
            std::fs::copy(plugin(), &path).expect("a copy of the plugin");
            path
        };
        let path = fresh("a");
        let start = Instant::now();
        assert!(dynlib::open(&path, log::services()).is_ok());
        bare.push(start.elapsed());
        let loader = loader(&fresh("b"), dir.path());
        let start = Instant::now();
        assert_eq!(one(&loader), 2);
        whole.push(start.elapsed());
    }
    let median = |times: &mut Vec<Duration>| {
        times.sort();
        times[times.len() / 2].as_secs_f64() * 1e6
    };
    let (bare, whole) = (median(&mut bare), median(&mut whole));
    println!(
        "load: dlopen {bare:.0} µs, driver {whole:.0} µs, difference {:.0} µs",
        whole - bare
    );
}

criterion_group!(benches, load);

fn main() {
    pairs(if std::env::args().any(|a| a == "--bench") {
        200
    } else {
        3
    });
    benches();
    Criterion::default().configure_from_args().final_summary();
}
