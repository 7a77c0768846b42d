//! `POST /servers`: what is answered, what is on disk, what the conductor is told.

use longshore_control::api::ApiConfig;
use longshore_messaging::{MemoryTransport, Transport};
use longshore_objects::{TaskState, VmState};
use serde_json::{Value, json};

use super::support::TestApi;

#[tokio::test]
async fn a_server_is_accepted_and_shown() {
    let api = TestApi::new().await;
    let body = json!({ "server": { "name": "web", "flavorRef": "1", "metadata": { "a": "b" } } });
    let reply = api.post("/v2.1/servers", &body).await;
    let links = json!([
        { "rel": "self", "href": "http://api:8774/v2.1/servers/<uuid>" },
        { "rel": "bookmark", "href": "http://api:8774/servers/<uuid>" },
    ]);
    let accepted = json!({ "server": {
        "id": "<uuid>",
        "links": links,
        "OS-DCF:diskConfig": "MANUAL",
        "security_groups": [{ "name": "default" }],
    }});
    assert_eq!(reply.shape(), (202, accepted));
    let id = reply.body["server"]["id"].as_str().unwrap();
    let place = format!("http://api:8774/v2.1/servers/{id}");
    assert_eq!(reply.headers["location"], place.as_str());
    assert_eq!(api.queued_for_conductor(), 1);

    let image = "00000000-0000-4000-8000-000000000000";
    let mut shown = api.get(&format!("/v2.1/servers/{id}")).await;
    let found = shown.body["server"]["image"]["id"].take();
    assert_eq!(found, image);
    let (status, mut shape) = shown.shape();
    let shape = shape["server"].as_object_mut().unwrap();
    let image = json!([{ "rel": "bookmark", "href": "http://api:8774/images/<uuid>" }]);
    assert_eq!(shape.remove("image").unwrap()["links"], image);
    assert_eq!(
        (status, Value::from(shape.clone())),
        (200, new_server(links))
    );
}

fn new_server(links: Value) -> Value {
    json!({
        "id": "<uuid>",
        "name": "web",
        "status": "BUILD",
        "tenant_id": "admin",
        "user_id": "admin",
        "metadata": { "a": "b" },
        "hostId": "",
        "flavor": {
            "id": "1",
            "links": [{ "rel": "bookmark", "href": "http://api:8774/flavors/1" }],
        },
        "created": "<time>Z",
        "updated": "<time>Z",
        "addresses": {},
        "accessIPv4": "",
        "accessIPv6": "",
        "links": links,
        "progress": 0,
        "key_name": null,
        "config_drive": "",
        "security_groups": [{ "name": "default" }],
        "OS-DCF:diskConfig": "MANUAL",
        "OS-EXT-AZ:availability_zone": "",
        "OS-EXT-SRV-ATTR:host": null,
        "OS-EXT-SRV-ATTR:hypervisor_hostname": null,
        "OS-EXT-SRV-ATTR:instance_name": "instance-00000001",
        "OS-EXT-STS:power_state": 0,
        "OS-EXT-STS:task_state": "scheduling",
        "OS-EXT-STS:vm_state": "building",
        "OS-SRV-USG:launched_at": null,
        "OS-SRV-USG:terminated_at": null,
        "os-extended-volumes:volumes_attached": [],
    })
}

