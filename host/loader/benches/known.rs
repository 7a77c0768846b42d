//! What a start and a listing cost for a hundred plugins that are known already: the map is read anew, and of each plugin
//! the way to it is followed link by link, with owners and modes, and its identity is compared with what is remembered. No
//! content is read, and nothing is opened. The limit is 5 ms; `first` is the same for files nobody has looked at.

mod many;

use std::fs;
use std::path::Path;

use criterion::{Criterion, criterion_group, criterion_main};
use longshore_bench_plugin::Counter;
use longshore_loader::map::Environment;
use longshore_loader::{Loader, PluginMap};
use many::{MANY, NS, plugins};

/// A lock of the hundred files, so that each digest is compared too.
fn lock(map: &Path) {
    let loaded = PluginMap::load(map, &Environment::default()).expect("a good map");
    let locking = longshore_loader::PluginsLock::from_map(&loaded);
    assert!(locking.refused.is_empty());
    fs::write(map.with_file_name("plugins.lock"), locking.lock.to_toml()).expect("a lock");
}

fn loader(map: &Path, state: &Path) -> Loader {
    let map = PluginMap::load(map, &Environment::default()).expect("a good map");
    Loader::new(map, state)
}

/// What `plugin list`, `config check` and `doctor` ask.
fn list(loader: &Loader) {
    let looked = loader.map().all_entries().map(|e| loader.look(e));
    assert_eq!(looked.filter(|l| l.failure.is_none()).count(), MANY);
}

/// What a start asks before it opens anything.
fn start(loader: &Loader) {
    let builder = loader.namespace::<dyn Counter>(NS).strict(true).lazy();
    assert_eq!(builder.all().expect("good plugins").len(), MANY);
}

fn known(c: &mut Criterion) {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let (map, _) = plugins(dir.path(), "p");
    lock(&map);
    let mut group = c.benchmark_group("known");
    group.bench_function("100 listed, first", |b| {
        b.iter(|| list(&loader(&map, dir.path())));
    });
    let known = loader(&map, dir.path());
    list(&known);
    let anew = || known.reload().expect("a good map").0;
    group.bench_function("100 listed", |b| b.iter(|| list(&anew())));
    group.bench_function("100 started", |b| b.iter(|| start(&anew())));
    group.finish();
}

criterion_group!(benches, known);
criterion_main!(benches);
