//! Every way a request is refused: status, name of the error, code.

use axum::body::Body;
use longshore_control::api::codes::TABLE;
use serde_json::{Value, json};

use super::support::{Reply, TestApi, request};

fn refused(reply: &Reply, status: u16, name: &str, code: &str) {
    reply.refused(status, name, code);
}

#[tokio::test]
async fn bad_boots_name_what_is_wrong() {
    let api = TestApi::new().await;
    let long = "x".repeat(256);
    let pairs: Value = (0..129)
        .map(|n| (format!("k{n}"), json!("v")))
        .collect::<serde_json::Map<_, _>>()
        .into();
    let table = [
        (json!({ "name": null }), "api/bad-field", "server.name"),
        (json!({ "name": "" }), "api/bad-field", "server.name"),
        (json!({ "name": 7 }), "api/bad-field", "server.name"),
        (json!({ "name": long }), "api/bad-field", "server.name"),
        (json!({ "name": " web" }), "api/bad-field", "server.name"),
        (json!({ "name": "a\nb" }), "api/bad-field", "server.name"),
        (
            json!({ "flavorRef": null }),
            "api/bad-field",
            "server.flavorRef",
        ),
        (
            json!({ "flavorRef": {} }),
            "api/bad-field",
            "server.flavorRef",
        ),
        (
            json!({ "flavorRef": "none" }),
            "api/bad-reference",
            "Flavor none",
        ),
        (
            json!({ "imageRef": "nothing" }),
            "api/bad-reference",
            "requested image",
        ),
        (
            json!({ "key_name": "mine" }),
            "api/bad-reference",
            "key_name",
        ),
        (
            json!({ "min_count": 0 }),
            "api/bad-field",
            "server.min_count",
        ),
        (
            json!({ "min_count": 3, "max_count": 2 }),
            "api/bad-field",
            "server.min_count",
        ),
        (
            json!({ "max_count": 1001 }),
            "api/bad-field",
            "server.max_count",
        ),
        (
            json!({ "max_count": "many" }),
            "api/bad-field",
            "server.max_count",
        ),
        (
            json!({ "metadata": [] }),
            "api/bad-field",
            "server.metadata",
        ),
        (
            json!({ "metadata": { "a": 1 } }),
            "api/bad-field",
            "server.metadata.a",
        ),
        (
            json!({ "metadata": { "a": long } }),
            "api/bad-field",
            "server.metadata.a",
        ),
        (
            json!({ "metadata": { "": "v" } }),
            "api/bad-field",
            "server.metadata",
        ),
        (
            json!({ "metadata": pairs }),
            "api/bad-field",
            "server.metadata",
        ),
        (
            json!({ "networks": [{ "uuid": "1" }] }),
            "api/bad-field",
            "server.networks",
        ),
        (
            json!({ "availability_zone": "a:b:c:d" }),
            "api/bad-field",
            "availability_zone",
        ),
        (
            json!({ "user_data": "not base64" }),
            "api/bad-field",
            "server.user_data",
        ),
        (
            json!({ "config_drive": "perhaps" }),
            "api/bad-field",
            "server.config_drive",
        ),
        (
            json!({ "accessIPv4": "::1" }),
            "api/bad-field",
            "server.accessIPv4",
        ),
        (
            json!({ "OS-DCF:diskConfig": "BOTH" }),
            "api/bad-field",
            "OS-DCF:diskConfig",
        ),
        (
            json!({ "security_groups": ["web"] }),
            "api/bad-field",
            "server.security_groups",
        ),
        (
            json!({ "personality": [{}] }),
            "api/bad-field",
            "server.personality",
        ),
        (
            json!({ "adminPassword": "x" }),
            "api/unknown-field",
            "server.adminPassword",
        ),
    ];
    for (members, code, named) in table {
        let mut server = json!({ "name": "web", "flavorRef": "1" });
        let given = members.as_object().unwrap().clone();
        server.as_object_mut().unwrap().extend(given);
        let reply = api
            .post("/v2.1/servers", &json!({ "server": server }))
            .await;
        refused(&reply, 400, "badRequest", code);
        let message = reply.error().1["message"].as_str().unwrap();
        assert!(message.contains(named), "{message}");
    }
    assert_eq!(api.queued_for_conductor(), 0);
}

#[tokio::test]
async fn limits_are_reached_and_not_passed() {
    let api = TestApi::new().await;
    let longest = "é".repeat(255);
    let pairs: Value = (0..128)
        .map(|n| (format!("k{n}"), json!(longest)))
        .collect::<serde_json::Map<_, _>>()
        .into();
    let body = json!({ "server": {
        "name": longest, "flavorRef": "1", "metadata": pairs, "max_count": 2,
    }});
    let reply = api.post("/v2.1/servers", &body).await;
    assert_eq!(reply.status, 202, "{}", reply.body);
    let body = json!({ "server": { "name": "m", "flavorRef": "1", "max_count": 1000 } });
    assert_eq!(api.post("/v2.1/servers", &body).await.status, 202);
}

