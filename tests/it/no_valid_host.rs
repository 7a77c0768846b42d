//! A request that no host can take, in the real program: `server show` tells the user filter by filter how many hosts were
//! left, and what the last ones had against what was wanted.

use longshore_tests::host::TestHost;

/// Columns of a small terminal.
const COLUMNS: usize = 80;

/// Boots what cannot be booted; answers the fault's message, and its details line by line.
fn fault(host: &TestHost, name: &str, options: &[&str]) -> (String, Vec<String>) {
    let args = [&["server", "create", name, "--wait"], options].concat();
    assert_eq!(host.cli(&args).code, Some(1), "{args:?}");
    let servers = host.servers();
    let mut its = servers
        .iter()
        .filter(|s| s["name"].as_str().unwrap().starts_with(name));
    let id = its.next().unwrap()["id"].as_str().unwrap().to_owned();
    let shown = host.json(&["server", "show", &id]);
    let text = |key: &str| shown["fault"][key].as_str().unwrap_or_default().to_owned();
    let details: Vec<String> = text("details").lines().map(str::to_owned).collect();
    let people = host.done(&["server", "show", &id]).out;
    let below: Vec<&str> = people
        .lines()
        .skip_while(|line| !line.starts_with("fault: "))
        .collect();
    assert_eq!(below[0], format!("fault: {}", text("message")));
    let indented: Vec<String> = details.iter().map(|line| format!("  {line}")).collect();
    assert_eq!(below[1..], indented);
    // The first line is wrapped where a terminal is narrower.
    let fits = |line: &&str| line.chars().count() <= COLUMNS;
    assert!(below[1..].iter().all(fits), "{below:#?}");
    (text("message"), details)
}

fn create_flavor(host: &TestHost, name: &str, ram_mb: &str, disk_gb: &str) {
    let size = ["--ram", ram_mb, "--vcpus", "1", "--disk", disk_gb];
    host.done(&[&["flavor", "create", name], &size[..]].concat());
}

#[test]
fn a_fault_says_filter_by_filter_why_no_host_was_valid() {
    let filters = ["availability_zone", "compute", "ram", "disk"];
    let config = format!("[scheduler]\nenabled_filters = {filters:?}\n");
    let mut host = TestHost::new(&config, "").hosts(5);
    host.start();

    create_flavor(&host, "huge", "900000", "1");
    let (message, details) = fault(&host, "big", &["--flavor", "huge"]);
    assert_eq!(
        message,
        "no valid host was found: filter `ram` left 0 of 5 hosts"
    );
    assert_eq!(
        details[0],
        "availability_zone: 5 → 5, compute: 5 → 5, ram: 5 → 0"
    );
    let wanted = "it has 262144 MB of memory altogether, 900000 MB are wanted";
    assert_eq!(details[1], format!("host-0001: {wanted}"));
    assert_eq!(details[3], format!("host-0003: {wanted}"));
    assert_eq!(
        details[4..],
        ["and 2 more", "NoValidHost (schedule/no-valid-host)"]
    );

    host.done(&["aggregate", "create", "harbour", "--zone", "south"]);
    host.done(&["aggregate", "add-host", "harbour", "host-0005"]);
    let (message, details) = fault(&host, "far", &["--flavor", "huge", "--az", "south"]);
    assert!(
        message.contains("filter `ram` left 0 of 1 hosts"),
        "{message}"
    );
    assert_eq!(
        details[0],
        "availability_zone: 5 → 1, compute: 1 → 1, ram: 1 → 0"
    );
    assert!(details[1].starts_with("host-0005: "), "{details:?}");
}

#[test]
fn of_several_instances_the_one_without_a_host_is_named() {
    let config = "[scheduler]\nenabled_filters = [\"compute\", \"ram\"]\n";
    let mut host = TestHost::new(config, "").hosts(2);
    host.start();
    // A host has 262144 MB, 512 of them its own: half as much again may be promised, which is enough for one.
    create_flavor(&host, "half", "200000", "1");
    let (message, details) = fault(&host, "web", &["--flavor", "half", "--count", "4"]);
    let wanted = "no valid host was found for instance 3 of 4: filter `ram` left 0 of 1 hosts";
    assert_eq!(message, wanted);
    let before = ["taken out for the instances before:", "ram 1", "ram: 1 → 0"];
    assert_eq!(details[..3], before);
    let text = "192704 MB of memory are left, 200000 MB are wanted";
    assert!(details[3].ends_with(text), "{details:?}");
    // All or nothing: the hosts are as empty as before.
    host.done(&[
        "server", "create", "two", "--flavor", "half", "--count", "2", "--wait",
    ]);
}
