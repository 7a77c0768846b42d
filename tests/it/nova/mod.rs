//! Nova's filters and weighers beside ours: the same case goes to both, and the answers are compared.
//!
//! A case is a JSON object in the words of Nova's `HostState` and `RequestSpec`: it names one driver and has its
//! settings, some hosts and a request. `theirs` asks Nova, `ours` the driver in its `.so`, `random` makes cases from a
//! seed, `file` keeps them in `tests/cases`. Must not know what any filter means.

mod compare;
mod consumption;
mod facts;
mod file;
mod ours;
mod page;
mod random;
mod theirs;

use std::collections::BTreeMap;

use longshore_tests::files::workspace;
use serde_json::{Value, json};

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
/// How many cases of each driver are kept in a file.
const KEPT: usize = 24;
/// How many of these are chosen because some hosts pass and some do not.
const KEPT_MIXED: usize = 18;
/// The seeds that are looked through for them.
const SEEDS: u64 = 200;
/// How often each verdict must come for the comparison to mean something.
const EACH_VERDICT: usize = 20;

fn with_drivers<T>(test: impl FnOnce(&Drivers, &[(Kind, String)]) -> T) -> T {
    let dir = tempfile::tempdir().unwrap();
    let drivers = Drivers::load(dir.path());
    let named = |kind: Kind| {
        let names = drivers.names(kind).into_iter();
        names.map(move |name| (kind, name.to_owned()))
    };
    let every: Vec<_> = named(Kind::Filter).chain(named(Kind::Weigher)).collect();
    test(&drivers, &every)
}

/// Panics with the first of these.
fn assert_none(differences: &[String], of: usize) {
    let some: Vec<&str> = differences.iter().take(5).map(String::as_str).collect();
    let some = some.join("\n");
    assert!(
        differences.is_empty(),
        "{} of {of} cases differ:\n{some}",
        differences.len()
    );
}

#[test]
fn verdicts_and_weights_of_random_cases_are_those_of_nova() {
    with_drivers(|drivers, every| {
        let per_driver = CASES.div_ceil(every.len()) as u64;
        let of_driver = |(kind, name): &(Kind, String)| {
            let (kind, name) = (*kind, name.clone());
            (0..per_driver).map(move |seed| random::case(kind, &name, seed))
        };
        let cases: Vec<Value> = every.iter().flat_map(of_driver).collect();
        let mut differences = Vec::new();
        let mut verdicts: BTreeMap<(&str, bool), usize> = BTreeMap::new();
        for (case, theirs) in cases.iter().zip(theirs::answers(&cases)) {
            if let Some(what) = compare::difference(&theirs, &drivers.answer(case)) {
                differences.push(format!("{what}\n    {case}"));
            }
            let driver = case["driver"].as_str().unwrap();
            for verdict in theirs["passes"].as_array().into_iter().flatten() {
                *verdicts.entry((driver, verdict == true)).or_default() += 1;
            }
        }
        assert_none(&differences, cases.len());
        for driver in drivers.names(Kind::Filter) {
            let seen = [true, false].map(|v| verdicts.get(&(driver, v)).copied().unwrap_or(0));
            let enough = seen.iter().all(|&n| n >= EACH_VERDICT);
            assert!(
                enough || driver == "all_hosts",
                "`{driver}` is hardly tried: {seen:?}"
            );
        }
    });
}

#[test]
fn kept_cases_have_novas_answers() {
    let update = std::env::var_os("LONGSHORE_UPDATE").is_some();
    with_drivers(|drivers, every| {
        let (mut differences, mut all) = (Vec::new(), 0);
        for (kind, name) in every {
            if update {
                keep(*kind, name);
            }
            let cases = file::cases_of(*kind, name);
            assert!(
                cases.len() >= 20,
                "the {} `{name}` has {} cases",
                kind.word(),
                cases.len()
            );
            all += cases.len();
            for (case, answer) in cases {
                if let Some(what) = compare::difference(&answer, &drivers.answer(&case)) {
                    differences.push(format!("{name}: {what}\n    {case}"));
                }
            }
        }
        assert_none(&differences, all);
    });
}

/// Writes the file of a driver's cases: those first in which hosts differ.
fn keep(kind: Kind, name: &str) {
    let cases: Vec<Value> = (0..SEEDS)
        .map(|seed| random::case(kind, name, seed))
        .collect();
    let answers = theirs::answers(&cases);
    let is_mixed = |answer: &Value| {
        let list = answer["passes"].as_array().or(answer["raw"].as_array());
        list.is_some_and(|items| items.iter().any(|item| *item != items[0]))
    };
    let cases = cases.into_iter().zip(answers);
    let (mixed, plain): (Vec<_>, Vec<_>) = cases.partition(|(_, answer)| is_mixed(answer));
    let mut kept: Vec<_> = mixed.into_iter().take(KEPT_MIXED).collect();
    kept.extend(plain.into_iter().take(KEPT - kept.len()));
    let release = match name {
        "cpu" => theirs::RELEASE_OF_CPU,
        _ => theirs::RELEASE,
    };
    let path = file::path(kind, name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, file::write(kind, name, release, &kept)).unwrap();
}

#[test]
fn filters_run_when_novas_do_and_weights_have_its_ranges() {
    let theirs = theirs::answers(&[json!({"facts": true})]).remove(0);
    with_drivers(|drivers, every| {
        for (kind, name) in every {
            let theirs = &theirs[format!("{}s", kind.word())][name];
            assert_eq!(theirs, &drivers.facts(*kind, name), "`{name}`");
        }
        let sizes = [Kind::Filter, Kind::Weigher].map(|kind| drivers.names(kind).len());
        let listed = ["filters", "weighers"].map(|k| theirs[k].as_object().unwrap().len());
        assert_eq!(
            sizes, listed,
            "every filter and weigher of Nova has a counterpart"
        );
    });
}

/// `tests/cases/differences.toml`: each case has Nova's answer, ours, and why they differ.
#[test]
fn what_differs_is_listed_and_differs_as_listed() {
    let path = workspace().join("tests/cases/differences.toml");
    let (cases, theirs): (Vec<Value>, Vec<Value>) = file::read(&path).into_iter().unzip();
    assert_eq!(theirs::answers(&cases), theirs);
    let page = std::fs::read_to_string(workspace().join("docs/scheduler.md")).unwrap();
    with_drivers(|drivers, _| {
        for case in &cases {
            assert_eq!(drivers.answer(case)["passes"], case["ours"], "{case}");
            let why = case["why"].as_str().unwrap();
            assert!(page.contains(why), "docs/scheduler.md does not say: {why}");
        }
    });
}
