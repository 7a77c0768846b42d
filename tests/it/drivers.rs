//! Drivers that were loaded from a `.so`: what the loader says of them, and how they fail.

use std::path::Path;
use std::sync::Arc;

use longshore_loader::{FailureKind, Loader, Outcome, PluginMap};
use longshore_plugin_api::{Filter, Mask, RequestFields, RequestSpec, Weigher, full, testing};
use longshore_tests::{files, logs};

const FILTERS: &str = "longshore.scheduler.filter";

fn loader(entries: &str, dir: &Path) -> Loader {
    let lib = files::plugin("debug", "longshore-misbehaving");
    let text = format!(
        "[\"{FILTERS}\"]\n{}\n",
        entries.replace("LIB", &lib.display().to_string())
    );
    let map = PluginMap::parse(&text, "plugins.toml").unwrap_or_else(|e| panic!("{e}"));
    Loader::new(map, dir)
}

fn run(filter: &dyn Filter) -> Result<usize, longshore_plugin_api::DriverError> {
    let hosts = testing::hosts(3, |_, _| {}).snapshot();
    let mut words = full(3);
    let mut mask = Mask::new(&mut words, 3);
    let request: RequestSpec = RequestFields::default().into();
    filter.filter_all(&hosts, &request, &mut mask)?;
    Ok(mask.count())
}

#[test]
fn a_driver_is_loaded_called_and_reported() {
    let dir = tempfile::tempdir().unwrap();
    let loader = loader(
        "picky = { lib = \"LIB\", settings = { name = \"x\" } }",
        dir.path(),
    );
    let manager = loader
        .namespace::<dyn Filter>(FILTERS)
        .for_host("h 1")
        .driver("picky")
        .unwrap();
    assert_eq!(run(&*manager.driver()).unwrap(), 3);
    let info = manager.extension().info();
    assert_eq!(
        (info.kind.as_str(), info.plugin.as_str()),
        ("Filter", "longshore-misbehaving")
    );
    assert_eq!(
        info.settings["ratio"], 2,
        "the schema's default is filled in"
    );
    manager.extension().ready().unwrap();
    let report = loader.report();
    assert!(matches!(
        report.of(FILTERS, "picky").unwrap().outcome,
        Outcome::Loaded(_)
    ));
}

#[test]
fn a_panic_in_a_call_is_an_error_with_its_place_and_the_driver_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let loader = loader("panics = \"LIB\"", dir.path());
    let filter = loader
        .namespace::<dyn Filter>(FILTERS)
        .driver("panics")
        .unwrap()
        .driver();
    for _ in 0..3 {
        let error = run(&*filter).unwrap_err();
        assert_eq!(error.message(), "I cannot stand host-0001");
        let place = error.panicked_at().unwrap();
        assert!(place.contains("misbehaving/src/lib.rs:"), "{place}");
    }
}

#[test]
fn an_error_of_the_driver_crosses_whole() {
    let dir = tempfile::tempdir().unwrap();
    let loader = loader("fails = \"LIB\"", dir.path());
    let filter = loader
        .namespace::<dyn Filter>(FILTERS)
        .driver("fails")
        .unwrap()
        .driver();
    let error = run(&*filter).unwrap_err();
    assert_eq!(
        error.category(),
        longshore_plugin_api::Category::Unavailable
    );
    assert_eq!(error.help(), Some("ask again tomorrow"));
}

#[test]
fn what_a_constructor_says_reaches_the_operator() {
    let dir = tempfile::tempdir().unwrap();
    let loader = loader(
        "refuses = \"LIB\"\npanics_when_built = \"LIB\"\nnot_here = \"LIB\"",
        dir.path(),
    );
    let fail = |name: &str| {
        loader
            .namespace::<dyn Filter>(FILTERS)
            .driver(name)
            .map(drop)
            .unwrap_err()
    };
    let refused = fail("refuses");
    assert_eq!(refused.code(), "driver/failed");
    assert!(
        refused.to_string().contains("the licence has run out"),
        "{refused}"
    );
    assert!(
        refused.to_string().contains("do:   buy another"),
        "{refused}"
    );
    let panicked = fail("panics_when_built");
    assert_eq!(panicked.code(), "driver/panicked");
    assert!(
        panicked.to_string().contains("no, panics_when_built, no"),
        "{panicked}"
    );
    assert_eq!(fail("not_here").kind, FailureKind::Unavailable);
    assert_eq!(loader.report().failures().count(), 3);
}

#[test]
fn settings_are_checked_against_the_schema_and_by_the_driver() {
    let dir = tempfile::tempdir().unwrap();
    for (settings, code, text) in [
        ("{}", "driver/missing-setting", "name"),
        ("{ name = 1 }", "driver/bad-setting", "plugins.toml:2:"),
        (
            "{ name = \"x\", ratoi = 4 }",
            "driver/unknown-setting",
            "did you mean `ratio`?",
        ),
        (
            "{ name = \"x\", ratio = 11 }",
            "driver/bad-setting",
            "ratio",
        ),
        (
            "{ name = \"x\", ratio = 3 }",
            "driver/bad-setting",
            "must be even",
        ),
    ] {
        let loader = loader(
            &format!("picky = {{ lib = \"LIB\", settings = {settings} }}"),
            dir.path(),
        );
        let error = loader
            .namespace::<dyn Filter>(FILTERS)
            .driver("picky")
            .map(drop)
            .unwrap_err();
        assert_eq!(error.code(), code, "{settings}: {error}");
        assert!(error.to_string().contains(text), "{settings}: {error}");
    }
}

