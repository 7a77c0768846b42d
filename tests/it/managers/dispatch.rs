//! `DispatchExtensionManager` and `NameDispatchExtensionManager`: who is called is decided at each call.

use longshore_loader::{DispatchExtensionManager, NameDispatchExtensionManager};
use longshore_sample_plugin::Sample;

use super::support::{NS, four};

fn dispatch() -> DispatchExtensionManager<dyn Sample> {
    let world = four();
    let builder = world.loader.namespace::<dyn Sample>(NS);
    builder
        .check_entry(|e| e.name.starts_with('t'))
        .dispatch()
        .unwrap()
}

fn by_name() -> NameDispatchExtensionManager<dyn Sample> {
    let world = four();
    let builder = world.loader.namespace::<dyn Sample>(NS);
    builder
        .check_entry(|e| e.name.starts_with('t'))
        .name_dispatch()
        .unwrap()
}

#[test]
fn dispatch_map_calls_only_accepted() {
    let manager = dispatch();
    let (wanted, argument) = ("t2", 7);
    let results = manager.map(|e| e.name() == wanted, |e| e.driver().next(argument));
    assert_eq!(results, [("t2", Ok(8))]);
    assert!(manager.map(|_| false, |e| e.driver().next(1)).is_empty());
}

#[test]
fn dispatch_map_driver_calls_trait_method() {
    let manager = dispatch();
    let results = manager.map_driver(|e| e.name() == "t2", |d| d.name());
    assert_eq!(results, [("t2", Ok("t2".to_owned()))]);
}

#[test]
fn name_dispatch_map_calls_named() {
    let manager = by_name();
    let results = manager.map(["t2", "t1"], |e| e.driver().name());
    let expected = ["t2", "t1"].map(|n| (n, Ok(n.to_owned())));
    assert_eq!(results, expected, "in the order of the names");
    let twice = manager.map(["t1", "t1"], |e| e.driver().next(0));
    assert_eq!(twice, [("t1", Ok(1)), ("t1", Ok(1))]);
}

#[test]
fn name_dispatch_skips_unknown_names() {
    let manager = by_name();
    let results = manager.map(["t2", "t3"], |e| e.driver().next(1));
    assert_eq!(results, [("t2", Ok(2))]);
    let nobody: [&str; 0] = [];
    assert!(manager.map(nobody, |e| e.driver().next(1)).is_empty());
}

#[test]
fn name_dispatch_map_driver_skips_unknown() {
    let manager = by_name();
    let results = manager.map_driver(["t3", "t1"], |d| d.name());
    assert_eq!(results, [("t1", Ok("t1".to_owned()))]);
}
