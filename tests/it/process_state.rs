//! What drivers change in the process that they share with the host is named once, with whoever may have done it, and put
//! back where that is possible. Each run is a process of its own, as what is changed is the process; the last ones are hosts.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use longshore_loader::vet::Verdict;
use longshore_tests::files;
use longshore_tests::host::{PATIENCE, TestHost};

/// What is said in one run, and how the process is after each step.
struct Run {
    said: Vec<String>,
    states: Vec<String>,
    beyond_repair: String,
}

/// One driver after the other in one process; a step is what a driver does, and when.
fn run(steps: &[&str]) -> Run {
    let mut probe = Command::new(env!("CARGO_BIN_EXE_longshore-probe"));
    let plugin = files::plugin("debug", "longshore-misbehaving");
    probe.arg("process").arg(plugin).args(steps);
    let out = probe.stdin(Stdio::null()).output().unwrap();
    let text = String::from_utf8(out.stdout).unwrap();
    assert!(out.status.success(), "{text}");
    let state = |line: &str| {
        let (step, state) = line.split_once(": ")?;
        steps.contains(&step).then(|| state.to_owned())
    };
    let last = text.lines().last().unwrap();
    Run {
        said: text
            .lines()
            .filter(|l| l.contains("(driver/"))
            .map(str::to_owned)
            .collect(),
        states: text.lines().filter_map(state).collect(),
        beyond_repair: last.strip_prefix("beyond repair: ").unwrap().to_owned(),
    }
}

/// One thing is said, with these words, and the process is as it was.
fn put_back(step: &str, words: &str) {
    let Run {
        said,
        states,
        beyond_repair,
    } = run(&["built=good", step, "check"]);
    let [said] = said.as_slice() else {
        panic!("{step}: {said:#?}")
    };
    assert!(said.contains(words), "{step}: {said}");
    assert!(said.contains("it was put back"), "{step}: {said}");
    assert!(said.ends_with("(driver/changed-process)"), "{step}: {said}");
    assert_eq!([&states[1], &states[2]], [&states[0]; 2], "{step}");
    assert_eq!(beyond_repair, "None", "{step}");
}

#[test]
fn a_good_driver_is_not_mentioned() {
    let good = run(&["built=good", "asked=good", "dropped=good", "check"]);
    assert_eq!(good.said, Vec::<String>::new());
}

#[test]
fn row_91_handlers_and_masks_are_put_back() {
    let words = "`d1` replaced the handler of SIGTERM while being built; it was put back, and a SIGTERM in \
                 between may have been missed";
    put_back("built=handles_term", words);
    put_back(
        "built=signals",
        "`d1` replaced the handler of SIGCHLD while being built",
    );
    put_back(
        "asked=blocks_term",
        "`d1` changed SIGTERM blocking while being asked whether it is ready",
    );
}

#[test]
fn row_92_directory_and_umask_are_put_back() {
    put_back(
        "built=chdirs",
        "`d1` changed working directory to `/` while being built",
    );
    put_back(
        "dropped=chdirs",
        "`d1` changed working directory to `/` while being dropped",
    );
    put_back(
        "asked=umasks",
        "`d1` changed umask `0022` to `0000` while being asked",
    );
}

/// A program that called the driver knows no more than that something of its own or of its drivers did it.
#[test]
fn what_changed_in_calls_is_found_at_the_next_look_and_nobody_is_blamed_alone() {
    let words = "the program or a driver changed working directory to `/` since the last look; built so far: `d0`, `d1`;";
    put_back("called=chdirs", words);
    put_back(
        "called=handles_term",
        "the program or a driver replaced the handler of SIGTERM since",
    );
}

/// Said once, and left as it is.
#[test]
fn row_93_the_environment_is_only_reported() {
    let Run { said, states, .. } = run(&["built=setenvs", "check", "called=setenvs", "check"]);
    assert_eq!(said.len(), 1, "{said:#?}");
    assert!(
        said[0].contains("`d0` changed variable `TZ` while being built; it stays so"),
        "{said:?}"
    );
    assert!(
        states.iter().all(|s| s.contains("tz=Pacific/Auckland")),
        "{states:?}"
    );
}

