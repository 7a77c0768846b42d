//! Health, readiness and plugins.

use longshore_control::api::{ApiConfig, ReadyItem};
use longshore_messaging::MemoryTransport;
use serde_json::json;

use super::support::TestApi;

async fn with_items(items: Vec<ReadyItem>) -> TestApi {
    TestApi::with(MemoryTransport::new(), items, ApiConfig::default()).await
}

fn item(name: &str, problem: Option<&str>) -> ReadyItem {
    ReadyItem {
        name: name.to_owned(),
        problem: problem.map(str::to_owned),
    }
}

#[tokio::test]
async fn health_needs_nothing() {
    let api = TestApi::new().await;
    api.store.close().await;
    assert_eq!(
        api.get("/healthz").await.shape(),
        (200, json!({ "status": "ok" }))
    );
}

#[tokio::test]
async fn ready_only_when_every_item_is() {
    let api = with_items(vec![item("service compute", None)]).await;
    let items = json!([{ "name": "service compute", "ready": true, "why": null }]);
    assert_eq!(
        api.get("/readyz").await.shape(),
        (200, json!({ "ready": true, "items": items }))
    );
    let broken = item("driver fake", Some("refused: `plugin/not-elf`"));
    let api = with_items(vec![item("service compute", None), broken]).await;
    let items = json!([
        { "name": "service compute", "ready": true, "why": null },
        { "name": "driver fake", "ready": false, "why": "refused: `plugin/not-elf`" },
    ]);
    assert_eq!(
        api.get("/readyz").await.shape(),
        (503, json!({ "ready": false, "items": items }))
    );
}

#[tokio::test]
async fn plugins_are_listed_and_shown() {
    let api = TestApi::new().await;
    let all = api.get("/longshore/v1/plugins").await;
    assert_eq!(all.body.as_array().map(Vec::len), Some(2));
    let some = api
        .get("/longshore/v1/plugins?namespace=longshore.virt.driver")
        .await;
    let fake = json!({ "namespace": "longshore.virt.driver", "name": "fake", "state": "in_use" });
    assert_eq!(some.body, json!([fake]));
    let none = api.get("/longshore/v1/plugins?namespace=acme").await;
    assert_eq!(none.body, json!([]));
    let one = api
        .get("/longshore/v1/plugins/longshore.virt.driver/fake")
        .await;
    assert_eq!(one.body["file"], "liblongshore_virt_fake.so");
    let missing = api
        .get("/longshore/v1/plugins/longshore.virt.driver/kvm")
        .await;
    assert_eq!(missing.status, 404);
    assert_eq!(missing.error().1["longshore"]["code"], "api/not-found");
}
