//! `NamedExtensionManager`: what is asked for, in that order, and nothing else.

use std::fs;

use longshore_sample_plugin::Sample;

use super::support::{NS, entries, four, is_mapped, sample};

#[test]
fn named_never_opens_unwanted_library() {
    let world = entries("t1 = 'LIB'\nt2 = 'DIR/unwanted.so'\n");
    let unwanted = world.dir.path().join("unwanted.so");
    // Another content, so that it would be a library of its own.
    let mut bytes = fs::read(sample()).unwrap();
    bytes.extend_from_slice(b"unwanted");
    fs::write(&unwanted, bytes).unwrap();
    let manager = world.loader.namespace::<dyn Sample>(NS).named(&["t1"]);
    assert_eq!(manager.unwrap().len(), 1);
    assert!(!is_mapped(&unwanted));
    // The same file is opened when it is wanted, so the test can fail.
    let manager = world.loader.namespace::<dyn Sample>(NS).named(&["t2"]);
    assert_eq!(manager.unwrap().len(), 1);
    assert!(is_mapped(&unwanted));
}

#[test]
fn named_order_follows_request() {
    let world = four();
    let named = |names: &[&str], in_map_order: bool| {
        let builder = world.loader.namespace::<dyn Sample>(NS);
        let manager = match in_map_order {
            true => builder.in_map_order().named(names),
            false => builder.named(names),
        };
        let manager = manager.unwrap();
        manager.names().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(named(&["t1", "t2"], false), ["t1", "t2"]);
    assert_eq!(named(&["t2", "t1"], false), ["t2", "t1"]);
    assert_eq!(
        named(&["t2", "t1"], true),
        ["t1", "t2"],
        "the map's order, if asked"
    );
}

#[test]
fn named_order_skips_failed() {
    let world = four();
    for in_map_order in [false, true] {
        let builder = world.loader.namespace::<dyn Sample>(NS).strict(false);
        let builder = if in_map_order {
            builder.in_map_order()
        } else {
            builder
        };
        let manager = builder.named(&["e1", "t1", "e2"]).unwrap();
        assert_eq!(manager.names().collect::<Vec<_>>(), ["t1"]);
        assert_eq!(manager.failures().len(), 2);
    }
}

#[test]
fn named_loads_only_named() {
    let world = four();
    let manager = world.loader.namespace::<dyn Sample>(NS).named(&["t1"]);
    let manager = manager.unwrap();
    assert_eq!(manager.names().collect::<Vec<_>>(), ["t1"]);
    let report = world.loader.report();
    let names: Vec<_> = report.lines().map(|l| l.name.as_str()).collect();
    assert_eq!(names, ["t1"], "nothing else was so much as looked at");
}
