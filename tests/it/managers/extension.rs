//! `ExtensionManager` over files: what is listed, found, made and called.

use std::convert::Infallible;
use std::sync::Arc;

use longshore_loader::{ExtensionManager, FailureKind};
use longshore_plugin_api::DriverError;
use longshore_sample_plugin::Sample;

use super::support::{NS, World, entries, four, locals, whole};

fn all(world: &World) -> ExtensionManager<dyn Sample> {
    world.loader.namespace::<dyn Sample>(NS).all().unwrap()
}

#[test]
fn contains_loaded_name() {
    let manager = all(&four());
    assert!(manager.contains("t1"));
    assert!(!manager.contains("e1"), "it failed");
    assert!(!manager.contains("nobody"));
}

#[test]
fn names_lists_loadable_without_invoking() {
    let world = four();
    let builder = world.loader.namespace::<dyn Sample>(NS).lazy();
    let manager = builder.all().unwrap();
    // The failing constructor was not run, so its entry is still good.
    assert_eq!(manager.names().collect::<Vec<_>>(), ["t1", "t2", "e1"]);
    assert!(manager.iter().all(|e| e.instance().is_none()));
    assert_eq!(world.loader.open_libraries(), 0);
}

#[test]
fn get_by_name() {
    let manager = all(&four());
    let t1 = manager.get("t1").unwrap();
    assert_eq!(t1.name(), "t1");
    assert_eq!(t1.driver().name().unwrap(), "t1");
    assert_eq!(manager.require("t2").unwrap().name(), "t2");
}

#[test]
fn get_unknown_name_is_none() {
    let manager = all(&four());
    assert!(manager.get("t3").is_none());
    let failure = manager.require("t3").unwrap_err();
    assert_eq!(failure.kind, FailureKind::NoMatch);
    assert_eq!(
        failure.refusal.why,
        format!("no extension `t3` in `{NS}`; there are `t1`, `t2`")
    );
    // One that is there and failed says why, rather than that there is none.
    assert_eq!(manager.require("e1").unwrap_err().code(), "driver/failed");
}

#[test]
fn invoke_on_load_passes_settings() {
    let world =
        entries("t1 = { lib = 'LIB', settings = { greeting = 'ahoy' } }\nt2 = 'LIB'\ne1 = 'LIB'\n");
    let manager = all(&world);
    let settings = manager.map_driver(|d| d.settings());
    let expected = [
        ("t1", Ok("ahoy/60".to_owned())),
        ("t2", Ok("hello/60".to_owned())),
    ];
    assert_eq!(settings, expected, "the failing constructor is left out");
}

#[test]
fn items_yields_name_extension_pairs() {
    let manager = all(&four());
    let items: Vec<_> = manager.items().map(|(n, e)| (n, e.name())).collect();
    assert_eq!(items, [("t1", "t1"), ("t2", "t2")]);
}

#[test]
fn iter_yields_extensions() {
    let manager = all(&four());
    let names: Vec<_> = manager.iter().map(|e| e.name()).collect();
    assert_eq!(names, ["t1", "t2"]);
    let names: Vec<_> = (&manager).into_iter().map(|e| e.name()).collect();
    assert_eq!(names, ["t1", "t2"]);
}

#[test]
fn list_entry_points_includes_unloadable() {
    let manager = all(&four());
    let names: Vec<_> = manager.entry_points().iter().map(|e| &*e.name).collect();
    assert_eq!(names, ["t1", "t2", "e1", "e2"]);
}

#[test]
fn entry_point_names_includes_unloadable() {
    let manager = all(&four());
    let names: Vec<_> = manager.entry_point_names().collect();
    assert_eq!(names, ["t1", "t2", "e1", "e2"]);
}

#[test]
fn two_managers_share_entry_points() {
    let world = four();
    let (one, other) = (all(&world), all(&world));
    let pairs = one.entry_points().iter().zip(other.entry_points());
    assert!(pairs.into_iter().all(|(a, b)| Arc::ptr_eq(a, b)));
}

