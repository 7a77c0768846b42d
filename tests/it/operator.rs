//! What an operator does wrong, and what goes wrong under an operator: the text and exit code of
//! it, and that the rest goes on.

use std::path::Path;

use longshore_tests::host::TestHost;

const MISBEHAVING: &str = "liblongshore_misbehaving.so";

/// A host whose map has one more filter, and which uses it beside `ram`.
fn with_filter(name: &str, entry: &str, config: &str) -> TestHost {
    let config = format!("[scheduler]\nenabled_filters = [\"ram\", \"{name}\"]\n{config}");
    let host = TestHost::new(&config, "");
    let file = host.dir().join("plugins.toml");
    let map = std::fs::read_to_string(&file).unwrap();
    let table = "[\"longshore.scheduler.filter\"]";
    let more = format!("{table}\n{name} = \"{entry}\"");
    std::fs::write(&file, map.replace(table, &more)).unwrap();
    host
}

/// The files below a directory, hidden ones included.
fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn a_filter_that_cannot_be_built_is_skipped_and_named() {
    let mut host = with_filter("refuses", MISBEHAVING, "");
    host.start();
    let plugins = host.json(&["plugin", "list"]);
    let of = |name: &str| {
        let mut all = plugins.as_array().unwrap().iter();
        all.find(|p| p["name"] == name).unwrap().clone()
    };
    assert_eq!(of("refuses")["state"], "refused");
    assert_eq!(of("refuses")["error"]["code"], "driver/failed");
    let used = plugins.as_array().unwrap().iter();
    assert_eq!(
        used.filter(|p| p["state"] == "in_use").count(),
        8,
        "{plugins}"
    );
    host.done(&["server", "create", "one", "--flavor", "m1.tiny", "--wait"]);
    let log = host.log();
    let line = log.lines().find(|l| l.contains("skipped: ")).unwrap();
    assert!(
        line.contains("the licence has run out (do: buy another)"),
        "{line}"
    );
    // The code stood there twice: in the text, and as a field.
    assert_eq!(line.matches("driver/failed").count(), 1, "{line}");
    assert_eq!(host.stop().code(), Some(0));
}

#[test]
fn a_strict_host_does_not_start_without_a_filter() {
    for (name, code) in [
        ("refuses", "driver/failed"),
        ("panics_when_built", "driver/panicked"),
    ] {
        let mut host = with_filter(name, MISBEHAVING, "[plugins]\npolicy = \"strict\"\n");
        let said = host.try_start().unwrap_err();
        assert_eq!((said.code, said.out.as_str()), (Some(4), ""), "{said:#?}");
        assert!(said.err.contains(&format!("error[{code}]: ")), "{said:#?}");
        // A panic was logged with three empty names.
        assert!(!said.err.contains("name=\"\""), "{said:#?}");
    }
}

/// Three refusals took three starts to find.
#[test]
fn every_refusal_of_a_start_is_said_at_once() {
    let config = "[compute]\nvirt = \"text\"\n[plugins]\npolicy = \"strict\"\n";
    let mut host = with_filter("refuses", MISBEHAVING, config);
    let text = host.dir().join("libtext.so");
    std::fs::write(&text, "no library").unwrap();
    let map = host.dir().join("plugins.toml");
    let mut lines = std::fs::read_to_string(&map).unwrap();
    let table = "[\"longshore.virt.driver\"]";
    let more = format!("{table}\ntext = \"{}\"", text.display());
    lines = lines.replace(table, &more);
    let weigher = |l: &&str| l.starts_with("io_ops ") && l.contains("liblongshore_weighers.so");
    let weigher = lines.lines().find(weigher).unwrap().to_owned();
    lines = lines.replace(&weigher, "io_ops = \"libgone.so\"");
    std::fs::write(&map, lines).unwrap();
    let said = host.try_start().unwrap_err();
    assert_eq!((said.code, said.out.as_str()), (Some(4), ""), "{said:#?}");
    let errors = ["driver/failed", "plugin/not-found", "plugin/not-elf"];
    for code in errors {
        let head = format!("error[{code}]: cannot load driver ");
        assert_eq!(said.err.matches(&head).count(), 1, "{said:#?}");
    }
    assert!(said.err.ends_with("\n3 errors in all\n"), "{said:#?}");
    // A permissive host goes on without what it can do without, and says so; a virt driver it needs.
    let config = host.dir().join("longshore.toml");
    let text = std::fs::read_to_string(&config).unwrap();
    let text = text.replace("policy = \"strict\"", "policy = \"permissive\"");
    std::fs::write(&config, &text).unwrap();
    let said = host.try_start().unwrap_err();
    assert_eq!(said.code, Some(4), "{said:#?}");
    assert!(said.err.contains("error[plugin/not-elf]: "), "{said:#?}");
    assert!(!said.err.contains("error[driver/failed]: "), "{said:#?}");
    std::fs::write(&config, text.replace("\"text\"", "\"fake\"")).unwrap();
    host.start();
    let problems = host.problems();
    let named = |name: &str| problems.iter().any(|p| p.starts_with(name));
    assert_eq!(problems.len(), 2, "{problems:#?}");
    assert!(
        named("driver longshore.scheduler.filter refuses: "),
        "{problems:#?}"
    );
    assert!(
        named("driver longshore.scheduler.weigher io_ops: "),
        "{problems:#?}"
    );
}

