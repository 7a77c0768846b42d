//! Booting, with the real program and drivers from `.so` files: what a user sees from the command line.

use longshore_tests::files;
use longshore_tests::host::{TestHost, settled};
use serde_json::Value as Json;

fn field<'j>(json: &'j Json, key: &str) -> &'j str {
    json[key].as_str().unwrap_or_default()
}

#[test]
fn three_servers_on_five_hosts_from_create_to_delete() {
    let mut host = TestHost::new("", "").hosts(5);
    host.start();
    let hosts = host.json(&["host", "list"]);
    assert_eq!(hosts.as_array().unwrap().len(), 5);
    assert!(
        hosts
            .as_array()
            .unwrap()
            .iter()
            .all(|h| field(h, "state") == "up"),
        "{hosts}"
    );
    host.done(&[
        "server", "create", "web", "--flavor", "m1.small", "--count", "3", "--wait",
    ]);
    let servers = host.servers();
    assert_eq!(servers.len(), 3);
    assert!(
        servers.iter().all(|s| field(s, "status") == "ACTIVE"),
        "{servers:?}"
    );
    let mut names: Vec<&str> = servers.iter().map(|s| field(s, "name")).collect();
    names.sort_unstable();
    assert_eq!(names, ["web-1", "web-2", "web-3"]);
    // Spread by the weighers: the hosts are equal, so each next one goes where most is free.
    let mut on: Vec<&str> = servers.iter().map(|s| field(s, "host")).collect();
    on.sort_unstable();
    on.dedup();
    assert_eq!(on.len(), 3, "{servers:?}");
    host.done(&["server", "stop", "web-1", "--wait"]);
    assert_eq!(
        field(&host.json(&["server", "show", "web-1"]), "status"),
        "SHUTOFF"
    );
    host.done(&["server", "start", "web-1", "--wait"]);
    host.done(&["server", "reboot", "web-1", "--wait"]);
    assert_eq!(
        field(&host.json(&["server", "show", "web-1"]), "status"),
        "ACTIVE"
    );
    let ids: Vec<String> = servers.iter().map(|s| field(s, "id").to_owned()).collect();
    host.audit(&ids, "fake");
    host.done(&["server", "delete", "web-1", "web-2", "web-3", "--wait"]);
    host.until("deleted", <[Json]>::is_empty);
    assert!(host.guests("fake").is_empty());
    assert_eq!(host.stop().code(), Some(0));
}

#[test]
fn servers_are_there_after_a_clean_restart() {
    let mut host = TestHost::new("", "").hosts(2);
    host.start();
    host.done(&[
        "server", "create", "kept", "--flavor", "m1.tiny", "--count", "4", "--wait",
    ]);
    let ids: Vec<String> = host
        .servers()
        .iter()
        .map(|s| field(s, "id").to_owned())
        .collect();
    assert_eq!(host.stop().code(), Some(0));
    host.start();
    host.audit(&ids, "fake");
}

/// One line of configuration, or one variable, changes the driver that is in use, and boots go on.
#[test]
fn the_scheduler_driver_is_switched_by_one_line_and_by_one_variable() {
    let in_use = |host: &TestHost| -> Vec<String> {
        let listed = host.json(&[
            "plugin",
            "list",
            "--namespace",
            "longshore.scheduler.driver",
        ]);
        let used = listed
            .as_array()
            .unwrap()
            .iter()
            .filter(|p| field(p, "state") == "in_use");
        used.map(|p| field(p, "name").to_owned()).collect()
    };
    let mut host = TestHost::new("", "").hosts(2);
    host.start();
    assert_eq!(in_use(&host), ["filter_scheduler"]);
    host.done(&["server", "create", "a", "--flavor", "m1.tiny", "--wait"]);
    host.stop();
    host.env("LONGSHORE__SCHEDULER__DRIVER", "chance_scheduler");
    host.start();
    assert_eq!(in_use(&host), ["chance_scheduler"]);
    host.done(&["server", "create", "b", "--flavor", "m1.tiny", "--wait"]);
    host.stop();
    let mut host = TestHost::new("[scheduler]\ndriver = \"chance_scheduler\"\n", "").hosts(2);
    host.start();
    assert_eq!(in_use(&host), ["chance_scheduler"]);
    host.done(&["server", "create", "c", "--flavor", "m1.tiny", "--wait"]);
}

