//! Where stevedore 5.10.0 errs or leaves something open, and these managers do not. The numbers are those of
//! `docs/stevedore.md`.

use std::fs;

use longshore_loader::map::{Conflicts, Environment, Lookup};
use longshore_loader::{
    DispatchExtensionManager, EnabledExtensionManager, ExtensionManager, FailureKind, HookManager,
    LazyExtension, Loader, NameDispatchExtensionManager, NamedExtensionManager, PluginMap,
};
use longshore_plugin_api::DriverError;
use longshore_sample_plugin::Sample;
use longshore_tests::logs;

use super::support::{NS, entries, four, is_mapped, local_in, locals, same, sample, whole};

fn load(path: &std::path::Path) -> PluginMap {
    PluginMap::load(path, &Environment::default()).unwrap_or_else(|e| panic!("{e}"))
}

#[test]
fn d1_an_edit_in_place_is_seen_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("plugins.toml");
    fs::write(&path, "['a']\nx = 'one.so'\n").unwrap();
    let map = load(&path);
    assert!(!map.is_stale());
    fs::write(&path, "['a']\nx = 'two.so'\n").unwrap();
    assert!(map.is_stale());
    let reload = map.reload().unwrap();
    assert_eq!(reload.changes.len(), 1);
    let Lookup::One(x) = reload.map.lookup("a", "x") else {
        panic!()
    };
    assert_eq!(x.lib, "two.so");
}

#[test]
fn d2_a_conflict_is_found_wherever_its_members_stand() {
    for names in [["a", "b", "a"], ["a", "a", "b"]] {
        let extensions = locals(&names);
        let manager = ExtensionManager::test_instance(extensions.clone());
        let failure = manager.require("a").unwrap_err();
        assert_eq!(failure.kind, FailureKind::MultipleMatches, "{names:?}");
        let asked = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
        let count = std::sync::Arc::clone(&asked);
        let manager = manager.with_resolver(move |several| {
            count.fetch_add(several.len(), std::sync::atomic::Ordering::Relaxed);
            Some(0)
        });
        assert!(same(manager.get("a").unwrap(), &extensions[0]));
        assert_eq!(asked.load(std::sync::atomic::Ordering::Relaxed), 2);
    }
}

#[test]
fn d3a_a_driver_calls_back_for_a_missing_name_before_it_fails() {
    let world = four();
    let mut missing = Vec::new();
    let builder = world.loader.namespace::<dyn Sample>(NS);
    let builder = builder.on_missing(|names| {
        missing.extend(names.iter().map(ToString::to_string));
        Ok(())
    });
    let failure = builder.driver("nobody").err().unwrap();
    assert_eq!(failure.kind, FailureKind::NoMatch);
    assert_eq!(missing, ["nobody"]);
}

/// That an option to resolve conflicts does not compile with `hook` is an example of `Builder`.
#[test]
fn d3b_a_hook_has_all_of_its_name_whatever_the_policy() {
    for policy in ["error", "first", "last", "priority", "all"] {
        let world = whole(&format!(
            "[longshore.policy.'{NS}']\nconflicts = '{policy}'\n['{NS}']\nt1 = ['LIB', 'LIB:t2']\n"
        ));
        let hook = world.loader.namespace::<dyn Sample>(NS).hook("t1");
        assert_eq!(hook.unwrap().get("t1").unwrap().len(), 2, "{policy}");
    }
}

#[test]
fn d3c_every_manager_has_the_options_that_make_sense_for_it() {
    let world = entries("t1 = ['LIB', 'LIB:t2']\nt2 = 'LIB'\n");
    let builder = || world.loader.namespace::<dyn Sample>(NS);
    let by_name = builder().conflicts(Conflicts::Last).name_dispatch();
    let by_name = by_name.unwrap();
    assert_eq!(by_name.get("t1").unwrap().info().export, "t2");
    // What a driver or a hook answers to a call is the caller's, error or not.
    let driver = builder().driver("t2").unwrap();
    let error = driver.call(|e| e.driver().fail("no")).unwrap_err();
    assert_eq!(error.message(), "no");
    let hook = builder().hook("t2").unwrap();
    assert!(hook.try_map(|e| e.driver().fail("no")).is_err());
}

