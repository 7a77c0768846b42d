//! What loading and inspecting one plugin cost, beside opening the same file alone. Each round has a file
//! of its own: the dynamic linker would answer a second open of one file from memory.

use std::cell::Cell;
use std::path::{Path, PathBuf};

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use longshore_bench_plugin::Counter;
use longshore_loader::{Loader, PluginMap, dynlib, inspect, log};

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
    let next = Cell::new(0);
    let fresh = || {
        next.set(next.get() + 1);
        let path = dir.path().join(format!("{}.so", next.get()));
        std::fs::copy(plugin(), &path).expect("a copy of the plugin");
        path
    };
    let mut group = c.benchmark_group("load");
    group.sample_size(50);
    group.bench_function("inspect", |b| {
        let path = plugin();
        b.iter(|| inspect::inspect(&path).expect("a good plugin"));
    });
    group.bench_function("dlopen", |b| {
        b.iter_batched(
            fresh,
            |path| dynlib::open(&path, log::services()).is_ok(),
            BatchSize::PerIteration,
        );
    });
    group.bench_function("driver", |b| {
        b.iter_batched(
            || loader(&fresh(), dir.path()),
            |loader| one(&loader),
            BatchSize::PerIteration,
        );
    });
    let known = loader(&fresh(), dir.path());
    group.bench_function("driver/library already open", |b| b.iter(|| one(&known)));
    group.finish();
}

fn loader(lib: &Path, state: &Path) -> Loader {
    let map = format!("[\"longshore.bench\"]\ncount = \"{}\"\n", lib.display());
    Loader::new(
        PluginMap::parse(&map, "plugins.toml").expect("a map of one line"),
        state,
    )
}

fn one(loader: &Loader) -> u64 {
    let manager = loader
        .namespace::<dyn Counter>("longshore.bench")
        .driver("count")
        .expect("the plugin loads");
    manager.driver().add(1).expect("it counts")
}

criterion_group!(benches, load);
criterion_main!(benches);
