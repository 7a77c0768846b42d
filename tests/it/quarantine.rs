//! Drivers that end the host: the death is attributed at the next start, the third is prevented, nothing is lost, and an
//! operator can let the driver go. And drivers that are alive and harmful: they are fenced.

use std::fs;

use longshore_tests::files;
use longshore_tests::host::{TestHost, settled};
use serde_json::Value as Json;

const VIRT: &str = "longshore.virt.driver";
const FILTER: &str = "longshore.scheduler.filter";

/// Adds an entry point to a namespace that the shipped map has already.
fn add(host: &TestHost, namespace: &str, entry: &str) {
    let lib = files::plugin("debug", "longshore-misbehaving");
    let dir = host.dir().join("plugins.d");
    fs::create_dir_all(&dir).unwrap();
    let text = format!(
        "[{namespace:?}]\n{}\n",
        entry.replace("LIB", &lib.display().to_string())
    );
    fs::write(dir.join("50-deadly.toml"), text).unwrap();
}

fn state(host: &TestHost, namespace: &str, name: &str) -> String {
    let shown = host.json(&["plugin", "show", namespace, name]);
    shown["state"].as_str().unwrap().to_owned()
}

/// Starts the host, which dies while it starts or soon after, from what is left to do.
fn dies_again(host: &mut TestHost) {
    if host.try_start().is_ok() {
        host.ended();
    }
}

fn dies_in_spawn(how: &str) {
    let mut host = TestHost::new("[compute]\nvirt = \"deadly\"\n", "");
    let entry =
        |how: &str| format!("deadly = {{ lib = \"LIB\", settings = {{ dies = \"{how}\" }} }}");
    add(&host, VIRT, &entry(how));
    host.start();
    let made = host.json(&[
        "server", "create", "good", "--flavor", "1", "--count", "3", "--wait",
    ]);
    let mut accepted: Vec<String> = match made {
        Json::Array(all) => all
            .iter()
            .map(|s| s["id"].as_str().unwrap().to_owned())
            .collect(),
        other => panic!("a list of servers, not {other}"),
    };
    let said = host.cli(&["--json", "server", "create", "deadly", "--flavor", "1"]);
    if said.code == Some(0) {
        let id = &said.json()["id"];
        accepted.extend(id.as_str().map(str::to_owned));
    }
    host.ended();
    dies_again(&mut host);
    assert!(
        host.log()
            .contains("the last process died while in `deadly.spawn`"),
        "{}",
        host.log()
    );
    // The third start serves without it and says why.
    host.start();
    let why = "the host died twice while in `deadly.spawn`";
    let found = host.problems();
    for item in [
        "driver longshore.virt.driver deadly",
        "service longshore-compute",
    ] {
        let named = |line: &&String| line.contains(item) && line.contains(why);
        assert!(found.iter().any(|l| named(&l)), "{item}: {found:#?}");
    }
    assert!(host.log().contains("plugin/quarantined"));
    assert_eq!(state(&host, VIRT, "deadly"), "quarantined");
    let servers = host.servers();
    for id in &accepted {
        assert!(
            servers.iter().any(|s| s["id"] == id.as_str()),
            "{id} is lost"
        );
    }
    assert_eq!(host.stop().code(), Some(0));
    released(host, &entry(""), &accepted);
}

/// Without a running host: looked at, mended and released. Then nothing is lost.
fn released(mut host: TestHost, mended: &str, accepted: &[String]) {
    let listed = host.json(&["plugin", "quarantine", "list"]);
    assert_eq!(
        (&listed[0]["name"], &listed[0]["call"]),
        (&"deadly".into(), &"spawn".into())
    );
    assert_eq!(state(&host, VIRT, "deadly"), "quarantined");
    let shown = host
        .done(&["plugin", "quarantine", "show", VIRT, "deadly"])
        .out;
    assert!(
        shown.contains("the host died twice while in `deadly.spawn`"),
        "{shown}"
    );
    assert_eq!(
        host.cli(&["plugin", "quarantine", "release", VIRT, "deadlier"])
            .code,
        Some(4)
    );
    add(&host, VIRT, mended);
    let said = host.done(&["plugin", "quarantine", "release", VIRT, "deadly"]);
    assert_eq!(said.out, "longshore.virt.driver/deadly\n");
    assert_eq!(
        host.json(&["plugin", "quarantine", "list"]),
        Json::Array(Vec::new())
    );
    host.start();
    assert_eq!(host.problems(), Vec::<String>::new());
    host.until("every server reaches an end", settled);
    host.audit(accepted, "deadly");
}

