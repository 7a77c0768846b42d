//! `DriverManager`: exactly one, or why not.

use longshore_loader::map::Conflicts;
use longshore_loader::{DriverManager, FailureKind, LoadFailure};
use longshore_sample_plugin::Sample;

use super::support::{NS, entries, four, whole};

fn driver(text: &str, name: &str) -> Result<DriverManager<dyn Sample>, LoadFailure> {
    entries(text).loader.namespace(NS).driver(name)
}

#[test]
fn driver_missing_library_is_load_error() {
    let failure = four().loader.namespace::<dyn Sample>(NS).driver("e2");
    let failure = failure.err().unwrap();
    assert_eq!(failure.kind, FailureKind::Missing);
    assert!(!failure.is_no_unique_match(), "the map has it");
    assert!(
        failure.refusal.why.contains("/none/libabsent.so"),
        "{failure}"
    );
    // A file that the dynamic linker refuses is told in the linker's own words.
    let world = entries("t1 = 'DIR/damaged.so'\n");
    let damaged = world.dir.path().join("damaged.so");
    let mut bytes = std::fs::read(super::support::sample()).unwrap();
    let needed = b"libc.so.6\0";
    let at = bytes.windows(needed.len()).position(|w| w == needed);
    let at = at.expect("the plugin needs the C library");
    bytes[at..at + 9].copy_from_slice(b"libq.so.6");
    std::fs::write(&damaged, bytes).unwrap();
    let failure = world.loader.namespace::<dyn Sample>(NS).driver("t1");
    let failure = failure.err().unwrap();
    assert_eq!(failure.refusal.file, damaged);
    assert!(failure.refusal.why.contains("libq.so.6"), "{failure}");
}

#[test]
fn driver_call_returns_result() {
    let manager = driver("t1 = 'LIB'\n", "t1").unwrap();
    let said = manager.call(|e| (e.name().to_owned(), e.driver().next(1).unwrap()));
    assert_eq!(said, ("t1".to_owned(), 2));
}

#[test]
fn driver_loads_only_requested_name() {
    let world = four();
    let manager = world
        .loader
        .namespace::<dyn Sample>(NS)
        .driver("t1")
        .unwrap();
    assert_eq!(manager.names().collect::<Vec<_>>(), ["t1"]);
    assert_eq!(world.loader.report().lines().count(), 1);
}

#[test]
fn driver_instance_when_invoked() {
    let manager = driver("t1 = 'LIB'\n", "t1").unwrap();
    assert_eq!(manager.driver().name().unwrap(), "t1");
}

#[test]
fn driver_factory_when_not_invoked() {
    let world = entries("t1 = { lib = 'LIB', settings = { greeting = 'map' } }\n");
    let builder = world.loader.namespace::<dyn Sample>(NS).lazy();
    let manager = builder.driver("t1").unwrap();
    let extension = manager.extension();
    assert!(extension.instance().is_none());
    let made = extension.factory().create().unwrap();
    assert_eq!(made.driver().settings().unwrap(), "map/60");
    let settings = serde_json::json!({"greeting": "late", "width": 10});
    let settings = settings.as_object().unwrap().clone();
    let late = extension.factory().create_with(settings).unwrap();
    assert_eq!(late.driver().settings().unwrap(), "late/10");
    assert!(
        extension.instance().is_none(),
        "what a factory makes is the caller's"
    );
}

#[test]
fn driver_multiple_matches_is_error() {
    let failure = driver("t1 = ['LIB', 'LIB:t2']\n", "t1").err().unwrap();
    assert_eq!(failure.kind, FailureKind::MultipleMatches);
    assert!(failure.is_no_unique_match());
    let text = failure.to_string();
    for part in ["2 provide it", ":t2`", "plugins.toml:2:7", "conflicts"] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[test]
fn driver_custom_resolver_picks() {
    let world = entries("t1 = ['LIB', 'LIB:t2']\n");
    let builder = world.loader.namespace::<dyn Sample>(NS).resolve(|several| {
        assert!(
            several
                .iter()
                .all(|i| i.plugin == "longshore-sample-plugin")
        );
        several.iter().position(|i| i.export == "t1")
    });
    let manager = builder.driver("t1").unwrap();
    assert_eq!(manager.extension().info().export, "t1");
    let builder = world.loader.namespace::<dyn Sample>(NS).resolve(|_| None);
    let failure = builder.driver("t1").err().unwrap();
    assert_eq!(failure.kind, FailureKind::MultipleMatches);
}

#[test]
fn driver_last_wins_policy() {
    let world = entries("t1 = ['LIB', 'LIB:t2']\n");
    let export = |policy| {
        let builder = world.loader.namespace::<dyn Sample>(NS);
        let manager = builder.conflicts(policy).driver("t1").unwrap();
        manager.extension().info().export.clone()
    };
    assert_eq!(export(Conflicts::Last), "t2");
    assert_eq!(export(Conflicts::First), "t1");
    assert_eq!(
        world.loader.report().lines().count(),
        2,
        "only the chosen one is loaded"
    );
}

#[test]
fn driver_no_match_names_namespace_and_name() {
    let world = four();
    let unknown = world
        .loader
        .namespace::<dyn Sample>("acme.nothing")
        .driver("t1");
    let failure = unknown.err().unwrap();
    assert_eq!(failure.kind, FailureKind::NoMatch);
    assert_eq!(
        failure.refusal.why,
        "no entry point `t1` in `acme.nothing`; the map has no entry there"
    );
    let misspelled = world.loader.namespace::<dyn Sample>(NS).driver("tt1");
    assert_eq!(misspelled.err().unwrap().refusal.help, "did you mean `t1`?");
}

#[test]
fn a_scheme_is_looked_up_up_to_its_first_plus() {
    let world = four();
    let builder = || world.loader.namespace::<dyn Sample>(NS);
    let manager = builder().driver_for_scheme("t1+ssl").unwrap();
    assert_eq!(manager.extension().name(), "t1");
    assert!(builder().driver_for_scheme("+ssl").is_err());
}

#[test]
fn the_default_driver_is_the_one_that_the_policy_names() {
    let world = whole(&format!(
        "[longshore.policy.'{NS}']\ndefault = 't2'\n['{NS}']\nt1 = 'LIB'\nt2 = 'LIB'\n"
    ));
    let manager = world.loader.namespace::<dyn Sample>(NS).default_driver();
    assert_eq!(manager.unwrap().extension().name(), "t2");
    let failure = four().loader.namespace::<dyn Sample>(NS).default_driver();
    assert_eq!(failure.err().unwrap().kind, FailureKind::NoMatch);
}
