//! Changing a server: name, start, stop, reboot, delete.

use longshore_control::api::ApiConfig;
use longshore_messaging::{MemoryTransport, Route, Transport};
use longshore_objects::{TaskState, VmState};
use serde_json::{Value, json};

use super::support::{Reply, TestApi};

async fn act(api: &TestApi, id: &str, body: Value) -> Reply {
    api.post(&format!("/v2.1/servers/{id}/action"), &body).await
}

#[tokio::test]
async fn actions_write_the_task_and_tell_the_host() {
    let table = [
        (
            json!({ "os-stop": null }),
            VmState::Active,
            "powering-off",
            "stop_instance",
        ),
        (
            json!({ "os-start": null }),
            VmState::Stopped,
            "powering-on",
            "start_instance",
        ),
        (
            json!({ "os-start": {} }),
            VmState::Stopped,
            "powering-on",
            "start_instance",
        ),
        (
            json!({ "reboot": { "type": "SOFT" } }),
            VmState::Active,
            "rebooting",
            "reboot_instance",
        ),
        (
            json!({ "reboot": { "type": "hard" } }),
            VmState::Error,
            "rebooting_hard",
            "reboot_instance",
        ),
    ];
    let api = TestApi::new().await;
    for (body, vm, task, method) in table {
        let id = api.boot("one").await;
        api.become_(&id, vm, None).await;
        let reply = act(&api, &id, body.clone()).await;
        assert_eq!(reply.shape(), (202, Value::Null), "{body}");
        let instance = api.store.instance(&id).await.unwrap();
        assert_eq!(instance.task_state().map(TaskState::as_str), Some(task));
        let (told, args) = api.next_for_one().await;
        assert_eq!(told, method);
        assert_eq!(args["instance"]["nova_object.data"]["uuid"], id.as_str());
        let kind = args.get("reboot_type").and_then(Value::as_str);
        let hard = if task == "rebooting_hard" {
            "HARD"
        } else {
            "SOFT"
        };
        assert_eq!(kind, (method == "reboot_instance").then_some(hard));
    }
}

#[tokio::test]
async fn a_state_that_does_not_allow_it_is_a_conflict() {
    let api = TestApi::new().await;
    let table = [
        (
            json!({ "os-start": null }),
            VmState::Active,
            None,
            "start",
            "vm_state active",
        ),
        (
            json!({ "os-stop": null }),
            VmState::Stopped,
            None,
            "stop",
            "vm_state stopped",
        ),
        (
            json!({ "os-stop": null }),
            VmState::Active,
            Some(TaskState::Rebooting),
            "stop",
            "task_state rebooting",
        ),
        (
            json!({ "reboot": { "type": "SOFT" } }),
            VmState::Error,
            None,
            "reboot",
            "vm_state error",
        ),
        (
            json!({ "reboot": { "type": "HARD" } }),
            VmState::Active,
            Some(TaskState::Deleting),
            "reboot",
            "task_state deleting",
        ),
    ];
    for (body, vm, task, word, state) in table {
        let id = api.boot("one").await;
        api.become_(&id, vm, task).await;
        let reply = act(&api, &id, body).await;
        assert_eq!(reply.status, 409);
        let (name, error) = reply.error();
        let message = format!("Cannot '{word}' instance {id} while it is in {state}");
        assert_eq!(
            (name, &error["message"]),
            ("conflictingRequest", &json!(message))
        );
        assert_eq!(error["longshore"]["code"], "api/wrong-state");
    }
    let building = api.boot("building").await;
    let reply = act(&api, &building, json!({ "os-stop": null })).await;
    let message = reply.error().1["message"].as_str().unwrap();
    assert!(
        message.ends_with("while it is in vm_state building"),
        "{message}"
    );
    assert_eq!(api.queued_for_one(), 0);
}

