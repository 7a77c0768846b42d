//! From spawn to destroy: states, repeats, unknown and odd ids, what a program finds, what it
//! prints.

use super::*;
use crate::stop;
use longshore_plugin_api::RebootType;

#[test]
fn an_instance_lives_from_spawn_to_destroy() {
    let dir = State::new();
    let driver = dir.driver("{}");
    let call = testing::call();
    spawn(&driver, "i-1", &sleep()).expect("spawn");
    assert_eq!(
        (list(&driver), state(&driver, "i-1")),
        (vec!["i-1".into()], PowerState::Running)
    );
    let first = process(&driver, "i-1");
    for _ in 0..2 {
        driver.power_off(&call, "i-1").expect("off");
        assert_eq!(state(&driver, "i-1"), PowerState::Shutdown);
        assert!(!first.is_alive());
    }
    for _ in 0..2 {
        driver.power_on(&call, "i-1").expect("on");
        assert_eq!(state(&driver, "i-1"), PowerState::Running);
    }
    for how in [RebootType::Soft, RebootType::Hard] {
        let before = process(&driver, "i-1");
        driver.reboot(&call, "i-1", how).expect("reboot");
        assert!(!before.is_alive() && process(&driver, "i-1") != before);
    }
    let last = process(&driver, "i-1");
    for _ in 0..2 {
        driver.destroy(&call, "i-1").expect("destroy");
        assert!(list(&driver).is_empty() && !last.is_alive());
    }
    assert_eq!(fs::read_dir(dir.home("")).expect("instances").count(), 0);
}

#[test]
fn a_second_spawn_of_an_id_leaves_the_first_alone() {
    let dir = State::new();
    let driver = dir.driver("{}");
    spawn(&driver, "i-1", &sleep()).expect("spawn");
    let first = process(&driver, "i-1");
    assert_eq!(
        category(spawn(&driver, "i-1", &sleep())),
        Category::AlreadyExists
    );
    assert_eq!(process(&driver, "i-1"), first);
}

#[test]
fn an_unknown_id_is_not_found_but_can_be_destroyed() {
    let dir = State::new();
    let driver = dir.driver("{}");
    let call = testing::call();
    for id in ["nobody", "", "..", "a/b", &"long".repeat(99)] {
        driver.destroy(&call, id).expect(id);
        assert_eq!(
            category(driver.instance_info(&call, id)),
            Category::NotFound
        );
        assert_eq!(category(driver.power_on(&call, id)), Category::NotFound);
        assert_eq!(category(driver.power_off(&call, id)), Category::NotFound);
        assert_eq!(
            category(driver.reboot(&call, id, RebootType::Soft)),
            Category::NotFound
        );
        assert_eq!(
            category(driver.console_output(&call, id, 1)),
            Category::NotFound
        );
    }
    assert_eq!(
        category(driver.pause(&call, "nobody")),
        Category::NotSupported
    );
}

#[test]
fn odd_ids_and_names_work_and_stay_in_the_directory() {
    let dir = State::new();
    let driver = dir.driver("{}");
    let ids = [
        "..",
        "a/b",
        "naïve 🦀",
        ".trash-x",
        "nul\0",
        "two\nlines",
        &"z".repeat(120),
    ];
    for id in ids {
        let name = "\0\n$(reboot) ".repeat(999);
        let instance = Instance {
            name,
            ..instance(id)
        };
        driver
            .spawn(&testing::call(), &instance, &sleep())
            .expect(id);
    }
    let mut sorted = ids.to_vec();
    sorted.sort_unstable();
    assert_eq!(list(&driver), sorted);
    for id in ids {
        assert_eq!(state(&driver, id), PowerState::Running);
        driver.destroy(&testing::call(), id).expect(id);
    }
    assert_eq!(fs::read_dir(dir.home("")).expect("instances").count(), 0);
    assert_eq!(
        category(spawn(&driver, &"z".repeat(121), &sleep())),
        Category::Invalid
    );
}

