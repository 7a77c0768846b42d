//! What the managers cost: calls through them, look-ups, making a `DriverManager`, and a hundred plugins from the map to
//! drivers. `tests/bench/managers.py` measures stevedore's side; `cargo xtask bench managers` runs both and prints a table.
//!
//! The rows about a hundred plugins use a file each: copies of one plugin, each of another length.

mod many;

use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group};
use longshore_bench_plugin::{Count, Counter};
use longshore_loader::map::Environment;
use longshore_loader::stage::LoadMode;
use longshore_loader::{
    DispatchExtensionManager, Extension, ExtensionManager, Loader, LoaderOptions,
    NameDispatchExtensionManager, PluginMap, dynlib, log,
};
use many::{MANY, NS, plugin, plugins};

/// A hundred drivers of the program: what a manager itself costs, without the bridge.
fn extensions() -> Vec<Extension<dyn Counter>> {
    let one = |i: usize| {
        let driver: Arc<dyn Counter> = Arc::new(Count { base: i as u64 });
        Extension::from_driver(NS, &format!("e{i}"), driver)
    };
    (0..MANY).map(one).collect()
}

fn calls(c: &mut Criterion) {
    let all = ExtensionManager::from_extensions(NS, extensions());
    let dispatch = DispatchExtensionManager::from_extensions(NS, extensions());
    let by_name = NameDispatchExtensionManager::from_extensions(NS, extensions());
    let by_name = by_name.expect("the names differ");
    let names: Vec<String> = (0..MANY).map(|i| format!("e{i}")).collect();
    let mut group = c.benchmark_group("managers");
    group.bench_function("map 100", |b| {
        b.iter(|| all.map(|e| e.driver().add(black_box(7))));
    });
    group.bench_function("dispatch 100", |b| {
        b.iter(|| dispatch.map(|e| !e.name().is_empty(), |e| e.driver().add(black_box(7))));
    });
    group.bench_function("name dispatch 100", |b| {
        b.iter(|| by_name.map(&names, |e| e.driver().add(black_box(7))));
    });
    group.bench_function("get", |b| b.iter(|| all.get(black_box("e42")).is_some()));
    group.finish();
}

fn loader(text: &str, state: &Path) -> Loader {
    let map = PluginMap::parse(text, "plugins.toml").expect("a good map");
    Loader::new(map, state)
}

/// Making a manager for one name whose library is open, in a namespace of one entry and of a thousand.
fn drivers(c: &mut Criterion) {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let mut group = c.benchmark_group("managers");
    for size in [1, 1_000] {
        let mut text = format!("['{NS}']\ncount = '{}'\n", plugin().display());
        for i in 1..size {
            text.push_str(&format!("e{i} = 'lib{i}.so'\n"));
        }
        let loader = loader(&text, dir.path());
        let make = || {
            let builder = loader.namespace::<dyn Counter>(NS);
            builder.driver("count").expect("the plugin loads")
        };
        group.bench_function(format!("driver of {size}"), |b| b.iter(make));
    }
    group.finish();
}

/// From the map's file to a manager that opens each library at first use.
fn hundred_ready(c: &mut Criterion) {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let (map, _) = plugins(dir.path(), "p");
    let ready = |loader: &Loader| {
        let builder = loader.namespace::<dyn Counter>(NS).strict(true).lazy();
        assert_eq!(builder.all().expect("good plugins").len(), MANY);
    };
    let fresh = || {
        let map = PluginMap::load(&map, &Environment::default()).expect("a good map");
        Loader::new(map, dir.path())
    };
    let mut group = c.benchmark_group("managers");
    group.bench_function("100 ready, cold", |b| b.iter(|| ready(&fresh())));
    let known = fresh();
    ready(&known);
    group.bench_function("100 ready, warm", |b| {
        b.iter(|| ready(&known.reload().expect("a good map").0));
    });
    group.finish();
}

/// Medians of opening a hundred files alone, of loading drivers from a hundred twins opened directly, and from sealed
/// memory, in turn.
fn hundred_loaded(rounds: usize) {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let (mut bare, mut whole, mut sealed) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..rounds {
        let (_, files) = plugins(dir.path(), &format!("a{round}-"));
        let start = Instant::now();
        for file in &files {
            assert!(dynlib::open(file, log::services()).is_ok());
        }
        bare.push(start.elapsed());
        let (map, _) = plugins(dir.path(), &format!("b{round}-"));
        whole.push(loaded(&map, dir.path(), LoadMode::Direct));
        let (map, _) = plugins(dir.path(), &format!("c{round}-"));
        sealed.push(loaded(&map, dir.path(), LoadMode::Sealed));
    }
    let median = |times: &mut Vec<Duration>| {
        times.sort();
        times[times.len() / 2].as_secs_f64() * 1e3
    };
    let (bare, whole, sealed) = (median(&mut bare), median(&mut whole), median(&mut sealed));
    println!("100 loaded: {whole:.2} ms, the bare dlopens {bare:.2} ms");
    let size = fs::metadata(plugin()).map_or(0, |m| m.len());
    let mb = MANY as f64 * size as f64 / 1e6;
    println!("100 sealed: {sealed:.2} ms, {mb:.1} MB in all");
}

/// From the map to a hundred drivers.
fn loaded(map: &Path, state: &Path, load: LoadMode) -> Duration {
    let start = Instant::now();
    let map = PluginMap::load(map, &Environment::default()).expect("a good map");
    let options = LoaderOptions {
        load,
        ..LoaderOptions::default()
    };
    let loader = Loader::with_options(map, state, options);
    let all = loader.namespace::<dyn Counter>(NS).strict(true).all();
    assert_eq!(all.expect("good plugins").len(), MANY);
    let spent = start.elapsed();
    assert_eq!(loader.open_libraries(), MANY);
    spent
}

criterion_group!(benches, calls, drivers, hundred_ready);

fn main() {
    let measured = std::env::args().any(|a| a == "--bench");
    hundred_loaded(if measured { 7 } else { 1 });
    benches();
    Criterion::default().configure_from_args().final_summary();
}