/// What runs is not what the next start takes.
#[test]
fn show_says_what_became_of_the_file_of_a_loaded_driver() {
    let own = std::path::Path::new("own/libfake.so");
    let mut host = TestHost::new("", "");
    let own = host.dir().join(own);
    std::fs::create_dir(own.parent().unwrap()).unwrap();
    let good = longshore_tests::files::plugin("debug", "longshore-virt-fake");
    std::fs::copy(&good, &own).unwrap();
    let map = host.dir().join("plugins.toml");
    let lines = std::fs::read_to_string(&map).unwrap();
    let lines = lines.replace(
        "\"liblongshore_virt_fake.so\"",
        &format!("\"{}\"", own.display()),
    );
    std::fs::write(&map, lines).unwrap();
    host.start();
    let show = || host.json(&["plugin", "show", "longshore.virt.driver", "fake"]);
    let before = show();
    assert_eq!(before["on_disk"], "unchanged", "{before}");
    let mut other = std::fs::read(&good).unwrap();
    other.push(0);
    std::fs::write(&own, other).unwrap();
    let after = show();
    assert_eq!(after["on_disk"], "changed on disk");
    assert_eq!(after["sha256"], before["sha256"], "what runs");
    let text = host.done(&["plugin", "show", "longshore.virt.driver", "fake"]);
    assert!(text.out.contains("changed on disk: "), "{text:#?}");
    // Copied back: another file, the same content.
    std::fs::copy(&good, &own).unwrap();
    assert_eq!(show()["on_disk"], "unchanged");
    std::fs::remove_file(&own).unwrap();
    let gone = show();
    assert_eq!(gone["on_disk"], "deleted on disk");
    assert_eq!(
        (&gone["state"], &gone["error"]),
        (&"in_use".into(), &serde_json::Value::Null)
    );
    host.done(&["server", "create", "one", "--flavor", "m1.tiny", "--wait"]);
}

/// A driver may say what it was given; the host does not say it on.
#[test]
fn a_secret_that_a_driver_repeats_is_masked_everywhere() {
    let lib = longshore_tests::files::plugin("debug", "longshore-misbehaving");
    let entry = |when_built: bool| {
        let lib = lib.display();
        let settings = format!("{{ token = \"swordfish-7\", when_built = {when_built} }}");
        format!("telltale = {{ override = true, lib = \"{lib}\", settings = {settings} }}")
    };
    let config = "[scheduler]\nenabled_filters = [\"ram\", \"telltale\"]\n";
    let mut host = TestHost::new(config, "");
    let dir = host.dir().join("plugins.d");
    std::fs::create_dir_all(&dir).unwrap();
    let file = dir.join("50-telltale.toml");
    let namespace = "[\"longshore.scheduler.filter\"]";
    std::fs::write(&file, format!("{namespace}\n{}\n", entry(false))).unwrap();
    host.start();
    let made = [
        "--json", "server", "create", "one", "--flavor", "m1.tiny", "--wait",
    ];
    let made = host.cli(&made);
    assert_ne!(made.code, Some(0), "{made:#?}");
    let shown = host.done(&["plugin", "show", "longshore.scheduler.filter", "telltale"]);
    let server = host.done(&["--json", "server", "show", "one"]);
    assert!(server.out.contains("*** has expired"), "{server:#?}");
    assert_eq!(host.stop().code(), Some(0));
    std::fs::write(&file, format!("{namespace}\n{}\n", entry(true))).unwrap();
    host.start();
    let refused = host.done(&["plugin", "list", "--why"]);
    let text = "the service refused ***";
    assert!(refused.out.contains(text), "{refused:#?}");
    let log = host.log();
    for said in ["logging in with ***", "still logged in with ***", text] {
        assert!(log.contains(said), "{said}: {log}");
    }
    for said in [
        &log,
        &made.out,
        &made.err,
        &shown.out,
        &server.out,
        &refused.out,
    ] {
        assert!(!said.contains("swordfish"), "{said}");
    }
}

