//! Services and hypervisors.

use longshore_objects::{ComputeNode, Service};
use serde_json::json;

use super::support::TestApi;

async fn with_a_host() -> TestApi {
    let api = TestApi::new().await;
    for (binary, host, count) in [
        ("longshore-conductor", "one", 3),
        ("longshore-compute", "one", 5),
        ("longshore-compute", "two", 0),
    ] {
        let mut service = Service::new();
        service
            .set_host(host)
            .set_binary(binary)
            .set_report_count(0);
        let mut service = api.store.create_service(service).await.unwrap();
        service
            .set_report_count(count)
            .set_forced_down(host == "two");
        api.store.save_service(service).await.unwrap();
    }
    let mut node = ComputeNode::new();
    node.set_host("one")
        .set_hypervisor_hostname("node-1")
        .set_hypervisor_type("fake")
        .set_hypervisor_version(1000)
        .set_vcpus(8)
        .set_vcpus_used(2)
        .set_memory_mb(4096)
        .set_memory_mb_used(1024)
        .set_local_gb(100)
        .set_local_gb_used(10)
        .set_running_vms(2);
    api.store.create_compute_node(node).await.unwrap();
    api
}

#[tokio::test]
async fn services_are_listed_with_state_and_zone() {
    let api = with_a_host().await;
    let (status, list) = api.get("/v2.1/os-services").await.shape();
    let conductor = json!({
        "id": 1, "binary": "longshore-conductor", "host": "one", "zone": "internal",
        "status": "enabled", "state": "up", "updated_at": "<time>.000000",
        "disabled_reason": null, "report_count": 3,
    });
    assert_eq!((status, &list["services"][0]), (200, &conductor));
    let compute = &list["services"][1];
    assert_eq!(
        (&compute["zone"], &compute["state"]),
        (&json!("nova"), &json!("up"))
    );
    assert_eq!(list["services"][2]["state"], "down");
    let some = api
        .get("/v2.1/os-services?binary=longshore-compute&host=two")
        .await;
    assert_eq!(some.body["services"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn services_are_disabled_and_enabled() {
    let api = with_a_host().await;
    let who = json!({ "host": "one", "binary": "longshore-compute" });
    let reply = api.put("/v2.1/os-services/disable", &who).await;
    let expected = json!({ "service": {
        "host": "one", "binary": "longshore-compute", "status": "disabled",
    }});
    assert_eq!((reply.status.as_u16(), reply.body), (200, expected));
    let hypervisor = api.get("/v2.1/os-hypervisors/1").await;
    assert_eq!(hypervisor.body["hypervisor"]["status"], "disabled");
    let mut why = who.clone();
    why["disabled_reason"] = json!("repair");
    let reply = api.put("/v2.1/os-services/disable-log-reason", &why).await;
    assert_eq!(reply.body["service"]["disabled_reason"], "repair");
    let hypervisor = api.get("/v2.1/os-hypervisors/1").await;
    assert_eq!(
        hypervisor.body["hypervisor"]["service"]["disabled_reason"],
        "repair"
    );
    let reply = api.put("/v2.1/os-services/enable", &who).await;
    assert_eq!(reply.body["service"]["status"], "enabled");
    let service = api.store.service("one", "longshore-compute").await.unwrap();
    assert_eq!(
        (service.disabled(), service.disabled_reason()),
        (false, None)
    );

    let nobody = json!({ "host": "x", "binary": "y" });
    assert_eq!(
        api.put("/v2.1/os-services/enable", &nobody).await.status,
        404
    );
    assert_eq!(api.put("/v2.1/os-services/melt", &who).await.status, 404);
    let half = json!({ "host": "one" });
    assert_eq!(api.put("/v2.1/os-services/enable", &half).await.status, 400);
    assert_eq!(
        api.put("/v2.1/os-services/disable-log-reason", &who)
            .await
            .status,
        400
    );
}

#[tokio::test]
async fn hypervisors_are_the_reported_nodes() {
    let api = with_a_host().await;
    let brief = json!({
        "id": 1, "hypervisor_hostname": "node-1", "state": "up", "status": "enabled",
    });
    let list = api.get("/v2.1/os-hypervisors").await;
    assert_eq!(list.body, json!({ "hypervisors": [brief] }));
    let full = json!({
        "id": 1, "hypervisor_hostname": "node-1", "state": "up", "status": "enabled",
        "cpu_info": "", "current_workload": 0, "disk_available_least": null, "host_ip": null,
        "free_disk_gb": 90, "free_ram_mb": 3072, "hypervisor_type": "fake",
        "hypervisor_version": 1000, "local_gb": 100, "local_gb_used": 10, "memory_mb": 4096,
        "memory_mb_used": 1024, "running_vms": 2, "vcpus": 8, "vcpus_used": 2,
        "service": { "host": "one", "id": 2, "disabled_reason": null },
    });
    let list = api.get("/v2.1/os-hypervisors/detail").await;
    assert_eq!(list.body, json!({ "hypervisors": [full] }));
    assert_eq!(
        api.get("/v2.1/os-hypervisors/1").await.body,
        json!({ "hypervisor": full })
    );
    let sums = api.get("/v2.1/os-hypervisors/statistics").await;
    let expected = json!({ "hypervisor_statistics": {
        "count": 1, "current_workload": 0, "disk_available_least": 0, "free_disk_gb": 90,
        "free_ram_mb": 3072, "local_gb": 100, "local_gb_used": 10, "memory_mb": 4096,
        "memory_mb_used": 1024, "running_vms": 2, "vcpus": 8, "vcpus_used": 2,
    }});
    assert_eq!(sums.body, expected);
}