#[test]
fn servers_boot_through_the_caching_scheduler_and_the_ironic_host_manager() {
    let scheduler = "driver = \"caching_scheduler\"\nhost_manager = \"ironic_host_manager\"";
    let mut host = TestHost::new(&format!("[scheduler]\n{scheduler}\n"), "").hosts(3);
    host.start();
    let create = |name: &str, count: &str| {
        let flavor = ["--flavor", "m1.tiny", "--wait", "--count", count];
        host.done(&[&["server", "create", name], &flavor[..]].concat());
    };
    create("several", "4");
    create("again", "2");
    let servers = host.json(&["server", "list"]);
    let servers = servers.as_array().unwrap();
    let are_active = servers
        .iter()
        .all(|server| field(server, "status") == "ACTIVE");
    assert!(are_active && servers.len() == 6, "{servers:?}");
}

#[test]
fn a_real_process_is_started_stopped_and_found_again() {
    let mut host = TestHost::new("[compute]\nvirt = \"process\"\n", "").hosts(1);
    host.start();
    host.done(&[
        "image",
        "create",
        "sleep",
        "--file",
        "/bin/sleep",
        "--property",
        "args=3600",
    ]);
    host.done(&[
        "server", "create", "nap", "--flavor", "m1.tiny", "--image", "sleep", "--wait",
    ]);
    let id = field(&host.json(&["server", "show", "nap"]), "id").to_owned();
    assert_eq!(running(&id), 1);
    host.done(&["server", "stop", "nap", "--wait"]);
    assert_eq!(running(&id), 0);
    host.done(&["server", "start", "nap", "--wait"]);
    assert_eq!(running(&id), 1);
    host.kill9();
    assert_eq!(running(&id), 1, "a guest outlives its host");
    host.start();
    assert_eq!(
        field(&host.json(&["server", "show", "nap"]), "status"),
        "ACTIVE"
    );
    assert_eq!(running(&id), 1, "found again, not started again");
    host.done(&["server", "delete", "nap", "--wait"]);
    host.until("deleted", <[Json]>::is_empty);
    assert_eq!(running(&id), 0);
}

/// Processes of an instance, by the marker in their environment.
fn running(id: &str) -> usize {
    let marker = format!("LONGSHORE_INSTANCE={id}");
    let all = std::fs::read_dir("/proc").unwrap().filter_map(Result::ok);
    let environments = all.filter_map(|e| std::fs::read(e.path().join("environ")).ok());
    environments
        .filter(|e| e.split(|b| *b == 0).any(|v| v == marker.as_bytes()))
        .count()
}

/// The template, copied out and renamed, built by this compiler in both profiles and by the oldest one: a release
/// host, built separately, loads, lists and schedules with all three.
#[test]
fn a_template_copied_out_of_the_workspace_is_built_loaded_and_used() {
    use longshore_tests::outside::{self, Build};
    let dir = tempfile::tempdir().unwrap();
    let source = dir.path().join("acme-numa");
    outside::copy("plugins/template", &source);
    outside::point_at_api(&source);
    outside::edit(
        &source.join("Cargo.toml"),
        "longshore-plugin-template",
        "acme-numa",
    );
    outside::edit(&source.join("src/lib.rs"), "example", "numa");
    assert!(
        std::fs::read_to_string(source.join("src/lib.rs"))
            .unwrap()
            .contains("#![forbid(unsafe_code)]")
    );
    let builds = [
        ("numa", Build::default()),
        (
            "numa_debug",
            Build {
                debug: true,
                ..Build::default()
            },
        ),
        (
            "numa_old",
            Build {
                toolchain: Some("1.63"),
                ..Build::default()
            },
        ),
    ];
    // A drop-in, as a third party ships it.
    let mut drop_in = "[\"longshore.scheduler.filter\"]\n".to_owned();
    for (name, how) in &builds {
        let _ = std::fs::remove_file(source.join("Cargo.lock"));
        let lib = outside::build(&source, how).join("libacme_numa.so");
        drop_in += &format!(
            "{name} = {{ lib = \"{}\", export = \"numa\" }}\n",
            lib.display()
        );
    }
    let config =
        "[scheduler]\nenabled_filters = [\"compute\", \"numa\", \"numa_debug\", \"numa_old\"]\n";
    let mut host = TestHost::new(config, "").hosts(2).release();
    std::fs::create_dir(host.dir().join("plugins.d")).unwrap();
    std::fs::write(host.dir().join("plugins.d/50-acme.toml"), drop_in).unwrap();
    host.start();
    let listed = host.json(&[
        "plugin",
        "list",
        "--namespace",
        "longshore.scheduler.filter",
    ]);
    for (name, _) in &builds {
        let found = listed
            .as_array()
            .unwrap()
            .iter()
            .find(|p| field(p, "name") == *name)
            .unwrap();
        assert_eq!(
            (field(found, "state"), field(found, "plugin")),
            ("in_use", "acme-numa"),
            "{found}"
        );
    }
    host.done(&["server", "create", "a", "--flavor", "m1.tiny", "--wait"]);
}

