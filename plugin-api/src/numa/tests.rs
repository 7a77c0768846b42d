//! Placing guests on one host: processors of their own, pages, the emulator, and that what is given back is as it was.

use super::{GuestCells, HostCells, Placement, Ratios};
use crate::pci::{Pools, Requests};
use crate::{RequestFields, RequestSpec};

/// One cell of three cores of two threads, of which one thread is taken.
const THREADS: &str = r#"{"id": 0, "cpuset": [0, 1, 2, 3, 4, 5], "siblings": [[0, 1], [2, 3], [4, 5]], "pinned_cpus": [1], "memory": 4096,
    "mempages": [{"size_kb": 4, "total": 1048576}, {"size_kb": 2048, "total": 512, "used": 1, "reserved": 1}]}"#;
/// One of four processors without siblings.
const PLAIN: &str =
    r#"{"id": 1, "cpuset": [8, 9, 10, 11], "memory": 1024, "cpu_usage": 1, "memory_usage": 512}"#;

fn host(cells: &[&str]) -> HostCells {
    HostCells::parse(&format!(r#"{{"cells": [{}]}}"#, cells.join(","))).unwrap()
}

fn guest(cells: &[&str], more: &str) -> GuestCells {
    let text = format!(r#"{{"cells": [{}]{more}}}"#, cells.join(","));
    let request = RequestSpec::from(RequestFields {
        numa_topology: Some(text),
        ..RequestFields::default()
    });
    GuestCells::of(&request).unwrap().unwrap()
}

fn place(host: &HostCells, guest: &GuestCells) -> Option<Placement> {
    let ratios = Some(Ratios { cpu: 2.0, ram: 1.0 });
    host.place(guest, ratios, &Pools::default(), &Requests::default())
}

/// The processors that a guest with processors of its own gets on a host of this cell.
fn pins(cell: &str, cpus: usize, threads: &str, more: &str) -> Option<Vec<i64>> {
    let cpus: Vec<String> = (0..cpus).map(|cpu| cpu.to_string()).collect();
    let cpus = cpus.join(",");
    let wanted = format!(
        r#"{{"cpuset": [{cpus}], "memory": 64, "cpu_policy": "dedicated", "cpu_thread_policy": "{threads}"}}"#
    );
    let placement = place(&host(&[cell]), &guest(&[&wanted], more))?;
    Some(placement.cells[0].pinned_cpus.clone())
}

#[test]
fn emptier_cores_go_first_and_what_is_left_here_and_there_last() {
    let prefer = |cpus| pins(THREADS, cpus, "prefer", "");
    assert_eq!(prefer(1), Some(vec![2]));
    assert_eq!(prefer(3), Some(vec![2, 3, 4]));
    assert_eq!(prefer(5), Some(vec![0, 2, 3, 4, 5]));
    assert_eq!((prefer(6), prefer(0)), (None, None));
    assert_eq!(pins(PLAIN, 2, "prefer", ""), Some(vec![8, 9]));
}

#[test]
fn threads_of_one_core_are_required_or_shunned() {
    assert_eq!(pins(THREADS, 4, "require", ""), Some(vec![2, 3, 4, 5]));
    assert_eq!(pins(THREADS, 5, "require", ""), None);
    assert_eq!(pins(PLAIN, 1, "require", ""), None);
    let whole = Some(vec![2, 3, 4, 5]);
    assert_eq!(
        pins(THREADS, 2, "isolate", ""),
        whole,
        "the other threads are taken too"
    );
    assert_eq!(pins(THREADS, 3, "isolate", ""), None);
    assert_eq!(pins(PLAIN, 4, "isolate", ""), Some(vec![8, 9, 10, 11]));
}

#[test]
fn an_isolated_emulator_has_a_processor_beside_the_first_cell() {
    let emulator = r#", "emulator_threads_policy": "isolate""#;
    assert_eq!(pins(THREADS, 3, "prefer", emulator), Some(vec![2, 3, 4, 5]));
    assert_eq!(pins(PLAIN, 4, "prefer", emulator), None);
}

#[test]
fn what_is_taken_counts_against_the_ratios_until_it_is_given_back() {
    let mut host = host(&[THREADS, PLAIN]);
    let before = host.clone();
    let pages = r#"{"cpuset": [0, 1], "memory": 1020, "pagesize": -2}"#;
    let shared = r#"{"cpuset": [0, 1, 2, 3], "memory": 512}"#;
    let guest = guest(&[pages, shared], "");
    let placement = place(&host, &guest).unwrap();
    assert_eq!(placement.cells(), [0, 1]);
    host.take(&placement);
    let text = host.to_string();
    assert!(
        text.contains(r#""used":511"#) && text.contains(r#""memory_usage":1024"#),
        "{text}"
    );
    assert!(text.contains(r#""cpu_usage":5"#), "{text}");
    assert!(
        place(&host, &guest).is_none(),
        "neither pages nor memory are left"
    );
    host.give_back(&placement);
    assert_eq!(host, before);
    host.give_back(&placement);
    assert!(place(&host, &guest).is_some(), "no use is less than none");
}

#[test]
fn without_ratios_only_the_cell_itself_is_a_bound() {
    let (host, requests) = (host(&[PLAIN]), Requests::default());
    let wants = |memory| {
        let cell = format!(r#"{{"cpuset": [0], "memory": {memory}}}"#);
        host.place(&guest(&[&cell], ""), None, &Pools::default(), &requests)
    };
    assert!(wants(1024).is_some() && wants(1025).is_none());
}

#[test]
fn any_numbers_are_borne() {
    let huge = i64::MAX;
    for number in [i64::MIN, -1, 0, huge] {
        let cell = format!(
            r#"{{"id": {number}, "cpuset": [{number}], "memory": {number}, "memory_usage": {number},
            "cpu_usage": {number}, "mempages": [{{"size_kb": {number}, "total": {number}, "used": {number}}}]}}"#
        );
        for wanted in [i64::MIN, -1, 0, huge] {
            let wanted = format!(r#"{{"cpuset": [1], "memory": {wanted}, "pagesize": {wanted}}}"#);
            let mut host = host(&[&cell]);
            let guest = guest(&[&wanted], "");
            if let Some(placement) =
                host.place(&guest, None, &Pools::default(), &Requests::default())
            {
                host.take(&placement);
                host.give_back(&placement);
            }
        }
    }
}
