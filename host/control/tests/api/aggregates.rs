//! Aggregates: what each path answers, and what it refuses.

use longshore_messaging::Transport;
use serde_json::{Value, json};

use super::support::TestApi;

fn action(name: &str, arguments: Value) -> Value {
    json!({ name: arguments })
}

fn metadata(pairs: Value) -> Value {
    action("set_metadata", json!({ "metadata": pairs }))
}

#[tokio::test]
async fn an_aggregate_from_create_to_delete() {
    let api = TestApi::new().await;
    api.hosts(&["one", "two"]).await;
    let body = json!({ "aggregate": { "name": "fast", "availability_zone": "east" } });
    let reply = api.post("/v2.1/os-aggregates", &body).await;
    let mut expected = json!({
        "id": 1, "name": "fast", "availability_zone": "east", "created_at": "<time>.000000",
        "updated_at": null, "deleted_at": null, "deleted": false,
    });
    assert_eq!(reply.shape(), (200, json!({ "aggregate": expected })));

    let path = "/v2.1/os-aggregates/1";
    let act = format!("{path}/action");
    for host in ["two", "one"] {
        let reply = api
            .post(&act, &action("add_host", json!({ "host": host })))
            .await;
        assert_eq!(reply.status, 200, "{}", reply.body);
    }
    expected["hosts"] = json!(["one", "two"]);
    expected["updated_at"] = json!("<time>.000000");
    expected["metadata"] = json!({ "availability_zone": "east", "ssd": "true" });
    let pairs = json!({ "ssd": "true", "absent": null });
    let reply = api.post(&act, &metadata(pairs)).await;
    assert_eq!(reply.shape(), (200, json!({ "aggregate": expected })));
    assert_eq!(
        api.get(path).await.shape(),
        (200, json!({ "aggregate": expected }))
    );
    let list = api.get("/v2.1/os-aggregates").await;
    assert_eq!(list.shape(), (200, json!({ "aggregates": [expected] })));

    let body = json!({ "aggregate": { "name": "faster", "availability_zone": "west" } });
    let reply = api.put(path, &body).await;
    let found = &reply.body["aggregate"];
    assert_eq!(
        (&found["name"], &found["availability_zone"]),
        (&json!("faster"), &json!("west"))
    );
    let reply = api.post(&act, &metadata(json!({ "ssd": null }))).await;
    let left = json!({ "availability_zone": "west" });
    assert_eq!(reply.body["aggregate"]["metadata"], left);

    let refused = api.delete(path).await;
    let message = refused.refused(400, "badRequest", "api/aggregate-rule");
    assert_eq!(
        message,
        "Cannot remove host from aggregate 1. Reason: Host aggregate is not empty."
    );
    for host in ["one", "two"] {
        let body = action("remove_host", json!({ "host": host }));
        assert_eq!(api.post(&act, &body).await.status, 200);
    }
    let reply = api.delete(path).await;
    assert_eq!((reply.status.as_u16(), reply.body), (200, Value::Null));
    assert_eq!(api.get(path).await.status, 404);
    let list = api.get("/v2.1/os-aggregates").await;
    assert_eq!(list.body, json!({ "aggregates": [] }));
}

#[tokio::test]
async fn names_hosts_and_zones_that_clash_are_refused() {
    let api = TestApi::new().await;
    api.hosts(&["one", "two"]).await;
    let east = api.aggregate("east", Some("east"), &["one"]).await;
    let west = api.aggregate("west", Some("west"), &["two"]).await;
    let both = api.aggregate("both", None, &["one", "two"]).await;
    let conflict = |path: &str| (format!("{path}/action"), 409, "conflictingRequest");
    let bad = |path: &str| (format!("{path}/action"), 400, "badRequest");
    let missing = |path: &str| (format!("{path}/action"), 404, "itemNotFound");
    let host = |name: &str, host: &str| action(name, json!({ "host": host }));
    let table = [
        (
            conflict(&east),
            host("add_host", "one"),
            "api/exists",
            "Aggregate 1 already has host one.",
        ),
        (
            conflict(&west),
            host("add_host", "one"),
            "api/aggregate-rule",
            "Cannot add host to aggregate 2. Reason: One or more hosts already in availability zone(s) east.",
        ),
        (
            bad(&both),
            metadata(json!({ "availability_zone": "west" })),
            "api/aggregate-rule",
            "Cannot update metadata of aggregate 3. Reason: One or more hosts already in availability \
             zone(s) east.",
        ),
        (
            bad(&east),
            metadata(json!({ "availability_zone": null })),
            "api/aggregate-rule",
            "Cannot update metadata of aggregate 1. Reason: Aggregate east does not support empty \
             named availability zone.",
        ),
        (
            missing(&east),
            host("add_host", "three"),
            "api/not-found",
            "Compute host three could not be found.",
        ),
        (
            missing(&east),
            host("remove_host", "two"),
            "api/not-found",
            "Cannot remove host two in aggregate 1",
        ),
        (
            missing("/v2.1/os-aggregates/9"),
            host("add_host", "one"),
            "api/not-found",
            "Aggregate 9 could not be found.",
        ),
        (
            missing("/v2.1/os-aggregates/x"),
            metadata(json!({ "a": "b" })),
            "api/not-found",
            "Aggregate x could not be found.",
        ),
    ];
    for ((path, status, name), body, code, message) in table {
        let reply = api.post(&path, &body).await;
        assert_eq!(reply.refused(status, name, code), message);
    }
    let (act, mistyped) = (format!("{east}/action"), host("add_host", "twoo"));
    let reply = api.post(&act, &mistyped).await;
    reply.refused(404, "itemNotFound", "api/not-found");
    assert_eq!(reply.error().1["longshore"]["do"], "did you mean `two`?");
    let taken = json!({ "aggregate": { "name": "east" } });
    for reply in [
        api.post("/v2.1/os-aggregates", &taken).await,
        api.put(&west, &taken).await,
    ] {
        let message = reply.refused(409, "conflictingRequest", "api/exists");
        assert_eq!(message, "Aggregate east already exists.");
    }
    let renamed = json!({ "aggregate": { "name": "x", "availability_zone": "west" } });
    let reply = api.put(&both, &renamed).await;
    reply.refused(400, "badRequest", "api/aggregate-rule");
    assert_eq!(api.get(&both).await.body["aggregate"]["name"], "both");
}

