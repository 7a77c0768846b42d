//! Images: shapes, files, properties.

use serde_json::{Value, json};

use super::support::TestApi;

#[tokio::test]
async fn an_image_is_created_shown_booted_and_deleted() {
    let api = TestApi::new().await;
    let file = api.dir.path().join("sleep");
    std::fs::write(&file, b"12345").unwrap();
    let body = json!({
        "name": "sleeper", "location": file, "args": "3600", "min_ram": 100,
        "container_format": "bare", "visibility": "private",
    });
    let created = api.post("/v2/images", &body).await;
    let expected = json!({
        "id": "<uuid>",
        "name": "sleeper",
        "status": "active",
        "visibility": "private",
        "container_format": "bare",
        "disk_format": "raw",
        "size": 5,
        "checksum": null,
        "min_ram": 100,
        "min_disk": 0,
        "owner": null,
        "protected": false,
        "tags": [],
        "args": "3600",
        "location": file,
        "created_at": "<time>Z",
        "updated_at": "<time>Z",
        "file": "/v2/images/<uuid>/file",
        "self": "/v2/images/<uuid>",
        "schema": "/v2/schemas/image",
    });
    assert_eq!(created.shape(), (201, expected));
    let id = created.body["id"].as_str().unwrap();
    let path = format!("/v2/images/{id}");
    assert_eq!(api.get(&path).await.body, created.body);
    let body = json!({ "server": { "name": "web", "flavorRef": "1", "imageRef": id } });
    let reply = api.post("/v2.1/servers", &body).await;
    let server = reply.body["server"]["id"].as_str().unwrap();
    let spec = api.store.request_spec(server).await.unwrap();
    assert_eq!(spec.image().unwrap().properties()["args"], "3600");
    assert_eq!(api.delete(&path).await.shape(), (204, Value::Null));
    assert_eq!(api.get(&path).await.status, 404);
}

#[tokio::test]
async fn images_are_listed_by_name_and_in_pages() {
    let api = TestApi::new().await;
    for name in ["a", "a", "b"] {
        api.post("/v2/images", &json!({ "name": name })).await;
    }
    let all = api.get("/v2/images").await;
    assert_eq!(all.body["images"].as_array().map(Vec::len), Some(4));
    assert_eq!(all.body["first"], "/v2/images");
    let named = api.get("/v2/images?name=a").await;
    assert_eq!(named.body["images"].as_array().map(Vec::len), Some(2));
    let page = api.get("/v2/images?name=a&limit=1").await;
    let next = page.body["next"].as_str().unwrap();
    assert!(
        next.starts_with("/v2/images?name=a&limit=1&marker="),
        "{next}"
    );
    let second = api.get(next).await;
    assert_eq!(second.body["images"].as_array().map(Vec::len), Some(1));
    // Of two images with one name, neither can be meant.
    let body = json!({ "server": { "name": "web", "flavorRef": "1", "imageRef": "a" } });
    assert_eq!(api.post("/v2.1/servers", &body).await.status, 400);
}

#[tokio::test]
async fn bad_images() {
    let api = TestApi::new().await;
    let dir = api.dir.path().to_str().unwrap().to_owned();
    let table = [
        (json!({}), "api/bad-field"),
        (json!({ "name": "" }), "api/bad-field"),
        (
            json!({ "name": "a", "location": "relative" }),
            "api/image-file",
        ),
        (
            json!({ "name": "a", "location": format!("{dir}/none") }),
            "api/image-file",
        ),
        (json!({ "name": "a", "location": dir }), "api/image-file"),
        (json!({ "name": "a", "location": 1 }), "api/bad-field"),
        (json!({ "name": "a", "id": "x" }), "api/bad-field"),
        (json!({ "name": "a", "size": 7 }), "api/bad-field"),
        (json!({ "name": "a", "arch": 7 }), "api/bad-field"),
        (
            json!({ "name": "a", "arch": "x".repeat(4097) }),
            "api/bad-field",
        ),
        (json!({ "name": "a", "protected": true }), "api/bad-field"),
        (json!({ "name": "a", "min_ram": -1 }), "api/bad-field"),
    ];
    for (body, code) in table {
        let reply = api.post("/v2/images", &body).await;
        assert_eq!(reply.status, 400, "{body}");
        assert_eq!(reply.error().1["longshore"]["code"], code, "{body}");
    }
    let id = "00000000-0000-4000-8000-000000000000";
    let reply = api
        .post("/v2/images", &json!({ "name": "a", "id": id }))
        .await;
    assert_eq!(reply.status, 409);
}

#[tokio::test]
async fn a_flavor_must_be_large_enough_for_the_image() {
    let api = TestApi::new().await;
    let table = [
        (json!({ "min_ram": 513 }), "memory"),
        (json!({ "min_disk": 2 }), "disk"),
    ];
    for (members, what) in table {
        let mut body = members;
        body["name"] = json!("large");
        let image = api.post("/v2/images", &body).await;
        let body = json!({ "server": {
            "name": "web", "flavorRef": "1", "imageRef": image.body["id"],
        }});
        let reply = api.post("/v2.1/servers", &body).await;
        assert_eq!(reply.status, 400);
        let message = format!("Flavor's {what} is too small for requested image.");
        assert_eq!(reply.error().1["message"], message.as_str());
    }
}

#[tokio::test]
async fn a_server_can_be_booted_when_no_image_is_left() {
    let api = TestApi::new().await;
    api.delete("/v2/images/00000000-0000-4000-8000-000000000000")
        .await;
    let id = api.boot("bare").await;
    let shown = api.get(&format!("/v2.1/servers/{id}")).await;
    assert_eq!(shown.body["server"]["image"], "");
}
