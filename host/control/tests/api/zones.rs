//! Availability zones: how they are listed, which can be asked for, and where they are shown.

use longshore_control::api::ApiConfig;
use longshore_messaging::MemoryTransport;
use longshore_objects::VmState;
use serde_json::{Value, json};

use super::support::{Reply, TestApi};

/// Host `one` is in the zone `east`, `two` is disabled in `west`, `three` is in none.
async fn with_zones() -> TestApi {
    let api = TestApi::new().await;
    api.hosts(&["one", "two", "three"]).await;
    api.aggregate("east", Some("east"), &["one"]).await;
    api.aggregate("west", Some("west"), &["two"]).await;
    let who = json!({ "host": "two", "binary": "longshore-compute" });
    api.put("/v2.1/os-services/disable", &who).await;
    api
}

fn zone(name: &str, available: bool) -> Value {
    json!({ "zoneName": name, "zoneState": { "available": available }, "hosts": null })
}

async fn boot_in(api: &TestApi, zone: &str) -> Reply {
    let server = json!({ "name": "web", "flavorRef": "1", "availability_zone": zone });
    api.post("/v2.1/servers", &json!({ "server": server }))
        .await
}

#[tokio::test]
async fn zones_are_those_of_enabled_hosts_and_then_the_others() {
    let api = with_zones().await;
    let list = api.get("/v2.1/os-availability-zone").await;
    let expected = json!({ "availabilityZoneInfo": [
        zone("east", true), zone("nova", true), zone("west", false),
    ]});
    assert_eq!((list.status.as_u16(), list.body), (200, expected));

    let full = api.get("/v2.1/os-availability-zone/detail").await;
    let full = full.shape().1;
    let all = full["availabilityZoneInfo"].as_array().unwrap();
    let state = json!({ "available": true, "active": true, "updated_at": null });
    let mut east = zone("east", true);
    east["hosts"] = json!({ "one": { "longshore-compute": state } });
    assert_eq!(
        (all.len(), &all[0], &all[2]),
        (3, &east, &zone("west", false))
    );
}

#[tokio::test]
async fn a_zone_is_asked_for_by_its_name_or_refused() {
    let api = with_zones().await;
    for zone in ["east", "nova", "west:two"] {
        let reply = boot_in(&api, zone).await;
        assert_eq!(reply.status, 202, "{}", reply.body);
    }
    let table = [
        (
            "eats",
            "no host is in the zone `eats`",
            "did you mean `east`?",
        ),
        (
            "west",
            "all hosts of the zone `west` are disabled",
            "there are `east`, `nova`",
        ),
        (
            "internal",
            "no host is in the zone `internal`",
            "there are `east`, `nova`",
        ),
    ];
    for (zone, why, cure) in table {
        let reply = boot_in(&api, zone).await;
        let message = reply.refused(400, "badRequest", "api/bad-reference");
        assert_eq!(message, "The requested availability zone is not available");
        let said = &reply.error().1["longshore"];
        assert_eq!((&said["why"], &said["do"]), (&json!(why), &json!(cure)));
    }
    assert_eq!(api.queued_for_conductor(), 3);
    let empty = TestApi::new().await;
    let reply = boot_in(&empty, "nova").await;
    reply.refused(400, "badRequest", "api/bad-reference");
}

#[tokio::test]
async fn a_server_is_in_the_zone_of_its_host() {
    let api = with_zones().await;
    const ZONE: &str = "OS-EXT-AZ:availability_zone";
    let reply = boot_in(&api, "nova").await;
    let id = reply.body["server"]["id"].as_str().unwrap().to_owned();
    let path = format!("/v2.1/servers/{id}");
    assert_eq!(api.get(&path).await.body["server"][ZONE], "nova");
    api.become_(&id, VmState::Active, None).await;
    assert_eq!(api.get(&path).await.body["server"][ZONE], "east");
    let list = api.get("/v2.1/servers/detail").await;
    assert_eq!(list.body["servers"][0][ZONE], "east");
    let move_it = json!({ "aggregate": { "availability_zone": "north" } });
    api.put("/v2.1/os-aggregates/1", &move_it).await;
    let renamed = json!({ "server": { "name": "db" } });
    assert_eq!(api.put(&path, &renamed).await.body["server"][ZONE], "north");
    let services = api.get("/v2.1/os-services").await;
    let zones: Vec<&Value> = services.body["services"]
        .as_array()
        .unwrap()
        .iter()
        .map(|service| &service["zone"])
        .collect();
    assert_eq!(zones, ["north", "west", "nova"]);
}

#[tokio::test]
async fn the_operator_names_the_default_zone() {
    let config = ApiConfig {
        default_availability_zone: "home".to_owned(),
        ..ApiConfig::default()
    };
    let api = TestApi::with(MemoryTransport::new(), Vec::new(), config).await;
    api.hosts(&["one"]).await;
    let id = api.boot("web").await;
    api.become_(&id, VmState::Active, None).await;
    let shown = api.get(&format!("/v2.1/servers/{id}")).await;
    assert_eq!(shown.body["server"]["OS-EXT-AZ:availability_zone"], "home");
    let list = api.get("/v2.1/os-availability-zone").await;
    assert_eq!(
        list.body,
        json!({ "availabilityZoneInfo": [zone("home", true)] })
    );
}
