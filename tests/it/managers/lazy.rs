//! At first use, once, from any thread; one library per content; what is no failure; what is said once.

use std::fs;
use std::os::unix::fs::symlink;
use std::sync::Barrier;
use std::thread;

use longshore_loader::{
    DispatchExtensionManager, DriverManager, EnabledExtensionManager, Extension, ExtensionManager,
    Factory, FailureKind, HookManager, LazyExtension, LoadFailure, Loader, LoaderOptions,
    NameDispatchExtensionManager, NamedExtensionManager, stage::LoadMode,
};
use longshore_sample_plugin::Sample;
use longshore_tests::logs;

use super::support::{Local, NS, entries, four, sample, whole};

fn is_send_and_sync<T: Send + Sync>() {}

#[test]
fn managers_may_be_used_from_any_thread() {
    is_send_and_sync::<ExtensionManager<dyn Sample>>();
    is_send_and_sync::<ExtensionManager<dyn Sample, LazyExtension<dyn Sample>>>();
    is_send_and_sync::<NamedExtensionManager<dyn Sample>>();
    is_send_and_sync::<EnabledExtensionManager<dyn Sample>>();
    is_send_and_sync::<DriverManager<dyn Sample>>();
    is_send_and_sync::<HookManager<dyn Sample>>();
    is_send_and_sync::<DispatchExtensionManager<dyn Sample>>();
    is_send_and_sync::<NameDispatchExtensionManager<dyn Sample>>();
    is_send_and_sync::<Factory<dyn Sample>>();
    is_send_and_sync::<Loader>();
}

#[test]
fn concurrent_first_use_loads_once() {
    let world = four();
    let builder = world.loader.namespace::<dyn Sample>(NS).lazy();
    let manager = builder.all().unwrap();
    let barrier = Barrier::new(8);
    thread::scope(|scope| {
        let users: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    barrier.wait();
                    let results = manager.map_driver(|d| d.name().map_err(|e| e.to_string()));
                    let results = results.into_iter();
                    results.map(|(n, r)| (n, r.is_ok())).collect::<Vec<_>>()
                })
            })
            .collect();
        for user in users {
            let results = user.join().unwrap();
            assert_eq!(results, [("t1", true), ("t2", true), ("e1", false)]);
        }
    });
    assert_eq!(world.loader.open_libraries(), 1);
    let report = world.loader.report();
    // `e2` when the manager was made; then each of the others once, whoever came first.
    assert_eq!(report.lines().count(), 4);
}

#[test]
fn a_lazy_failure_is_found_early_when_it_can_be() {
    let world = entries("t1 = { lib = 'LIB', settings = { widht = 3 } }\nt2 = 'LIB'\n");
    let builder = world.loader.namespace::<dyn Sample>(NS).lazy();
    let manager = builder.all().unwrap();
    assert_eq!(manager.names().collect::<Vec<_>>(), ["t2"]);
    assert_eq!(manager.failures()[0].code(), "driver/unknown-setting");
    assert_eq!(world.loader.open_libraries(), 0);
}

#[test]
fn a_lazy_failure_stays_the_same() {
    let world = four();
    let builder = world.loader.namespace::<dyn Sample>(NS).lazy();
    let manager = builder.driver("e1").unwrap();
    let first = manager.extension().driver().err().unwrap().one_line();
    assert_eq!(
        manager.extension().driver().err().unwrap().one_line(),
        first
    );
    assert!(first.contains("the disk is on fire"), "{first}");
    assert_eq!(
        world.loader.report().lines().count(),
        1,
        "it was tried once"
    );
}

impl From<LoadFailure> for Asked {
    fn from(failure: LoadFailure) -> Asked {
        Asked(failure.code())
    }
}

#[derive(Debug, PartialEq)]
struct Asked(&'static str);

impl std::fmt::Display for Asked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0)
    }
}

#[test]
fn a_dispatch_makes_only_the_drivers_that_it_calls() {
    let world = four();
    let builder = world.loader.namespace::<dyn Sample>(NS).lazy();
    let manager = builder.name_dispatch().unwrap();
    let results = manager.map_driver(["e1", "t2"], |d| d.next(1).map_err(|_| Asked("?")));
    assert_eq!(
        results,
        [("e1", Err(Asked("driver/failed"))), ("t2", Ok(2))]
    );
    let made = |name| manager.get(name).unwrap().instance().is_some();
    assert!(made("t2") && !made("t1"));
}

