//! What it costs to note a call, and to ask the fence while nothing is wrong.

use criterion::{Criterion, criterion_group, criterion_main};
use longshore_loader::fence::{Ended, Fence, STUCK_MAX};
use longshore_loader::record::{CallName, DriverId, InFlight};

fn record(c: &mut Criterion) {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let record = InFlight::open(dir.path()).expect("a record");
    let driver = DriverId {
        namespace: "acme.kind".to_owned(),
        name: "one".to_owned(),
        ..DriverId::default()
    };
    let number = record.register(&driver);
    const SPAWN: CallName = CallName::new("spawn");
    c.bench_function("record/begin_end", |b| {
        b.iter(|| drop(record.begin(number, std::hint::black_box(SPAWN), 1)));
    });
    c.bench_function("record/note_end", |b| {
        b.iter(|| {
            let slot = record.note(number, std::hint::black_box(SPAWN), 1);
            slot.map(|slot| record.end(slot))
        });
    });
    let fence = Fence::new(3, STUCK_MAX);
    c.bench_function("fence/admit_ended", |b| {
        b.iter(|| {
            let admitted = std::hint::black_box(&fence).admit(|| 0).is_ok();
            let fenced = std::hint::black_box(&fence).ended(Ended::Answered, || 0);
            (admitted, fenced.is_some())
        });
    });
}

criterion_group!(benches, record);
criterion_main!(benches);
