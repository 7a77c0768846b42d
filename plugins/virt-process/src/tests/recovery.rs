//! What a new driver finds of an old one: running instances, ended ones, half-made ones, garbage,
//! and numbers that belong to others by now.

use super::*;
use crate::{children, stop};
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};

/// Says to the test below, started as a process of its own, where it is the host.
const HOST_OF: &str = "LONGSHORE_TEST_HOST_OF";

/// A process that no instance owns, ended with the test.
struct Stranger(Child);

impl Stranger {
    fn new() -> Self {
        Self(
            Command::new("/bin/sleep")
                .arg("3600")
                .spawn()
                .expect("sleep"),
        )
    }
}

impl Drop for Stranger {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_new_driver_takes_over_and_knows_how_it_ends() {
    let dir = State::new();
    let old = dir.driver("{}");
    spawn(&old, "i-1", &sleep()).expect("spawn");
    let first = process(&old, "i-1");
    drop(old);
    let new = dir.driver("{}");
    assert_eq!(
        (list(&new), process(&new, "i-1")),
        (vec!["i-1".into()], first)
    );
    stop::signal(first, stop::KILL).expect("kill");
    until("the crash", || state(&new, "i-1") == PowerState::Crashed);
    new.power_on(&testing::call(), "i-1").expect("on");
    assert_eq!(state(&new, "i-1"), PowerState::Running);
}

#[test]
fn an_instance_survives_kill_9_of_the_host() {
    if let Some(path) = std::env::var_os(HOST_OF) {
        // This is the host.
        let driver = testing::bridged::<dyn Virt, Process>("{}", path.as_ref()).expect("build");
        spawn(&driver, "i-1", &sleep()).expect("spawn");
        writeln!(std::io::stdout(), "spawned").expect("a pipe");
        loop {
            std::thread::park();
        }
    }
    let dir = State::new();
    let name = "tests::recovery::an_instance_survives_kill_9_of_the_host";
    let mut host = Command::new(std::env::current_exe().expect("this test"))
        .args(["--exact", name, "--nocapture", "--test-threads=1"])
        .env(HOST_OF, &dir.0)
        .stdout(Stdio::piped())
        .spawn()
        .expect("host");
    let out = BufReader::new(host.stdout.take().expect("piped"));
    let spawned = out
        .lines()
        .map_while(Result::ok)
        .any(|line| line.ends_with("spawned"));
    assert!(spawned, "the host spawned an instance");
    host.kill().expect("kill -9");
    host.wait().expect("the host is gone");

    let driver = dir.driver("{}");
    assert_eq!(
        (list(&driver), state(&driver, "i-1")),
        (vec!["i-1".into()], PowerState::Running)
    );
    assert_eq!(
        category(spawn(&driver, "i-1", &sleep())),
        Category::AlreadyExists
    );
    let first = process(&driver, "i-1");
    driver.power_off(&testing::call(), "i-1").expect("off");
    assert!(!first.is_alive());
    assert_eq!(state(&driver, "i-1"), PowerState::Shutdown);
    driver.power_on(&testing::call(), "i-1").expect("on");
    driver.destroy(&testing::call(), "i-1").expect("destroy");
    assert!(list(&driver).is_empty());
}

#[test]
fn how_an_adopted_instance_ended_is_not_known() {
    let dir = State::new();
    let driver = dir.driver("{}");
    spawn(&driver, "i-1", &sleep()).expect("spawn");
    let first = process(&driver, "i-1");
    let mut child = children::forget(&dir.home("i-1")).expect("it is ours");
    assert_eq!(state(&driver, "i-1"), PowerState::Running);
    stop::signal(first, stop::KILL).expect("kill");
    until("the end", || state(&driver, "i-1") == PowerState::Shutdown);
    child.wait().expect("asked by somebody else");
    assert_eq!(state(&driver, "i-1"), PowerState::Shutdown);
}

/// Somebody in this process takes the ends of all children: how they ended is lost, that they did is not.
#[test]
fn ends_that_somebody_else_was_told_are_ends() {
    const ALONE: &str = "LONGSHORE_TEST_WITHOUT_ENDS";
    if std::env::var_os(ALONE).is_none() {
        let name = "tests::recovery::ends_that_somebody_else_was_told_are_ends";
        let ended = Command::new("env")
            .arg("--ignore-signal=CHLD")
            .arg(std::env::current_exe().expect("this test"))
            .args(["--exact", name, "--test-threads=1"])
            .env(ALONE, "1")
            .output()
            .expect("env runs");
        let said = String::from_utf8_lossy(&ended.stdout);
        assert!(said.contains("1 passed"), "{said}");
        return;
    }
    let dir = State::new();
    let driver = dir.driver(r#"{"start_grace_ms": 10000}"#);
    let error = spawn(&driver, "i-1", &shell("exit 7")).expect_err("it ends at once");
    assert!(
        error.message().contains("ended at once, cause unknown"),
        "{error}"
    );
    let driver = dir.driver("{}");
    spawn(&driver, "i-1", &sleep()).expect("spawn");
    let call = testing::call();
    let nodes = driver.available_nodes().expect("nodes");
    let has = driver.available_resources(&call, &nodes[0]);
    assert!(has.expect("`df` ended, however it did").local_gb > 0);
    driver.power_off(&call, "i-1").expect("off");
    assert_eq!(state(&driver, "i-1"), PowerState::Shutdown);
    driver.power_on(&call, "i-1").expect("on");
    assert_eq!(state(&driver, "i-1"), PowerState::Running);
    driver.destroy(&call, "i-1").expect("destroy");
    assert!(list(&driver).is_empty());
}

#[test]
fn a_number_that_belongs_to_another_process_is_never_signalled() {
    let dir = State::new();
    let driver = dir.driver("{}");
    let stranger = Stranger::new();
    let process = proc::Process::now(stranger.0.id()).expect("it runs");
    let boot = proc::boot();
    for (start, boot) in [
        (process.start + 1, boot.as_str()),
        (process.start, "another-boot"),
    ] {
        spawn(&driver, "i-1", &sleep()).expect("spawn");
        driver.power_off(&testing::call(), "i-1").expect("off");
        let pid = process.pid;
        fs::write(
            dir.home("i-1").join("pid"),
            format!("{pid} {start} {boot}\n"),
        )
        .expect("pid");
        assert_eq!(state(&driver, "i-1"), PowerState::Shutdown);
        driver.power_off(&testing::call(), "i-1").expect("off");
        driver.destroy(&testing::call(), "i-1").expect("destroy");
        assert!(process.is_alive());
    }
    let other = proc::Process {
        start: process.start + 1,
        ..process
    };
    assert!(
        !stop::signal(other, stop::KILL).expect("looked"),
        "not the one that was meant"
    );
    assert!(process.is_alive());
}

#[test]
fn a_process_whose_number_was_not_written_is_found_by_its_mark() {
    let dir = State::new();
    let driver = dir.driver("{}");
    for garbage in [None, Some("12"), Some("1 1 x\n"), Some("\u{0}\u{fffd}\n")] {
        spawn(&driver, "i-1", &sleep()).expect("spawn");
        let first = process(&driver, "i-1");
        let path = dir.home("i-1").join("pid");
        match garbage {
            None => fs::remove_file(path).expect("remove"),
            Some(text) => fs::write(path, text).expect("write"),
        }
        assert_eq!(process(&driver, "i-1"), first);
        driver.destroy(&testing::call(), "i-1").expect("destroy");
        assert!(!first.is_alive());
    }
}

#[test]
fn a_half_made_instance_is_listed_and_can_be_removed() {
    let dir = State::new();
    // A crash after the directory was made; garbage instead of a spec; a removal that was cut.
    for id in ["early", "garbage", ".trash-late"] {
        fs::create_dir_all(dir.home(id)).expect("home");
    }
    fs::write(dir.home("garbage").join("spec"), b"\xff\0end\n").expect("spec");
    fs::write(dir.home(".trash-late").join("output"), "text").expect("output");
    fs::write(dir.home("file"), "not even a directory").expect("file");
    let driver = dir.driver("{}");
    assert_eq!(list(&driver), ["early", "file", "garbage"]);
    assert!(
        !dir.home(".trash-late").exists(),
        "trash is cleared at the first use"
    );
    for id in ["early", "file", "garbage"] {
        assert_eq!(state(&driver, id), PowerState::NoState);
        assert_eq!(
            category(driver.power_on(&testing::call(), id)),
            Category::Internal
        );
        driver.destroy(&testing::call(), id).expect("destroy");
    }
    assert!(list(&driver).is_empty());
}

#[test]
fn a_changed_image_is_checked_again_before_a_restart() {
    let dir = State::new();
    let script = dir.script("app", "#!/bin/sh\nexec sleep 3600\n");
    let driver = dir.driver(&dir.settings(""));
    spawn(&driver, "i-1", &image(&script, "")).expect("spawn");
    fs::remove_file(&script).expect("remove");
    let hard = longshore_plugin_api::RebootType::Hard;
    assert_eq!(
        category(driver.reboot(&testing::call(), "i-1", hard)),
        Category::Invalid
    );
    assert_eq!(
        state(&driver, "i-1"),
        PowerState::Running,
        "what cannot start is not stopped"
    );
    driver.power_off(&testing::call(), "i-1").expect("off");
    assert_eq!(
        category(driver.power_on(&testing::call(), "i-1")),
        Category::Invalid
    );
    assert_eq!(state(&driver, "i-1"), PowerState::Shutdown);
}