#[test]
fn d3d_managers_of_ready_extensions_lack_nothing() {
    let named = NamedExtensionManager::test_instance(locals(&["a"]));
    assert!(named.missing().is_empty() && named.failures().is_empty());
    let enabled = EnabledExtensionManager::test_instance(locals(&["a"]));
    assert!(enabled.failures().is_empty() && enabled.entry_points().is_empty());
    let dispatch = DispatchExtensionManager::test_instance(locals(&["a"]));
    let results = dispatch.map(|_| true, |e| e.driver().next(1));
    assert_eq!(results, [("a", Ok(2))]);
}

/// Whether there is an instance is a matter of type, never of what the instance is like.
#[test]
fn d4_an_instance_is_there_or_not_and_never_mistaken() {
    let world = four();
    let builder = world.loader.namespace::<dyn Sample>(NS).lazy();
    let manager = builder.driver("t1").unwrap();
    assert!(manager.extension().instance().is_none());
    let driver = std::sync::Arc::clone(manager.extension().driver().unwrap());
    let instance = manager.extension().instance().unwrap();
    assert!(std::sync::Arc::ptr_eq(&driver, instance));
}

#[test]
fn d5_a_file_of_another_shape_is_a_diagnostic_with_its_place() {
    let shapes = [
        "[]",
        "null",
        "{\"groups\": null}",
        "x = 1\n",
        "['a']\nx = [1]\n",
        "['a']\nx = 1\n",
        "longshore = 3\n",
        "[longshore]\npolicy = []\n",
        "[longshore]\ndefaults = 'all'\n",
        "[[a]]\nx = 'y.so'\n",
    ];
    for text in shapes {
        let error = PluginMap::parse(text, "plugins.toml").unwrap_err();
        let first = &error.diagnostics[0];
        assert!(first.code.starts_with("map/"), "{text}: {error}");
        let place = first.place.to_string();
        assert!(place.starts_with("plugins.toml:"), "{text}: {place}");
    }
}

#[test]
fn d6_an_extension_knows_where_it_comes_from() {
    let text = "t1 = { lib = 'LIB', export = 't2', priority = 7, settings = { width = 72 } }\nworn = { alias = 't1' }\n";
    let manager = entries(text)
        .loader
        .namespace::<dyn Sample>(NS)
        .driver("worn");
    let manager = manager.unwrap();
    let info = manager.extension().info();
    assert_eq!((info.namespace.as_str(), info.name.as_str()), (NS, "t1"));
    assert_eq!(info.alias.as_deref(), Some("worn"));
    assert_eq!((info.file.clone(), info.export.as_str()), (sample(), "t2"));
    let plugin = (info.plugin.as_str(), info.version.as_str());
    assert_eq!(plugin, ("longshore-sample-plugin", "1.2.3"));
    assert_eq!(info.api_version, longshore_plugin_api::API_VERSION);
    assert_eq!((info.kind.as_str(), info.priority), ("Sample", 7));
    assert_eq!(info.place.to_string(), "plugins.toml:2:1");
    assert_eq!(info.settings["width"], 72);
    assert_eq!(
        info.settings["greeting"], "hello",
        "the default is shown as well"
    );
}

#[test]
fn d7_what_failed_is_kept_and_said() {
    logs::start();
    let namespace = "acme.d7";
    let text = format!("['{namespace}']\ne1 = '/none/a.so'\ne2 = '/none/b.so'\n");
    let world = whole(&text);
    let builder = || world.loader.namespace::<dyn Sample>(namespace);
    let manager = builder().all().unwrap();
    let failed: Vec<_> = manager.failures().iter().map(|f| f.entry().1).collect();
    assert_eq!(failed, ["e1", "e2"]);
    assert_eq!(logs::about(namespace, 2).len(), 2, "one line for each");
    assert!(builder().strict(true).all().is_err());
    assert!(
        builder().named(&["e1"]).is_err(),
        "strict is the default by name"
    );
}

#[test]
fn d8_what_a_check_rejects_is_never_opened() {
    let world = entries("t1 = 'DIR/rejected.so'\n");
    let lib = world.dir.path().join("rejected.so");
    fs::copy(sample(), &lib).unwrap();
    let builder = || world.loader.namespace::<dyn Sample>(NS);
    let manager = builder().check_entry(|e| e.priority > 0).enabled();
    assert!(manager.unwrap().is_empty());
    assert!(!is_mapped(&lib));
    assert_eq!(world.loader.report().lines().count(), 0);
    // One name of a namespace is found without going through the others.
    assert_eq!(builder().driver("t1").unwrap().names().count(), 1);
    assert!(is_mapped(&lib));
}

