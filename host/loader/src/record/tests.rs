//! The record: what is left of it after a process, from several threads, full, and from bytes of any kind.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};

use super::*;

fn driver(name: &str) -> DriverId {
    DriverId {
        namespace: "acme.kind".to_owned(),
        name: name.to_owned(),
        digest: "ab".repeat(32),
        version: "1.2.3".to_owned(),
        file: format!("/usr/lib/acme/{name}.so"),
    }
}

fn left(dir: &tempfile::TempDir) -> Death {
    post_mortem(dir.path()).unwrap().unwrap()
}

#[test]
fn what_runs_at_the_end_is_there_at_the_next_start() {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(post_mortem(dir.path()).unwrap(), None);
    let record = InFlight::open(dir.path()).unwrap();
    let (one, two) = (
        record.register(&driver("one")),
        record.register(&driver("two")),
    );
    let ended = record.begin(one, CallName::new("destroy"), 5);
    let runs = record.begin(two, CallName::new("spawn"), 7);
    drop(ended);
    // Whoever is killed drops nothing.
    std::mem::forget(runs);
    drop(record);
    let death = left(&dir);
    assert!(death.is_unexplained());
    assert_eq!(death.pid, u64::from(std::process::id()));
    let spawn = DeathCall {
        driver: driver("two"),
        call: "spawn".to_owned(),
        since_ms: 7,
    };
    assert_eq!(death.calls, [spawn]);
    // A new record begins empty.
    drop(InFlight::open(dir.path()).unwrap());
    assert_eq!(left(&dir).calls, []);
}

#[test]
fn a_note_without_a_guard_is_seen_by_the_process_itself() {
    let dir = tempfile::tempdir().unwrap();
    let record = InFlight::open(dir.path()).unwrap();
    let one = Recorded::new(Arc::new(record), &driver("one"));
    let slot = one.note(CallName::new("weigh_all")).unwrap();
    let running = one.record.running();
    assert_eq!(running.len(), 1);
    assert_eq!(
        (running[0].driver.name.as_str(), running[0].call.as_str()),
        ("one", "weigh_all")
    );
    one.end(slot);
    assert_eq!(one.record.running(), []);
}

#[test]
fn an_end_by_decision_blames_nobody() {
    let dir = tempfile::tempdir().unwrap();
    let record = InFlight::open(dir.path()).unwrap();
    let number = record.register(&driver("one"));
    let runs = record.begin(number, CallName::new("spawn"), 7);
    record.end_clean();
    std::mem::forget(runs);
    assert!(left(&dir).clean);
    assert!(!left(&dir).is_unexplained());
}

#[test]
fn long_names_are_cut_and_equal_drivers_share_a_number() {
    let dir = tempfile::tempdir().unwrap();
    let record = InFlight::open(dir.path()).unwrap();
    let long = DriverId {
        file: "é".repeat(1_000),
        version: "v".repeat(300),
        ..driver("one")
    };
    let number = record.register(&long);
    assert_eq!(record.register(&long), number);
    let runs = record.begin(number, CallName::new(&"spawn".repeat(20)), 0);
    let call = left(&dir).calls.remove(0);
    assert_eq!((call.call.len(), call.driver.version.len()), (32, 64));
    assert_eq!(
        (call.driver.file.len(), call.driver.name.as_str()),
        (380, "one")
    );
    drop(runs);
    assert_eq!(left(&dir).calls, []);
}

#[test]
fn bounds_hold_and_are_counted() {
    let dir = tempfile::tempdir().unwrap();
    let record = InFlight::open(dir.path()).unwrap();
    let numbers: Vec<_> = (0..DRIVERS_MAX + 2)
        .map(|i| record.register(&driver(&format!("d{i}"))))
        .collect();
    // The last ones have no place: nothing is noted, nothing goes wrong.
    drop(record.begin(numbers[DRIVERS_MAX + 1], CallName::new("spawn"), 1));
    let calls: Vec<_> = (0..SLOTS_MAX + 3)
        .map(|_| record.begin(numbers[3], CallName::new("spawn"), 1))
        .collect();
    assert_eq!((record.dropped(), left(&dir).calls.len()), (3, SLOTS_MAX));
    drop(calls);
    assert_eq!(left(&dir).calls, []);
}

#[test]
fn threads_never_share_a_slot_and_never_tear_a_call() {
    let dir = tempfile::tempdir().unwrap();
    let record = InFlight::open(dir.path()).unwrap();
    let names = ["a_call", "another_call_with_a_long_name", "z"];
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let workers: Vec<_> = names
            .iter()
            .map(|name| {
                let record = &record;
                scope.spawn(move || {
                    let (number, call) = (record.register(&driver(name)), CallName::new(name));
                    for _ in 0..20_000 {
                        let outer = record.begin(number, call, 1);
                        drop(record.begin(number, call, 1));
                        drop(outer);
                    }
                })
            })
            .collect();
        // A death at any moment: driver and call always belong together.
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                for call in left(&dir).calls {
                    assert!(names.contains(&call.driver.name.as_str()));
                }
            }
        });
        for worker in workers {
            worker.join().unwrap();
        }
        done.store(true, Ordering::Relaxed);
    });
    assert_eq!((record.dropped(), left(&dir).calls.len()), (0, 0));
}

#[test]
fn bytes_of_any_kind_are_read_without_trouble() {
    let dir = tempfile::tempdir().unwrap();
    let record = InFlight::open(dir.path()).unwrap();
    let number = record.register(&driver("one"));
    let _runs = record.begin(number, CallName::new("spawn"), 7);
    let good = fs::read(dir.path().join(FILE)).unwrap();
    let mut state = 7_u64;
    for round in 0..200 {
        let mut bytes = good.clone();
        for _ in 0..=round {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            let at = usize::try_from(state >> 33).unwrap() % bytes.len();
            bytes[at] = (state >> 20) as u8;
        }
        bytes.truncate(if round % 5 == 0 { round } else { bytes.len() });
        fs::write(dir.path().join(FILE), &bytes).unwrap();
        let death = post_mortem(dir.path()).unwrap();
        assert!(death.is_none_or(|d| d.calls.len() <= SLOTS_MAX));
    }
}

#[test]
fn the_end_of_the_machine_blames_nobody() {
    let dir = tempfile::tempdir().unwrap();
    drop(InFlight::open(dir.path()).unwrap());
    let path = dir.path().join(FILE);
    let mut bytes = fs::read(&path).unwrap();
    bytes[layout::BOOT * 8] ^= 1;
    fs::write(&path, bytes).unwrap();
    assert!(left(&dir).machine_restarted && !left(&dir).is_unexplained());
}
