//! `doctor`: each check that fails, with its exit code, and that it writes nothing.

use std::collections::BTreeMap;
use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::time::SystemTime;

use serde_json::Value as Json;

use crate::plugins::library;
use crate::program::{Place, Ran};

pub(crate) const CONFIG: &str = "[api]\nlisten = \"127.0.0.1:0\"\n[scheduler]\nenabled_filters = [\"ram\"]\n\
                      weighers = { cpu = 1.0 }\n";

/// A map with the plugins that `CONFIG` needs.
pub(crate) fn map() -> String {
    let path = |name: &str| library(name).display().to_string();
    format!(
        "[\"longshore.scheduler.driver\"]\nfilter_scheduler = \"{}\"\n\
         [\"longshore.scheduler.host_manager\"]\nhost_manager = \"{}\"\n\
         [\"longshore.scheduler.filter\"]\nram = \"{}\"\n\
         [\"longshore.scheduler.weigher\"]\ncpu = \"{}\"\n\
         [\"longshore.virt.driver\"]\nfake = \"{}\"\n",
        path("longshore_scheduler_filter"),
        path("longshore_host_manager"),
        path("longshore_filters"),
        path("longshore_weighers"),
        path("longshore_virt_fake"),
    )
}

pub(crate) fn place(config: &str, map: &str) -> Place {
    let place = Place::new();
    place.write("longshore.toml", config);
    place.write("plugins.toml", map);
    place
}

/// Everything below a directory: content and time of the last change.
fn tree(dir: &Path) -> BTreeMap<String, (Vec<u8>, SystemTime)> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(dir).unwrap().map(Result::unwrap) {
        let path = entry.path();
        let changed = entry.metadata().unwrap().modified().unwrap();
        let name = path.display().to_string();
        if path.is_dir() {
            found.insert(name, (Vec::new(), changed));
            found.extend(tree(&path));
        } else {
            found.insert(name, (fs::read(&path).unwrap(), changed));
        }
    }
    found
}

/// The statuses and messages of one check.
pub(crate) fn of<'j>(report: &'j Json, check: &str) -> Vec<(&'j str, &'j str)> {
    let items = report.as_array().unwrap().iter();
    let text = |item: &'j Json, key: &str| item[key].as_str().unwrap();
    items
        .filter(|i| i["check"] == check)
        .map(|i| (text(i, "status"), text(i, "message")))
        .collect()
}

/// The exit code, and the one finding of a check.
pub(crate) fn finding(ran: &Ran, check: &str) -> (u8, String, String) {
    let json = ran.json();
    let found = of(&json, check);
    assert_eq!(found.len(), 1, "{json:#}");
    (ran.exit, found[0].0.to_owned(), found[0].1.to_owned())
}

#[test]
fn a_good_host_passes_and_nothing_is_written() {
    let place = place(CONFIG, &map());
    let before = tree(place.path());
    let ran = place.run("doctor --json");
    assert_eq!((ran.exit, ran.err.as_str()), (0, ""));
    let json = ran.json();
    let all = json.as_array().unwrap();
    assert!(
        all.iter().all(|i| i["status"] == "ok" && i["do"].is_null()),
        "{json:#}"
    );
    let checks: Vec<&str> = all.iter().map(|i| i["check"].as_str().unwrap()).collect();
    let expected = [
        "configuration",
        "map",
        "transport",
        "trust",
        "driver longshore.scheduler.driver filter_scheduler",
        "driver longshore.scheduler.host_manager host_manager",
        "driver longshore.scheduler.filter ram",
        "driver longshore.scheduler.weigher cpu",
        "driver longshore.virt.driver fake",
        "state_dir",
        "database",
        "listen",
        "clock",
        "open_files",
    ];
    assert_eq!(checks, expected);
    let text = place.run("doctor").out;
    assert!(
        text.starts_with("ok       configuration: longshore.toml\n"),
        "{text}"
    );
    assert!(text.ends_with("\n14 ok\n"), "{text}");
    assert!(!text.contains("sha256"));
    assert!(place.run("doctor -v").out.contains("\n         sha256 "));
    assert_eq!(place.run("-q doctor").out, "");
    assert_eq!(tree(place.path()), before);
}

#[test]
fn a_wrong_configuration_skips_what_depends_on_it() {
    let place = place("[compute]\nvrit = \"fake\"\n", &map());
    let ran = place.run("doctor");
    let expected = "\
failed   configuration: longshore.toml:2:1: unknown key `vrit` in `[compute]`
         do: did you mean `virt`?
";
    assert_eq!(ran.exit, 3);
    assert!(ran.out.starts_with(expected), "{}", ran.out);
    assert!(
        ran.out
            .contains("skipped  drivers: the configuration is not valid\n"),
        "{}",
        ran.out
    );
    assert!(
        ran.out.ends_with("3 ok, 1 failed, 5 skipped\n"),
        "{}",
        ran.out
    );
    let quiet = place.run("-q doctor");
    assert_eq!(quiet.out, expected);
}

#[test]
fn a_wrong_map_skips_the_drivers() {
    let place = place(CONFIG, "[longshore.virt.driver]\nfake = \"a.so\"\n");
    let ran = place.run("doctor --json");
    let (exit, status, message) = finding(&ran, "map");
    assert_eq!((exit, status.as_str()), (3, "failed"), "{message}");
    assert_eq!(finding(&ran, "drivers").1, "skipped");
}