#[test]
fn row_96_a_standard_stream_that_is_closed_leads_nowhere() {
    let Run { said, states, .. } = run(&["built=closes_streams", "check"]);
    assert_eq!(said.len(), 2, "{said:#?}");
    for (said, number) in said.iter().zip([0, 2]) {
        let words = format!("`d0` closed descriptor {number} while being built; it was put back");
        assert!(said.contains(&words), "{said}");
    }
    assert!(
        states.iter().all(|s| s.ends_with("/dev/null /dev/null")),
        "{states:?}"
    );
    // One that leads elsewhere is left alone: somebody may need it.
    let Run { said, states, .. } = run(&["built=replaces_stdin", "check"]);
    assert_eq!(said.len(), 1, "{said:#?}");
    assert!(
        said[0].contains("`d0` changed descriptor 0 while being built; it stays so"),
        "{said:?}"
    );
    assert!(
        states.iter().all(|s| s.contains(" /dev/zero ")),
        "{states:?}"
    );
}

#[test]
fn row_98_limits_are_put_back_and_rights_that_are_gone_end_the_program() {
    put_back(
        "built=limits",
        "`d1` changed limit `max open files` while being built",
    );
    for (step, words) in [
        (
            "built=gives_up_rights",
            "`d0` changed no-new-privileges flag `0` to `1` while being built; it cannot be undone",
        ),
        (
            "called=gives_up_rights",
            "the program or a driver changed no-new-privileges flag `0` to `1`",
        ),
    ] {
        let Run {
            said,
            beyond_repair,
            ..
        } = run(&[step, "check", "built=gives_up_rights"]);
        assert_eq!(said.len(), 1, "{said:#?}");
        assert!(said[0].contains(words), "{said:?}");
        assert!(beyond_repair.contains(words), "{beyond_repair}");
    }
}

/// A host whose drivers take the ends of all its children still tries plugins, and is told how the trial ended.
#[test]
fn row_99_a_trial_ends_also_when_somebody_else_is_told() {
    let dir = tempfile::tempdir().unwrap();
    for (entry, code) in [
        ("good", ""),
        ("exits", "plugin/exited-in-vetting"),
        ("kills_the_guardian", "plugin/cannot-vet"),
    ] {
        let plugin = files::plugin("debug", "longshore-misbehaving");
        let mut probe = Command::new("env");
        probe
            .arg("--ignore-signal=CHLD")
            .arg(env!("CARGO_BIN_EXE_longshore-probe"));
        let out = probe.arg("vet").arg(plugin).arg(entry).arg(dir.path());
        let out = out.output().unwrap().stdout;
        let verdict: Verdict = serde_json::from_slice(&out).unwrap();
        assert_eq!(verdict.code, code, "{verdict:?}");
        let unknown = verdict
            .why
            .contains("ended (cause unknown) without a report");
        assert_eq!(unknown, entry == "kills_the_guardian", "{verdict:?}");
    }
}

/// A few are nobody's business; many are counted, and what most of them are called is said.
#[test]
fn row_73_leaked_threads_and_descriptors_are_counted() {
    assert_eq!(
        run(&["built=threads", "called=descriptors"]).said,
        Vec::<String>::new()
    );
    for (step, words) in [
        // A hundred more than the probe has. They get their names when they have run that far themselves.
        (
            "built=leaks_threads",
            ["`d0` left threads behind (", " → 10"],
        ),
        (
            "built=leaks_descriptors",
            ["`d0` left descriptors behind (", "300 of them `/dev/zero`"],
        ),
        ("called=leaks_threads", [" → 10", " since `d0` was built"]),
        (
            "called=leaks_descriptors",
            ["300 of them `/dev/zero`", " since `d0` was built"],
        ),
    ] {
        let Run { said, .. } = run(&[step, "check"]);
        assert_eq!(said.len(), 1, "{step}: {said:#?}");
        assert!(
            words.iter().all(|w| said[0].contains(w)),
            "{step}: {said:?}"
        );
        assert!(said[0].ends_with("(driver/leaks)"), "{step}: {said:?}");
    }
}

/// A host with a filter that misbehaves so; the process is looked at every second.
fn host_with(settings: &str) -> TestHost {
    let config = "[scheduler]\nenabled_filters = [\"misbehaves\", \"ram\"]\n\
                  [plugins]\nwatch_interval_s = 1\n";
    let host = TestHost::new(config, "");
    let lib = files::plugin("debug", "longshore-misbehaving");
    let drop_ins = host.dir().join("plugins.d");
    fs::create_dir_all(&drop_ins).unwrap();
    let entry = format!("misbehaves = {{ lib = {lib:?}, settings = {settings} }}");
    let text = format!("[\"longshore.scheduler.filter\"]\n{entry}\n");
    fs::write(drop_ins.join("50-misbehaves.toml"), text).unwrap();
    host
}