#[tokio::test]
async fn bodies_name_what_is_wrong() {
    let api = TestApi::new().await;
    let path = api.aggregate("a", None, &[]).await;
    let act = format!("{path}/action");
    let long = "x".repeat(256);
    let create = [
        (json!({}), "api/bad-field", "aggregate.name"),
        (json!({ "name": " a" }), "api/bad-field", "aggregate.name"),
        (json!({ "name": long }), "api/bad-field", "aggregate.name"),
        (
            json!({ "name": "b", "availability_zone": "a:b" }),
            "api/bad-field",
            "aggregate.availability_zone",
        ),
        (
            json!({ "name": "b", "availability_zone": "" }),
            "api/bad-field",
            "aggregate.availability_zone",
        ),
        (
            json!({ "name": "b", "hosts": [] }),
            "api/unknown-field",
            "aggregate.hosts",
        ),
    ];
    for (given, code, named) in create {
        let reply = api
            .post("/v2.1/os-aggregates", &json!({ "aggregate": given }))
            .await;
        let message = reply.refused(400, "badRequest", code);
        assert!(message.contains(named), "{message}");
    }
    let actions = [
        (json!({}), "api/unknown-action", "Malformed"),
        (
            json!({ "add_host": {}, "remove_host": {} }),
            "api/unknown-action",
            "Malformed",
        ),
        (json!({ "melt": {} }), "api/unknown-action", "melt"),
        (json!({ "add_host": null }), "api/bad-field", "add_host"),
        (json!({ "add_host": {} }), "api/bad-field", "add_host.host"),
        (
            json!({ "add_host": { "host": "" } }),
            "api/bad-field",
            "add_host.host",
        ),
        (
            json!({ "set_metadata": {} }),
            "api/bad-field",
            "set_metadata.metadata",
        ),
        (
            metadata(json!({ "k": 1 })),
            "api/bad-field",
            "set_metadata.metadata.k",
        ),
        (
            metadata(json!({ "k/": "v" })),
            "api/bad-field",
            "set_metadata.metadata.k/",
        ),
        (
            metadata(json!({ "k": long })),
            "api/bad-field",
            "set_metadata.metadata.k",
        ),
    ];
    for (body, code, named) in actions {
        let reply = api.post(&act, &body).await;
        let message = reply.refused(400, "badRequest", code);
        assert!(message.contains(named), "{message}");
    }
    let reply = api.put(&path, &json!({ "aggregate": {} })).await;
    reply.refused(400, "badRequest", "api/bad-field");
}

#[tokio::test]
async fn every_change_is_told_to_all_schedulers() {
    let api = TestApi::new().await;
    api.hosts(&["one"]).await;
    let mut scheduler = api.transport.listen("scheduler", "any").await.unwrap();
    let path = api.aggregate("a", None, &["one"]).await;
    let remove = action("remove_host", json!({ "host": "one" }));
    api.post(&format!("{path}/action"), &remove).await;
    api.delete(&path).await;
    let mut told = Vec::new();
    for _ in 0..4 {
        let bytes = scheduler.next().await.unwrap();
        let envelope: Value = serde_json::from_slice(&bytes).unwrap();
        let message = envelope["oslo.message"].as_str().unwrap();
        let message: Value = serde_json::from_str(message).unwrap();
        let args = &message["args"];
        let one = args.get("aggregate").unwrap_or(&args["aggregates"][0]);
        assert_eq!(message["version"], "4.1");
        told.push((
            message["method"].as_str().unwrap().to_owned(),
            one["nova_object.data"]["hosts"].clone(),
        ));
    }
    let told: Vec<_> = told
        .iter()
        .map(|(method, hosts)| (method.as_str(), hosts))
        .collect();
    let update = "update_aggregates";
    let expected = [
        (update, &json!([])),
        (update, &json!(["one"])),
        (update, &json!([])),
        ("delete_aggregate", &json!([])),
    ];
    assert_eq!(told, expected);
}