#[test]
fn a_program_finds_its_arguments_and_little_else() {
    let dir = State::new();
    let script = dir.script(
        "show",
        "#!/bin/sh\nprintf '<%s>' \"$@\"\necho\npwd\numask\nenv\necho done\nexec sleep 3600\n",
    );
    let driver =
        dir.driver(&dir.settings(r#", "env": ["COLOUR=dark blue", "PATH=/usr/bin:/bin"]"#));
    let args = r#"a 'b  c' "d\"e" $HOME ; \' ''"#;
    spawn(&driver, "i-1", &image(script, args)).expect("spawn");
    until("the last line", || {
        console(&driver, "i-1").contains("done\n")
    });
    let text = console(&driver, "i-1");
    let cwd = dir.home("i-1").join("cwd");
    let cwd = cwd.to_str().expect("text");
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[..3], ["<a><b  c><d\"e><$HOME><;><'><>", cwd, "0022"]);
    let mut found: Vec<&str> = lines[3..]
        .iter()
        .filter_map(|l| Some(l.split_once('=')?.0))
        .collect();
    // The shell adds some of its own.
    found.retain(|name| !["PWD", "OLDPWD", "SHLVL", "_"].contains(name));
    found.sort_unstable();
    let id = "LONGSHORE_INSTANCE";
    assert_eq!(
        found,
        [
            "COLOUR",
            "HOME",
            "LONGSHORE_DIRECTORY",
            id,
            "LONGSHORE_NAME",
            "PATH"
        ]
    );
    for line in [
        "COLOUR=dark blue",
        "LONGSHORE_INSTANCE=i-1",
        "LONGSHORE_NAME=name of i-1",
    ] {
        assert!(lines.contains(&line), "{line} in {text}");
    }
}

#[test]
fn how_a_program_ended_is_its_state() {
    let dir = State::new();
    let driver = dir.driver(r#"{"start_grace_ms": 0}"#);
    // Each ends when its file appears: that is after `spawn` has answered.
    for (id, end, expected) in [
        ("well", "exit 0", PowerState::Shutdown),
        ("badly", "exit 3", PowerState::Crashed),
        ("killed", "kill -9 $$", PowerState::Crashed),
    ] {
        let script = format!("until [ -e go ]; do sleep 0.01; done; {end}");
        spawn(&driver, id, &shell(&script)).expect(id);
        fs::write(dir.home(id).join("cwd/go"), "").expect("go");
        until(id, || state(&driver, id) == expected);
        driver.power_off(&testing::call(), id).expect("off");
        assert_eq!(
            state(&driver, id),
            PowerState::Shutdown,
            "stopped by a verb"
        );
    }
}

#[test]
fn nobody_of_the_session_is_left() {
    let dir = State::new();
    // One child ignores TERM, one has left the session, one has cleared its environment.
    let script = dir.script(
        "family",
        "#!/bin/sh\n(trap '' TERM; echo a; exec sleep 3601) &\nsetsid sleep 3602 &\n\
         env -i sleep 3603 &\ntrap '' TERM\nuntil [ -e never ]; do sleep 0.05; done\n",
    );
    let driver = dir.driver(&dir.settings(r#", "stop_timeout_s": 1"#));
    spawn(&driver, "i-1", &image(&script, "")).expect("spawn");
    let first = process(&driver, "i-1");
    let family = || {
        let mut all = proc::in_session(first.pid);
        all.extend(proc::marked(&dir.home("i-1")));
        all
    };
    let is_sleep = |p: &proc::Process, n: &str| proc::has_argument(p.pid, n) == Some(true);
    until("three children", || {
        ["3601", "3602", "3603"]
            .iter()
            .all(|n| family().iter().any(|p| is_sleep(p, n)))
    });
    let before = family();
    driver.destroy(&testing::call(), "i-1").expect("destroy");
    until("the end of all", || {
        before.iter().all(|process| !process.is_alive())
    });
}

#[test]
fn what_is_left_when_the_first_process_ends_is_ended_too() {
    let dir = State::new();
    let driver = dir.driver("{}");
    spawn(
        &driver,
        "i-1",
        &shell("env -i sleep 3600 & exec sleep 3600"),
    )
    .expect("spawn");
    let first = process(&driver, "i-1");
    until("the child", || proc::in_session(first.pid).len() == 2);
    let both = proc::in_session(first.pid);
    stop::signal(first, stop::KILL).expect("kill");
    until("the crash", || state(&driver, "i-1") == PowerState::Crashed);
    assert!(both.iter().all(|process| !process.is_alive()));
}

#[test]
fn many_ids_at_once_end_empty() {
    let dir = State::new();
    let driver = dir.driver(r#"{"start_grace_ms": 0}"#);
    std::thread::scope(|scope| {
        for worker in 0..4 {
            let driver = &driver;
            scope.spawn(move || {
                for round in 0..3 {
                    let id = format!("i-{worker}-{round}");
                    spawn(driver, &id, &sleep()).expect("spawn");
                    assert!(list(driver).contains(&id));
                    driver.destroy(&testing::call(), &id).expect("destroy");
                }
            });
        }
        // One id, wanted by two: each call sees it whole or not at all.
        for _ in 0..2 {
            let driver = &driver;
            scope.spawn(move || {
                for _ in 0..4 {
                    match spawn(driver, "shared", &sleep()) {
                        Ok(()) => {}
                        Err(error) => {
                            assert_eq!(error.category(), Category::AlreadyExists, "{error}")
                        }
                    }
                    driver.destroy(&testing::call(), "shared").expect("destroy");
                }
            });
        }
    });
    assert!(list(&driver).is_empty());
}