#[test]
fn a_filter_without_its_file_is_a_warning_unless_the_policy_is_strict() {
    let map = map().replace("ram = \"", "ram = \"/absent");
    let check = "driver longshore.scheduler.filter ram";
    let ran = place(CONFIG, &map).run("doctor --json");
    let (exit, status, message) = finding(&ran, check);
    assert_eq!((exit, status.as_str()), (0, "warning"));
    assert!(
        message.ends_with("(plugin/not-found); a start skips it"),
        "{message}"
    );
    let strict = format!("{CONFIG}[plugins]\npolicy = \"strict\"\n");
    let ran = place(&strict, &map).run("doctor --json");
    let (exit, status, _) = finding(&ran, check);
    assert_eq!((exit, status.as_str()), (4, "failed"));
}

#[test]
fn a_virt_driver_must_be_there_and_fit() {
    let good = map();
    let line = good.lines().find(|l| l.starts_with("fake = ")).unwrap();
    let file = line.strip_prefix("fake = ").unwrap();
    let cases = [
        ("\"/absent.so\"".to_owned(), "plugin/not-found"),
        (
            format!("{{ lib = {file}, version = \"^9\" }}"),
            "plugin/wrong-version",
        ),
        (
            format!("{{ lib = {file}, sha256 = \"{}\" }}", "0".repeat(64)),
            "plugin/untrusted",
        ),
        (
            format!("{{ lib = {file}, settings = {{ vpcus = 1 }} }}"),
            "driver/unknown-setting",
        ),
    ];
    for (entry, code) in cases {
        let map = good.replace(line, &format!("fake = {entry}"));
        let ran = place(CONFIG, &map).run("doctor --json");
        let (exit, status, message) = finding(&ran, "driver longshore.virt.driver fake");
        assert_eq!((exit, status.as_str()), (4, "failed"), "{message}");
        assert!(message.contains(code), "{message}");
    }
}

#[test]
fn a_name_that_is_not_in_the_map_is_the_configurations_fault() {
    let config = format!("{CONFIG}[compute]\nvirt = \"fkae\"\n");
    let ran = place(&config, &map()).run("doctor --json");
    let (exit, status, message) = finding(&ran, "driver longshore.virt.driver fkae");
    assert_eq!((exit, status.as_str()), (3, "failed"));
    assert!(message.starts_with("longshore.toml:"), "{message}");
}

#[test]
fn a_database_that_cannot_be_used_is_named() {
    let place = place(CONFIG, &map());
    fs::create_dir(place.path().join("state")).unwrap();
    place.write(
        "state/longshore.db",
        "this is no database, and never was one",
    );
    let (exit, status, message) = finding(&place.run("doctor --json"), "database");
    assert_eq!((exit, status.as_str()), (5, "failed"));
    assert!(
        message.ends_with("the file is not an SQLite database (store/corrupt)"),
        "{message}"
    );
}

#[test]
fn a_file_is_no_state_directory() {
    let place = place(CONFIG, &map());
    place.write("state", "");
    let (exit, status, message) = finding(&place.run("doctor --json"), "state_dir");
    assert_eq!((exit, status.as_str()), (5, "failed"));
    assert!(message.ends_with("is a file, not a directory"), "{message}");
}

#[test]
fn a_state_directory_that_leads_nowhere_is_named() {
    let place = place(CONFIG, &map());
    std::os::unix::fs::symlink("/nowhere/at/all", place.path().join("state")).unwrap();
    let (exit, status, message) = finding(&place.run("doctor --json"), "state_dir");
    assert_eq!((exit, status.as_str()), (5, "failed"));
    assert!(
        message.ends_with("is a link that leads to no directory"),
        "{message}"
    );
}

#[test]
fn a_map_that_does_not_exist_is_reported_once() {
    let ran = place(CONFIG, "").run("doctor --json --plugins nowhere.toml");
    let (exit, status, message) = finding(&ran, "configuration");
    assert_eq!((exit, status.as_str()), (3, "failed"), "{message}");
    assert_eq!(finding(&ran, "map").1, "skipped");
}

#[test]
fn an_address_that_is_taken_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let listener = taken.try_clone().unwrap();
    let other = std::thread::spawn(move || {
        use std::io::Write as _;
        let (mut stream, _) = listener.accept().unwrap();
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi");
    });
    let config = CONFIG.replace("127.0.0.1:0", &address.to_string());
    let ran = place(&config, &map()).run("doctor --json");
    other.join().unwrap();
    let (exit, status, message) = finding(&ran, "listen");
    assert_eq!((exit, status.as_str()), (5, "failed"));
    assert_eq!(message, format!("{address} is in use by another program"));
}

#[test]
fn what_comes_later_is_said_and_the_configuration_beats_the_rest() {
    let config = format!("{CONFIG}[transport]\nurl = \"rabbit://broker\"\n");
    let place = place(&config, &map().replace("fake = \"", "fake = \"/absent"));
    place.write("state", "");
    let ran = place.run("doctor --json");
    let (exit, status, message) = finding(&ran, "transport");
    assert_eq!((exit, status.as_str()), (3, "failed"));
    assert_eq!(message, "RabbitMQ is not supported by this release");
    place.write("longshore.toml", CONFIG);
    assert_eq!(place.run("doctor").exit, 4);
    place.write("plugins.toml", &map());
    assert_eq!(place.run("doctor").exit, 5);
    fs::remove_file(place.path().join("state")).unwrap();
    assert_eq!(place.run("doctor").exit, 0);
}

#[test]
fn another_virt_driver_on_the_same_state_is_warned_of() {
    let place = place(CONFIG, &map());
    fs::create_dir(place.path().join("state")).unwrap();
    place.write("state/virt-driver", "process\n");
    let (exit, status, message) = finding(&place.run("doctor --json"), "compute.virt");
    assert_eq!((exit, status.as_str()), (0, "warning"));
    assert!(message.contains("from `process` to `fake`"), "{message}");
}
