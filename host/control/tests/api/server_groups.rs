//! Server groups: shapes, policies, bounds, and the hint that makes a server a member.

use longshore_control::api::ApiConfig;
use longshore_messaging::MemoryTransport;
use longshore_objects::VmState;
use serde_json::{Value, json};

use super::support::{Reply, TestApi};

const PATH: &str = "/v2.1/os-server-groups";

async fn create(api: &TestApi, members: Value) -> Reply {
    api.post(PATH, &json!({ "server_group": members })).await
}

/// Creates a group; answers its identifier.
async fn group(api: &TestApi, name: &str) -> String {
    let reply = create(api, json!({ "name": name, "policies": ["anti-affinity"] })).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    reply.body["server_group"]["id"]
        .as_str()
        .unwrap()
        .to_owned()
}

async fn boot(api: &TestApi, group: Value, count: i64) -> Reply {
    let body = json!({
        "server": { "name": "web", "flavorRef": "1", "max_count": count, "min_count": count },
        "os:scheduler_hints": { "group": group },
    });
    api.post("/v2.1/servers", &body).await
}

async fn members(api: &TestApi, id: &str) -> Vec<Value> {
    let shown = api.get(&format!("{PATH}/{id}")).await;
    shown.body["server_group"]["members"]
        .as_array()
        .unwrap()
        .clone()
}

fn message(reply: &Reply) -> &str {
    let error = reply.body.as_object().unwrap().values().next().unwrap();
    error["message"].as_str().unwrap()
}

#[tokio::test]
async fn a_group_is_created_listed_shown_and_deleted() {
    let api = TestApi::new().await;
    let policy = json!({ "name": "far", "policy": "soft-anti-affinity" });
    let created = create(&api, policy).await;
    assert_eq!(created.status, 200);
    let id = created.body["server_group"]["id"].as_str().unwrap();
    let expected = json!({
        "id": id,
        "name": "far",
        "policies": ["soft-anti-affinity"],
        "members": [],
        "metadata": {},
        "project_id": "admin",
        "user_id": "admin",
    });
    assert_eq!(created.body["server_group"], expected);
    let near = group(&api, "near").await;
    let list = api
        .get(&format!("{PATH}?all_projects=True&limit=1&offset=1"))
        .await;
    assert_eq!(list.body["server_groups"].as_array().unwrap().len(), 1);
    assert_eq!(list.body["server_groups"][0]["id"], near.as_str());
    let path = format!("{PATH}/{id}");
    assert_eq!(api.get(&path).await.body["server_group"], expected);
    assert_eq!(api.delete(&path).await.shape(), (204, Value::Null));
    for gone in [api.get(&path).await, api.delete(&path).await] {
        assert_eq!(gone.status, 404);
        assert_eq!(
            message(&gone),
            format!("Instance group {id} could not be found.")
        );
    }
}

#[tokio::test]
async fn a_group_has_one_policy_that_is_known() {
    let api = TestApi::new().await;
    for members in [
        json!({ "name": "x" }),
        json!({ "policies": ["affinity"] }),
        json!({ "name": " x", "policies": ["affinity"] }),
        json!({ "name": "x", "policies": [] }),
        json!({ "name": "x", "policies": ["affinity", "anti-affinity"] }),
        json!({ "name": "x", "policies": "affinity" }),
        json!({ "name": "x", "policies": ["legacy"] }),
        json!({ "name": "x", "policies": [1] }),
        json!({ "name": "x", "policy": ["affinity"] }),
        json!({ "name": "x", "policy": "affinity", "policies": ["affinity"] }),
        json!({ "name": "x", "policy": "affinity", "rules": { "max_server_per_host": 2 } }),
    ] {
        let reply = create(&api, members.clone()).await;
        assert_eq!(reply.status, 400, "{members}: {}", reply.body);
    }
    assert_eq!(api.get(PATH).await.body, json!({ "server_groups": [] }));
}

#[tokio::test]
async fn servers_become_members_by_identifier_or_name_and_leave_with_their_end() {
    let api = TestApi::new().await;
    let id = group(&api, "far").await;
    let first = boot(&api, json!(id), 1).await;
    let first = first.body["server"]["id"].as_str().unwrap().to_owned();
    assert_eq!(boot(&api, json!(["far"]), 2).await.status, 202);
    assert_eq!(members(&api, &id).await.len(), 3);
    // What the scheduler is asked has the identifier, whatever the user wrote.
    let other = members(&api, &id).await[1].as_str().unwrap().to_owned();
    let spec = api.store.request_spec(&other).await.unwrap();
    assert_eq!(spec.instance_group().unwrap().uuid(), id);
    assert_eq!(spec.scheduler_hints().unwrap()["group"], [id.as_str()]);
    assert_eq!(
        api.delete(&format!("/v2.1/servers/{first}")).await.status,
        204
    );
    assert!(!members(&api, &id).await.contains(&json!(first)));
    // Members stay when their group goes, and are seen where they are until then.
    api.become_(&other, VmState::Active, None).await;
    assert_eq!(
        api.store.instance_group(&id).await.unwrap().hosts(),
        ["one"]
    );
    assert_eq!(api.delete(&format!("{PATH}/{id}")).await.status, 204);
    assert_eq!(api.get(&format!("/v2.1/servers/{other}")).await.status, 200);
}

#[tokio::test]
async fn a_group_that_is_unknown_or_ambiguous_makes_no_server() {
    let api = TestApi::new().await;
    group(&api, "far").await;
    let (twin, _) = (group(&api, "twin").await, group(&api, "twin").await);
    let why = |reply: &Reply, key: &str| {
        assert_eq!(reply.status, 400, "{}", reply.body);
        let text = reply.body["badRequest"]["longshore"][key].as_str();
        text.unwrap().to_owned()
    };
    let unknown = boot(&api, json!("fat"), 1).await;
    assert_eq!(message(&unknown), "Instance group fat could not be found.");
    assert_eq!(why(&unknown, "do"), "did you mean `far`?");
    let twins = boot(&api, json!("twin"), 1).await;
    assert_eq!(why(&twins, "why"), "2 server groups have this name");
    let several = boot(&api, json!([twin, "far"]), 1).await;
    assert_eq!(
        message(&several),
        "A server can be in one server group only."
    );
    assert_eq!(boot(&api, json!([]), 1).await.status, 400);
    assert_eq!(api.get("/v2.1/servers").await.body["servers"], json!([]));
}

#[tokio::test]
async fn groups_and_members_are_bounded_and_nothing_is_made_beyond() {
    let config = ApiConfig {
        server_groups_max: 2,
        server_group_members_max: 3,
        ..ApiConfig::default()
    };
    let api = TestApi::with(MemoryTransport::new(), Vec::new(), config).await;
    let id = group(&api, "one").await;
    group(&api, "two").await;
    let third = create(&api, json!({ "name": "x", "policies": ["affinity"] })).await;
    assert_eq!(third.status, 403);
    assert_eq!(message(&third), "Quota exceeded, too many server groups.");
    assert_eq!(
        third.body["forbidden"]["longshore"]["code"],
        "quota/exceeded"
    );
    assert_eq!(boot(&api, json!(id), 2).await.status, 202);
    let over = boot(&api, json!(id), 2).await;
    assert_eq!(over.status, 403);
    assert_eq!(message(&over), "Quota exceeded, too many servers in group");
    assert_eq!(members(&api, &id).await.len(), 2);
    let servers = api.get("/v2.1/servers").await;
    assert_eq!(servers.body["servers"].as_array().unwrap().len(), 2);
    assert_eq!(boot(&api, json!(id), 1).await.status, 202);
}