#[test]
fn config_check_warns_of_a_driver_that_cannot_be_loaded() {
    let host = with_filter("broken", "./broken.so", "");
    for (bytes, code) in [
        (None, "plugin/not-found"),
        (Some("no library"), "plugin/not-elf"),
    ] {
        if let Some(bytes) = bytes {
            std::fs::write(host.dir().join("broken.so"), bytes).unwrap();
        }
        let said = host.cli(&["config", "check"]);
        assert_eq!(said.code, Some(0), "{said:#?}");
        assert!(said.out.contains(", 1 warning\n"), "{said:#?}");
        assert!(
            said.err.contains(&format!("warning[{code}]: ")),
            "{said:#?}"
        );
        assert!(said.err.contains("longshore.toml:4:27"), "{said:#?}");
    }
}

#[test]
fn a_misspelled_namespace_is_corrected() {
    let host = TestHost::new("", "");
    let said = host.cli(&["plugin", "show", "longshore.virt.drivr", "fake"]);
    assert_eq!(said.code, Some(4));
    assert!(
        said.err.contains("did you mean `longshore.virt.driver`?"),
        "{said:#?}"
    );
}

/// It said the cause, and what to do about it, twice.
#[test]
fn a_file_that_is_no_database_is_left_alone() {
    let mut host = TestHost::new("", "");
    let state = host.dir().join("state");
    std::fs::create_dir(&state).unwrap();
    let text = "this is no database, and never was one";
    std::fs::write(state.join("longshore.db"), text).unwrap();
    let said = host.try_start().unwrap_err();
    assert_eq!(said.code, Some(5), "{said:#?}");
    assert!(said.err.contains("error[store/corrupt]: "), "{said:#?}");
    assert!(
        said.err
            .contains("why:  the file is not an SQLite database\n"),
        "{said:#?}"
    );
    assert_eq!(
        std::fs::read_to_string(state.join("longshore.db")).unwrap(),
        text
    );
}

/// `File exists` and `make it writable` were said of it.
#[test]
fn a_file_in_place_of_the_state_directory_is_named() {
    let mut host = TestHost::new("", "");
    std::fs::write(host.dir().join("state"), "").unwrap();
    let said = host.try_start().unwrap_err();
    assert_eq!(said.code, Some(5), "{said:#?}");
    assert!(
        said.err.contains("why:  it is a file, not a directory\n"),
        "{said:#?}"
    );
    assert!(said.err.contains("do:   move the file away"), "{said:#?}");
}

/// What was written stayed beside the database after a clean stop.
#[test]
fn a_stopped_host_leaves_its_database_in_one_file() {
    let mut host = TestHost::new("", "");
    host.start();
    host.done(&["server", "create", "one", "--flavor", "m1.tiny", "--wait"]);
    assert_eq!(host.stop().code(), Some(0));
    let files = names(&host.dir().join("state"));
    let database: Vec<&String> = files
        .iter()
        .filter(|f| f.starts_with("longshore.db"))
        .collect();
    assert_eq!(database, ["longshore.db"]);
}

/// Only `retry` was named, which says that a host failed, and not how.
#[test]
fn a_failed_boot_tells_what_the_driver_said() {
    let map = "[\"longshore.virt.driver\"]\nfake = { patch = true, settings = { \
               fail_spawn_match = \"bad\", panic_spawn_match = \"worse\" } }\n";
    let mut host = TestHost::new("", "");
    std::fs::create_dir(host.dir().join("plugins.d")).unwrap();
    std::fs::write(host.dir().join("plugins.d/faults.toml"), map).unwrap();
    host.start();
    for (name, text) in [("bad", "asked to fail by"), ("worse", "asked to panic by")] {
        let args = [
            "--json", "server", "create", name, "--flavor", "m1.tiny", "--wait",
        ];
        let said = host.cli(&args);
        assert_eq!(said.code, Some(1), "{said:#?}");
        let fault = said.json()["fault"]["message"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        assert!(fault.starts_with("no valid host was found: "), "{fault}");
        assert!(fault.contains(text), "{fault}");
    }
    host.done(&["server", "create", "good", "--flavor", "m1.tiny", "--wait"]);
}

/// Everything below a directory, with its size.
fn tree(dir: &Path) -> Vec<(String, u64)> {
    let mut found = Vec::new();
    for name in names(dir) {
        let path = dir.join(&name);
        if path.is_dir() {
            found.extend(tree(&path));
        }
        found.push((path.display().to_string(), path.metadata().unwrap().len()));
    }
    found
}

#[test]
fn a_doctor_before_the_start_writes_nothing() {
    let host = TestHost::new("", "");
    let before = tree(host.dir());
    let said = host.cli(&["doctor"]);
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""), "{said:#?}");
    assert!(said.out.ends_with(" ok\n"), "{said:#?}");
    assert_eq!(tree(host.dir()), before);
}

