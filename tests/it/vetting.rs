//! A plugin that misbehaves while it is tried hurts nobody: each row is one behaviour, its code, and words of its message.
//! Time bounds are those of the trial itself; nothing is left behind, no process and no file.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use longshore_loader::gate::{Content, Gate, Wanted};
use longshore_loader::inspect::{Refusal, sha256};
use longshore_loader::quarantine::Quarantine;
use longshore_loader::record::{Death, DeathCall, DriverId, InFlight};
use longshore_loader::vet::{self, Outcome, Verdict};
use longshore_loader::{Loader, LoaderOptions, PluginMap};
use longshore_sample_plugin::Sample;
use longshore_tests::files;
use longshore_tests::host::TestHost;

const NS: &str = longshore_sample_plugin::NAMESPACE;

/// One trial: environment of the program that asks for it, and the entry.
struct Trial<'t> {
    entry: &'t str,
    variables: &'t [(&'t str, &'t str)],
}

/// Tries an entry in a directory of its own, and makes sure that it is empty afterwards.
fn tried(trial: &Trial<'_>) -> Verdict {
    let dir = tempfile::tempdir().unwrap();
    let mut probe = Command::new(env!("CARGO_BIN_EXE_longshore-probe"));
    let plugin = files::plugin("debug", "longshore-misbehaving");
    probe
        .arg("vet")
        .arg(plugin)
        .arg(trial.entry)
        .arg(dir.path());
    probe.envs(trial.variables.iter().copied());
    let out = probe.output().unwrap();
    let text = String::from_utf8(out.stdout).unwrap();
    assert!(out.status.success(), "{text}");
    assert_eq!(
        fs::read_dir(dir.path()).unwrap().count(),
        0,
        "{}",
        trial.entry
    );
    assert_eq!(marked(dir.path()), Vec::<String>::new(), "{}", trial.entry);
    let verdict: Verdict = serde_json::from_str(&text).unwrap();
    assert!(verdict.ms < 15_000, "{text}");
    verdict
}

/// Living processes that carry the mark of a trial below this directory, or work in one.
fn marked(dir: &Path) -> Vec<String> {
    let mark = format!("LONGSHORE_VETTING={}", dir.display());
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let process = entry.path();
        let environ = fs::read(process.join("environ")).unwrap_or_default();
        let here = fs::read_link(process.join("cwd")).is_ok_and(|cwd| cwd.starts_with(dir));
        if here || String::from_utf8_lossy(&environ).contains(&mark) {
            found.push(process.display().to_string());
        }
    }
    found
}

