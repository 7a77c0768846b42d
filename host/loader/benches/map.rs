//! What reading a map of 1,000 entry points costs, and what looking up one name in it costs.
//!
//! The map has 10 namespaces of 100 entries: two thirds in the short form, the rest with settings and a
//! priority. Reading is parsing, merging and every check; nothing is read from disk.

use std::fmt::Write as _;
use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use longshore_loader::PluginMap;

fn text(form: fn(usize) -> String) -> String {
    let mut out = String::new();
    for namespace in 0..10 {
        let _ = writeln!(out, "[\"acme.namespace.{namespace}\"]");
        for entry in 0..100 {
            let _ = writeln!(out, "entry_{entry} = {}", form(entry));
        }
    }
    out
}

fn mixed(entry: usize) -> String {
    match entry % 3 {
        0 => format!("\"liblongshore_{entry}.so\""),
        1 => format!("\"liblongshore_{entry}.so:export_{entry}\""),
        _ => format!(
            "{{ lib = \"liblongshore_{entry}.so\", priority = 10, settings = {{ ratio = 1.5, list = [1, 2] }} }}"
        ),
    }
}

fn tables(entry: usize) -> String {
    format!("{{ lib = 'l{entry}.so', settings = {{ a = 1 }} }}")
}

fn map(c: &mut Criterion) {
    let mut group = c.benchmark_group("map");
    let read = |text: &str| PluginMap::parse(text, "plugins.toml").expect("a good map");
    let mixed = text(mixed);
    group.bench_function("1000_entries", |b| b.iter(|| read(black_box(&mixed))));
    let tables = text(tables);
    group.bench_function("1000_tables", |b| b.iter(|| read(black_box(&tables))));
    let map = read(&mixed);
    group.bench_function("lookup", |b| {
        b.iter(|| map.lookup(black_box("acme.namespace.7"), black_box("entry_42")));
    });
    group.finish();
}

criterion_group!(benches, map);
criterion_main!(benches);
