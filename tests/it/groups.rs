//! Server groups and hints that name other servers, with the real program: who is placed beside whom.

use std::collections::BTreeSet;

use longshore_tests::host::{TestHost, settled};
use serde_json::Value as Json;

/// What honours groups and hints, beside the least that a host needs.
const SCHEDULER: &str = r#"[scheduler]
enabled_filters = ["compute", "ram", "server_group_anti_affinity", "server_group_affinity",
    "different_host", "same_host", "simple_cidr_affinity"]
weighers = { ram = 1.0, server_group_soft_anti_affinity = 1000.0, server_group_soft_affinity = 1000.0 }
"#;

fn text<'j>(json: &'j Json, key: &str) -> &'j str {
    json[key].as_str().unwrap_or_default()
}

fn three_hosts(config: &str) -> TestHost {
    let mut host = TestHost::new(config, "").hosts(3);
    host.start();
    host
}

fn group(host: &TestHost, name: &str, policy: &str) -> Json {
    host.json(&["server-group", "create", name, "--policy", policy])
}

/// Boots servers with hints and waits for them; answers their hosts.
fn boot(host: &TestHost, name: &str, count: &str, hints: &[&str]) -> Vec<String> {
    let mut args = vec!["server", "create", name, "--flavor", "m1.tiny"];
    args.extend(["--count", count, "--wait"]);
    args.extend(hints.iter().flat_map(|hint| ["--hint", hint]));
    let booted = host.json(&args);
    let all = match &booted {
        Json::Array(several) => several.clone(),
        one => vec![one.clone()],
    };
    assert!(all.iter().all(|s| text(s, "status") == "ACTIVE"), "{all:?}");
    all.iter().map(|s| text(s, "host").to_owned()).collect()
}

/// What is said of a boot that must not succeed.
fn refused(host: &TestHost, name: &str, hint: &str) -> String {
    let args = [
        "server", "create", name, "--flavor", "m1.tiny", "--wait", "--hint", hint,
    ];
    let said = host.cli(&args);
    assert_eq!(said.code, Some(1), "{said:#?}");
    said.err
}

fn distinct(hosts: &[String]) -> usize {
    hosts.iter().collect::<BTreeSet<_>>().len()
}

#[test]
fn members_of_a_strict_group_are_apart_or_together() {
    let host = three_hosts(SCHEDULER);
    let apart = group(&host, "apart", "anti-affinity");
    assert_eq!(distinct(&boot(&host, "db", "3", &["group=apart"])), 3);
    // Nothing is left for a fourth one, and it says why.
    let hint = format!("group={}", text(&apart, "id"));
    let why = refused(&host, "db-4", &hint);
    assert!(
        why.contains("`server_group_anti_affinity` left 0 of 3"),
        "{why}"
    );
    host.done(&["server", "delete", "db-4", "--wait"]);
    // A member that went leaves its host to the next one.
    let gone = text(&host.json(&["server", "show", "db-2"]), "host").to_owned();
    host.done(&["server", "delete", "db-2", "--wait"]);
    assert_eq!(boot(&host, "db-5", "1", &["group=apart"]), [gone]);

    group(&host, "together", "affinity");
    let first = boot(&host, "cache", "3", &["group=together"]);
    assert_eq!(distinct(&first), 1, "{first:?}");
    assert_eq!(boot(&host, "cache-4", "1", &["group=together"]), first[..1]);
    let members = host.json(&["server-group", "show", "together"]);
    assert_eq!(members["members"].as_array().unwrap().len(), 4);
}

#[test]
fn members_of_a_soft_group_are_apart_or_together_as_far_as_possible() {
    let host = three_hosts(SCHEDULER);
    group(&host, "spread", "soft-anti-affinity");
    let four =
        [0, 1, 2, 3].map(|n| boot(&host, &format!("w{n}"), "1", &["group=spread"]).remove(0));
    assert_eq!((distinct(&four[..3]), distinct(&four)), (3, 3), "{four:?}");
    assert_eq!(distinct(&boot(&host, "v", "3", &["group=spread"])), 3);
    group(&host, "near", "soft-affinity");
    assert_eq!(distinct(&boot(&host, "m", "3", &["group=near"])), 1);
    let two = [0, 1].map(|n| boot(&host, &format!("n{n}"), "1", &["group=near"]).remove(0));
    assert_eq!(distinct(&two), 1, "{two:?}");
}

#[test]
fn hints_name_servers_to_be_with_or_without_and_an_address_to_be_near() {
    let mut host = three_hosts(SCHEDULER);
    let first = boot(&host, "a", "1", &[]);
    let id = text(&host.json(&["server", "show", "a"]), "id").to_owned();
    for n in 0..3 {
        let same = format!("same_host={id}");
        assert_eq!(boot(&host, &format!("same-{n}"), "1", &[&same]), first);
        let other = format!("different_host={id}");
        assert_ne!(boot(&host, &format!("other-{n}"), "1", &[&other]), first);
    }
    host.kill9();
    host.start();
    let same = format!("same_host={id}");
    assert_eq!(boot(&host, "after", "1", &[&same]), first);
    boot(
        &host,
        "near",
        "1",
        &["build_near_host_ip=127.0.0.9", "cidr=/24"],
    );
    let why = refused(&host, "far", "build_near_host_ip=192.0.2.1");
    assert!(why.contains("`simple_cidr_affinity` left 0 of 3"), "{why}");
}

#[test]
fn requests_one_after_the_other_see_each_others_instances() {
    let host = three_hosts(SCHEDULER);
    group(&host, "apart", "anti-affinity");
    for n in 0..3 {
        let name = format!("db-{n}");
        // Nobody waits for the one before to be there.
        let args = [
            "server",
            "create",
            &name,
            "--flavor",
            "m1.tiny",
            "--hint",
            "group=apart",
        ];
        host.done(&args);
    }
    let servers = host.until("built", settled);
    let hosts: Vec<String> = servers.iter().map(|s| text(s, "host").to_owned()).collect();
    assert_eq!(distinct(&hosts), 3, "{servers:?}");
}

#[test]
fn a_policy_that_nothing_honours_is_refused_and_an_unknown_group_named() {
    let host = three_hosts("");
    group(&host, "apart", "soft-anti-affinity");
    let why = refused(&host, "db", "group=apart");
    assert!(
        why.contains("weigher `server_group_soft_anti_affinity` is not enabled"),
        "{why}"
    );
    let why = refused(&host, "web", "group=apat");
    assert!(why.contains("did you mean `apart`?"), "{why}");
    // Deleting the group leaves its servers, and what they are does not change.
    host.done(&["server-group", "delete", "apart"]);
    assert_eq!(
        host.json(&["server-group", "list"]),
        Json::Array(Vec::new())
    );
    assert_eq!(
        text(&host.json(&["server", "show", "db"]), "status"),
        "ERROR"
    );
}

#[test]
fn fifty_servers_of_one_request_become_active() {
    let host = three_hosts("");
    assert_eq!(boot(&host, "web", "50", &[]).len(), 50);
    let ids: Vec<String> = host
        .servers()
        .iter()
        .map(|s| text(s, "id").to_owned())
        .collect();
    host.audit(&ids, "fake");
}
