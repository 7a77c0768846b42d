//! The limits of a flavor, seen from inside; the cgroup's files, in a directory that stands in for
//! one; bounded output.

use super::*;

#[test]
fn a_program_sees_the_limits_of_its_flavor() {
    let dir = State::new();
    let driver = dir.driver("{}");
    let limits = shell("for l in v f n c; do ulimit -$l; done; echo done; exec sleep 3600");
    let flavor = Instance {
        memory_mb: 300,
        root_gb: 2,
        ..instance("i-1")
    };
    driver
        .spawn(&testing::call(), &flavor, &limits)
        .expect("spawn");
    let none = Instance {
        memory_mb: 0,
        ..instance("i-2")
    };
    driver
        .spawn(&testing::call(), &none, &limits)
        .expect("spawn");
    for (id, expected) in [
        ("i-1", ["307200", "4194304"]),
        ("i-2", ["unlimited", "unlimited"]),
    ] {
        until("the limits", || console(&driver, id).contains("done"));
        let text = console(&driver, id);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[..2], expected, "{text}");
        assert_eq!(lines[3], "0", "no core files: {text}");
        assert!(lines[2].parse::<u32>().expect("files") <= 1024);
    }
    let i = info(&driver, "i-1");
    assert_eq!((i.memory_mb, i.vcpus), (300, 1));
}

#[test]
fn too_little_memory_to_start_is_a_failed_spawn() {
    let dir = State::new();
    let driver = dir.driver("{}");
    let flavor = Instance {
        memory_mb: 1,
        ..instance("i-1")
    };
    driver
        .spawn(&testing::call(), &flavor, &sleep())
        .expect_err("1 MB is not enough");
    assert!(list(&driver).is_empty());
}

#[test]
fn a_delegated_cgroup_gets_the_limits_and_the_process() {
    let dir = State::new();
    let delegated = dir.0.join("cgroup");
    let settings = format!(r#"{{"cgroup": "{}"}}"#, delegated.display());
    let driver = dir.driver(&settings);
    assert_eq!(
        category(spawn(&driver, "i-1", &sleep())),
        Category::Unavailable
    );
    assert!(list(&driver).is_empty());

    fs::create_dir(&delegated).expect("stand-in");
    spawn(&driver, "i-1", &sleep()).expect("spawn");
    let group = delegated.join("longshore-i-1");
    let read = |file: &str| fs::read_to_string(group.join(file)).expect(file);
    assert_eq!(read("memory.max"), "536870912");
    assert_eq!(read("cpu.max"), "100000 100000");
    assert_eq!(
        read("cgroup.procs").trim(),
        info(&driver, "i-1").internal_id
    );

    fs::write(group.join("cgroup.kill"), "").expect("stand-in");
    // A real group has no files of its own to remove; the stand-in's are removed here.
    assert_eq!(
        category(driver.destroy(&testing::call(), "i-1")),
        Category::Busy
    );
    assert_eq!(list(&driver), ["i-1"], "what is left is still listed");
    assert_eq!(read("cgroup.kill"), "1");
    for file in ["memory.max", "cpu.max", "cgroup.procs", "cgroup.kill"] {
        fs::remove_file(group.join(file)).expect(file);
    }
    driver.destroy(&testing::call(), "i-1").expect("destroy");
    assert!(!group.exists() && list(&driver).is_empty());
}

#[test]
fn output_is_bounded_and_its_end_is_kept() {
    let dir = State::new();
    let driver = dir.driver(r#"{"output_max_kb": 4}"#);
    let script = "i=0; while [ $i -lt 2000 ]; do echo line $i; i=$((i+1)); done; \
                  until [ -e go ]; do sleep 0.01; done; echo last; exec sleep 3600";
    spawn(&driver, "i-1", &shell(script)).expect("spawn");
    until("the lines", || {
        console(&driver, "i-1").contains("line 1999\n")
    });
    fs::write(dir.home("i-1").join("cwd/go"), "").expect("go");
    until("the last line", || {
        console(&driver, "i-1").ends_with("line 1999\nlast\n")
    });
    let size = |file: &str| fs::metadata(dir.home("i-1").join(file)).expect(file).len();
    assert!(size("output") + size("output.old") <= 4096);
    assert_eq!(
        driver
            .console_output(&testing::call(), "i-1", 5)
            .expect("end"),
        "last\n"
    );
    assert_eq!(
        driver
            .console_output(&testing::call(), "i-1", 0)
            .expect("nothing"),
        ""
    );
}

#[test]
fn resources_follow_the_instances() {
    let dir = State::new();
    let driver = dir.driver(r#"{"vcpus": 2, "memory_mb": 700, "local_gb": 10}"#);
    let used = || {
        let r = driver
            .available_resources(&testing::call(), "test-host")
            .expect("resources");
        assert_eq!((r.vcpus, r.memory_mb, r.local_gb), (2, 700, 10));
        (r.vcpus_used, r.memory_mb_used, r.local_gb_used)
    };
    assert_eq!(used(), (0, 0, 0));
    let flavor = Instance {
        root_gb: 3,
        ephemeral_gb: 1,
        ..instance("i-1")
    };
    driver
        .spawn(&testing::call(), &flavor, &sleep())
        .expect("spawn");
    assert_eq!(used(), (1, 512, 4));
    spawn(&driver, "i-2", &sleep()).expect("overcommitment is the scheduler's business");
    assert_eq!(used(), (2, 700, 4), "never more than there is");
    driver.destroy(&testing::call(), "i-1").expect("destroy");
    driver.destroy(&testing::call(), "i-2").expect("destroy");
    assert_eq!(used(), (0, 0, 0));
    assert_eq!(
        category(driver.available_resources(&testing::call(), "elsewhere")),
        Category::NotFound
    );
}

#[test]
fn without_settings_the_node_has_what_the_machine_has() {
    let dir = State::new();
    let driver = dir.driver("{}");
    let r = driver
        .available_resources(&testing::call(), "test-host")
        .expect("resources");
    assert!(r.vcpus > 0 && r.memory_mb > 0 && r.local_gb > 0, "{r:?}");
}
