//! Small durable writes per second, for one writer and for 32 at the same time.
//!
//! Each write is an instance's compare-and-swap, answered after its fsync. Run it on the file
//! system that matters: `TMPDIR=/var/lib cargo bench -p longshore-store`.
#![expect(clippy::unwrap_used, reason = "a bench stops at the first failure")]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use longshore_objects::{Expected, Instance, VersionedObject};
use longshore_store::{Options, Store};
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

/// Writes of each writer in one round.
const WRITES: u64 = 50;

fn named(index: u64) -> Instance {
    let mut instance = Instance::new();
    instance.set_uuid(format!("u{index}"));
    instance
}

async fn round(store: &Store, writers: u64) {
    let mut tasks = JoinSet::new();
    for writer in 0..writers {
        let store = store.clone();
        tasks.spawn(async move {
            for write in 0..WRITES {
                let mut instance = named(writer);
                instance.reset_changes();
                instance.set_progress(i64::try_from(write).unwrap());
                store
                    .save_instance(instance, Expected::task(&[None]))
                    .await
                    .unwrap();
            }
        });
    }
    tasks.join_all().await;
}

fn group_commit(criterion: &mut Criterion) {
    let runtime = Runtime::new().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}/bench.db", dir.path().display());
    let store = runtime
        .block_on(Store::open(&url, Options::default()))
        .unwrap();
    for writer in 0..32 {
        runtime
            .block_on(store.create_instance(named(writer)))
            .unwrap();
    }
    let mut group = criterion.benchmark_group("durable_writes");
    group.sample_size(10);
    for writers in [1, 32] {
        group.throughput(Throughput::Elements(writers * WRITES));
        group.bench_function(format!("{writers}_writers"), |bench| {
            bench.iter(|| runtime.block_on(round(&store, writers)));
        });
    }
    group.finish();
    runtime.block_on(store.close());
}

criterion_group!(benches, group_commit);
criterion_main!(benches);
