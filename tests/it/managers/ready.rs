//! Managers of ready extensions: no map, no file. What a program's own tests build on.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use longshore_loader::{
    DispatchExtensionManager, DriverManager, EnabledExtensionManager, Extension, ExtensionManager,
    HookManager, NameDispatchExtensionManager, NamedExtensionManager,
};
use longshore_plugin_api::DriverError;
use longshore_sample_plugin::Sample;

use super::support::{Local, local, locals, same};

type All = ExtensionManager<dyn Sample>;

fn has_both(manager: &All, extensions: &[Extension<dyn Sample>]) {
    let pairs = manager.iter().zip(extensions);
    assert!(pairs.into_iter().all(|(a, b)| same(a, b)));
    assert_eq!(manager.len(), extensions.len());
}

#[test]
fn dispatch_from_extensions() {
    let extensions = locals(&["a", "b"]);
    let manager = DispatchExtensionManager::test_instance(extensions.clone());
    has_both(&manager, &extensions);
}

#[test]
fn dispatch_filter_sees_every_extension() {
    let manager = DispatchExtensionManager::test_instance(locals(&["a", "b"]));
    let mut asked = Vec::new();
    let results = manager.map(
        |e| {
            asked.push(e.name().to_owned());
            false
        },
        |e| e.driver().next(1),
    );
    assert!(results.is_empty());
    assert_eq!(asked, ["a", "b"]);
}

#[test]
fn driver_test_instance_default_namespace() {
    let manager = DriverManager::<dyn Sample>::test_instance("d", Arc::new(Local::default()));
    assert_eq!(manager.namespace(), "TESTING");
}

#[test]
fn driver_from_extension() {
    let extension = local("d");
    let manager = DriverManager::from_extension(extension.clone());
    assert!(same(manager.extension(), &extension));
}

#[test]
fn driver_test_instance_namespace() {
    let extension = super::support::local_in("acme.testing", "d");
    assert_eq!(
        DriverManager::from_extension(extension).namespace(),
        "acme.testing"
    );
}

#[test]
fn enabled_from_extensions() {
    let extensions = locals(&["a", "b"]);
    let manager = EnabledExtensionManager::test_instance(extensions.clone());
    has_both(&manager, &extensions);
    assert_eq!(manager.namespace(), "TESTING");
}

#[test]
fn test_instance_lists_names() {
    let manager = All::test_instance(locals(&["a"]));
    assert!(manager.names().any(|name| name == "a"));
}

#[test]
fn hook_from_extensions_takes_common_name() {
    let hook = HookManager::test_instance("a", locals(&["a", "a"])).unwrap();
    assert_eq!(hook.get("a").unwrap().len(), 2);
    let mixed = HookManager::test_instance("a", locals(&["a", "b"]));
    let failure = mixed.err().unwrap();
    assert_eq!(
        failure.refusal.why,
        "an extension called `b` is no part of the hook `a`"
    );
}

#[test]
fn hook_test_instance_default_namespace() {
    let hook = HookManager::test_instance("a", locals(&["a"])).unwrap();
    assert_eq!(hook.namespace(), "TESTING");
}

#[test]
fn hook_returns_all_of_name_in_order() {
    let extensions = locals(&["a", "a"]);
    let hook = HookManager::test_instance("a", extensions.clone()).unwrap();
    let found = hook.get("a").unwrap();
    assert!(same(&found[0], &extensions[0]) && same(&found[1], &extensions[1]));
}

#[test]
fn hook_from_extensions() {
    let extensions = locals(&["a"]);
    let hook = HookManager::test_instance("a", extensions.clone()).unwrap();
    has_both(hook.extensions(), &extensions);
}

#[test]
fn hook_test_instance_namespace() {
    let hook = HookManager::from_extensions("acme.testing", "a", locals(&["a"]));
    assert_eq!(hook.unwrap().namespace(), "acme.testing");
}

#[test]
fn driver_test_instance_call() {
    let manager = DriverManager::from_extension(local("d"));
    assert_eq!(manager.call(|e| e.driver().next(1)), Ok(2));
}

#[test]
fn driver_test_instance_driver() {
    let driver: Arc<dyn Sample> = Arc::new(Local::default());
    let manager = DriverManager::test_instance("d", Arc::clone(&driver));
    assert!(Arc::ptr_eq(&manager.driver(), &driver));
}

#[test]
fn extension_manager_test_instance_default_namespace() {
    assert_eq!(All::test_instance(Vec::new()).namespace(), "TESTING");
}

