//! `HookManager`: all of one name.

use longshore_sample_plugin::Sample;

use super::support::{NS, entries, four};

#[test]
fn hook_get_returns_list() {
    let world = entries("t1 = ['LIB', 'LIB:t2']\nt2 = 'LIB'\n");
    let hook = world.loader.namespace::<dyn Sample>(NS).hook("t1").unwrap();
    let list = hook.get("t1").unwrap();
    let exports: Vec<_> = list.iter().map(|e| e.info().export.as_str()).collect();
    assert_eq!(exports, ["t1", "t2"]);
}

#[test]
fn hook_get_other_name_is_none() {
    let hook = four().loader.namespace::<dyn Sample>(NS).hook("t1");
    assert!(hook.unwrap().get("t2").is_none());
}

#[test]
fn hook_loads_only_its_name() {
    let world = four();
    let hook = world.loader.namespace::<dyn Sample>(NS).hook("t1").unwrap();
    assert_eq!(hook.names().collect::<Vec<_>>(), ["t1"]);
    assert_eq!(world.loader.report().lines().count(), 1);
}