#[test]
fn a_doctor_beside_a_running_host_says_so() {
    let mut host = TestHost::new("", "");
    host.start();
    let address = host.url().trim_start_matches("http://").to_owned();
    let doctor = |dir: Option<&Path>| {
        let mut command = host.command();
        command.env("LONGSHORE__API__LISTEN", &address);
        if let Some(dir) = dir {
            command.env("LONGSHORE__HOST__STATE_DIR", dir);
        }
        let out = command.args(["--json", "doctor"]).output().unwrap();
        let items: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
        let of = |check: &str| {
            let mut all = items.as_array().unwrap().iter();
            all.find(|i| i["check"] == check).unwrap().clone()
        };
        (out.status.code(), of("listen"), of("state_dir"))
    };
    let pid = host.pid();
    let (code, listen, state) = doctor(None);
    assert_eq!(
        (code, &listen["status"]),
        (Some(0), &"warning".into()),
        "{listen}"
    );
    let message = format!("{address} is in use: longshore runs here, process {pid}");
    assert_eq!(listen["message"], message.as_str());
    assert_eq!(state["status"], "warning", "{state}");
    let other = tempfile::tempdir().unwrap();
    let (code, listen, _) = doctor(Some(other.path()));
    assert_eq!(
        (code, &listen["status"]),
        (Some(5), &"failed".into()),
        "{listen}"
    );
    let message = format!("{address} is in use by another longshore host");
    assert_eq!(listen["message"], message.as_str());
    host.done(&["server", "create", "one", "--flavor", "m1.tiny", "--wait"]);
    assert_eq!(host.stop().code(), Some(0));
}

/// A running host could only say that there is none of the name.
#[test]
fn a_running_host_corrects_names_too() {
    let mut host = TestHost::new("", "");
    host.start();
    let said = host.cli(&["plugin", "show", "longshore.virt.driver", "fkae"]);
    assert_eq!(said.code, Some(4));
    assert!(
        said.err.ends_with("do:   did you mean `fake`?\n"),
        "{said:#?}"
    );
    let said = host.cli(&["plugin", "list", "--namespace", "longshore.virt.drivr"]);
    assert_eq!(said.code, Some(4));
    assert!(
        said.err.contains("did you mean `longshore.virt.driver`?"),
        "{said:#?}"
    );
    let said = host.done(&[
        "plugin",
        "list",
        "--simple",
        "--namespace",
        "longshore.virt.driver",
    ]);
    assert!(said.out.starts_with("* fake -- "), "{said:#?}");
    let shown = host.json(&["plugin", "show", "longshore.virt.driver", "fake"]);
    assert_eq!(shown["state"], "in_use");
    assert_eq!(shown["settings_in_force"][0]["from"], "default");
}

#[test]
fn the_group_weighers_are_known_by_their_short_names() {
    let config = "[scheduler]\nweighers = { affinity = 1.0, anti_affinity = 2.0 }\n";
    let mut host = TestHost::new(config, "");
    host.start();
    let listed = host.json(&[
        "plugin",
        "list",
        "--namespace",
        "longshore.scheduler.weigher",
    ]);
    let state = |name: &str| {
        let mut entries = listed.as_array().unwrap().iter();
        entries.find(|e| e["name"] == name).unwrap()["state"].clone()
    };
    for name in [
        "server_group_soft_affinity",
        "server_group_soft_anti_affinity",
    ] {
        assert_eq!(state(name), "in_use", "{name}");
    }
    assert_eq!(host.problems(), Vec::<String>::new());
    host.done(&["server", "create", "one", "--flavor", "1", "--wait"]);
}