#[test]
fn d9_the_order_is_defined() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("plugins.d")).unwrap();
    let base = dir.path().join("plugins.toml");
    fs::write(&base, "['a']\nbase = 'base.so'\n").unwrap();
    for name in ["d", "a", "g", "h", "b", "f", "c", "e"] {
        let path = dir.path().join(format!("plugins.d/{name}.toml"));
        fs::write(path, format!("['a']\n{name} = '{name}.so'\n")).unwrap();
    }
    let map = load(&base);
    let names: Vec<_> = map.entries("a").iter().map(|e| &*e.name).collect();
    assert_eq!(names, ["base", "a", "b", "c", "d", "e", "f", "g", "h"]);
}

#[test]
fn d10_nothing_to_call_is_no_error_unless_one_asks() {
    type K = dyn Sample;
    let all = ExtensionManager::<K>::test_instance(Vec::new());
    assert!(all.map(|e| e.driver().next(1)).is_empty());
    let named = NamedExtensionManager::<K>::test_instance(Vec::new());
    assert!(named.map(|e| e.driver().next(1)).is_empty());
    let enabled = EnabledExtensionManager::<K>::test_instance(Vec::new());
    assert!(enabled.map(|e| e.driver().next(1)).is_empty());
    let hook = HookManager::<K>::test_instance("h", Vec::new()).unwrap();
    assert!(hook.map(|e| e.driver().next(1)).is_empty());
    let dispatch = DispatchExtensionManager::<K>::test_instance(Vec::new());
    assert!(dispatch.map(|_| true, |e| e.driver().next(1)).is_empty());
    let by_name = NameDispatchExtensionManager::<K>::test_instance(Vec::new());
    assert!(
        by_name
            .unwrap()
            .map(["a"], |e| e.driver().next(1))
            .is_empty()
    );
    for required in [
        all.map_required(|e| e.driver().next(1)),
        hook.map_required(|e| e.driver().next(1)),
    ] {
        assert_eq!(required.unwrap_err().code(), "plugin/no-entries");
    }
}

#[test]
fn d11_a_name_dispatch_does_not_choose_in_silence() {
    let extensions = locals(&["a", "b", "a"]);
    let failure = NameDispatchExtensionManager::test_instance(extensions.clone());
    let failure = failure.err().unwrap();
    assert_eq!(failure.kind, FailureKind::MultipleMatches);
    let first = ExtensionManager::test_instance(extensions.clone());
    let first = first.with_conflicts(Conflicts::First);
    let manager = NameDispatchExtensionManager::from_manager(first).unwrap();
    assert!(same(manager.get("a").unwrap(), &extensions[0]));
}

#[test]
fn d12_missing_and_failed_are_different_things() {
    let world = four();
    let (mut missing, mut failed) = (Vec::new(), Vec::new());
    let builder = world.loader.namespace::<dyn Sample>(NS);
    let builder = builder.on_failure(|f| {
        failed.push(f.entry().1.to_owned());
        Ok(())
    });
    let builder = builder.on_missing(|names| {
        missing.extend(names.iter().map(ToString::to_string));
        Ok(())
    });
    let manager = builder.named(&["t1", "e2", "zz"]).unwrap();
    assert_eq!(
        (missing, failed),
        (vec!["zz".into()], vec!["e2".to_owned()])
    );
    assert_eq!(manager.missing(), ["zz"]);
    assert_eq!(manager.failures()[0].entry().1, "e2");
}

#[test]
fn d13_a_driver_that_fails_says_why_and_not_that_there_is_none() {
    let world = four();
    let mut told = 0;
    let builder = world.loader.namespace::<dyn Sample>(NS);
    let builder = builder.on_failure(|_| {
        told += 1;
        Ok(())
    });
    let failure = builder.driver("e1").err().unwrap();
    assert!(!failure.is_no_unique_match());
    let error = failure.driver_error.as_ref().unwrap();
    assert_eq!(error.message(), "the disk is on fire");
    assert_eq!(told, 1);
}

