//! What drivers change in the process that they share with the host is named once, with whoever may have done it, and put
//! back where that is possible. Each run is a process of its own, as what is changed is the process.

use std::process::{Command, Stdio};

use longshore_loader::vet::Verdict;
use longshore_tests::files;

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
        ("built=leaks_threads", "`d0` left threads behind (1 → 10"),
        ("built=leaks_descriptors", "`d0` left descriptors behind ("),
        (
            "called=leaks_threads",
            " of them `eager` since `d0` was built",
        ),
        (
            "called=leaks_descriptors",
            "300 of them `/dev/zero` since `d0` was built",
        ),
    ] {
        let Run { said, .. } = run(&[step, "check"]);
        assert_eq!(said.len(), 1, "{step}: {said:#?}");
        assert!(said[0].contains(words), "{step}: {said:?}");
        assert!(said[0].ends_with("(driver/leaks)"), "{step}: {said:?}");
    }
}
