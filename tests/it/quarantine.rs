//! Drivers that end the host: the death is attributed at the next start, the third is prevented, nothing is lost, and an
//! operator can let the driver go. And drivers that are alive and harmful: they are fenced.

use std::fs;

use longshore_tests::files;
use longshore_tests::host::{TestHost, settled};
use serde_json::Value as Json;

const VIRT: &str = "longshore.virt.driver";
const FILTER: &str = "longshore.scheduler.filter";

/// Adds an entry point to a namespace that the shipped map has already.
pub(crate) fn add(host: &TestHost, namespace: &str, entry: &str) {
    let lib = files::plugin("debug", "longshore-misbehaving");
    let dir = host.dir().join("plugins.d");
    fs::create_dir_all(&dir).unwrap();
    let text = format!(
        "[{namespace:?}]\n{}\n",
        entry.replace("LIB", &lib.display().to_string())
    );
    fs::write(dir.join("50-deadly.toml"), text).unwrap();
}

pub(crate) fn state(host: &TestHost, namespace: &str, name: &str) -> String {
    let shown = host.json(&["plugin", "show", namespace, name]);
    shown["state"].as_str().unwrap().to_owned()
}

/// Starts the host, which dies while it starts or soon after, from what is left to do.
pub(crate) fn dies_again(host: &mut TestHost) {
    if host.try_start().is_ok() {
        host.ended();
    }
}

fn dies_in_spawn(how: &str) {
    let host = TestHost::new("[compute]\nvirt = \"deadly\"\n", "");
    dies_in_spawn_of(host, how, "");
}

/// `last_words` is what the process that died says, or the next one of it.
fn dies_in_spawn_of(mut host: TestHost, how: &str, last_words: &str) {
    let entry =
        |how: &str| format!("deadly = {{ lib = \"LIB\", settings = {{ dies = \"{how}\" }} }}");
    add(&host, VIRT, &entry(how));
    host.start();
    let mut accepted = three_good_ones(&host);
    accepted.extend(accepted_if(&host, "deadly", &[]));
    host.ended();
    dies_again(&mut host);
    assert!(host.log().contains(last_words), "{}", host.log());
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
    all_there(&host, &accepted);
    assert_eq!(host.stop().code(), Some(0));
    released(host, &entry(""), &accepted);
}

/// Servers that exist before anything goes wrong.
fn three_good_ones(host: &TestHost) -> Vec<String> {
    let made = host.json(&[
        "server", "create", "good", "--flavor", "1", "--count", "3", "--wait",
    ]);
    let ids = made.as_array().unwrap().iter();
    ids.map(|s| s["id"].as_str().unwrap().to_owned()).collect()
}

/// Asks for a server; its id, if the host lived long enough to accept it.
fn accepted_if(host: &TestHost, name: &str, more: &[&str]) -> Option<String> {
    let args = ["--json", "server", "create", name, "--flavor", "1"];
    let said = host.cli(&[&args, more].concat());
    if said.code != Some(0) {
        return None;
    }
    said.json()["id"].as_str().map(str::to_owned)
}

fn all_there(host: &TestHost, accepted: &[String]) {
    let servers = host.servers();
    for id in accepted {
        let is_there = servers.iter().any(|s| s["id"] == id.as_str());
        assert!(is_there, "{id} is lost");
    }
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
    let host = TestHost::new("[compute]\nvirt = \"deadly\"\n", "");
    dies_in_spawn_of(host, "exit", "`deadly` ended the process in `spawn`");
}

#[test]
fn a_virt_driver_that_overflows_its_stack_is_locked_out_at_the_third_start() {
    let host = TestHost::new("[compute]\nvirt = \"deadly\"\n", "");
    let last_words = "thread 'longshore-driver-calls'";
    dies_in_spawn_of(host, "stack", last_words);
}