#[test]
fn d14_a_conflict_is_told_by_libraries_and_exports() {
    let world = entries("t1 = ['LIB', 'LIB:t2']\n");
    let failure = world.loader.namespace::<dyn Sample>(NS).driver("t1");
    let text = failure.err().unwrap().to_string();
    let lib = sample().display().to_string();
    assert!(
        text.contains(&format!("`{lib}` (plugins.toml:2:7)")),
        "{text}"
    );
    assert!(text.contains(&format!("`{lib}:t2`")), "{text}");
    // Drivers that have no file conflict just as well.
    let manager = ExtensionManager::test_instance(locals(&["a", "a"]));
    let text = manager.require("a").unwrap_err().to_string();
    assert!(text.contains("2 provide it"), "{text}");
}

#[test]
fn d15_a_check_that_fails_is_not_a_driver_that_fails() {
    let world = entries("t1 = 'LIB'\npanics = 'LIB'\nt2 = 'LIB'\n");
    let builder = || world.loader.namespace::<dyn Sample>(NS);
    let manager = builder().check_entry(|entry| match entry.name.as_str() {
        "t1" => Err("the list is not there"),
        _ => Ok(true),
    });
    let manager = manager.enabled().unwrap();
    assert_eq!(manager.names().collect::<Vec<_>>(), ["t2"]);
    let kinds: Vec<_> = manager
        .failures()
        .iter()
        .map(|f| (f.kind, f.code()))
        .collect();
    let expected = [
        (FailureKind::CheckFailed, "plugin/check-failed"),
        // A panic ends neither the program nor the making of the others.
        (FailureKind::Refused, "driver/panicked"),
    ];
    assert_eq!(kinds, expected);
    let text = manager.failures()[0].to_string();
    assert!(text.contains("the list is not there"), "{text}");
}

#[test]
fn d16_a_method_is_called_on_instances_only() {
    let world = four();
    let builder = world.loader.namespace::<dyn Sample>(NS).lazy();
    let manager = builder.named(&["t1", "t2"]).unwrap();
    assert!(manager.iter().all(|e| e.instance().is_none()));
    // Without instances they are made first, rather than nothing being called.
    let results = manager.map_driver(|d| d.next(1).map_err(|e| e.to_string()));
    assert_eq!(results, [("t1", Ok(2)), ("t2", Ok(2))]);
    assert!(manager.iter().all(|e| e.instance().is_some()));
}

#[test]
fn d17_each_result_keeps_its_place_and_an_error_is_logged_once() {
    logs::start();
    let namespace = "acme.d17";
    let extensions = ["a", "b", "c"].map(|n| local_in(namespace, n)).to_vec();
    let manager = ExtensionManager::from_extensions(namespace, extensions);
    let results = manager.map(|e| match e.name() {
        "b" => e.driver().fail("out of order"),
        _ => e.driver().next(1),
    });
    let failed = Err(DriverError::internal("out of order"));
    assert_eq!(results, [("a", Ok(2)), ("b", failed), ("c", Ok(2))]);
    let said = logs::about(namespace, 5);
    assert_eq!(said, ["a call failed: out of order"]);
}

#[test]
fn d18_a_name_given_twice_is_an_error_in_either_order() {
    let world = four();
    for in_map_order in [false, true] {
        let builder = world.loader.namespace::<dyn Sample>(NS).strict(false);
        let builder = if in_map_order {
            builder.in_map_order()
        } else {
            builder
        };
        let failure = builder.named(&["t1", "t2", "t1"]).err().unwrap();
        assert_eq!(failure.code(), "plugin/asked-twice");
        assert_eq!(failure.refusal.why, "`t1` is asked for twice");
    }
}

