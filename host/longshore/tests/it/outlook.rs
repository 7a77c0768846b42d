//! What the commands call available is what a start would load: owners and modes, lock-outs and signatures count for
//! `plugin list`, `plugin show`, `config check` and `doctor`; and what `doctor` learns from a host that runs.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use longshore_loader::inspect::sha256;
use longshore_loader::quarantine::Quarantine;
use longshore_loader::record::{Death, DeathCall, DriverId};
use serde_json::{Value as Json, json};

use crate::api::Api;
use crate::doctor::{CONFIG, finding, map, of, place};
use crate::plugins::library;
use crate::program::Place;

const VIRT: &str = "longshore.virt.driver";

/// A place whose virt driver is a file of its own.
fn with_own_fake(config: &str) -> (Place, PathBuf) {
    let good = library("longshore_virt_fake");
    let place = place(config, &map());
    let own = place.path().join("libfake.so");
    fs::copy(&good, &own).unwrap();
    let text = |path: &PathBuf| path.display().to_string();
    place.write("plugins.toml", &map().replace(&text(&good), &text(&own)));
    (place, own)
}

/// The entry of the virt driver in `plugin list`.
fn listed(place: &Place) -> Json {
    let list = place.run("plugin list --json").json();
    let mut entries = list.as_array().unwrap().iter();
    entries.find(|e| e["name"] == "fake").unwrap().clone()
}

fn state_and_code(place: &Place) -> (String, String) {
    let item = listed(place);
    let text = |j: &Json| j.as_str().unwrap_or_default().to_owned();
    (text(&item["state"]), text(&item["error"]["code"]))
}

#[test]
fn a_file_that_others_can_change_is_refused_by_every_command() {
    let (place, own) = with_own_fake(CONFIG);
    assert_eq!(state_and_code(&place).0, "available");
    fs::set_permissions(&own, fs::Permissions::from_mode(0o666)).unwrap();
    let refused = ("refused".to_owned(), "plugin/untrusted".to_owned());
    assert_eq!(state_and_code(&place), refused);
    let shown = place.run(&format!("plugin show {VIRT} fake"));
    assert!(
        shown.out.contains("mode 0666 lets everybody change it"),
        "{}",
        shown.out
    );
    assert!(shown.out.contains("chmod go-w"), "{}", shown.out);
    let checked = place.run("config check");
    assert!(checked.err.contains("plugin/untrusted"), "{}", checked.err);
    let ran = place.run("doctor --json");
    let (exit, status, message) = finding(&ran, &format!("driver {VIRT} fake"));
    assert_eq!((exit, status.as_str()), (4, "failed"));
    let ending = "mode 0666 lets everybody change it (plugin/untrusted); it stops a start";
    assert_eq!(message, format!("refused: {ending}"));
}

#[test]
fn an_unsigned_file_is_refused_where_signatures_are_required() {
    let key = "RWSdX4utH2AKtsO/X3w+3RGnmGVAUn37+3qL/ssjdLqBA4A+fsMaBJ9o";
    let trust = format!("[trust]\nkeys = [\"{key}\"]\nsignatures = \"required\"\n");
    let (place, own) = with_own_fake(&format!("{CONFIG}{trust}"));
    let item = listed(&place);
    assert_eq!(item["error"]["code"], "plugin/untrusted");
    let why = item["why"].as_str().unwrap();
    assert!(why.starts_with("it is not signed"), "{why}");
    assert_eq!(item["sha256"], json!(sha256(&own).unwrap()), "still said");
}

#[test]
fn an_owner_who_is_no_user_is_an_error_of_the_configuration() {
    let trust = "[trust]\nowners = [\"nobody-has-this-name\"]\n";
    let (place, _) = with_own_fake(&format!("{CONFIG}{trust}"));
    for line in ["plugin list", "config check"] {
        let ran = place.run(line);
        assert_eq!(ran.exit, 3, "{line}");
        assert!(ran.err.contains("`nobody-has-this-name`"), "{}", ran.err);
    }
    let (exit, status, _) = finding(&place.run("doctor --json"), "configuration");
    assert_eq!((exit, status.as_str()), (3, "failed"));
}

/// The host died twice in this content of the virt driver.
fn lock_out(place: &Place, own: &Path) {
    let state = place.path().join("state");
    fs::create_dir(&state).unwrap();
    let driver = DriverId {
        namespace: VIRT.to_owned(),
        name: "fake".to_owned(),
        digest: sha256(own).unwrap(),
        version: "0.1.0".to_owned(),
        file: own.display().to_string(),
    };
    let mut quarantine = Quarantine::open(&state).unwrap();
    for started_ms in [1_000, 2_000] {
        let call = "spawn".to_owned();
        let death = Death {
            started_ms,
            pid: 1,
            clean: false,
            machine_restarted: false,
            calls: vec![DeathCall {
                driver: driver.clone(),
                call,
                since_ms: started_ms,
            }],
        };
        quarantine.note(&death).unwrap();
    }
}

#[test]
fn a_driver_that_is_locked_out_is_quarantined_and_what_that_means_depends_on_the_policy() {
    let (place, own) = with_own_fake(CONFIG);
    lock_out(&place, &own);
    let quarantined = ("quarantined".to_owned(), "plugin/quarantined".to_owned());
    assert_eq!(state_and_code(&place), quarantined);
    let check = format!("driver {VIRT} fake");
    let (exit, status, message) = finding(&place.run("doctor --json"), &check);
    assert_eq!((exit, status.as_str()), (0, "warning"), "{message}");
    assert!(
        message.starts_with("quarantined: the host died twice"),
        "{message}"
    );
    assert!(
        message.ends_with("; a start does without its service"),
        "{message}"
    );
    place.write(
        "longshore.toml",
        &format!("{CONFIG}[plugins]\npolicy = \"strict\"\n"),
    );
    let (exit, status, message) = finding(&place.run("doctor --json"), &check);
    assert_eq!((exit, status.as_str()), (4, "failed"), "{message}");
    // Another build of it may be tried.
    let mut bytes = fs::read(&own).unwrap();
    bytes.push(0);
    fs::write(&own, bytes).unwrap();
    assert_eq!(state_and_code(&place).0, "available");
}

#[test]
fn a_host_that_answers_says_what_is_in_use_fenced_or_changed() {
    let api = Api::start(|_| {
        let item = |namespace: &str, name: &str| json!({"namespace": namespace, "name": name, "state": "in_use"});
        let mut virt = item(VIRT, "fake");
        let reason = "it panicked 3 times";
        virt["fences"] = json!([{"host": "h1", "reason": reason, "tried_in_s": 9}]);
        let mut ram = item("longshore.scheduler.filter", "ram");
        ram["on_disk"] = json!("changed on disk");
        (200, json!([virt, ram]))
    });
    let address = api.url().strip_prefix("http://").unwrap().to_owned();
    let place = place(&CONFIG.replace("127.0.0.1:0", &address), &map());
    let report = place.run("doctor --json").json();
    let virt = of(&report, &format!("driver {VIRT} fake"));
    let fenced = (
        "warning",
        "fenced on `h1`: it panicked 3 times; it is tried again in 9 s",
    );
    assert_eq!(virt, [fenced, ("ok", "in use, version 0.1.0")]);
    let ram = of(&report, "driver longshore.scheduler.filter ram");
    let changed = "in use, version 0.1.0; changed on disk since it was loaded";
    assert_eq!(ram, [("ok", changed)]);
    let cpu = of(&report, "driver longshore.scheduler.weigher cpu");
    assert_eq!(cpu, [("ok", "available, version 0.1.0")]);
}
