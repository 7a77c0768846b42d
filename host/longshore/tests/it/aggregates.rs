//! `aggregate` and `availability-zone` against an API.

use serde_json::{Value as Json, json};

use crate::api::{Api, not_found};
use crate::program::Place;

fn aggregate(id: i64, name: &str, hosts: Json, metadata: Json) -> Json {
    json!({
        "id": id, "name": name, "availability_zone": metadata["availability_zone"],
        "hosts": hosts, "metadata": metadata, "deleted": false, "deleted_at": null,
        "created_at": "2026-01-01T00:00:00.000000", "updated_at": null,
    })
}

fn fast() -> Json {
    let metadata = json!({"availability_zone": "east", "ssd": "true"});
    aggregate(7, "fast", json!(["one", "two"]), metadata)
}

/// Two aggregates; every change is answered with the first of them.
fn two_aggregates() -> Api {
    Api::start(|request| match request.line.as_str() {
        "GET /v2.1/os-aggregates" => {
            let second = aggregate(8, "slow", json!([]), json!({}));
            (200, json!({"aggregates": [fast(), second]}))
        }
        "POST /v2.1/os-aggregates"
        | "PUT /v2.1/os-aggregates/7"
        | "POST /v2.1/os-aggregates/7/action" => (200, json!({"aggregate": fast()})),
        "DELETE /v2.1/os-aggregates/8" => (200, Json::Null),
        _ => not_found(),
    })
}

fn changes(api: &Api) -> Vec<(String, Json)> {
    let requests = api.requests().into_iter();
    let changes = requests.filter(|r| !r.line.starts_with("GET"));
    changes.map(|r| (r.line, r.body)).collect()
}

#[test]
fn aggregates_are_shown_with_the_zone_apart_from_their_properties() {
    let api = two_aggregates();
    let place = Place::talking_to(api.url());
    let expected = json!({
        "id": 7, "name": "fast", "availability_zone": "east", "hosts": ["one", "two"],
        "properties": {"ssd": "true"}, "created": "2026-01-01T00:00:00.000000", "updated": null,
    });
    for wanted in ["fast", "7"] {
        let ran = place.run(&format!("aggregate show {wanted} --json"));
        assert_eq!((ran.exit, ran.json()), (0, expected.clone()));
    }
    let shown = place.run("aggregate show fast").out;
    for line in ["hosts              one, two", "properties         ssd=true"] {
        assert!(shown.lines().any(|l| l == line), "{shown}");
    }
    let listed = place.run("aggregate list").out;
    let listed: Vec<Vec<&str>> = listed
        .lines()
        .map(|line| line.split_whitespace().collect())
        .collect();
    let expected = [
        ["ID", "NAME", "ZONE", "HOSTS"],
        ["7", "fast", "east", "2"],
        ["8", "slow", "-", "0"],
    ];
    assert_eq!(listed, expected);
    assert_eq!(
        place.run("aggregate list --json").json()[1]["properties"],
        json!({})
    );
    let ran = place.run("aggregate show fats");
    assert_eq!(ran.exit, 1);
    assert!(ran.err.contains("did you mean `fast`?"), "{}", ran.err);
}

#[test]
fn each_change_is_one_request_of_the_api() {
    let action = "POST /v2.1/os-aggregates/7/action";
    let table = [
        (
            "aggregate create fast --zone east --property ssd=true",
            vec![
                (
                    "POST /v2.1/os-aggregates",
                    json!({"aggregate": {"name": "fast", "availability_zone": "east"}}),
                ),
                (
                    action,
                    json!({"set_metadata": {"metadata": {"ssd": "true"}}}),
                ),
            ],
        ),
        (
            "aggregate set fast --name faster --zone west --property a=b=c --unset ssd",
            vec![
                (
                    "PUT /v2.1/os-aggregates/7",
                    json!({"aggregate": {"name": "faster", "availability_zone": "west"}}),
                ),
                (
                    action,
                    json!({"set_metadata": {"metadata": {"a": "b=c", "ssd": null}}}),
                ),
            ],
        ),
        (
            "aggregate add-host fast one two",
            vec![
                (action, json!({"add_host": {"host": "one"}})),
                (action, json!({"add_host": {"host": "two"}})),
            ],
        ),
        (
            "aggregate remove-host 7 one",
            vec![(action, json!({"remove_host": {"host": "one"}}))],
        ),
        (
            "aggregate delete slow 8",
            vec![("DELETE /v2.1/os-aggregates/8", Json::Null)],
        ),
        ("aggregate delete slow nothing", vec![]),
        ("aggregate set fast", vec![]),
    ];
    for (typed, expected) in table {
        let api = two_aggregates();
        let ran = Place::talking_to(api.url()).run(typed);
        let expected: Vec<_> = expected
            .into_iter()
            .map(|(line, body)| (line.to_owned(), body))
            .collect();
        assert_eq!(changes(&api), expected, "{typed}");
        assert_eq!(ran.exit == 0, !expected.is_empty(), "{}", ran.err);
    }
}

#[test]
fn zones_are_listed_with_their_hosts() {
    let api = Api::start(|request| match request.line.as_str() {
        "GET /v2.1/os-availability-zone/detail" => (
            200,
            json!({"availabilityZoneInfo": [
                {"zoneName": "east", "zoneState": {"available": true},
                 "hosts": {"one": {"longshore-compute": {}}, "two": {"longshore-compute": {}}}},
                {"zoneName": "internal", "zoneState": {"available": true}, "hosts": {}},
                {"zoneName": "west", "zoneState": {"available": false}, "hosts": null},
            ]}),
        ),
        _ => not_found(),
    });
    let place = Place::talking_to(api.url());
    let expected = json!([
        {"zone": "east", "state": "available", "hosts": ["one", "two"]},
        {"zone": "west", "state": "unavailable", "hosts": []},
    ]);
    let ran = place.run("availability-zone list --json");
    assert_eq!((ran.exit, ran.json()), (0, expected));
    let listed = place.run("availability-zone list").out;
    assert!(listed.contains("west  unavailable  0"), "{listed}");
}
