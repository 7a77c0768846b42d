//! `fake` through the real bridge: its life cycle, its faults, and what it finds again.

use crate::driver::Fake;
use longshore_plugin_api::{
    testing, Category, DriverError, Image, Instance, PowerState, RebootType, Virt,
};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::Arc;

/// A directory of one test's own, removed with it.
struct Directory(PathBuf);

impl Directory {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("longshore-virt-fake-{}-{count}", std::process::id());
        Self(std::env::temp_dir().join(name))
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.join("instances").join(name)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn fake(settings: &str, directory: &Path) -> Arc<dyn Virt> {
    testing::bridged::<dyn Virt, Fake>(settings, directory).expect(settings)
}

fn instance(id: &str, name: &str) -> Instance {
    let (id, name) = (id.to_owned(), name.to_owned());
    Instance {
        id,
        name,
        vcpus: 2,
        memory_mb: 512,
        root_gb: 3,
        ephemeral_gb: 4,
        ..Instance::default()
    }
}

fn spawn(fake: &Arc<dyn Virt>, id: &str, name: &str) -> Result<(), DriverError> {
    fake.spawn(&testing::call(), &instance(id, name), &Image::default())
}

fn state(fake: &Arc<dyn Virt>, id: &str) -> PowerState {
    fake.instance_info(&testing::call(), id).expect(id).state
}

fn list(fake: &Arc<dyn Virt>) -> Vec<String> {
    fake.list_instances(&testing::call()).expect("list")
}

#[track_caller]
fn category<T: std::fmt::Debug>(result: Result<T, DriverError>) -> Category {
    result.expect_err("must fail").category()
}

#[test]
fn a_guest_lives_from_spawn_to_destroy() {
    for settings in ["{}", r#"{"persist": false}"#] {
        let directory = Directory::new();
        let fake = fake(settings, &directory.0);
        let call = testing::call();
        spawn(&fake, "i-1", "web").expect("spawn");
        assert_eq!(
            (list(&fake), state(&fake, "i-1")),
            (vec!["i-1".to_owned()], PowerState::Running)
        );
        for _ in 0..2 {
            fake.power_off(&call, "i-1").expect("off");
            assert_eq!(state(&fake, "i-1"), PowerState::Shutdown);
        }
        assert_eq!(category(fake.pause(&call, "i-1")), Category::Invalid);
        for _ in 0..2 {
            fake.power_on(&call, "i-1").expect("on");
            assert_eq!(state(&fake, "i-1"), PowerState::Running);
        }
        fake.pause(&call, "i-1").expect("pause");
        assert_eq!(state(&fake, "i-1"), PowerState::Paused);
        fake.unpause(&call, "i-1").expect("unpause");
        assert_eq!(state(&fake, "i-1"), PowerState::Running);
        fake.reboot(&call, "i-1", RebootType::Hard).expect("reboot");
        assert_eq!(
            fake.console_output(&call, "i-1", 10).expect("console"),
            "last line\n"
        );
        for _ in 0..2 {
            fake.destroy(&call, "i-1").expect("destroy");
            assert!(list(&fake).is_empty());
        }
        assert_eq!(
            directory.file("").exists(),
            settings == "{}",
            "files only when asked for"
        );
    }
}

#[test]
fn a_second_spawn_of_an_id_leaves_the_first_alone() {
    let directory = Directory::new();
    let fake = fake("{}", &directory.0);
    spawn(&fake, "i-1", "web").expect("spawn");
    fake.power_off(&testing::call(), "i-1").expect("off");
    assert_eq!(
        category(spawn(&fake, "i-1", "other")),
        Category::AlreadyExists
    );
    assert_eq!(state(&fake, "i-1"), PowerState::Shutdown);
}

#[test]
fn an_unknown_id_is_not_found_but_can_be_destroyed() {
    let directory = Directory::new();
    let fake = fake("{}", &directory.0);
    let call = testing::call();
    for id in ["nobody", "", "../../etc/passwd", &"long".repeat(99)] {
        fake.destroy(&call, id).expect(id);
        assert_eq!(category(fake.instance_info(&call, id)), Category::NotFound);
        assert_eq!(category(fake.power_on(&call, id)), Category::NotFound);
        assert_eq!(category(fake.power_off(&call, id)), Category::NotFound);
        assert_eq!(
            category(fake.reboot(&call, id, RebootType::Soft)),
            Category::NotFound
        );
        assert_eq!(category(fake.pause(&call, id)), Category::NotFound);
        assert_eq!(category(fake.unpause(&call, id)), Category::NotFound);
        assert_eq!(
            category(fake.console_output(&call, id, 1)),
            Category::NotFound
        );
    }
    assert_eq!(
        category(fake.available_resources(&call, "elsewhere")),
        Category::NotFound
    );
}

#[test]
fn odd_ids_and_names_work_and_stay_in_the_directory() {
    let directory = Directory::new();
    let fake = fake("{}", &directory.0);
    let ids = [
        "..",
        "a/b",
        "naïve 🦀",
        ".half-x",
        "x.61",
        "\n",
        &"z".repeat(120),
    ];
    let mut sorted = ids.to_vec();
    sorted.sort_unstable();
    for id in ids {
        spawn(&fake, id, "two\nlines\0and \u{1b}[31m").expect(id);
    }
    assert_eq!(list(&fake), sorted);
    assert_eq!(list(&self::fake("{}", &directory.0)), sorted);
    for id in ids {
        fake.destroy(&testing::call(), id).expect(id);
    }
    assert_eq!(
        fs::read_dir(directory.file("")).expect("directory").count(),
        0
    );
    for id in ["", &"z".repeat(121)] {
        assert_eq!(category(spawn(&fake, id, "web")), Category::Invalid);
    }
}

#[test]
fn resources_follow_the_guests_and_are_never_overdrawn() {
    let directory = Directory::new();
    let fake = fake(
        r#"{"vcpus": 5, "memory_mb": 1000, "local_gb": 10}"#,
        &directory.0,
    );
    let node = fake.available_nodes().expect("nodes").remove(0);
    let used = || {
        let r = fake
            .available_resources(&testing::call(), &node)
            .expect("resources");
        assert_eq!((r.vcpus, r.memory_mb, r.local_gb), (5, 1000, 10));
        (r.vcpus_used, r.memory_mb_used, r.local_gb_used)
    };
    assert_eq!(used(), (0, 0, 0));
    spawn(&fake, "i-1", "a").expect("spawn");
    assert_eq!(used(), (2, 512, 7));
    spawn(&fake, "i-2", "b").expect("overcommitment is the scheduler's business");
    assert_eq!(used(), (4, 1000, 10));
    let giant = Instance {
        memory_mb: 1001,
        ..instance("i-3", "c")
    };
    let error = fake.spawn(&testing::call(), &giant, &Image::default());
    assert_eq!(category(error), Category::NoCapacity);
    assert_eq!(list(&fake), ["i-1", "i-2"]);
    fake.destroy(&testing::call(), "i-1").expect("destroy");
    fake.destroy(&testing::call(), "i-2").expect("destroy");
    assert_eq!(used(), (0, 0, 0));
}

#[test]
fn the_real_machine_has_something_of_everything() {
    let directory = Directory::new();
    let fake = fake(r#"{"real": true}"#, &directory.0);
    for _ in 0..2 {
        let r = fake
            .available_resources(&testing::call(), "test-host")
            .expect("resources");
        assert!(r.vcpus > 0 && r.memory_mb > 0 && r.local_gb > 0, "{r:?}");
    }
}

#[test]
fn guests_are_found_again_and_a_driver_beside_sees_changes() {
    let directory = Directory::new();
    let old = fake("{}", &directory.0);
    spawn(&old, "i-1", "web").expect("spawn");
    let new = fake("{}", &directory.0);
    assert_eq!(
        (list(&new), state(&new, "i-1")),
        (vec!["i-1".to_owned()], PowerState::Running)
    );
    old.power_off(&testing::call(), "i-1").expect("off");
    spawn(&old, "i-2", "db").expect("spawn");
    assert_eq!(
        (list(&new), state(&new, "i-1")),
        (vec!["i-1".into(), "i-2".into()], PowerState::Shutdown)
    );
    new.destroy(&testing::call(), "i-1").expect("destroy");
    assert_eq!(
        category(old.power_on(&testing::call(), "i-1")),
        Category::NotFound
    );
    assert_eq!(list(&old), ["i-2"]);
}

#[test]
fn building_touches_nothing_and_leftovers_of_a_crash_are_cleared() {
    let directory = Directory::new();
    let fake = fake("{}", &directory.0);
    assert!(!directory.0.exists());
    fs::create_dir_all(directory.file("")).expect("directory");
    fs::write(directory.file(".half-i-1"), "longshore-fake 1\nstate").expect("leftover");
    assert!(list(&fake).is_empty());
    assert!(!directory.file(".half-i-1").exists());
}

#[test]
fn garbage_in_a_file_is_listed_and_can_only_be_destroyed() {
    let directory = Directory::new();
    fs::create_dir_all(directory.file("")).expect("directory");
    for (id, garbage) in [
        ("i-1", &b"\xff\0\xfe"[..]),
        ("i-2", b""),
        ("i-3", &[b'x'; 10_000]),
    ] {
        fs::write(directory.file(id), garbage).expect("garbage");
    }
    let fake = fake("{}", &directory.0);
    assert_eq!(list(&fake), ["i-1", "i-2", "i-3"]);
    for id in list(&fake) {
        assert_eq!(state(&fake, &id), PowerState::NoState);
        assert_eq!(
            category(fake.power_on(&testing::call(), &id)),
            Category::Internal
        );
        assert_eq!(category(spawn(&fake, &id, "web")), Category::AlreadyExists);
        fake.destroy(&testing::call(), &id).expect("destroy");
    }
    assert!(list(&fake).is_empty());
}

#[test]
fn a_directory_that_cannot_be_made_is_unavailable() {
    let directory = Directory::new();
    fs::create_dir_all(&directory.0).expect("directory");
    fs::write(directory.file(""), "a file in its place").expect_err("ends in a slash");
    fs::write(directory.0.join("instances"), "a file in its place").expect("file");
    let fake = fake("{}", &directory.0);
    assert_eq!(category(spawn(&fake, "i-1", "web")), Category::Unavailable);
    fs::remove_file(directory.0.join("instances")).expect("repair");
    spawn(&fake, "i-1", "web").expect("works once repaired");
}

#[test]
fn it_fails_on_command_and_leaves_nothing() {
    let directory = Directory::new();
    let every = fake(
        r#"{"fail_spawn_every": 3, "fail_spawn_match": "bad"}"#,
        &directory.0,
    );
    for (id, name, fails) in [
        ("a", "x", false),
        ("b", "bad 1", true),
        ("c", "y", true),
        ("d", "z", false),
    ] {
        assert_eq!(spawn(&every, id, name).is_err(), fails, "{id}");
    }
    assert_eq!(list(&every), ["a", "d"]);
    let here = fake(r#"{"fail_on_hosts": ["other", "test-host"]}"#, &directory.0);
    assert_eq!(category(spawn(&here, "e", "x")), Category::NoCapacity);
    let elsewhere = fake(r#"{"fail_on_hosts": ["other"]}"#, &directory.0);
    spawn(&elsewhere, "e", "x").expect("not this host");
}

#[test]
fn it_panics_on_command_and_goes_on() {
    let directory = Directory::new();
    let fake = fake(r#"{"panic_spawn_match": "boom"}"#, &directory.0);
    let error = spawn(&fake, "i-1", "boom").expect_err("panics");
    assert!(error.panicked_at().is_some(), "{error}");
    spawn(&fake, "i-1", "web").expect("nothing was left, nothing is poisoned");
}

#[test]
fn a_slow_spawn_looks_at_its_deadline_unless_told_not_to() {
    let directory = Directory::new();
    let late = testing::late_call();
    let slow = fake(
        r#"{"slow_ms": 600000, "slow_spawn_match": "slow"}"#,
        &directory.0,
    );
    spawn(&slow, "i-1", "quick").expect("only the slow ones wait");
    let result = slow.spawn(&late, &instance("i-2", "slow"), &Image::default());
    assert_eq!(category(result), Category::Timeout);
    let deaf = fake(r#"{"slow_ms": 1, "ignore_cancel": true}"#, &directory.0);
    deaf.spawn(&late, &instance("i-3", "any"), &Image::default())
        .expect("comes too late");
    assert_eq!(list(&slow), ["i-1", "i-3"]);
}

#[test]
fn many_ids_at_once_end_empty() {
    let directory = Directory::new();
    let fake = fake("{}", &directory.0);
    std::thread::scope(|scope| {
        for worker in 0..8 {
            let fake = &fake;
            scope.spawn(move || {
                for round in 0..25 {
                    let id = format!("i-{worker}-{round}");
                    spawn(fake, &id, "web").expect("spawn");
                    assert!(list(fake).contains(&id));
                    fake.destroy(&testing::call(), &id).expect("destroy");
                }
            });
        }
    });
    assert!(list(&fake).is_empty());
}
