//! Lists of servers: order, pages, filters.

use longshore_objects::{InstanceFault, TaskState, VmState};
use serde_json::{Value, json};

use super::support::{Reply, TestApi};

fn names(reply: &Reply) -> Vec<&str> {
    let servers = reply.body["servers"].as_array();
    let servers = servers.unwrap_or_else(|| panic!("{}", reply.body));
    servers
        .iter()
        .map(|one| one["name"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn the_short_list_has_ids_names_and_links() {
    let api = TestApi::new().await;
    api.boot("one").await;
    let server = json!({
        "id": "<uuid>",
        "name": "one",
        "links": [
            { "rel": "self", "href": "http://api:8774/v2.1/servers/<uuid>" },
            { "rel": "bookmark", "href": "http://api:8774/servers/<uuid>" },
        ],
    });
    let shape = api.get("/v2.1/servers").await.shape();
    assert_eq!(shape, (200, json!({ "servers": [server] })));
}

#[tokio::test]
async fn pages_go_from_the_newest_to_the_oldest() {
    let api = TestApi::new().await;
    let mut ids = Vec::new();
    for name in ["a", "b", "c"] {
        ids.push(api.boot(name).await);
    }
    assert_eq!(names(&api.get("/v2.1/servers").await), ["c", "b", "a"]);
    let first = api.get("/v2.1/servers?limit=2&all_tenants=1").await;
    assert_eq!(names(&first), ["c", "b"]);
    let next = first.body["servers_links"][0]["href"].as_str().unwrap();
    let expected = format!("/v2.1/servers?limit=2&all_tenants=1&marker={}", ids[1]);
    assert_eq!(next.strip_prefix("http://api:8774").unwrap(), expected);
    let second = api.get(&expected).await;
    assert_eq!(names(&second), ["a"]);
    assert_eq!(second.body.get("servers_links"), None);
    assert!(names(&api.get("/v2.1/servers?limit=0").await).is_empty());
}

#[tokio::test]
async fn filters_find_what_they_say() {
    let api = TestApi::new().await;
    for name in ["web-1", "web-2", "db.1", "a+b"] {
        api.boot(name).await;
    }
    let body = json!({ "server": { "name": "large", "flavorRef": "5" } });
    api.post("/v2.1/servers", &body).await;
    let list = api.get("/v2.1/servers?name=web-1").await;
    let id = list.body["servers"][0]["id"].as_str().unwrap();
    api.become_(id, VmState::Active, None).await;
    let table: [(&str, &[&str]); 14] = [
        ("name=web", &["web-2", "web-1"]),
        ("name=%5Eweb-1%24", &["web-1"]),
        ("name=eb-%5B12%5D%24", &["web-2", "web-1"]),
        ("name=web-1%7Cdb", &["db.1", "web-1"]),
        ("name=a%2Bb", &["a+b"]),
        ("name=Web", &[]),
        ("status=ACTIVE", &["web-1"]),
        ("status=active&name=db", &[]),
        ("status=BUILD&status=ACTIVE&limit=2", &["large", "a+b"]),
        ("status=FLYING", &[]),
        ("host=one", &["web-1"]),
        ("flavor=5", &["large"]),
        (
            "image=00000000-0000-4000-8000-000000000000&name=db",
            &["db.1"],
        ),
        ("tenant_id=somebody", &[]),
    ];
    for (query, expected) in table {
        let reply = api.get(&format!("/v2.1/servers/detail?{query}")).await;
        assert_eq!(names(&reply), expected, "{query}");
    }
}

#[tokio::test]
async fn deleted_servers_are_listed_when_asked_for() {
    let api = TestApi::new().await;
    let gone = api.boot("gone").await;
    api.boot("here").await;
    api.delete(&format!("/v2.1/servers/{gone}")).await;
    assert_eq!(names(&api.get("/v2.1/servers").await), ["here"]);
    for query in ["deleted=true", "status=deleted"] {
        let reply = api.get(&format!("/v2.1/servers/detail?{query}")).await;
        assert_eq!(names(&reply), ["gone"], "{query}");
        assert_eq!(reply.body["servers"][0]["status"], "DELETED");
    }
}

#[tokio::test]
async fn faults_are_shown_with_servers_in_error() {
    let api = TestApi::new().await;
    let id = api.boot("bad").await;
    api.become_(&id, VmState::Error, None).await;
    let mut fault = InstanceFault::new();
    fault
        .set_instance_uuid(id.as_str())
        .set_code(500)
        .set_message("no valid host was found")
        .set_details("filter `ram` left 0 of 5 hosts");
    api.store.create_fault(fault).await.unwrap();
    let (_, one) = api.get(&format!("/v2.1/servers/{id}")).await.shape();
    let (_, all) = api.get("/v2.1/servers/detail").await.shape();
    let expected = json!({
        "code": 500,
        "created": "<time>Z",
        "message": "no valid host was found",
        "details": "filter `ram` left 0 of 5 hosts",
    });
    assert_eq!(one["server"]["fault"], expected);
    assert_eq!(all["servers"][0]["fault"], expected);
    assert_eq!(one["server"]["status"], "ERROR");
    assert_eq!(one["server"].get("progress"), None);
    api.become_(&id, VmState::Active, Some(TaskState::Rebooting))
        .await;
    let (_, one) = api.get(&format!("/v2.1/servers/{id}")).await.shape();
    assert_eq!(
        (&one["server"]["status"], one["server"].get("fault")),
        (&json!("REBOOT"), None)
    );
}

#[tokio::test]
async fn a_filtered_list_goes_through_all_pages_of_the_database() {
    let api = TestApi::new().await;
    api.boot("needle").await;
    let body = json!({ "server": { "name": "hay", "flavorRef": "1", "max_count": 1000 } });
    api.post("/v2.1/servers", &body).await;
    let reply = api.get("/v2.1/servers?name=n..dle").await;
    assert_eq!(names(&reply), ["needle"]);
    let all = api.get("/v2.1/servers?limit=5000").await;
    assert_eq!(all.body["servers"].as_array().map(Vec::len), Some(1000));
    assert_eq!(all.body["servers_links"].as_array().map(Vec::len), Some(1));
    let first = &all.body["servers"][0]["name"];
    assert_eq!(first, &Value::from("hay-1000"));
}