/// While its driver is built, and while it is loaded.
fn both_ways(behaviour: &str, variables: &[(&str, &str)]) -> [(&'static str, Verdict); 2] {
    let built = tried(&Trial {
        entry: behaviour,
        variables,
    });
    let on_load = [variables, &[("MISBEHAVE_ON_LOAD", behaviour)]].concat();
    let loaded = tried(&Trial {
        entry: "good",
        variables: &on_load,
    });
    [("building the driver", built), ("loading", loaded)]
}

/// Fails with this code, and these words, in which `{step}` stands for what was being done.
fn fails(behaviour: &str, variables: &[(&str, &str)], code: &str, words: &[&str]) {
    for (step, verdict) in both_ways(behaviour, variables) {
        assert_eq!(verdict.outcome, Outcome::Failed, "{behaviour}: {verdict:?}");
        assert_eq!(verdict.code, code, "{behaviour}: {verdict:?}");
        for word in words {
            let word = word.replace("{step}", step);
            assert!(
                verdict.why.contains(&word),
                "{behaviour}, `{word}`: {verdict:?}"
            );
        }
        assert!(!verdict.help.is_empty(), "{behaviour}");
    }
}

const SOON: &[(&str, &str)] = &[("VET_TIMEOUT_MS", "400")];

#[test]
fn a_good_plugin_passes_and_leaves_no_trace() {
    let verdict = tried(&Trial {
        entry: "good",
        variables: &[],
    });
    assert_eq!(Verdict { ms: 0, ..verdict }, Verdict::passed());
}

#[test]
fn row_54_a_crash_names_signal_step_and_last_words() {
    let words = [
        "killed by signal 11 (SIGSEGV) while {step}",
        "last output: `here it comes`",
    ];
    fails("segfaults", &[], "plugin/crashed-in-vetting", &words);
    fails(
        "aborts",
        &[],
        "plugin/crashed-in-vetting",
        &["killed by signal 6 (SIGABRT) while {step}"],
    );
    fails(
        "illegal",
        &[],
        "plugin/crashed-in-vetting",
        &["killed by signal 4 (SIGILL) while {step}"],
    );
    fails(
        "overflows",
        &[],
        "plugin/crashed-in-vetting",
        &["SIGABRT", "stack overflow"],
    );
}

#[test]
fn row_55_an_exit_is_no_answer_whatever_its_status() {
    let words = ["ended the process with status 0 while {step}, before answering"];
    fails("exits", &[], "plugin/exited-in-vetting", &words);
}

#[test]
fn row_56_what_hangs_or_burns_is_ended_at_the_limit() {
    for behaviour in ["hangs", "burns"] {
        fails(
            behaviour,
            SOON,
            "plugin/hung-in-vetting",
            &["no answer in 400 ms while {step}"],
        );
    }
}

#[test]
fn row_57_processes_that_are_left_are_counted_and_killed() {
    fails(
        "forks",
        &[],
        "plugin/left-processes",
        &["left 1 process: `", "all were killed"],
    );
    fails(
        "daemonises",
        &[],
        "plugin/left-processes",
        &["left 1 process: `"],
    );
    let words = [
        "left 1 process: `",
        "ended the process with status 0 while {step}",
    ];
    fails("becomes_a_daemon", &[], "plugin/left-processes", &words);
}

#[test]
fn row_58_early_threads_are_a_warning_and_a_refusal_when_strict() {
    let early = [("MISBEHAVE_ON_LOAD", "threads")];
    let verdict = tried(&Trial {
        entry: "good",
        variables: &early,
    });
    assert_eq!(verdict.outcome, Outcome::Passed, "{verdict:?}");
    assert_eq!(verdict.warnings[0].code, "plugin/early-threads");
    assert!(
        verdict.warnings[0]
            .text
            .starts_with("1 thread before anything was called: `")
    );
    let strict = [("MISBEHAVE_ON_LOAD", "threads"), ("VET_STRICT", "1")];
    let verdict = tried(&Trial {
        entry: "good",
        variables: &strict,
    });
    assert_eq!(
        (verdict.outcome, verdict.code.as_str()),
        (Outcome::Failed, "plugin/early-threads")
    );
}

#[test]
fn row_59_each_change_of_the_process_is_named() {
    for (behaviour, word) in [
        ("chdirs", "changed working directory"),
        ("umasks", "to `0000`"),
        ("signals", "changed SIGCHLD handler"),
        ("setenvs", "changed variable `TZ`"),
        ("limits", "changed limit `max open files`"),
    ] {
        fails(behaviour, &[], "plugin/changes-process", &[word]);
    }
}

#[test]
fn row_60_what_is_printed_or_written_anywhere_is_no_answer() {
    fails(
        "prints_a_frame",
        &[],
        "plugin/exited-in-vetting",
        &["status 0 while {step}"],
    );
    let words = ["the answer was not genuine", "while {step}"];
    fails(
        "writes_everywhere",
        &[],
        "plugin/crashed-in-vetting",
        &words,
    );
}

/// Threads and descriptors that outlive the driver are told; a driver may have its reasons.
#[test]
fn what_is_left_open_is_a_warning() {
    for (entry, word) in [("threads", "thread `"), ("descriptors", "(`/dev/zero`)")] {
        let verdict = tried(&Trial {
            entry,
            variables: &[],
        });
        assert_eq!(verdict.outcome, Outcome::Passed, "{verdict:?}");
        let [warning] = verdict.warnings.as_slice() else {
            panic!("{verdict:?}")
        };
        assert_eq!(warning.code, "driver/leaks");
        assert!(warning.text.contains(word), "{warning:?}");
    }
}

/// The host gets these as errors of the driver, so they are no reason to lock the file out.
#[test]
fn a_driver_that_refuses_politely_passes_with_its_words() {
    for (entry, words) in [
        ("refuses", "the licence has run out"),
        ("panics", "no hat, no work"),
        ("panics_dropping", "not without my hat"),
    ] {
        let verdict = tried(&Trial {
            entry,
            variables: &[],
        });
        assert_eq!(verdict.outcome, Outcome::Passed, "{verdict:?}");
        assert!(verdict.driver_error.unwrap().contains(words), "{entry}");
    }
}

#[test]
fn output_files_and_memory_are_limited() {
    let verdict = tried(&Trial {
        entry: "prints_a_lot",
        variables: &[],
    });
    assert!(
        verdict.output.len() <= 64 << 10 && verdict.output.ends_with(" 16383\n"),
        "{}",
        verdict.output.len()
    );
    fails(
        "fills_the_disk",
        &[],
        "plugin/crashed-in-vetting",
        &["(SIGXFSZ) while {step}"],
    );
    fails(
        "allocates",
        &[],
        "plugin/crashed-in-vetting",
        &["SIGABRT", "memory allocation of"],
    );
}

/// Nothing of the host's environment, directory or descriptors.
#[test]
fn the_child_has_nothing_of_the_hosts() {
    let secret = [("DATABASE_PASSWORD", "hunter2")];
    let verdict = tried(&Trial {
        entry: "looks_around",
        variables: &secret,
    });
    let wanted = "variables: LONGSHORE_VETTING\nfiles here: Some(0)\nfiles of state: Some(0)\n\
                  stdin: Some(\"/dev/null\")\npipes: 0\n";
    assert_eq!(
        (verdict.outcome, verdict.output.as_str()),
        (Outcome::Passed, wanted)
    );
}

/// Even then the host gets a verdict, and what was left is found by its mark.
#[test]
fn a_guardian_that_is_killed_takes_everything_with_it() {
    let verdict = tried(&Trial {
        entry: "kills_the_guardian",
        variables: &[],
    });
    assert_eq!(
        (verdict.code.as_str(), verdict.lasting),
        ("plugin/cannot-vet", false)
    );
    assert!(verdict.why.contains("signal: 9"), "{verdict:?}");
}

#[test]
fn a_file_that_is_no_plugin_and_an_entry_that_is_not_there_are_refusals() {
    let verdict = tried(&Trial {
        entry: "no_such",
        variables: &[],
    });
    assert_eq!(verdict.code, "plugin/no-such-driver", "{verdict:?}");
    let options = vet::Options {
        program: Some(env!("CARGO_BIN_EXE_longshore-probe").into()),
        ..Default::default()
    };
    let subject = vet::Subject {
        file: "/etc/passwd".into(),
        shown: "passwd.so".into(),
        ..Default::default()
    };
    let verdict = vet::vet(&subject, &options);
    assert_eq!(
        (verdict.code.as_str(), verdict.lasting),
        ("plugin/refused-by-loader", false)
    );
    let refusal = verdict.refusal(&subject).unwrap();
    assert!(refusal.to_string().contains("passwd.so"), "{refusal}");
}

/// Otherwise it would start itself as a whole, and so on.
#[test]
fn a_program_that_cannot_be_its_own_child_starts_nothing() {
    let verdict = vet::vet(&vet::Subject::default(), &vet::Options::default());
    assert_eq!(verdict.code, "plugin/cannot-vet");
    assert!(verdict.why.contains("`vet::run_if_child`"), "{verdict:?}");
}

/// Row 104: the host is killed while a plugin hangs in its trial.
#[test]
fn what_a_killed_host_leaves_is_gone_soon_and_the_rest_at_the_next_use() {
    let dir = tempfile::tempdir().unwrap();
    let mut probe = Command::new(env!("CARGO_BIN_EXE_longshore-probe"));
    let plugin = files::plugin("debug", "longshore-misbehaving");
    probe
        .arg("vet")
        .arg(plugin)
        .arg("hangs")
        .arg(dir.path())
        .stdout(Stdio::null());
    let mut host = probe.spawn().unwrap();
    // Both processes and the directory are there once the child works in it.
    let work_dirs = || fs::read_dir(dir.path()).unwrap().count();
    while marked(dir.path()).len() < 2 {
        assert!(
            host.try_wait().unwrap().is_none(),
            "the host ended by itself"
        );
        std::thread::yield_now();
    }
    assert_eq!(vet::clean(dir.path()), 0, "it belongs to a host that lives");
    host.kill().unwrap();
    host.wait().unwrap();
    // By its guardian, which sees that the host is gone; or here, whoever is first.
    while !marked(dir.path()).is_empty() || work_dirs() > 0 {
        vet::clean(dir.path());
        std::thread::yield_now();
    }
}

/// Known verdicts start no process, for good and for bad; another build of the plugin or other settings do.
#[test]
fn verdicts_are_remembered() {
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().join("state");
    let options = vet::Options {
        program: Some(env!("CARGO_BIN_EXE_longshore-probe").into()),
        dir: dir.path().to_owned(),
        ..Default::default()
    };
    let subject = |entry: &str, digest: &str| vet::Subject {
        file: files::plugin("debug", "longshore-misbehaving"),
        shown: "misbehaving.so".into(),
        digest: digest.to_owned(),
        namespace: "test.vetting".to_owned(),
        name: entry.to_owned(),
        export: entry.to_owned(),
        settings: "{}".to_owned(),
    };
    let (good, bad) = (subject("good", "aa"), subject("exits", "aa"));
    let vetter = vet::Vetter::new(vet::Policy::New, options.clone(), &state);
    let (passed, known) = vetter.verdict(&good);
    assert_eq!(
        (passed.outcome, known),
        (Outcome::Passed, false),
        "{passed:?}"
    );
    assert!(!vetter.verdict(&bad).1);
    // A program that could not start anything is enough from here on.
    let nothing = vet::Options {
        program: Some("/nonexistent".into()),
        ..options
    };
    let again = vet::Vetter::new(vet::Policy::New, nothing.clone(), &state);
    assert_eq!(again.verdict(&good), (passed, true));
    let (failed, known) = again.verdict(&bad);
    assert_eq!(
        (failed.code.as_str(), known),
        ("plugin/exited-in-vetting", true)
    );
    for other in [
        subject("good", "bb"),
        vet::Subject {
            settings: "{\"a\":1}".to_owned(),
            ..good.clone()
        },
    ] {
        assert_eq!(again.verdict(&other).0.code, "plugin/cannot-vet");
    }
    again.forget("aa");
    assert_eq!(again.verdict(&good).0.code, "plugin/cannot-vet");
    let always = vet::Vetter::new(vet::Policy::Always, nothing.clone(), &state);
    assert_eq!(always.verdict(&bad).0.code, "plugin/cannot-vet");
    let never = vet::Vetter::new(vet::Policy::Never, nothing, &state);
    assert_eq!(never.verdict(&bad).0.outcome, Outcome::Passed);
}

/// What hosts do that are told nothing about vetting.
#[test]
fn a_host_tries_what_is_new_and_serves_without_what_fails() {
    let config = "[scheduler]\nenabled_filters = [\"built\", \"ram\"]\n";
    let mut host = TestHost::new(config, "").vetting();
    let lib = files::plugin("debug", "longshore-misbehaving");
    let text = format!(
        "[\"longshore.scheduler.filter\"]\nbuilt = \"{}:deadly_when_built\"\n",
        lib.display()
    );
    let dir = host.dir().join("plugins.d");
    fs::create_dir_all(&dir).unwrap();
    fs::write(dir.join("50-deadly.toml"), text).unwrap();
    host.start();
    let filter = ["plugin", "show", "longshore.scheduler.filter", "built"];
    let shown = host.json(&filter);
    assert_eq!(shown["state"], "refused", "{shown:#}");
    let why = shown["why"].as_str().unwrap();
    assert!(why.contains("ended the process with status 0"), "{why}");
    host.done(&["server", "create", "one", "--flavor", "1", "--wait"]);
    // What is known is not tried again.
    let verdicts = host.dir().join("state/vetting/vetting.json");
    let first = fs::read_to_string(&verdicts).unwrap();
    host.stop();
    host.start();
    assert_eq!(fs::read_to_string(&verdicts).unwrap(), first);
    assert_eq!(host.json(&filter)["why"], shown["why"]);
}

/// Whatever was found before: the host died in it.
#[test]
fn a_driver_that_the_host_died_in_is_tried_again() {
    #[derive(Default)]
    struct Seen(Mutex<Vec<(String, bool)>>);
    impl Gate for Seen {
        fn admit(&self, wanted: &Wanted<'_>, _: &Content<'_>) -> Result<(), Refusal> {
            let seen = (wanted.entry.name.clone(), wanted.is_suspect);
            self.0.lock().unwrap().push(seen);
            Ok(())
        }
    }
    let lib = files::plugin("debug", "longshore-sample-plugin");
    let dir = tempfile::tempdir().unwrap();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let now = u64::try_from(now.as_millis()).unwrap();
    let driver = DriverId {
        namespace: NS.to_owned(),
        name: "t1".to_owned(),
        digest: sha256(&lib).unwrap(),
        ..DriverId::default()
    };
    let call = DeathCall {
        driver,
        call: "next".to_owned(),
        since_ms: now,
    };
    let death = Death {
        started_ms: now,
        pid: 1,
        clean: false,
        machine_restarted: false,
        calls: vec![call],
    };
    let mut quarantine = Quarantine::open(dir.path()).unwrap();
    quarantine.note(&death).unwrap();
    let seen = Arc::new(Seen::default());
    let map = format!("[{NS:?}]\nt1 = {lib:?}\nt2 = {lib:?}\n");
    let map = PluginMap::parse(&map, "plugins.toml").unwrap();
    let options = LoaderOptions {
        gates: vec![Arc::clone(&seen) as Arc<dyn Gate>],
        ..LoaderOptions::default()
    };
    let loader = Loader::with_options(map, dir.path(), options);
    loader.watch(Arc::new(InFlight::open(dir.path()).unwrap()), quarantine);
    assert_eq!(
        loader
            .namespace::<dyn Sample>(NS)
            .strict(true)
            .all()
            .unwrap()
            .len(),
        2
    );
    let expected = [("t1".to_owned(), true), ("t2".to_owned(), false)];
    assert_eq!(*seen.0.lock().unwrap(), expected);
}