#[test]
fn two_managers_share_library_handle() {
    let world = four();
    let (one, other) = (all(&world), all(&world));
    let library = |m: &ExtensionManager<dyn Sample>, name| {
        m.get(name).unwrap().factory().unwrap().library().unwrap()
    };
    assert_eq!(library(&one, "t1"), library(&other, "t1"));
    assert_eq!(
        library(&one, "t1"),
        library(&one, "t2"),
        "one file, two names"
    );
    assert_eq!(world.loader.open_libraries(), 1);
}

#[test]
fn map_passes_arguments() {
    let manager = all(&four());
    let (a, b) = (1_u64, "named");
    let results = manager.map(|e| e.driver().next(a).map(|n| format!("{n} {b}")));
    let expected = ["t1", "t2"].map(|n| (n, Ok("2 named".to_owned())));
    assert_eq!(results, expected);
}

#[test]
fn map_collects_errors_without_stopping() {
    let manager = all(&four());
    let results = manager.map(|e| e.driver().fail("as asked"));
    let error = || Err(DriverError::internal("as asked"));
    assert_eq!(results, [("t1", error()), ("t2", error())]);
    assert!(manager.map_ok(|e| e.driver().fail("as asked")).is_empty());
}

#[test]
fn map_required_on_empty_is_no_matches() {
    let world = whole("['empty']\n");
    let builder = world.loader.namespace::<dyn Sample>("empty");
    let manager = builder.all().unwrap();
    assert!(manager.map(|e| e.driver().name()).is_empty());
    let failure = manager.map_required(|e| e.driver().name()).unwrap_err();
    assert_eq!(failure.code(), "plugin/no-entries");
    assert!(failure.is_no_unique_match());
    assert_eq!(
        failure.refusal.why,
        "`empty` has no entries in `plugins.toml`"
    );
    let some = ExtensionManager::test_instance(locals(&["a"]));
    assert_eq!(some.map_required(|e| e.driver().next(1)).unwrap().len(), 1);
}

#[test]
fn map_driver_calls_trait_method() {
    let manager = all(&four());
    let results = manager.map_driver(|d| d.next(41));
    assert_eq!(results, [("t1", Ok(42)), ("t2", Ok(42))]);
}

#[test]
fn map_propagate_stops_at_first_error() {
    let manager = all(&four());
    let mut asked = Vec::new();
    let result = manager.try_map(|e| {
        asked.push(e.name().to_owned());
        e.driver().fail("enough")
    });
    assert_eq!(result, Err(("t1", DriverError::internal("enough"))));
    assert_eq!(asked, ["t1"]);
    let fine = manager.try_map(|e| e.driver().next(1));
    assert_eq!(fine.unwrap(), [("t1", 2), ("t2", 2)]);
}

#[test]
fn map_returns_values() {
    let manager = all(&four());
    let names = manager.map_ok(|e| Ok::<_, Infallible>(e.name().to_uppercase()));
    assert_eq!(names, ["T1", "T2"]);
}

#[test]
fn manager_from_registry_touches_no_disk() {
    let manager = ExtensionManager::from_extensions("acme.nowhere", locals(&["a", "b"]));
    assert_eq!(manager.names().collect::<Vec<_>>(), ["a", "b"]);
    assert!(
        manager.entry_points().is_empty(),
        "there is no map behind it"
    );
    assert!(manager.iter().all(|e| e.info().file.as_os_str().is_empty()));
    assert!(manager.iter().all(|e| e.factory().is_none()));
}

#[test]
fn extension_export_part() {
    let world = entries("other = 'LIB:t1'\nt2 = 'LIB'\n");
    let manager = all(&world);
    assert_eq!(manager.get("other").unwrap().info().export, "t1");
    assert_eq!(
        manager.get("t2").unwrap().info().export,
        "t2",
        "found by its name"
    );
}

#[test]
fn extension_target_verbatim() {
    let world = entries("other = 'LIB:t1'\nt2 = 'LIB'\n");
    let manager = all(&world);
    let lib = super::support::sample().display().to_string();
    let info = |name| manager.get(name).unwrap().info();
    assert_eq!(info("other").target, format!("{lib}:t1"));
    assert_eq!(info("t2").target, lib);
}

#[test]
fn extension_library_part() {
    let world = entries("other = 'LIB:t1'\n");
    let manager = all(&world);
    let lib = super::support::sample();
    let info = manager.get("other").unwrap().info();
    assert_eq!(info.library(), lib.display().to_string());
    assert_eq!(info.file, lib);
}
