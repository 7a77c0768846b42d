//! What is refused, and that nothing is left of it.

use super::*;
use std::os::unix::fs::symlink;

/// A spawn that must fail, and leave nothing.
#[track_caller]
fn refused(dir: &State, driver: &Arc<dyn Virt>, image: &Image) -> DriverError {
    let error = spawn(driver, "i-1", image).expect_err("must be refused");
    assert!(list(driver).is_empty(), "{error}");
    assert_eq!(
        fs::read_dir(dir.home("")).expect("instances").count(),
        0,
        "{error}"
    );
    assert!(proc::marked(&dir.home("i-1")).is_empty(), "{error}");
    error
}

#[test]
fn an_image_outside_of_the_directories_is_refused_whichever_way_it_is_named() {
    let dir = State::new();
    let outside = dir.0.join("outside");
    fs::copy("/bin/sleep", &outside).expect("copy");
    symlink(&outside, dir.images().join("inside")).expect("link");
    let driver = dir.driver(&dir.settings(""));
    let dotted = dir.images().join("../outside");
    let here = dir.images().join("inside");
    for file in [
        &outside,
        &dotted,
        &here,
        Path::new("/bin/../../etc/passwd"),
        Path::new("/bin/.."),
    ] {
        let error = refused(&dir, &driver, &image(file, "3600"));
        assert_eq!(error.category(), Category::Invalid, "{error}");
        assert!(error.message().contains("not below"), "{error}");
    }
}

#[test]
fn a_link_into_the_directories_is_allowed() {
    let dir = State::new();
    symlink("/bin/sleep", dir.0.join("link")).expect("link");
    let driver = dir.driver("{}");
    spawn(&driver, "i-1", &image(dir.0.join("link"), "3600")).expect("leads to /bin/sleep");
    assert_eq!(state(&driver, "i-1"), PowerState::Running);
}

#[test]
fn what_is_no_program_is_refused() {
    let dir = State::new();
    let driver = dir.driver(&dir.settings(""));
    let plain = dir.images().join("plain");
    fs::write(&plain, "just text\n").expect("file");
    let lost = dir.script("lost", "#!/no/such/interpreter\n");
    let sub = dir.images().join("sub");
    fs::create_dir(&sub).expect("directory");
    for (file, part) in [
        (plain.as_path(), "not executable"),
        (&dir.images().join("missing"), "cannot be used"),
        (&sub, "not a regular file"),
        (Path::new("bin/sleep"), "not an absolute path"),
        (&lost, "cannot be executed"),
    ] {
        let error = refused(&dir, &driver, &image(file, ""));
        assert_eq!(error.category(), Category::Invalid, "{error}");
        assert!(error.message().contains(part), "{error}");
    }
    assert_eq!(
        refused(&dir, &driver, &Image::default()).category(),
        Category::Invalid
    );
    assert_eq!(
        refused(&dir, &driver, &image("/bin/sleep", "'1")).category(),
        Category::Invalid
    );
}

#[test]
fn a_program_that_ends_at_once_is_a_failed_spawn_that_says_why() {
    let dir = State::new();
    let driver = dir.driver(r#"{"start_grace_ms": 10000}"#);
    let error = refused(&dir, &driver, &shell("echo no licence >&2; exit 7"));
    assert_eq!(error.category(), Category::Internal);
    let text = error.message();
    assert!(
        text.contains("exit status: 7") && text.contains("no licence"),
        "{text}"
    );
}

#[test]
fn what_is_larger_than_the_node_is_refused() {
    let dir = State::new();
    let driver = dir.driver(r#"{"vcpus": 2, "memory_mb": 1000, "local_gb": 10}"#);
    let small = instance("i-1");
    for giant in [
        Instance {
            vcpus: 3,
            ..small.clone()
        },
        Instance {
            memory_mb: 1001,
            ..small.clone()
        },
        Instance {
            root_gb: 5,
            ephemeral_gb: 6,
            ..small.clone()
        },
        Instance {
            root_gb: u64::MAX,
            ephemeral_gb: u64::MAX,
            ..small
        },
    ] {
        let result = driver.spawn(&testing::call(), &giant, &sleep());
        assert_eq!(category(result), Category::NoCapacity);
        assert!(list(&driver).is_empty());
    }
}

#[test]
fn a_call_that_is_too_late_leaves_nothing() {
    let dir = State::new();
    let driver = dir.driver("{}");
    let result = driver.spawn(&testing::late_call(), &instance("i-1"), &sleep());
    assert_eq!(category(result), Category::Timeout);
    assert!(list(&driver).is_empty());
    spawn(&driver, "i-1", &sleep()).expect("the driver goes on");
    assert_eq!(
        category(driver.power_off(&testing::late_call(), "i-1")),
        Category::Timeout
    );
    assert_eq!(state(&driver, "i-1"), PowerState::Running);
}

#[test]
fn settings_that_cannot_be_right_name_their_key() {
    let dir = State::new();
    for (settings, key) in [
        (r#"{"image_dirs": []}"#, "image_dirs"),
        (r#"{"image_dirs": ["bin"]}"#, "image_dirs"),
        (r#"{"cgroup": "longshore"}"#, "cgroup"),
        (r#"{"env": ["NAME"]}"#, "env"),
        (r#"{"env": ["=x"]}"#, "env"),
        (r#"{"env": ["LONGSHORE_INSTANCE=x"]}"#, "env"),
        (r#"{"output_max_kb": 3}"#, "output_max_kb"),
    ] {
        let built = testing::bridged::<dyn Virt, Process>(settings, &dir.0);
        let error = built.map(drop).expect_err(settings);
        assert_eq!(
            (error.category(), error.key()),
            (Category::Invalid, Some(key)),
            "{error}"
        );
    }
    assert_eq!(
        fs::read_dir(&dir.0).expect("state").count(),
        0,
        "building touches nothing"
    );
}