#[test]
fn driver_test_instance_names() {
    let manager = DriverManager::from_extension(local("d"));
    assert_eq!(manager.names().collect::<Vec<_>>(), ["d"]);
}

#[test]
fn extension_manager_from_extensions() {
    let extensions = locals(&["a", "b"]);
    has_both(&All::test_instance(extensions.clone()), &extensions);
}

#[test]
fn extension_manager_test_instance_namespace() {
    let manager = All::from_extensions("acme.testing", Vec::new());
    assert_eq!(manager.namespace(), "acme.testing");
}

#[test]
fn test_instance_iterates() {
    let extensions = locals(&["a", "b"]);
    let manager = All::test_instance(extensions.clone());
    for (one, other) in (&manager).into_iter().zip(&extensions) {
        assert!(same(one, other));
    }
}

#[test]
fn test_instance_map_returns_values() {
    let manager = All::test_instance(locals(&["a", "b"]));
    let names = manager.map_ok(|e| e.driver().name());
    assert_eq!(names, ["a", "b"]);
}

#[test]
fn test_instance_get_by_name() {
    let extensions = locals(&["a", "b"]);
    let manager = All::test_instance(extensions.clone());
    assert!(same(manager.get("b").unwrap(), &extensions[1]));
}

fn counted(name: &str) -> (Arc<Local>, Extension<dyn Sample>) {
    let driver = Arc::new(Local::default());
    let shared: Arc<dyn Sample> = Arc::clone(&driver) as _;
    (driver, Extension::from_driver("TESTING", name, shared))
}

#[test]
fn test_instance_map_calls_once() {
    let (driver, extension) = counted("a");
    let manager = All::test_instance(vec![extension]);
    manager.map_driver(|d| d.next(1));
    assert_eq!(driver.calls.load(Ordering::Relaxed), 1);
}

#[test]
fn test_instance_map_calls_all() {
    let (a, b) = (counted("a"), counted("b"));
    let manager = All::test_instance(vec![a.1, b.1]);
    manager.map_driver(|d| d.next(1));
    let calls = [a.0, b.0].map(|d| d.calls.load(Ordering::Relaxed));
    assert_eq!(calls, [1, 1]);
}

#[test]
fn test_instance_map_collects_errors() {
    let manager = All::test_instance(locals(&["a", "b"]));
    let results = manager.map_driver(|d| d.fail("no"));
    assert!(results.iter().all(|(_, r)| r.is_err()));
    assert_eq!(results.len(), 2);
}

#[test]
fn test_instance_map_propagates() {
    let manager = All::test_instance(locals(&["a", "b"]));
    let result = manager.try_map(|e| e.driver().fail("no"));
    assert_eq!(result, Err(("a", DriverError::internal("no"))));
}

#[test]
fn name_dispatch_builds_index() {
    let extensions = locals(&["a", "b"]);
    let manager = NameDispatchExtensionManager::test_instance(extensions.clone()).unwrap();
    assert!(same(manager.get("a").unwrap(), &extensions[0]));
    assert!(same(manager.get("b").unwrap(), &extensions[1]));
}

#[test]
fn name_dispatch_from_extensions() {
    let extensions = locals(&["a", "b"]);
    let manager = NameDispatchExtensionManager::test_instance(extensions.clone()).unwrap();
    has_both(&manager, &extensions);
}

#[test]
fn name_dispatch_calls_only_named() {
    let (a, b) = (counted("a"), counted("b"));
    let manager = NameDispatchExtensionManager::test_instance(vec![a.1, b.1]).unwrap();
    let results = manager.map(["b"], |e| e.driver().next(5));
    assert_eq!(results, [("b", Ok(6))]);
    let calls = [a.0, b.0].map(|d| d.calls.load(Ordering::Relaxed));
    assert_eq!(calls, [0, 1]);
}

#[test]
fn named_test_instance_default_namespace() {
    let manager = NamedExtensionManager::test_instance(locals(&["a"]));
    assert_eq!(manager.namespace(), "TESTING");
}

#[test]
fn named_test_instance_names_in_order() {
    let manager = NamedExtensionManager::test_instance(locals(&["b", "a"]));
    assert_eq!(manager.names().collect::<Vec<_>>(), ["b", "a"]);
}

#[test]
fn named_from_extensions() {
    let extensions = locals(&["a", "b"]);
    let manager = NamedExtensionManager::test_instance(extensions.clone());
    has_both(&manager, &extensions);
}

#[test]
fn named_test_instance_namespace() {
    let manager = NamedExtensionManager::from_extensions("acme.testing", locals(&["a"]));
    assert_eq!(manager.namespace(), "acme.testing");
}
