//! What the program is told while a manager is made, and how it can stop it.

use longshore_loader::FailureKind;
use longshore_sample_plugin::Sample;

use super::support::{NS, entries, four};

#[test]
fn load_failure_callback_gets_entry_and_error() {
    let world = four();
    let mut failures = Vec::new();
    let builder = world.loader.namespace::<dyn Sample>(NS);
    let manager = builder.on_failure(|failure| {
        failures.push((failure.entry().1.to_owned(), failure.kind, failure.code()));
        Ok(())
    });
    let manager = manager.all().unwrap();
    assert_eq!(manager.names().collect::<Vec<_>>(), ["t1", "t2"]);
    let expected = [
        ("e1".to_owned(), FailureKind::Refused, "driver/failed"),
        ("e2".to_owned(), FailureKind::Missing, "plugin/not-found"),
    ];
    assert_eq!(failures, expected);
}

#[test]
fn a_failure_callback_may_end_the_making() {
    let world = four();
    let builder = world.loader.namespace::<dyn Sample>(NS);
    let builder = builder.on_failure(|failure| Err(failure.clone()));
    assert_eq!(builder.all().err().unwrap().entry(), (NS, "e1"));
}

#[test]
fn missing_names_callback_gets_missing_set() {
    let world = four();
    let mut missing = Vec::new();
    let builder = world.loader.namespace::<dyn Sample>(NS);
    let builder = builder.on_missing(|names| {
        missing.push(names.iter().map(ToString::to_string).collect::<Vec<_>>());
        Ok(())
    });
    let manager = builder.named(&["t1", "foo", "bar"]).unwrap();
    assert_eq!(manager.names().collect::<Vec<_>>(), ["t1"]);
    assert_eq!(manager.missing(), ["foo", "bar"]);
    assert_eq!(missing, [["foo", "bar"]], "called once, with all of them");
}

#[test]
fn a_missing_callback_may_end_the_making_before_anything_is_opened() {
    let world = entries("t1 = 'LIB'\n");
    let map_says = world.loader.namespace::<dyn Sample>(NS).driver("foo");
    let map_says = map_says.err().unwrap();
    let builder = world.loader.namespace::<dyn Sample>(NS);
    let builder = builder.on_missing(|_| Err(map_says.clone()));
    assert_eq!(
        builder.named(&["t1", "foo"]).err().unwrap().entry().1,
        "foo"
    );
    assert_eq!(world.loader.open_libraries(), 0);
}

#[test]
fn a_hook_that_nobody_listens_to_is_silent_unless_asked() {
    let world = four();
    let hook = world.loader.namespace::<dyn Sample>(NS).hook("quiet");
    assert!(hook.unwrap().is_empty());
    let mut asked = 0;
    let builder = world.loader.namespace::<dyn Sample>(NS);
    let builder = builder.on_missing(|_| {
        asked += 1;
        Ok(())
    });
    assert!(builder.hook("quiet").unwrap().is_empty());
    assert_eq!(asked, 1);
}