#[test]
fn a_failing_host_is_left_for_the_next_and_the_fault_is_told_when_none_is_left() {
    let map = "[\"longshore.virt.driver\".flaky]\nlib = \"liblongshore_virt_fake.so\"\nexport = \"fake\"\n\
               settings = { fail_on_hosts = [\"host-0001\"], fail_spawn_match = \"doomed\" }\n";
    let mut host = TestHost::new("[compute]\nvirt = \"flaky\"\n", map).hosts(3);
    host.start();
    host.done(&[
        "server", "create", "a", "--flavor", "m1.tiny", "--count", "6", "--wait",
    ]);
    assert!(
        host.servers()
            .iter()
            .all(|s| field(s, "host") != "host-0001")
    );
    let said = host.cli(&[
        "server", "create", "doomed", "--flavor", "m1.tiny", "--wait",
    ]);
    assert_eq!(said.code, Some(1), "{said:?}");
    let doomed = host.json(&["server", "show", "doomed"]);
    assert_eq!(field(&doomed, "status"), "ERROR");
    assert!(
        field(&doomed["fault"], "message").contains("attempts"),
        "{doomed}"
    );
    let ids: Vec<String> = host
        .servers()
        .iter()
        .map(|s| field(s, "id").to_owned())
        .collect();
    host.audit(&ids, "flaky");
}

#[test]
fn a_spawn_that_panics_or_outlives_its_deadline_is_given_up() {
    let map = "[\"longshore.virt.driver\".flaky]\nlib = \"liblongshore_virt_fake.so\"\nexport = \"fake\"\n\
               settings = { panic_spawn_match = \"panics\", slow_spawn_match = \"slow\", slow_ms = 6000, ignore_cancel = true }\n";
    let config =
        "[compute]\nvirt = \"flaky\"\ndriver_deadline_s = 1\n[scheduler]\nmax_attempts = 2\n";
    let mut host = TestHost::new(config, map).hosts(2);
    host.start();
    for (name, text) in [("panics", "panicked"), ("slow", "deadline")] {
        let said = host.cli(&["server", "create", name, "--flavor", "m1.tiny", "--wait"]);
        assert_eq!(said.code, Some(1), "{said:?}");
        let server = host.json(&["server", "show", name]);
        let message = field(&server["fault"], "message").to_owned();
        assert!(
            message.contains(text) || message.contains("did not answer"),
            "{name}: {message}"
        );
    }
    host.done(&["server", "create", "fine", "--flavor", "m1.tiny", "--wait"]);
    let ids: Vec<String> = host
        .servers()
        .iter()
        .map(|s| field(s, "id").to_owned())
        .collect();
    // What the slow spawns made in the end is taken down again.
    host.until("taken down", |_| {
        host.guests("flaky").values().map(Vec::len).sum::<usize>() == 1
    });
    host.audit(&ids, "flaky");
}

#[test]
fn a_filter_that_panics_fails_the_request_or_is_skipped_as_configured() {
    let lib = files::plugin("debug", "longshore-misbehaving");
    let map = format!(
        "[\"longshore.scheduler.filter\".bad]\nlib = \"{}\"\nexport = \"panics\"\n",
        lib.display()
    );
    for (on_fault, status) in [("fail", "ERROR"), ("skip", "ACTIVE")] {
        let config = format!(
            "[scheduler]\nenabled_filters = [\"compute\", \"bad\"]\non_filter_fault = \"{on_fault}\"\n"
        );
        let mut host = TestHost::new(&config, &map).hosts(1);
        host.start();
        host.cli(&["server", "create", "a", "--flavor", "m1.tiny", "--wait"]);
        let server = host.json(&["server", "show", "a"]);
        assert_eq!(field(&server, "status"), status, "{server}");
        if status == "ERROR" {
            let message = field(&server["fault"], "message").to_owned();
            assert!(
                message.contains("bad") && message.contains("panicked"),
                "{message}"
            );
        }
        assert_eq!(host.stop().code(), Some(0), "the host lives");
    }
}

#[test]
fn a_second_host_on_the_same_state_directory_or_port_is_refused() {
    let mut host = TestHost::new("", "");
    host.start();
    let second = host.cli(&["up"]);
    assert_eq!(second.code, Some(1));
    assert!(
        second.err.contains("service/already-running"),
        "{}",
        second.err
    );
    let port = host.url().rsplit(':').next().unwrap().to_owned();
    let mut other = TestHost::new(&format!("[api]\nlisten = \"127.0.0.1:{port}\"\n"), "");
    let said = other.try_start().unwrap_err();
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.err.contains("service/cannot-listen"), "{said:?}");
    host.until("still serving", settled);
}

