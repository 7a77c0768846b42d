//! What drivers cost, in the real program: calls, times and hosts removed are in `plugin show`, and a slow driver is named.

use longshore_tests::host::TestHost;
use serde_json::Value as Json;

use crate::quarantine::add;

const FILTER: &str = "longshore.scheduler.filter";
/// Enough calls for somebody to be called slow.
const INSTANCES: u64 = 12;

/// A host of two nodes whose filter `obedient` passes every host, and takes its time when a request says so.
fn host() -> TestHost {
    let config = "[scheduler]\nenabled_filters = [\"obedient\", \"ram\"]\n";
    let mut host = TestHost::new(config, "").hosts(2);
    add(&host, FILTER, "obedient = \"LIB\"");
    host.start();
    host
}

fn stats(host: &TestHost, namespace: &str, name: &str) -> Json {
    host.json(&["plugin", "show", namespace, name])["stats"].clone()
}

fn method<'s>(stats: &'s Json, name: &str) -> &'s Json {
    let mut methods = stats["methods"].as_array().unwrap().iter();
    let found = methods.find(|m| m["method"] == name);
    found.unwrap_or_else(|| panic!("no `{name}` in {stats:#}"))
}

fn create(host: &TestHost, name: &str, flavor: &str, count: u64, hint: &str) -> Option<i32> {
    let count = count.to_string();
    let args = [
        "server", "create", name, "--flavor", flavor, "--count", &count, "--hint", hint, "--wait",
    ];
    host.cli(&args).code
}

#[test]
fn a_slow_filter_is_measured_and_named_once() {
    let host = host();
    assert_eq!(stats(&host, FILTER, "obedient")["calls"], 0);
    assert_eq!(create(&host, "web", "1", INSTANCES, "filter=slow"), Some(0));

    let its = stats(&host, FILTER, "obedient");
    let filtered = method(&its, "filter_all");
    // Once more for the alternates.
    let calls = INSTANCES + 1;
    assert_eq!(filtered["calls"], calls);
    assert_eq!(filtered["failures"], 0);
    for key in ["p50_us", "p99_us", "max_us"] {
        let time_us = filtered[key].as_f64().unwrap();
        assert!(time_us > 20_000.0 * 15.0 / 16.0, "{key}: {time_us}");
    }
    assert_eq!(its["hosts_seen"], 2 * calls);
    assert_eq!(its["hosts_removed"], 0);
    let slow = its["slow"].as_str().unwrap();
    assert!(slow.contains("p50 of `filter_all` is "), "{slow}");

    let shown = host.done(&["plugin", "show", FILTER, "obedient"]).out;
    assert!(shown.contains(&format!("slow: {slow}")), "{shown}");
    assert!(shown.contains("since the host started"), "{shown}");
    assert!(shown.contains("hosts removed: 0 of 26 (0.0 %)"), "{shown}");
    let log = host.log();
    assert_eq!(log.matches("driver/slow").count(), 1, "{log}");
    assert!(log.contains("driver `obedient` is slow"), "{log}");
    let others = [
        (FILTER, "ram"),
        ("longshore.scheduler.driver", "filter_scheduler"),
        ("longshore.scheduler.host_manager", "host_manager"),
        ("longshore.scheduler.weigher", "ram"),
        ("longshore.virt.driver", "fake"),
    ];
    for (namespace, name) in others {
        let its = stats(&host, namespace, name);
        assert!(its["calls"].as_u64() > Some(0), "{name}: {its:#}");
        assert_eq!(its["slow"], Json::Null, "{name}");
    }
}

#[test]
fn what_filters_took_out_and_what_failed_is_counted() {
    let host = host();
    let flavor = ["--ram", "900000", "--vcpus", "1", "--disk", "0"];
    host.done(&[&["flavor", "create", "huge"], &flavor[..]].concat());
    assert_eq!(create(&host, "big", "huge", 1, "filter=no"), Some(1));
    let ram = stats(&host, FILTER, "ram");
    assert_eq!(
        (&ram["hosts_seen"], &ram["hosts_removed"]),
        (&2.into(), &2.into())
    );
    assert_eq!(ram["failures"], 0);
    // That no host is valid is an answer, no failure of the scheduler.
    let scheduler = stats(&host, "longshore.scheduler.driver", "filter_scheduler");
    assert_eq!(method(&scheduler, "select_destinations")["failures"], 0);
    assert_eq!(create(&host, "bad", "1", 1, "filter=panic"), Some(1));
    assert_eq!(stats(&host, FILTER, "obedient")["failures"], 1);
    // A driver that no service uses has no numbers.
    assert_eq!(stats(&host, FILTER, "json"), Json::Null);
}