#[tokio::test]
async fn several_servers_are_numbered_and_share_a_reservation() {
    let api = TestApi::new().await;
    api.boot("other").await;
    let body = json!({ "server": {
        "name": "web", "flavorRef": "m1.small", "imageRef": "none",
        "min_count": 1, "max_count": "3", "return_reservation_id": true,
    }});
    let reply = api.post("/v2.1/servers", &body).await;
    assert_eq!(
        reply.shape(),
        (202, json!({ "reservation_id": "<reservation>" }))
    );
    api.boot("another").await;

    let reservation = reply.body["reservation_id"].as_str().unwrap();
    let path = format!("/v2.1/servers/detail?reservation_id={reservation}");
    let list = api.get(&path).await;
    let servers = list.body["servers"].as_array().unwrap();
    let names: Vec<_> = servers
        .iter()
        .map(|one| one["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["web-3", "web-2", "web-1"]);
    assert_eq!(list.body.get("servers_links"), None);
    // One message for the whole request, one for each of the others.
    assert_eq!(api.queued_for_conductor(), 3);
}

#[tokio::test]
async fn the_request_is_kept_for_the_scheduler() {
    let api = TestApi::new().await;
    let body = json!({
        "server": {
            "name": "My web_server!", "flavorRef": "http://api:8774/flavors/2",
            "availability_zone": "east:one:node-1", "networks": "auto",
            "security_groups": [{ "name": "web" }], "user_data": "aGFsbG8=",
            "accessIPv4": "192.0.2.1", "OS-DCF:diskConfig": "AUTO", "config_drive": true,
        },
        "os:scheduler_hints": {
            "same_host": "g", "different_host": ["a", "b"], "query": [">=", "$free_ram_mb", 1024],
        },
    });
    let reply = api.post("/v2.1/servers", &body).await;
    assert_eq!(reply.status, 202, "{}", reply.body);
    let id = reply.body["server"]["id"].as_str().unwrap();
    let instance = api.store.instance(id).await.unwrap();
    assert_eq!(instance.vm_state(), Some(VmState::Building));
    assert_eq!(instance.task_state(), Some(TaskState::Scheduling));
    assert_eq!(instance.hostname(), Some("my-web-server"));
    assert_eq!(
        (instance.memory_mb(), instance.vcpus()),
        (Some(2048), Some(1))
    );
    assert_eq!(instance.user_data(), Some("aGFsbG8="));
    assert!(instance.auto_disk_config());
    let spec = api.store.request_spec(id).await.unwrap();
    assert_eq!(spec.flavor().name(), "m1.small");
    assert_eq!(spec.image().unwrap().name(), "none");
    assert_eq!(spec.availability_zone(), Some("east"));
    assert_eq!(spec.force_hosts().unwrap(), ["one"]);
    assert_eq!(spec.force_nodes().unwrap(), ["node-1"]);
    assert_eq!(spec.security_groups(), ["web"]);
    let hints = spec.scheduler_hints().unwrap();
    assert_eq!(hints["same_host"], ["g"]);
    assert_eq!(hints["different_host"], ["a", "b"]);
    assert_eq!(hints["query"], [r#"[">=","$free_ram_mb",1024]"#]);
}

#[tokio::test]
async fn a_conductor_that_cannot_be_reached_loses_nothing() {
    let transport = MemoryTransport::with_queue_len_max(1);
    let api = TestApi::with(transport, Vec::new(), ApiConfig::default()).await;
    api.boot("first").await;
    let second = api.boot("second").await;
    assert_eq!(api.queued_for_conductor(), 1);
    let instance = api.store.instance(&second).await.unwrap();
    assert_eq!(instance.task_state(), Some(TaskState::Scheduling));
}

#[tokio::test]
async fn a_request_is_made_whole_or_not_at_all() {
    let api = TestApi::new().await;
    let body = json!({ "server": { "name": "web", "flavorRef": "9", "max_count": 2 } });
    assert_eq!(api.post("/v2.1/servers", &body).await.status, 400);
    assert_eq!(
        api.get("/v2.1/servers").await.body,
        json!({ "servers": [] })
    );
    assert_eq!(api.queued_for_conductor(), 0);
}

#[tokio::test]
async fn the_conductor_is_told_every_identifier() {
    let api = TestApi::new().await;
    let body = json!({ "server": { "name": "web", "flavorRef": "1", "max_count": 2 } });
    let reply = api.post("/v2.1/servers", &body).await;
    let mut conductor = api.transport.listen("conductor", "any").await.unwrap();
    let envelope: Value = serde_json::from_slice(&conductor.next().await.unwrap()).unwrap();
    let message: Value = serde_json::from_str(envelope["oslo.message"].as_str().unwrap()).unwrap();
    assert_eq!(message["method"], "schedule_and_build_instances");
    let told = message["args"]["instance_uuids"].as_array().unwrap();
    assert_eq!((told.len(), &told[0]), (2, &reply.body["server"]["id"]));
    assert_eq!(
        reply.headers["x-compute-request-id"],
        message["_context_request_id"].as_str().unwrap()
    );
}