#[test]
fn a_name_that_is_not_there_is_answered_with_the_nearest() {
    let dir = tempfile::tempdir().unwrap();
    let loader = loader(
        "panics = \"LIB\"\nfails = \"LIB\"\nold = { alias = \"fails\" }\nspare = false",
        dir.path(),
    );
    let fail = |name: &str| {
        loader
            .namespace::<dyn Filter>(FILTERS)
            .driver(name)
            .map(drop)
            .unwrap_err()
    };
    let unknown = fail("panic");
    assert_eq!(
        (unknown.code(), unknown.kind),
        ("plugin/no-such-driver", FailureKind::NoMatch)
    );
    assert!(
        unknown.to_string().contains("did you mean `panics`?"),
        "{unknown}"
    );
    let manager = loader
        .namespace::<dyn Filter>(FILTERS)
        .driver("old")
        .unwrap();
    assert_eq!(manager.extension().info().alias.as_deref(), Some("old"));
}

#[test]
fn a_driver_of_another_kind_is_refused_before_its_constructor_runs() {
    let dir = tempfile::tempdir().unwrap();
    // Its constructor would panic, and that would be another code.
    let loader = loader("panics_when_built = \"LIB\"", dir.path());
    let error = loader
        .namespace::<dyn Weigher>(FILTERS)
        .driver("panics_when_built")
        .map(drop)
        .unwrap_err();
    assert_eq!(error.code(), "plugin/wrong-kind");
    assert!(
        error.to_string().contains("longshore.weigher revision 1"),
        "{error}"
    );
}

#[test]
fn several_entries_of_one_name_are_a_hook_and_no_driver() {
    let dir = tempfile::tempdir().unwrap();
    let loader = loader(
        "both = [\"LIB:panics\", { lib = \"LIB\", export = \"fails\", priority = -10 }]",
        dir.path(),
    );
    let error = loader
        .namespace::<dyn Filter>(FILTERS)
        .driver("both")
        .map(drop)
        .unwrap_err();
    assert_eq!(
        (error.code(), error.kind),
        ("plugin/conflict", FailureKind::MultipleMatches)
    );
    let hook = loader
        .namespace::<dyn Filter>(FILTERS)
        .hook("both")
        .unwrap();
    let said = hook.map(|e| run(&**e.driver()));
    assert_eq!(said.len(), 2);
    assert!(
        said.iter()
            .all(|(name, result)| *name == "both" && result.is_err())
    );
    assert_eq!(
        loader
            .namespace::<dyn Filter>(FILTERS)
            .hook("none")
            .unwrap()
            .extensions()
            .len(),
        0
    );
}

#[test]
fn lenient_and_strict_managers() {
    let dir = tempfile::tempdir().unwrap();
    let entries = "panics = \"LIB\"\nrefuses = \"LIB\"\nfails = \"LIB\"";
    let loader = loader(entries, dir.path());
    let all = loader.namespace::<dyn Filter>(FILTERS).all().unwrap();
    assert_eq!(all.names().collect::<Vec<_>>(), ["panics", "fails"]);
    assert_eq!(all.failures().len(), 1);
    assert!(
        loader
            .namespace::<dyn Filter>(FILTERS)
            .strict(true)
            .all()
            .is_err()
    );
    let named = loader
        .namespace::<dyn Filter>(FILTERS)
        .named(&["fails", "panics"])
        .unwrap();
    assert_eq!(
        named.names().collect::<Vec<_>>(),
        ["fails", "panics"],
        "in the order asked for"
    );
    assert!(
        loader
            .namespace::<dyn Filter>(FILTERS)
            .named(&["fails", "fails"])
            .is_err()
    );
    let some = loader
        .namespace::<dyn Filter>(FILTERS)
        .strict(false)
        .named(&["fails", "nope", "refuses"])
        .unwrap();
    assert_eq!(
        (some.len(), some.missing(), some.failures().len()),
        (1, &["nope".to_owned()][..], 1)
    );
}

#[test]
fn eight_threads_load_one_library_once_and_agree() {
    let dir = tempfile::tempdir().unwrap();
    let loader = loader("fails = \"LIB\"", dir.path());
    let filters: Vec<Arc<dyn Filter>> = std::thread::scope(|scope| {
        let load = || {
            loader
                .namespace::<dyn Filter>(FILTERS)
                .driver("fails")
                .unwrap()
                .driver()
        };
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(load)).collect();
        threads.into_iter().map(|t| t.join().unwrap()).collect()
    });
    assert!(filters.iter().all(|f| run(&**f).is_err()));
    assert_eq!(loader.open_libraries(), 1);
}

/// A driver's records reach the program's sink under the driver's name, at the level that is set; so does a
/// panic in a thread that the driver started.
#[test]
fn what_a_driver_logs_reaches_the_program() {
    logs::start();
    let dir = tempfile::tempdir().unwrap();
    let loader = loader("talks = \"LIB\"", dir.path());
    let filter = loader
        .namespace::<dyn Filter>(FILTERS)
        .for_host("h1")
        .driver("talks")
        .unwrap()
        .driver();
    run(&*filter).unwrap();
    let wanted = |r: &logs::Record| r.name == "talks" || r.target == "panic";
    let line = |r: logs::Record| format!("{} {}/{}: {}", r.level, r.name, r.host, r.text);
    let records: Vec<String> = logs::records(wanted).into_iter().map(line).collect();
    assert!(
        records.contains(&"3 talks/h1: looking at 3 hosts".to_owned()),
        "{records:?}"
    );
    assert!(
        records.iter().any(|r| r.contains("alone in a thread")),
        "{records:?}"
    );
    assert!(
        !records.iter().any(|r| r.contains("nobody wants to know")),
        "{records:?}"
    );
}