/// Waits until the log has these words.
fn until_logged(host: &TestHost, words: &str) {
    let start = Instant::now();
    while !host.log().contains(words) {
        assert!(start.elapsed() < PATIENCE, "`{words}`: {}", host.log());
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Its signals are its own again before it serves, and what is changed by a call is found soon.
#[test]
fn a_host_keeps_its_signals_and_its_directory() {
    let mut host = host_with("{ built = \"handles_term\", called = \"chdirs\" }");
    host.start();
    let words = "`misbehaves` replaced the handler of SIGTERM while being built";
    assert!(host.log().contains(words), "{}", host.log());
    let here = format!("/proc/{}/cwd", host.pid());
    let was = fs::read_link(&here).unwrap();
    host.done(&["server", "create", "one", "--flavor", "1", "--wait"]);
    until_logged(
        &host,
        "the program or a driver changed working directory to `/`",
    );
    assert_eq!(fs::read_link(&here).unwrap(), was);
    // A driver's handler would have swallowed it.
    assert_eq!(host.stop().code(), Some(0));
}

#[test]
fn row_98_a_host_whose_rights_were_given_away_does_not_start() {
    let mut host = host_with("{ built = \"gives_up_rights\" }");
    let said = host.try_start().unwrap_err();
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(
        said.err.contains("error[driver/changed-process]"),
        "{said:?}"
    );
    assert!(said.err.contains("no-new-privileges flag"), "{said:?}");
}

/// The call runs in one of the host's threads, which has its rights for itself.
#[test]
fn row_98_a_host_whose_rights_are_given_away_drains_and_ends_with_1() {
    let mut host = host_with("{ called = \"gives_up_rights\" }");
    host.start();
    // It may end before it answers.
    host.cli(&["server", "create", "one", "--flavor", "1"]);
    assert_eq!(host.ended().code(), Some(1));
    let log = host.log();
    assert!(
        log.contains("this process is no longer what was started"),
        "{log}"
    );
    assert!(log.contains("stopping: finishing what was taken"), "{log}");
}

/// Escaped, and marked as what it is; the host's own word to its supervisor is alone on its output.
#[test]
fn row_95_what_drivers_print_is_logged() {
    let mut host = host_with("{ built = \"prints\" }");
    host.start();
    until_logged(
        &host,
        r#"driver output: to stdout\u{1b}[31m stream="stdout""#,
    );
    assert_eq!(host.stop().code(), Some(0));
    let words = r#"driver output: to stderr, without an end of line stream="stderr""#;
    assert!(host.log().contains(words), "{}", host.log());
}

/// Also when it is more than anybody wants to read, and when the log has another form.
#[test]
fn row_95_a_flood_is_cut_and_counted() {
    let mut host = host_with("{ built = \"prints_a_lot\" }");
    host.env("LONGSHORE__LOG__FORMAT", "json");
    host.start();
    assert_eq!(host.stop().code(), Some(0));
    let log = host.log();
    assert!(log.contains("more than 64 KiB in a minute, the rest is only counted"));
    let lines = log.lines().filter(|l| l.contains("driver output: line "));
    let bytes_of_line = 64;
    assert_eq!(lines.count(), (64 << 10) / bytes_of_line);
    let left_out = 16_384 * bytes_of_line - (64 << 10);
    assert!(log.contains(&format!("driver output: {left_out} bytes were not logged")));
}

/// As without a host, for whoever needs the last words of a process that dies.
#[test]
fn what_drivers_print_can_be_left_where_it_goes() {
    let mut host = host_with("{ built = \"prints\" }");
    host.env("LONGSHORE__PLUGINS__OUTPUT", "direct");
    let mut up = host.command();
    up.arg("up").stdout(Stdio::piped()).stderr(Stdio::null());
    let mut up = up.spawn().unwrap();
    let lines = BufReader::new(up.stdout.take().unwrap()).lines();
    let first: Vec<String> = lines.take(2).map(Result::unwrap).collect();
    up.kill().unwrap();
    up.wait().unwrap();
    assert_eq!(first[0], "to stdout\u{1b}[31m");
    assert!(first[1].starts_with("ready "), "{first:?}");
}
