//! Nova's filters and weighers beside ours: the same case goes to both, and the answers are compared.
//!
//! A case is a JSON object in the words of Nova's `HostState` and `RequestSpec`: it names one driver and has its
//! settings, some hosts and a request. `theirs` asks Nova, `ours` the driver in its `.so`, `random` makes cases from a
//! seed, `file` keeps them in `tests/cases`. Must not know what any filter means.

mod compare;
mod facts;
mod ours;
mod random;
mod theirs;

use std::collections::BTreeMap;

use serde_json::Value;

use ours::Drivers;

/// What a driver is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    /// A filter: its answer is a verdict per host.
    Filter,
    /// A weigher: its answer is a weight per host.
    Weigher,
}

impl Kind {
    /// The word for it, in cases and in the names of directories.
    fn word(self) -> &'static str {
        match self {
            Self::Filter => "filter",
            Self::Weigher => "weigher",
        }
    }
}

/// How many random cases are tried, all drivers together.
const CASES: usize = 10_000;

fn every_driver(drivers: &Drivers) -> Vec<(Kind, String)> {
    let named = |kind: Kind| {
        drivers
            .names(kind)
            .into_iter()
            .map(move |name| (kind, name.to_owned()))
    };
    named(Kind::Filter).chain(named(Kind::Weigher)).collect()
}

#[test]
fn verdicts_and_weights_are_those_of_nova() {
    let dir = tempfile::tempdir().unwrap();
    let drivers = Drivers::load(dir.path());
    let every = every_driver(&drivers);
    let only = std::env::var("LONGSHORE_ONLY").ok();
    let per_driver = CASES.div_ceil(every.len()) as u64;
    let cases: Vec<Value> = every
        .iter()
        .filter(|(_, name)| only.as_ref().is_none_or(|only| only == name))
        .flat_map(|(kind, name)| (0..per_driver).map(|seed| random::case(*kind, name, seed)))
        .collect();
    let mut seen: BTreeMap<(&str, &str), BTreeMap<String, usize>> = BTreeMap::new();
    let mut differences = Vec::new();
    for (case, theirs) in cases.iter().zip(theirs::answers(&cases)) {
        if let Some(what) = compare::difference(&theirs, &drivers.answer(case)) {
            differences.push(format!("{what}\n    {case}"));
        }
        let driver = (
            case["kind"].as_str().unwrap(),
            case["driver"].as_str().unwrap(),
        );
        for verdict in theirs["passes"].as_array().into_iter().flatten() {
            *seen
                .entry(driver)
                .or_default()
                .entry(verdict.to_string())
                .or_default() += 1;
        }
    }
    if std::env::var("LONGSHORE_SHOW").is_ok() {
        for (d, s) in &seen {
            eprintln!("{d:?} {s:?}");
        }
    }
    let some = differences
        .iter()
        .take(10)
        .map(String::as_str)
        .collect::<Vec<_>>()
        .join("\n");
    assert!(
        differences.is_empty(),
        "{} of {} cases differ:\n{some}",
        differences.len(),
        cases.len()
    );
}