/// Links and copies of one file are one library: its statics are there once.
#[test]
fn a_library_is_opened_once_per_content() {
    let world = whole(&format!(
        "['{NS}']\nt1 = 'LIB'\ncopied = 'DIR/copy.so:t1'\nlinked = 'DIR/link.so:t1'\nhard = 'DIR/hard.so:t1'\ntwice = 'DIR/copy.so:t2'\n"
    ));
    let at = |name: &str| world.dir.path().join(name);
    fs::copy(sample(), at("copy.so")).unwrap();
    symlink(sample(), at("link.so")).unwrap();
    fs::hard_link(at("copy.so"), at("hard.so")).unwrap();
    let manager = world.loader.namespace::<dyn Sample>(NS).strict(true).all();
    let manager = manager.unwrap();
    let names = manager.map_ok(|e| e.driver().name());
    assert_eq!(names, ["t1", "copied", "linked", "hard", "twice"]);
    assert_eq!(world.loader.open_libraries(), 1);
    // Another content of the same size is another library.
    let mut bytes = fs::read(sample()).unwrap();
    let last = bytes.last_mut().unwrap();
    *last = last.wrapping_add(1);
    let other = at("other.so");
    fs::write(&other, bytes).unwrap();
    fs::rename(&other, at("link.so")).unwrap();
    let (loader, _) = world.loader.reload().unwrap();
    let manager = loader.namespace::<dyn Sample>(NS).strict(true).all();
    assert_eq!(manager.unwrap().len(), 5);
    assert_eq!(world.loader.open_libraries(), 2);
}

/// A copy is not what is mapped, so it may be overwritten; a library that is mapped may not.
#[test]
fn a_copy_that_is_overwritten_is_another_library() {
    let world = entries("t1 = 'LIB'\nt2 = 'DIR/copy.so'\n");
    let copy = world.dir.path().join("copy.so");
    fs::copy(sample(), &copy).unwrap();
    let all = |loader: &Loader| {
        let manager = loader.namespace::<dyn Sample>(NS).strict(true).all();
        manager.unwrap().map_ok(|e| e.driver().name())
    };
    assert_eq!(all(&world.loader), ["t1", "t2"]);
    assert_eq!(world.loader.open_libraries(), 1);
    let mut bytes = fs::read(sample()).unwrap();
    bytes.push(0);
    fs::write(&copy, bytes).unwrap();
    let (loader, _) = world.loader.reload().unwrap();
    assert_eq!(all(&loader), ["t1", "t2"]);
    assert_eq!(loader.open_libraries(), 2);
}

/// Loading directly maps the file itself, which then must not change.
#[test]
fn a_file_that_is_mapped_itself_and_changes_is_refused_from_then_on() {
    let world = entries("t1 = 'DIR/own.so'\n");
    let own = world.dir.path().join("own.so");
    fs::copy(sample(), &own).unwrap();
    let options = LoaderOptions {
        load: LoadMode::Direct,
        ..LoaderOptions::default()
    };
    let loader = Loader::with_options(world.loader.map().clone(), world.dir.path(), options);
    let manager = loader.namespace::<dyn Sample>(NS).driver("t1").unwrap();
    // Only its times change: a real change of a mapped file is beyond help.
    let file = fs::File::options().append(true).open(&own).unwrap();
    file.set_modified(std::time::SystemTime::UNIX_EPOCH)
        .unwrap();
    let (loader, _) = loader.reload().unwrap();
    let failure = loader.namespace::<dyn Sample>(NS).driver("t1");
    assert_eq!(failure.err().unwrap().code(), "plugin/changing");
    assert_eq!(manager.driver().next(1), Ok(2), "what was loaded goes on");
}

