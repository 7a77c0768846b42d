//! `EnabledExtensionManager`: what the program accepts, asked before and after.

use longshore_sample_plugin::Sample;

use super::support::{NS, four};

#[test]
fn enabled_predicate_filters() {
    let world = four();
    let builder = world.loader.namespace::<dyn Sample>(NS);
    let manager = builder.check_entry(|entry| entry.name == "t2").enabled();
    let manager = manager.unwrap();
    assert_eq!(manager.names().collect::<Vec<_>>(), ["t2"]);
    assert!(manager.failures().is_empty(), "the others were not tried");
}

#[test]
fn enabled_predicate_sees_instance() {
    let world = four();
    let builder = world.loader.namespace::<dyn Sample>(NS);
    let builder = builder.check_loaded(|e| e.driver().name().map(|name| name == "t2"));
    let manager = builder.enabled().unwrap();
    assert_eq!(manager.names().collect::<Vec<_>>(), ["t2"]);
}