#[test]
fn d19_a_reload_sees_what_is_new_and_managers_keep_what_they_have() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("plugins.toml");
    let lib = sample().display().to_string();
    fs::write(&path, format!("['{NS}']\n")).unwrap();
    let loader = Loader::new(load(&path), dir.path());
    let before = loader.namespace::<dyn Sample>(NS).all().unwrap();
    assert!(before.is_empty());
    fs::write(&path, format!("['{NS}']\nt1 = '{lib}'\n")).unwrap();
    let (fresh, reload) = loader.reload().unwrap();
    assert_eq!(reload.changes.len(), 1);
    let after = fresh.namespace::<dyn Sample>(NS).all().unwrap();
    assert_eq!(after.names().collect::<Vec<_>>(), ["t1"]);
    assert!(before.is_empty() && before.entry_points().is_empty());
    fs::write(&path, "").unwrap();
    let (last, _) = fresh.reload().unwrap();
    assert!(last.map().entries(NS).is_empty());
    let name = after.get("t1").unwrap().driver().name();
    assert_eq!(name.unwrap(), "t1", "what is loaded stays");
    assert_eq!(last.open_libraries(), 1);
}

#[test]
fn d20_what_is_contained_can_be_had() {
    let manager = ExtensionManager::test_instance(locals(&["a", "b"]));
    for name in ["a", "b", "c"] {
        assert_eq!(manager.contains(name), manager.get(name).is_some());
    }
    assert_eq!(manager.iter().count(), manager.len());
}

#[test]
fn d21_one_name_is_that_name() {
    let map = PluginMap::parse("['n']\ne1 = 'e1.so'\nt2 = 't2.so'\n", "p").unwrap();
    let Lookup::One(found) = map.lookup("n", "t2") else {
        panic!()
    };
    assert_eq!(found.lib, "t2.so");
    assert!(matches!(map.lookup("n", "nobody"), Lookup::Unknown { .. }));
}

#[test]
fn d22_directories_belong_to_the_map_that_names_them() {
    let dir = tempfile::tempdir().unwrap();
    for side in ["one", "two"] {
        fs::create_dir(dir.path().join(side)).unwrap();
        fs::copy(sample(), dir.path().join(side).join("libx.so")).unwrap();
    }
    let file = |side: &str| {
        let text = format!("[longshore]\nsearch = ['{side}']\n['{NS}']\nt1 = 'libx.so'\n");
        let base = dir.path().join("plugins.toml").display().to_string();
        let loader = Loader::new(PluginMap::parse(&text, &base).unwrap(), dir.path());
        let manager = loader.namespace::<dyn Sample>(NS).driver("t1").unwrap();
        manager.extension().info().file.clone()
    };
    assert_eq!(file("one"), dir.path().join("one/libx.so"));
    assert_eq!(file("two"), dir.path().join("two/libx.so"));
    let empty = PluginMap::parse(
        "[longshore]\nsearch = ['/none']\n['a']\nx = 'libx.so'\n",
        "p",
    );
    let loader = Loader::new(empty.unwrap(), dir.path());
    assert!(loader.namespace::<dyn Sample>("a").driver("x").is_err());
}

#[test]
fn d23_a_failure_callback_gets_a_value_that_is_whole() {
    let world = four();
    let mut seen = Vec::new();
    let builder = world.loader.namespace::<dyn Sample>(NS);
    let manager = builder.on_failure(|failure| {
        let (namespace, name) = failure.entry();
        let parts = (
            namespace.to_owned(),
            name.to_owned(),
            failure.refusal.file.clone(),
        );
        seen.push((parts, failure.driver_error.is_some()));
        Ok(())
    });
    assert_eq!(manager.all().unwrap().len(), 2);
    let entry = |name: &str, file| (NS.to_owned(), name.to_owned(), file);
    let expected = [
        (entry("e1", sample()), true),
        (entry("e2", "/none/libabsent.so".into()), false),
    ];
    assert_eq!(seen, expected);
}

/// That one text in place of a list does not compile is an example of `NameDispatchExtensionManager::map`.
#[test]
fn d24_names_are_names_and_not_letters() {
    let manager = NameDispatchExtensionManager::test_instance(locals(&["t1", "t"])).unwrap();
    assert_eq!(manager.map(["t1"], |e| e.driver().next(1)), [("t1", Ok(2))]);
}

#[test]
fn d25_a_hook_without_extensions_has_its_name() {
    let hook = HookManager::<dyn Sample>::test_instance("created", Vec::new()).unwrap();
    assert_eq!(hook.name(), "created");
    assert!(hook.get("created").unwrap().is_empty());
    assert!(hook.get("other").is_none());
    let lazy = HookManager::<dyn Sample, LazyExtension<dyn Sample>>::test_instance("x", Vec::new());
    assert!(lazy.unwrap().get("x").is_some());
}
