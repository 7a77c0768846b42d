//! Drivers that are alive and harmful, each kind in the real program: one that hangs or panics is named and kept away, the
//! host serves without it, drains and exits.

use longshore_tests::host::{Said, TestHost};

use crate::quarantine::add;

const NAMESPACES: [(&str, &str); 4] = [
    ("filter", "longshore.scheduler.filter"),
    ("weigher", "longshore.scheduler.weigher"),
    ("scheduler", "longshore.scheduler.driver"),
    ("host_manager", "longshore.scheduler.host_manager"),
];

/// A host whose driver of this role does what it is told, with these other options of the scheduler.
fn obedient(role: &str, options: &str) -> TestHost {
    let choice = match role {
        "filter" => "enabled_filters = [\"obedient\", \"ram\"]",
        "weigher" => "weighers = { obedient = 1.0 }",
        "scheduler" => "driver = \"obedient\"",
        _ => "host_manager = \"obedient\"\nenabled_filters = [\"compute\"]",
    };
    let config = format!("[scheduler]\n{choice}\n{options}\n[plugins]\npanic_limit = 1\n");
    let mut host = TestHost::new(&config, "").hosts(2);
    add(&host, namespace(role), "obedient = \"LIB\"");
    host.start();
    host
}

fn namespace(role: &str) -> &'static str {
    let found = NAMESPACES.iter().find(|(r, _)| *r == role);
    found.expect("a role of the scheduler").1
}

fn boot(host: &TestHost, name: &str, hint: &str) -> Said {
    let mut args = vec!["server", "create", name, "--flavor", "1", "--wait"];
    if !hint.is_empty() {
        args.extend(["--hint", hint]);
    }
    host.cli(&args)
}

/// The fault of a server that ended in ERROR.
fn fault(host: &TestHost, name: &str) -> String {
    let shown = host.json(&["server", "show", name]);
    shown["fault"]["message"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

/// The one fence that `/readyz`, `plugin list` and `plugin show` name.
fn is_named(host: &TestHost, role: &str, reason: &str) {
    let namespace = namespace(role);
    let found = host.problems();
    let item = format!("fence {namespace} obedient: {reason}; it is tried again in ");
    assert!(found.iter().any(|l| l.starts_with(&item)), "{found:#?}");
    let listed = host.json(&["plugin", "list", "--namespace", namespace]);
    let entries = listed.as_array().unwrap().iter();
    let mut its = entries.filter(|e| e["name"] == "obedient");
    assert_eq!(its.next().unwrap()["fences"][0]["reason"], reason);
    let shown = host.json(&["plugin", "show", namespace, "obedient"]);
    assert_eq!(shown["state"], "in_use");
    assert!(shown["fences"][0]["tried_in_s"].is_u64(), "{shown:#}");
    let why = host
        .done(&["plugin", "list", "--why", "--namespace", namespace])
        .out;
    assert!(why.contains(&format!("fenced: {reason}")), "{why}");
}

/// Short, as whoever hangs takes all of it; the others take next to nothing.
const SHORT: &str = "driver_deadline_s = 2";
const HANGS: &str = "one of its calls does not come back";

#[test]
fn a_filter_that_hangs_is_fenced_and_the_next_request_goes_on_without_it() {
    let mut host = obedient("filter", &format!("{SHORT}\non_filter_fault = \"skip\""));
    assert_eq!(boot(&host, "bad", "filter=hang").code, Some(1));
    let why = fault(&host, "bad");
    assert!(
        why.contains("filter `obedient` in `filter_all` failed"),
        "{why}"
    );
    is_named(&host, "filter", HANGS);
    assert_eq!(boot(&host, "good", "").code, Some(0));
    host.audit(&[], "fake");
    assert_eq!(host.stop().code(), Some(0));
}

#[test]
fn a_weigher_that_hangs_is_fenced_and_left_out() {
    let mut host = obedient("weigher", SHORT);
    assert_eq!(boot(&host, "bad", "weigher=hang").code, Some(1));
    is_named(&host, "weigher", HANGS);
    assert_eq!(boot(&host, "good", "").code, Some(0));
    assert_eq!(host.stop().code(), Some(0));
}

#[test]
fn a_scheduler_or_host_manager_that_hangs_answers_with_its_fence() {
    for (role, call) in [
        ("scheduler", "scheduler `obedient` in `select_destinations`"),
        (
            "host_manager",
            "host manager `obedient` in `eligible_hosts`",
        ),
    ] {
        let mut host = obedient(role, SHORT);
        assert_eq!(boot(&host, "good", "").code, Some(0));
        assert_eq!(boot(&host, "bad", &format!("{role}=hang")).code, Some(1));
        let why = fault(&host, "bad");
        assert!(why.contains(call), "{why}");
        is_named(&host, role, HANGS);
        assert_eq!(boot(&host, "next", "").code, Some(1));
        let why = fault(&host, "next");
        assert!(why.contains("the driver is fenced"), "{why}");
        host.audit(&[], "fake");
        assert_eq!(host.stop().code(), Some(0));
    }
}

#[test]
fn each_kind_that_panics_is_fenced_at_the_limit() {
    for (role, _) in NAMESPACES {
        let mut host = obedient(role, "on_filter_fault = \"skip\"");
        boot(&host, "bad", &format!("{role}=panic"));
        is_named(&host, role, "it panicked");
        let goes_on = ["filter", "weigher"].contains(&role);
        let code = if goes_on { 0 } else { 1 };
        assert_eq!(boot(&host, "next", "").code, Some(code), "{role}");
        assert_eq!(host.stop().code(), Some(0));
    }
}

#[test]
fn a_driver_whose_drop_hangs_does_not_hold_the_end() {
    let mut host = TestHost::new("[compute]\nvirt = \"deadly\"\n", "");
    let entry = "deadly = { lib = \"LIB\", settings = { drops = \"hang\" } }";
    add(&host, "longshore.virt.driver", entry);
    host.start();
    assert_eq!(host.stop().code(), Some(0));
    let said = "dropping driver `deadly` takes too long: it is left behind";
    assert!(host.log().contains(said), "{}", host.log());
    // It ended by its own decision: nobody is blamed.
    host.start();
    assert_eq!(host.problems(), Vec::<String>::new());
}

#[test]
fn a_constructor_that_hangs_does_not_keep_the_host_from_being_stopped() {
    let mut host = TestHost::new("[compute]\nvirt = \"deadly\"\n", "");
    let entry = "deadly = { lib = \"LIB\", settings = { builds = \"hang\" } }";
    add(&host, "longshore.virt.driver", entry);
    host.begin();
    let said = "still waiting for `deadly`, which is in `new`";
    host.until_logged(said);
    assert_eq!(host.stop().code(), Some(0));
}
