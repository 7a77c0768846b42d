//! Version documents, microversions, and the project in the path.

use axum::body::Body;
use serde_json::json;

use super::support::{TestApi, request};

#[tokio::test]
async fn the_root_lists_the_one_version() {
    let api = TestApi::new().await;
    let version = json!({
        "id": "v2.1",
        "status": "CURRENT",
        "version": "2.1",
        "min_version": "2.1",
        "updated": "2013-07-23T11:33:21Z",
        "links": [{ "rel": "self", "href": "http://api:8774/v2.1/" }],
    });
    let reply = api.get("/").await;
    assert_eq!(
        (reply.status.as_u16(), reply.body),
        (200, json!({ "versions": [version] }))
    );
}

#[tokio::test]
async fn the_version_shows_itself_with_and_without_slash() {
    let api = TestApi::new().await;
    let with = api.get("/v2.1/").await;
    let without = api.get("/v2.1").await;
    assert_eq!(with.body, without.body);
    assert_eq!(with.status, 200);
    assert_eq!(with.body["version"]["id"], "v2.1");
    assert_eq!(with.body["version"]["links"][1]["rel"], "describedby");
    let media = json!([{
        "base": "application/json",
        "type": "application/vnd.openstack.compute+json;version=2.1",
    }]);
    assert_eq!(with.body["version"]["media-types"], media);
}

#[tokio::test]
async fn an_answer_carries_version_and_request_id() {
    let api = TestApi::new().await;
    let reply = api.get("/v2.1/servers").await;
    assert_eq!(reply.headers["x-openstack-nova-api-version"], "2.1");
    assert_eq!(reply.headers["openstack-api-version"], "compute 2.1");
    let id = reply.headers["x-compute-request-id"].to_str().unwrap();
    assert!(id.starts_with("req-"), "{id}");
    assert_eq!(reply.headers["x-openstack-request-id"], id);
    let missing = api.get("/v2.1/servers/none").await;
    assert!(missing.headers.contains_key("x-compute-request-id"));
}

#[tokio::test]
async fn microversions_other_than_ours_are_refused() {
    let api = TestApi::new().await;
    let table = [
        ("OpenStack-API-Version", "compute 2.1", 200),
        ("OpenStack-API-Version", "volume 3.0", 200),
        ("OpenStack-API-Version", "volume 3.0, compute latest", 200),
        ("OpenStack-API-Version", "compute 2.53", 406),
        ("X-OpenStack-Nova-API-Version", "2.1", 200),
        ("X-OpenStack-Nova-API-Version", "latest", 200),
        ("X-OpenStack-Nova-API-Version", "2.2", 406),
        ("X-OpenStack-Nova-API-Version", "2", 400),
        ("X-OpenStack-Nova-API-Version", "two.one", 400),
    ];
    for (header, value, status) in table {
        let mut asked = request("GET", "/v2.1/servers", Body::empty());
        asked.headers_mut().insert(header, value.parse().unwrap());
        assert_eq!(api.send(asked).await.status, status, "{header}: {value}");
    }
    let mut asked = request("GET", "/v2.1/servers", Body::empty());
    let headers = asked.headers_mut();
    headers.insert("OpenStack-API-Version", "compute 2.99".parse().unwrap());
    let reply = api.send(asked).await;
    let (name, error) = reply.error();
    assert_eq!(
        (name, &error["longshore"]["code"]),
        ("computeFault", &json!("api/version"))
    );
    let message = "Version 2.99 is not supported by the API. Minimum is 2.1 and maximum is 2.1.";
    assert_eq!(error["message"], message);
}

#[tokio::test]
async fn a_project_in_the_path_changes_nothing() {
    let api = TestApi::new().await;
    let id = api.boot("one").await;
    for path in ["/v2.1/servers", "/v2.1/admin/servers", "/v2.1/0af3/servers"] {
        let reply = api.get(&format!("{path}/{id}")).await;
        assert_eq!(reply.status, 200, "{path}");
        let list = api.get(&format!("{path}?limit=1")).await;
        assert_eq!(list.body["servers"][0]["id"], id.as_str(), "{path}");
    }
    assert_eq!(api.get("/v2.1/admin/flavors/1").await.status, 200);
    assert_eq!(api.get("/v2.1/servers/servers").await.status, 404);
    assert_eq!(api.get("/v2.1/admin").await.status, 404);
    assert_eq!(api.get("/v2.1/admin/nothing").await.status, 404);
}