#[tokio::test]
async fn bad_actions() {
    let api = TestApi::new().await;
    let id = api.boot("one").await;
    api.become_(&id, VmState::Active, None).await;
    let table = [
        (json!({}), 400, "api/unknown-action"),
        (
            json!({ "os-start": null, "os-stop": null }),
            400,
            "api/unknown-action",
        ),
        (json!({ "os-fly": null }), 400, "api/unknown-action"),
        (json!({ "os-stop": "now" }), 400, "api/bad-field"),
        (json!({ "reboot": null }), 400, "api/bad-field"),
        (json!({ "reboot": {} }), 400, "api/bad-field"),
        (
            json!({ "reboot": { "type": "WARM" } }),
            400,
            "api/bad-field",
        ),
        (
            json!({ "reboot": { "type": "SOFT", "x": 1 } }),
            400,
            "api/unknown-field",
        ),
        (json!({ "pause": null }), 501, "api/not-implemented"),
        (
            json!({ "resize": { "flavorRef": "2" } }),
            501,
            "api/not-implemented",
        ),
    ];
    for (body, status, code) in table {
        let reply = act(&api, &id, body.clone()).await;
        assert_eq!(reply.status, status, "{body}");
        assert_eq!(reply.error().1["longshore"]["code"], code, "{body}");
    }
    let reply = act(&api, "nobody", json!({ "os-stop": null })).await;
    assert_eq!(reply.status, 404);
    assert_eq!(
        reply.error().1["message"],
        "Instance nobody could not be found."
    );
}

#[tokio::test]
async fn a_task_that_nobody_hears_of_is_taken_back() {
    let transport = MemoryTransport::with_queue_len_max(1);
    let api = TestApi::with(transport, Vec::new(), ApiConfig::default()).await;
    let id = api.boot("one").await;
    api.become_(&id, VmState::Active, None).await;
    let full = Route::Server {
        topic: "compute".to_owned(),
        server: "one".to_owned(),
    };
    api.transport
        .publish(&full, b"{}".to_vec(), None)
        .await
        .unwrap();
    let reply = act(&api, &id, json!({ "os-stop": null })).await;
    assert_eq!(reply.status, 503);
    let (name, error) = reply.error();
    assert_eq!(
        (name, &error["longshore"]["code"]),
        ("serviceUnavailable", &json!("rpc/backpressure"))
    );
    assert_eq!(api.store.instance(&id).await.unwrap().task_state(), None);
}

#[tokio::test]
async fn a_new_name_is_kept() {
    let api = TestApi::new().await;
    let id = api.boot("old").await;
    let path = format!("/v2.1/servers/{id}");
    let reply = api
        .put(&path, &json!({ "server": { "name": "new" } }))
        .await;
    assert_eq!(
        (reply.status.as_u16(), &reply.body["server"]["name"]),
        (200, &json!("new"))
    );
    assert_eq!(api.get(&path).await.body["server"]["name"], "new");
    for body in [
        json!({ "server": { "name": "" } }),
        json!({ "server": { "host": "x" } }),
    ] {
        assert_eq!(api.put(&path, &body).await.status, 400);
    }
    let body = json!({ "server": { "name": "new" } });
    assert_eq!(api.put("/v2.1/servers/nobody", &body).await.status, 404);
}

#[tokio::test]
async fn a_server_without_host_is_deleted_at_once() {
    let api = TestApi::new().await;
    let id = api.boot("one").await;
    let path = format!("/v2.1/servers/{id}");
    assert_eq!(api.delete(&path).await.shape(), (204, Value::Null));
    assert_eq!(api.get(&path).await.status, 404);
    assert_eq!(api.delete(&path).await.status, 404);
    assert_eq!(api.queued_for_one(), 0);
}

#[tokio::test]
async fn a_server_with_host_is_deleted_by_its_host() {
    let api = TestApi::new().await;
    let id = api.boot("one").await;
    // A build that is running does not protect it.
    api.become_(&id, VmState::Building, Some(TaskState::Spawning))
        .await;
    let path = format!("/v2.1/servers/{id}");
    for _ in 0..2 {
        assert_eq!(api.delete(&path).await.status, 204);
        assert_eq!(api.next_for_one().await.0, "terminate_instance");
    }
    let instance = api.store.instance(&id).await.unwrap();
    assert_eq!(instance.task_state(), Some(TaskState::Deleting));
}
