//! What one call through the bridge costs, beside the same call on a plain `&dyn`, and behind a fence that is down.

use std::hint::black_box;
use std::path::PathBuf;

use criterion::{Criterion, criterion_group, criterion_main};
use longshore_bench_plugin::{Count, Counter};
use longshore_loader::fence::{Ended, Fence, STUCK_MAX_IN_LINE};
use longshore_loader::{Loader, PluginMap};

/// The `.so` beside this benchmark's own file, built by `cargo xtask bench`.
pub fn plugin() -> PathBuf {
    let exe = std::env::current_exe().expect("a running benchmark has a file");
    let profile = exe
        .ancestors()
        .nth(2)
        .expect("benchmarks are built below the target directory");
    profile.join("liblongshore_bench_plugin.so")
}

fn bridge(c: &mut Criterion) {
    let map = format!(
        "[\"longshore.bench\"]\ncount = \"{}\"\n",
        plugin().display()
    );
    let map = PluginMap::parse(&map, "plugins.toml").expect("a map of one line");
    let loader = Loader::new(map, std::env::temp_dir());
    let manager = loader
        .namespace::<dyn Counter>("longshore.bench")
        .driver("count")
        .expect("the plugin loads");
    let loaded = manager.driver();
    let direct: std::sync::Arc<dyn Counter> = std::sync::Arc::new(Count { base: 1 });
    let mut group = c.benchmark_group("call");
    for (how, driver) in [("direct", &direct), ("bridge", &loaded)] {
        group.bench_function(format!("u64/{how}"), |b| {
            let driver = black_box(driver);
            b.iter(|| driver.add(black_box(7)));
        });
        group.bench_function(format!("string/{how}"), |b| {
            b.iter(|| driver.append(black_box("thirty-two bytes of text, or so.").to_owned()));
        });
    }
    let fence = Fence::new(3, STUCK_MAX_IN_LINE);
    group.bench_function("u64/bridge and fence", |b| {
        let (driver, fence) = (black_box(&loaded), black_box(&fence));
        b.iter(|| {
            // What a caller does with a driver that is fenced is not measured, as it is not called then.
            assert!(fence.admit(|| 0).is_ok());
            let answer = driver.add(black_box(7));
            assert!(fence.ended(Ended::Answered, || 0).is_none());
            answer
        });
    });
    group.bench_function("panic/bridge", |b| b.iter(|| loaded.panic().is_err()));
    group.finish();
}

criterion_group!(benches, bridge);
criterion_main!(benches);