#[tokio::test]
async fn bodies_that_cannot_be_read() {
    let api = TestApi::new().await;
    for body in ["", "{", "[]", "null", "{\"server\": }", "\u{0}"] {
        let reply = api
            .send(request("POST", "/v2.1/servers", body.into()))
            .await;
        refused(&reply, 400, "badRequest", "api/bad-json");
    }
    let reply = api.post("/v2.1/servers", &json!({})).await;
    refused(&reply, 400, "badRequest", "api/bad-field");
    let reply = api
        .post("/v2.1/servers", &json!({ "server": {}, "more": 1 }))
        .await;
    refused(&reply, 400, "badRequest", "api/unknown-field");
    let largest = format!("{{\"x\":\"{}\"}}", "x".repeat(114_688 - 8));
    let reply = api
        .send(request("POST", "/v2.1/servers", largest.clone().into()))
        .await;
    refused(&reply, 400, "badRequest", "api/bad-field");
    let larger = format!("{largest} ");
    let reply = api
        .send(request("POST", "/v2.1/servers", larger.into()))
        .await;
    refused(&reply, 413, "overLimit", "api/body-too-large");
}

#[tokio::test]
async fn paths_methods_and_parameters() {
    let api = TestApi::new().await;
    let table = [
        ("GET", "/nothing", 404, "itemNotFound", "api/no-such-path"),
        // Not UTF-8: it was answered with plain text.
        (
            "GET",
            "/v2.1/servers/%ff%fe",
            404,
            "itemNotFound",
            "api/no-such-path",
        ),
        (
            "GET",
            "/v2.1/nothing",
            404,
            "itemNotFound",
            "api/no-such-path",
        ),
        (
            "GET",
            "/v2.1/servers/x",
            404,
            "itemNotFound",
            "api/not-found",
        ),
        (
            "DELETE",
            "/v2.1/servers/x",
            404,
            "itemNotFound",
            "api/not-found",
        ),
        (
            "GET",
            "/v2.1/flavors/x",
            404,
            "itemNotFound",
            "api/not-found",
        ),
        (
            "DELETE",
            "/v2.1/flavors/x",
            404,
            "itemNotFound",
            "api/not-found",
        ),
        ("GET", "/v2/images/x", 404, "itemNotFound", "api/not-found"),
        (
            "DELETE",
            "/v2/images/x",
            404,
            "itemNotFound",
            "api/not-found",
        ),
        (
            "GET",
            "/v2.1/os-hypervisors/x",
            404,
            "itemNotFound",
            "api/not-found",
        ),
        (
            "PATCH",
            "/v2.1/servers",
            405,
            "badMethod",
            "api/wrong-method",
        ),
        ("POST", "/", 405, "badMethod", "api/wrong-method"),
        (
            "DELETE",
            "/v2.1/admin/servers",
            405,
            "badMethod",
            "api/wrong-method",
        ),
        (
            "PUT",
            "/v2/images/x/file",
            501,
            "notImplemented",
            "api/not-implemented",
        ),
        (
            "GET",
            "/v2.1/servers?limit=-1",
            400,
            "badRequest",
            "api/bad-query",
        ),
        (
            "GET",
            "/v2.1/servers?limit=x",
            400,
            "badRequest",
            "api/bad-query",
        ),
        (
            "GET",
            "/v2.1/servers?marker=x",
            400,
            "badRequest",
            "api/bad-query",
        ),
        (
            "GET",
            "/v2.1/servers?nam=x",
            400,
            "badRequest",
            "api/bad-query",
        ),
        (
            "GET",
            "/v2.1/servers?sort_key=host",
            400,
            "badRequest",
            "api/bad-query",
        ),
        (
            "GET",
            "/v2.1/servers?deleted=maybe",
            400,
            "badRequest",
            "api/bad-query",
        ),
        (
            "GET",
            "/v2.1/flavors?marker=x",
            400,
            "badRequest",
            "api/bad-query",
        ),
        (
            "GET",
            "/v2.1/flavors?minRam=x",
            400,
            "badRequest",
            "api/bad-query",
        ),
    ];
    for (method, path, status, name, code) in table {
        let reply = api.send(request(method, path, Body::empty())).await;
        refused(&reply, status, name, code);
        if status == 405 {
            assert!(reply.headers.contains_key("allow"), "{path}");
        }
    }
}

#[tokio::test]
async fn a_database_that_is_gone_is_not_the_clients_fault() {
    let api = TestApi::new().await;
    api.store.close().await;
    let reply = api.get("/v2.1/servers").await;
    refused(&reply, 503, "serviceUnavailable", "store/closed");
    assert_eq!(reply.headers["retry-after"], "1");
}

#[test]
fn every_code_is_explained_once() {
    for (index, row) in TABLE.iter().enumerate() {
        assert!(
            TABLE[..index].iter().all(|other| other.code != row.code),
            "{}",
            row.code
        );
        assert!(!row.title.is_empty() && !row.cause.is_empty() && !row.cure.is_empty());
    }
}