#[test]
fn a_virt_driver_that_aborts_is_locked_out_at_the_third_start() {
    dies_in_spawn("abort");
}

#[test]
fn a_virt_driver_that_exits_is_locked_out_at_the_third_start() {
    dies_in_spawn("exit");
}

#[test]
fn a_virt_driver_that_overflows_its_stack_is_locked_out_at_the_third_start() {
    dies_in_spawn("stack");
}

#[test]
fn a_virt_driver_that_faults_is_locked_out_at_the_third_start() {
    dies_in_spawn("segfault");
}

#[test]
fn a_filter_that_ends_the_host_is_skipped_at_the_third_start_if_filters_are_recorded() {
    let config = "[scheduler]\nenabled_filters = [\"deadly_filter\", \"ram\"]\n[plugins]\nrecord = \"all\"\n";
    let mut host = TestHost::new(config, "");
    add(&host, FILTER, "deadly_filter = \"LIB\"");
    host.start();
    host.cli(&["server", "create", "one", "--flavor", "1"]);
    host.ended();
    dies_again(&mut host);
    host.start();
    let found = host.problems();
    let named = |l: &String| l.contains("the host died twice while in `deadly_filter.filter_all`");
    assert!(found.iter().any(named), "{found:#?}");
    assert_eq!(state(&host, FILTER, "deadly_filter"), "quarantined");
    host.until("the server is built without the filter", settled);
    host.audit(&[], "fake");
}

#[test]
fn a_constructor_that_ends_the_host_does_so_twice() {
    let mut host = TestHost::new("[scheduler]\nenabled_filters = [\"built\", \"ram\"]\n", "");
    add(&host, FILTER, "built = \"LIB:deadly_when_built\"");
    for _ in 0..2 {
        // It ends with status 0, which must not pass for a clean stop.
        assert_eq!(host.try_start().unwrap_err().code, Some(0));
    }
    host.start();
    let found = host.problems();
    let named = |l: &String| l.contains("the host died twice while in `built.new`");
    assert!(found.iter().any(named), "{found:#?}");
    host.done(&["server", "create", "one", "--flavor", "1", "--wait"]);
}

#[test]
fn stops_blame_nobody_and_under_strict_a_locked_out_driver_stops_the_start() {
    let mut host = TestHost::new(
        "[scheduler]\nenabled_filters = [\"built\", \"ram\"]\n[plugins]\npolicy = \"strict\"\n",
        "",
    );
    add(&host, FILTER, "built = \"LIB:deadly_when_built\"");
    for _ in 0..2 {
        assert_eq!(host.try_start().unwrap_err().code, Some(0));
    }
    let refused = host.try_start().unwrap_err();
    assert_eq!(refused.code, Some(4));
    assert!(
        refused.err.contains("error[plugin/quarantined]"),
        "{}",
        refused.err
    );
    // The start that was refused ended by its own decision.
    let before = host.log();
    assert_eq!(host.try_start().unwrap_err().code, Some(4));
    assert!(!host.log()[before.len()..].contains("the last process"));
    host.done(&["plugin", "quarantine", "release", "--all"]);
    assert_eq!(
        host.try_start().unwrap_err().code,
        Some(0),
        "it is tried again"
    );
}

#[test]
fn a_virt_driver_that_panics_too_often_is_fenced_and_readyz_names_it() {
    let mut host = TestHost::new("[host]\nname = \"h1\"\n[plugins]\npanic_limit = 2\n", "");
    let dir = host.dir().join("plugins.d");
    fs::create_dir_all(&dir).unwrap();
    let patch = format!(
        "[{VIRT:?}]\nfake = {{ patch = true, settings = {{ panic_spawn_match = \"bad\" }} }}\n"
    );
    fs::write(dir.join("50-panics.toml"), patch).unwrap();
    host.start();
    let boot = |name: &str| host.cli(&["server", "create", name, "--flavor", "1", "--wait"]);
    assert_eq!(boot("bad-1").code, Some(1));
    assert_eq!(host.problems(), Vec::<String>::new());
    assert_eq!(boot("bad-2").code, Some(1));
    let found = host.problems();
    let named = |l: &String| {
        l.contains("fence longshore.virt.driver fake on h1") && l.contains("it panicked 2 times")
    };
    assert!(found.iter().any(named), "{found:#?}");
    assert!(host.log().contains("driver `fake` is fenced"));
    // Kept away, not lost: it ends with a fault.
    assert_eq!(boot("good").code, Some(1));
    host.audit(&[], "fake");
}