#[test]
fn a_database_that_is_none_is_refused_and_left_alone() {
    let mut host = TestHost::new("", "");
    std::fs::create_dir_all(host.dir().join("state")).unwrap();
    let file = host.dir().join("state/longshore.db");
    std::fs::write(&file, "dear diary\n").unwrap();
    let said = host.try_start().unwrap_err();
    assert_eq!(said.code, Some(5), "{said:?}");
    assert!(said.err.contains("store/corrupt"), "{said:?}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "dear diary\n");
}

#[test]
fn a_driver_that_a_service_needs_and_that_is_refused_ends_the_start_with_4() {
    for (entry, code) in [
        ("lib = \"/no/such/file.so\"", "plugin/not-found"),
        ("lib = \"TEXT\"", "plugin/not-elf"),
        ("lib = \"liblongshore_filters.so\"", "plugin/no-such-driver"),
    ] {
        let mut host = TestHost::new("[compute]\nvirt = \"bad\"\n", "");
        let text_file = host.dir().join("text.so");
        std::fs::write(&text_file, "hello\n").unwrap();
        let entry = entry.replace("TEXT", &text_file.display().to_string());
        let map = std::fs::read_to_string(host.dir().join("plugins.toml")).unwrap();
        let map = format!("{map}\n[\"longshore.virt.driver\".bad]\n{entry}\n");
        std::fs::write(host.dir().join("plugins.toml"), map).unwrap();
        let said = host.try_start().unwrap_err();
        assert_eq!(said.code, Some(4), "{said:?}");
        assert!(said.err.contains(code), "{code}: {said:?}");
    }
}

#[test]
fn requests_that_cannot_be_right_are_refused_with_a_reason() {
    let mut host = TestHost::new("", "");
    host.start();
    let long = "n".repeat(300);
    for (args, text) in [
        (
            vec!["server", "create", "a", "--flavor", "m1.huge"],
            "m1.huge",
        ),
        (
            vec!["server", "create", &long, "--flavor", "m1.tiny"],
            "255",
        ),
        (
            vec![
                "server", "create", "a", "--flavor", "m1.tiny", "--count", "100000",
            ],
            "1000",
        ),
        (
            vec![
                "server", "create", "a", "--flavor", "m1.tiny", "--image", "no-such",
            ],
            "no-such",
        ),
        (vec!["server", "show", "nobody"], "nobody"),
        (
            vec![
                "flavor",
                "create",
                "f",
                "--ram",
                "4000000000",
                "--vcpus",
                "1",
                "--disk",
                "1",
            ],
            "ram",
        ),
    ] {
        let said = host.cli(&args);
        assert_eq!(said.code, Some(1), "{args:?}: {said:?}");
        assert!(said.err.contains(text), "{args:?}: {said:?}");
    }
    assert!(host.servers().is_empty());
    // More than any host has: accepted, and ends in ERROR with the scheduler's reason.
    host.done(&[
        "flavor",
        "create",
        "vast",
        "--ram",
        "2000000000",
        "--vcpus",
        "1",
        "--disk",
        "1",
    ]);
    let said = host.cli(&["server", "create", "a", "--flavor", "vast", "--wait"]);
    assert_eq!(said.code, Some(1), "{said:?}");
    let message = host.json(&["server", "show", "a"])["fault"]["message"].to_string();
    assert!(
        message.contains("ram"),
        "the filter that left none is named: {message}"
    );
}

/// No token is checked in this release, so a configuration that relies on tokens must not start.
#[test]
fn an_api_that_asks_for_tokens_does_not_start() {
    let mut host = TestHost::new("[api]\nlisten = \"0.0.0.0:0\"\nauth = \"token\"\n", "");
    let said = host.try_start().unwrap_err();
    assert_eq!(said.code, Some(3), "{said:?}");
    assert!(said.err.contains("service/not-supported-here"), "{said:?}");
}

/// Another virt driver would not know the guests of the old one, so the change is refused and nothing is lost.
#[test]
fn the_virt_driver_cannot_change_under_its_instances() {
    let mut host = TestHost::new("", "").hosts(1);
    host.start();
    host.done(&["server", "create", "kept", "--flavor", "m1.tiny", "--wait"]);
    let id = field(&host.json(&["server", "show", "kept"]), "id").to_owned();
    host.stop();
    host.env("LONGSHORE__COMPUTE__VIRT", "process");
    let said = host.try_start().unwrap_err();
    assert_eq!(said.code, Some(3), "{said:?}");
    assert!(
        said.err.contains("config/driver-in-use") && said.err.contains("1 instances"),
        "{said:?}"
    );
    host.env("LONGSHORE__COMPUTE__VIRT", "fake");
    host.start();
    host.audit(&[id], "fake");
    host.done(&["server", "delete", "kept", "--wait"]);
    host.until("deleted", <[Json]>::is_empty);
    host.stop();
    host.env("LONGSHORE__COMPUTE__VIRT", "process");
    host.start();
}
