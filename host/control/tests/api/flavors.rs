//! Flavors: shapes, bounds, conflicts.

use serde_json::{Value, json};

use super::support::TestApi;

fn flavor(members: Value) -> Value {
    let mut flavor = json!({ "name": "f", "ram": 1, "vcpus": 1, "disk": 0 });
    let given = members.as_object().unwrap().clone();
    flavor.as_object_mut().unwrap().extend(given);
    json!({ "flavor": flavor })
}

#[tokio::test]
async fn a_flavor_is_created_shown_and_deleted() {
    let api = TestApi::new().await;
    let body = flavor(json!({ "id": 77, "name": "big", "swap": 64, "rxtx_factor": "2.0" }));
    let created = api.post("/v2.1/flavors", &body).await;
    let expected = json!({ "flavor": {
        "id": "77",
        "name": "big",
        "ram": 1,
        "vcpus": 1,
        "disk": 0,
        "swap": 64,
        "rxtx_factor": 2.0,
        "OS-FLV-EXT-DATA:ephemeral": 0,
        "OS-FLV-DISABLED:disabled": false,
        "os-flavor-access:is_public": true,
        "links": [
            { "rel": "self", "href": "http://api:8774/v2.1/flavors/77" },
            { "rel": "bookmark", "href": "http://api:8774/flavors/77" },
        ],
    }});
    assert_eq!((created.status.as_u16(), &created.body), (200, &expected));
    assert_eq!(api.get("/v2.1/flavors/77").await.body, expected);
    assert_eq!(
        api.delete("/v2.1/flavors/77").await.shape(),
        (202, Value::Null)
    );
    assert_eq!(api.get("/v2.1/flavors/77").await.status, 404);
}

#[tokio::test]
async fn the_shipped_flavors_are_listed() {
    let api = TestApi::new().await;
    let list = api.get("/v2.1/flavors").await;
    let names: Vec<_> = list.body["flavors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["name"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(
        names,
        ["m1.tiny", "m1.small", "m1.medium", "m1.large", "m1.xlarge"]
    );
    let page = api
        .get("/v2.1/flavors/detail?is_public=None&limit=2&marker=1")
        .await;
    let flavors = page.body["flavors"].as_array().unwrap();
    assert_eq!((flavors.len(), &flavors[0]["ram"]), (2, &json!(2048)));
    assert_eq!(flavors[0]["swap"], "");
    let next = page.body["flavors_links"][0]["href"].as_str().unwrap();
    assert!(
        next.ends_with("/v2.1/flavors/detail?is_public=None&limit=2&marker=3"),
        "{next}"
    );
    let large = api.get("/v2.1/flavors?minRam=8192&minDisk=100").await;
    assert_eq!(large.body["flavors"][0]["id"], "5");
}

#[tokio::test]
async fn bounds_of_a_flavor() {
    let api = TestApi::new().await;
    let largest = [
        json!({ "name": "a", "ram": 2_147_483_647 }),
        json!({ "name": "b", "vcpus": 65_536 }),
        json!({ "name": "c", "disk": 2_097_152 }),
        json!({ "name": "x".repeat(255), "id": "auto" }),
    ];
    for members in largest {
        let reply = api.post("/v2.1/flavors", &flavor(members)).await;
        assert_eq!(reply.status, 200, "{}", reply.body);
    }
    let beyond = [
        ("ram", json!(0)),
        ("ram", json!(2_147_483_648_i64)),
        ("ram", json!(1.5)),
        ("ram", json!("much")),
        ("ram", Value::Null),
        ("vcpus", json!(0)),
        ("vcpus", json!(65_537)),
        ("disk", json!(-1)),
        ("disk", json!(2_097_153)),
        ("name", json!("x".repeat(256))),
        ("id", json!("x".repeat(256))),
        ("id", json!("a/b")),
        ("swap", json!(-1)),
        ("rxtx_factor", json!(0)),
    ];
    for (member, value) in beyond {
        let reply = api
            .post("/v2.1/flavors", &flavor(json!({ member: value })))
            .await;
        assert_eq!(reply.status, 400, "{member} {value}");
        let message = reply.error().1["message"].as_str().unwrap();
        assert!(message.contains(&format!("flavor.{member}")), "{message}");
    }
}

#[tokio::test]
async fn taken_names_and_identifiers_are_conflicts() {
    let api = TestApi::new().await;
    let table = [
        (
            json!({ "name": "m1.tiny" }),
            "Flavor with name m1.tiny already exists.",
        ),
        (
            json!({ "name": "new", "id": "1" }),
            "Flavor with ID 1 already exists.",
        ),
    ];
    for (members, message) in table {
        let reply = api.post("/v2.1/flavors", &flavor(members)).await;
        assert_eq!(reply.status, 409);
        let (name, error) = reply.error();
        assert_eq!(
            (name, &error["message"]),
            ("conflictingRequest", &json!(message))
        );
        assert_eq!(error["longshore"]["code"], "api/exists");
    }
}

#[tokio::test]
async fn extra_specs_are_set_shown_and_removed_one_by_one() {
    let api = TestApi::new().await;
    let path = "/v2.1/flavors/1/os-extra_specs";
    let given = json!({ "extra_specs": { "ssd": "true", "a:b": "<or> 1 <or> 2" } });
    let reply = api.post(path, &given).await;
    assert_eq!((reply.status.as_u16(), &reply.body), (200, &given));
    let more = json!({ "extra_specs": { "ssd": "false" } });
    assert_eq!(api.post(path, &more).await.body, more);
    let all = json!({ "extra_specs": { "ssd": "false", "a:b": "<or> 1 <or> 2" } });
    assert_eq!(api.get(path).await.body, all);
    let one = api.get(&format!("{path}/ssd")).await;
    assert_eq!(one.body, json!({ "ssd": "false" }));
    let gone = api.delete(&format!("{path}/a%3Ab")).await;
    assert_eq!((gone.status.as_u16(), gone.body), (200, Value::Null));
    assert_eq!(api.get(path).await.body, more);
    for reply in [
        api.get(&format!("{path}/a:b")).await,
        api.delete(&format!("{path}/a:b")).await,
        api.get("/v2.1/flavors/x/os-extra_specs").await,
        api.post("/v2.1/flavors/x/os-extra_specs", &more).await,
    ] {
        reply.refused(404, "itemNotFound", "api/not-found");
    }
    for specs in [json!({ "a/b": "c" }), json!({ "a": null }), json!([])] {
        let reply = api.post(path, &json!({ "extra_specs": specs })).await;
        reply.refused(400, "badRequest", "api/bad-field");
    }
}
