//! Aggregates and zones from the command line to the host that a server lands on, with the shipped drivers.

use std::fs;

use longshore_tests::host::TestHost;
use serde_json::{Value as Json, json};

/// The default filters, and the one that reads properties of aggregates.
const FILTERS: &str = "[scheduler]\nenabled_filters = [\"retry\", \"availability_zone\", \"compute\", \
                       \"compute_capabilities\", \"image_properties\", \"ram\", \"disk\", \"core\", \
                       \"aggregate_instance_extra_specs\"]\n";

/// Creates a server, and says on which host and in which zone it is.
fn created(host: &TestHost, args: &str) -> (Json, Json) {
    let typed = format!("server create {args} --wait");
    let server = host.json(&typed.split(' ').collect::<Vec<_>>());
    assert_eq!(server["status"], "ACTIVE", "{server}");
    (server["host"].clone(), server["availability_zone"].clone())
}

fn done(host: &TestHost, typed: &str) {
    host.done(&typed.split(' ').collect::<Vec<_>>());
}

fn zones(host: &TestHost) -> Json {
    host.json(&["availability-zone", "list"])
}

#[test]
fn zones_and_properties_of_aggregates_decide_where_servers_go() {
    let mut host = TestHost::new(FILTERS, "").hosts(2);
    host.start();
    let in_one =
        json!([{ "zone": "nova", "state": "available", "hosts": ["host-0001", "host-0002"] }]);
    assert_eq!(zones(&host), in_one);
    done(
        &host,
        "aggregate create fast --zone east --property ssd=true",
    );
    done(&host, "aggregate add-host fast host-0002");
    let in_two = json!([
        { "zone": "east", "state": "available", "hosts": ["host-0002"] },
        { "zone": "nova", "state": "available", "hosts": ["host-0001"] },
    ]);
    assert_eq!(zones(&host), in_two);
    let (one, two) = (
        (json!("host-0001"), json!("nova")),
        (json!("host-0002"), json!("east")),
    );
    for name in ["a", "b"] {
        let args = format!("{name} --flavor m1.tiny --az east");
        assert_eq!(created(&host, &args), two);
    }
    assert_eq!(created(&host, "c --flavor m1.tiny --az nova"), one);
    let said = host.cli(&[
        "server", "create", "d", "--flavor", "m1.tiny", "--az", "eats",
    ]);
    let expected = "error[api/bad-reference]: The requested availability zone is not available\n  \
                    why:  no host is in the zone `eats`\n  do:   did you mean `east`?\n";
    assert_eq!((said.code, said.err.as_str()), (Some(1), expected));

    // A flavor that asks for a property, whatever the zone.
    let wants = "flavor set m1.small --property aggregate_instance_extra_specs:ssd=true";
    done(&host, wants);
    assert_eq!(created(&host, "e --flavor m1.small"), two);
    done(&host, "aggregate set fast --property ssd=false");
    let said = host.cli(&["server", "create", "f", "--flavor", "m1.small", "--wait"]);
    assert_eq!(said.code, Some(1), "{said:#?}");
    assert!(
        said.err.contains("`aggregate_instance_extra_specs`"),
        "{said:#?}"
    );
    done(&host, "aggregate set fast --property ssd=true");

    // The records are what counts, also for a scheduler that starts anew.
    host.stop();
    host.start();
    assert_eq!(created(&host, "g --flavor m1.small"), two);
    done(&host, "aggregate remove-host fast host-0002");
    assert_eq!(zones(&host), in_one);
    let said = host.cli(&[
        "server", "create", "h", "--flavor", "m1.tiny", "--az", "east",
    ]);
    assert!(
        said.err.contains("do:   the only one is `nova`"),
        "{said:#?}"
    );
    done(&host, "aggregate add-host fast host-0001");
    assert_eq!(created(&host, "i --flavor m1.small").0, one.0);
    let shown = host.json(&["server", "show", "a"]);
    assert_eq!(
        shown["availability_zone"], "nova",
        "the zone of its host now"
    );
}

#[test]
fn the_default_zone_has_one_name_for_the_api_and_the_filter() {
    let config = "[api]\nlisten = \"127.0.0.1:0\"\ndefault_availability_zone = \"home\"\n";
    let mut host = TestHost::new(config, "").hosts(1);
    host.start();
    let warning = "hosts without a zone are in `nova` for filter `availability_zone` and in `home` for the API";
    assert_eq!(host.log().matches(warning).count(), 1);
    host.stop();
    let drop_in = "[\"longshore.scheduler.filter\"]\navailability_zone = \
                   { patch = true, settings = { default_availability_zone = \"home\" } }\n";
    fs::create_dir(host.dir().join("plugins.d")).unwrap();
    fs::write(host.dir().join("plugins.d/50-zone.toml"), drop_in).unwrap();
    host.start();
    assert_eq!(host.log().matches(warning).count(), 1);
    let landed = created(&host, "a --flavor m1.tiny --az home");
    assert_eq!(landed, (json!("host-0001"), json!("home")));
}