#[test]
fn a_file_that_is_replaced_before_its_first_use_is_looked_at_anew() {
    let world = entries("t1 = 'DIR/late.so'\n");
    let late = world.dir.path().join("late.so");
    fs::copy(sample(), &late).unwrap();
    let builder = world.loader.namespace::<dyn Sample>(NS).lazy();
    let manager = builder.driver("t1").unwrap();
    let fresh = world.dir.path().join("fresh.so");
    fs::copy(sample(), &fresh).unwrap();
    fs::rename(&fresh, &late).unwrap();
    let failure = manager.extension().driver().err().unwrap();
    assert_eq!(failure.code(), "plugin/changing");
    let again = world.loader.namespace::<dyn Sample>(NS).driver("t1");
    assert_eq!(again.unwrap().driver().name().unwrap(), "t1");
}

#[test]
fn not_for_this_machine_is_a_skip_and_no_error() {
    let world = entries("t1 = 'LIB'\nelsewhere = 'LIB'\n");
    let builder = || world.loader.namespace::<dyn Sample>(NS).strict(true);
    let all = builder().all().unwrap();
    assert_eq!(all.names().collect::<Vec<_>>(), ["t1"]);
    assert_eq!(all.failures().len(), 1);
    assert!(all.failures()[0].is_skip());
    let named = builder().named(&["elsewhere", "t1"]).unwrap();
    assert_eq!(named.names().collect::<Vec<_>>(), ["t1"]);
    assert!(named.missing().is_empty());
    // Where nothing else could be given, the reason is the answer.
    let failure = builder().driver("elsewhere").err().unwrap();
    assert_eq!(failure.kind, FailureKind::Unavailable);
    assert!(failure.to_string().contains("no such card"), "{failure}");
}

#[test]
fn an_optional_library_that_is_absent_is_no_failure() {
    let text = "t1 = 'LIB'\nspare = { lib = '/none/libspare.so', optional = true }\n";
    let world = entries(text);
    let builder = || world.loader.namespace::<dyn Sample>(NS).strict(true);
    assert_eq!(builder().all().unwrap().len(), 1);
    let named = builder().named(&["spare", "t1"]).unwrap();
    assert_eq!(named.names().collect::<Vec<_>>(), ["t1"]);
    assert!(named.failures().is_empty());
    let failure = builder().driver("spare").err().unwrap();
    assert_eq!(failure.kind, FailureKind::Missing);
}

#[test]
fn a_deprecated_name_is_warned_about_once() {
    logs::start();
    let world = entries("t1 = 'LIB'\nworn = { alias = 't1', deprecated = 'use t1' }\n");
    for _ in 0..3 {
        let manager = world.loader.namespace::<dyn Sample>(NS).driver("worn");
        let manager = manager.unwrap();
        assert_eq!(manager.extension().info().alias.as_deref(), Some("worn"));
        assert_eq!(manager.extension().name(), "t1");
    }
    let said = logs::records(|r| r.name == "worn");
    assert_eq!(said.len(), 1, "{said:?}");
    assert_eq!(said[0].text, format!("`{NS}/worn` is deprecated: use t1"));
}

#[test]
fn a_factory_of_the_program_is_made_at_first_use() {
    let factory = Factory::from_fn("acme.linked", "own", |_| {
        let driver: std::sync::Arc<dyn Sample> = std::sync::Arc::new(Local::default());
        Ok(driver)
    });
    let manager = ExtensionManager::from_extensions(
        "acme.linked",
        vec![LazyExtension::from_factory(factory.clone())],
    );
    let extension = manager.get("own").unwrap();
    assert!(extension.instance().is_none());
    assert_eq!(extension.driver().unwrap().next(1), Ok(2));
    assert!(extension.instance().is_some());
    let ready: Extension<dyn Sample> = factory.create().unwrap();
    assert!(ready.ready().is_ok());
}

#[test]
fn settings_given_by_the_program_are_checked_like_the_maps() {
    let world = four();
    let builder = world.loader.namespace::<dyn Sample>(NS).lazy();
    let manager = builder.driver("t1").unwrap();
    let settings = serde_json::json!({"width": 3});
    let settings = settings.as_object().unwrap().clone();
    let failure = manager.extension().factory().create_with(settings);
    assert_eq!(failure.err().unwrap().code(), "driver/bad-setting");
}