#[test]
fn a_virt_driver_that_takes_all_memory_is_locked_out_at_the_third_start() {
    // The machine keeps its memory: the host may not have more than this.
    let host = TestHost::new("[compute]\nvirt = \"deadly\"\n", "").address_space_kb(8 << 20);
    dies_in_spawn_of(host, "memory", "memory allocation of 67108864 bytes failed");
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

/// A driver of the scheduler ends the host in a request, and in the same one again after the restart. The third start
/// serves without the driver and says why; whatever there was before is still there.
fn dies_in_scheduling(config: &str, (namespace, role): (&str, &str), how: &str, call: &str) {
    let mut host = TestHost::new(config, "").hosts(2);
    add(&host, namespace, "obedient = \"LIB\"");
    host.start();
    let mut accepted = three_good_ones(&host);
    let hint = format!("{role}={how}");
    accepted.extend(accepted_if(&host, "bad", &["--hint", &hint]));
    host.ended();
    dies_again(&mut host);
    let blamed = format!("the last process died while in `obedient.{call}`");
    assert!(host.log().contains(&blamed), "{}", host.log());
    host.start();
    let found = host.problems();
    let why = format!("the host died twice while in `obedient.{call}`");
    assert!(found.iter().any(|l| l.contains(&why)), "{found:#?}");
    assert_eq!(state(&host, namespace, "obedient"), "quarantined");
    host.until("every server reaches an end", settled);
    all_there(&host, &accepted);
    host.audit(&accepted, "fake");
    let servers = host.servers();
    let active = servers.iter().filter(|s| s["status"] == "ACTIVE").count();
    assert!(active >= 3, "those from before run: {servers:#?}");
    assert_eq!(host.stop().code(), Some(0));
}

#[test]
fn a_filter_that_overflows_its_stack_is_skipped_at_the_third_start() {
    let config =
        "[scheduler]\nenabled_filters = [\"obedient\", \"ram\"]\n[plugins]\nrecord = \"all\"\n";
    dies_in_scheduling(config, (FILTER, "filter"), "stack", "filter_all");
}

#[test]
fn a_weigher_that_aborts_is_skipped_at_the_third_start() {
    let config = "[scheduler.weighers]\nobedient = 1.0\n[plugins]\nrecord = \"all\"\n";
    let weigher = ("longshore.scheduler.weigher", "weigher");
    dies_in_scheduling(config, weigher, "abort", "weigh_all");
}

#[test]
fn a_scheduler_that_faults_is_locked_out_and_the_rest_serves() {
    let config = "[scheduler]\ndriver = \"obedient\"\n";
    let scheduler = ("longshore.scheduler.driver", "scheduler");
    dies_in_scheduling(config, scheduler, "segfault", "select_destinations");
}

#[test]
fn a_host_manager_that_exits_is_locked_out_and_the_rest_serves() {
    let config = "[scheduler]\nhost_manager = \"obedient\"\nenabled_filters = [\"compute\"]\n";
    let manager = ("longshore.scheduler.host_manager", "host_manager");
    dies_in_scheduling(config, manager, "exit", "eligible_hosts");
}

#[test]
fn a_filter_that_is_not_recorded_does_not_make_its_scheduler_guilty() {
    let config = "[scheduler]\nenabled_filters = [\"obedient\", \"ram\"]\n";
    let mut host = TestHost::new(config, "");
    add(&host, FILTER, "obedient = \"LIB\"");
    host.start();
    accepted_if(&host, "bad", &["--hint", "filter=abort"]);
    host.ended();
    dies_again(&mut host);
    let said = "the last process ended without a stop, with no driver in a call";
    assert!(host.log().contains(said), "{}", host.log());
}

#[test]
fn a_driver_that_ends_the_host_while_it_is_dropped_does_so_twice() {
    let mut host = TestHost::new("[compute]\nvirt = \"deadly\"\n", "");
    add(
        &host,
        VIRT,
        "deadly = { lib = \"LIB\", settings = { drops = \"abort\" } }",
    );
    for _ in 0..2 {
        host.start();
        assert_eq!(host.stop().code(), None, "a signal ends it");
    }
    host.start();
    let found = host.problems();
    let named = |l: &String| l.contains("the host died twice while in `deadly.drop`");
    assert!(found.iter().any(named), "{found:#?}");
    assert_eq!(host.stop().code(), Some(0));
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
