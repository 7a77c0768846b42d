//! `server`, `host` and `service` against an API.

use serde_json::{Value as Json, json};

use crate::api::{Api, NOBODY, Request, catalogue, not_found, server};
use crate::program::Place;

const ID: &str = "11111111-2222-3333-4444-555555555555";
const OTHER: &str = "66666666-2222-3333-4444-555555555555";

/// An API that boots one server, which reaches `status` at the third look.
fn booting(status: &'static str, fault: Json) -> Api {
    let mut looks = 0;
    Api::start(move |request: &Request| {
        if let Some(answer) = catalogue(&request.line) {
            return answer;
        }
        match request.line.as_str() {
            "POST /v2.1/servers" => (202, json!({"server": {"id": ID}})),
            line if line == format!("GET /v2.1/servers/{ID}") => {
                looks += 1;
                let mut server = server(ID, "web", if looks < 3 { "BUILD" } else { status });
                if looks >= 3 && !fault.is_null() {
                    server["fault"] = fault.clone();
                }
                (200, json!({ "server": server }))
            }
            _ => not_found(),
        }
    })
}

#[test]
fn create_waits_until_the_server_is_active() {
    let api = booting("ACTIVE", Json::Null);
    let place = Place::talking_to(api.url());
    let ran = place.run(
        "server create web --flavor m1.tiny --az here --hint group=a --hint group=b --hint x=1 \
         --wait --json",
    );
    assert_eq!((ran.exit, ran.err.as_str()), (0, ""));
    let shown = ran.json();
    assert_eq!(shown["id"], ID);
    assert_eq!(shown["status"], "ACTIVE");
    assert_eq!(shown["vm_state"], "active");
    assert_eq!(shown["task_state"], Json::Null);
    assert_eq!(shown["host"], "quay");
    assert_eq!(shown["flavor"], "m1.tiny");
    assert_eq!(shown["image"], "none");
    assert_eq!(shown["fault"], Json::Null);
    let body = api.body_of("POST /v2.1/servers");
    let expected = json!({
        "server": {
            "name": "web", "flavorRef": "1", "imageRef": "i-none", "min_count": 1,
            "max_count": 1, "availability_zone": "here",
        },
        "os:scheduler_hints": {"group": ["a", "b"], "x": "1"},
    });
    assert_eq!(body, expected);
}

#[test]
fn create_fails_with_the_fault_of_the_server() {
    let fault = json!({"code": 500, "message": "no valid host was found"});
    let api = booting("ERROR", fault);
    let ran = Place::talking_to(api.url()).run("server create web --flavor 1 --wait --json");
    assert_eq!(ran.exit, 1);
    assert_eq!(ran.json()["status"], "ERROR");
    assert_eq!(ran.json()["fault"]["message"], "no valid host was found");
    assert_eq!(ran.error()["code"], "api/server-error");
    assert_eq!(ran.error()["why"], "no valid host was found");
}

#[test]
fn create_without_wait_and_waiting_too_long() {
    let api = booting("BUILD", Json::Null);
    let place = Place::talking_to(api.url());
    let ran = place.run("server create web --flavor 1 --json");
    assert_eq!((ran.exit, &ran.json()["status"]), (0, &json!("BUILD")));
    let ran = place.run("server create web --flavor 1 --wait --timeout 0");
    assert_eq!((ran.exit, ran.out.as_str()), (6, ""));
    assert!(
        ran.err
            .starts_with("error[api/wait-timeout]: server `web` is not ACTIVE"),
        "{}",
        ran.err
    );
}

#[test]
fn several_servers_are_found_by_their_reservation() {
    let api = Api::start(|request| match request.line.as_str() {
        "POST /v2.1/servers" => (202, json!({"reservation_id": "r-1"})),
        "GET /v2.1/servers/detail?reservation_id=r-1" => {
            let all = [10, 2, 1].map(|n| server(&format!("id-{n}"), &format!("web-{n}"), "ACTIVE"));
            (200, json!({ "servers": all }))
        }
        line => catalogue(line).unwrap_or_else(not_found),
    });
    let ran =
        Place::talking_to(api.url()).run("server create web --flavor m1.tiny --count 3 --json");
    assert_eq!(ran.exit, 0, "{}", ran.err);
    let names: Vec<Json> = ran
        .json()
        .as_array()
        .unwrap()
        .iter()
        .map(|s| s["name"].clone())
        .collect();
    assert_eq!(names, ["web-1", "web-2", "web-10"]);
    let body = api.body_of("POST /v2.1/servers");
    assert_eq!(body["server"]["max_count"], 3);
    assert_eq!(body["server"]["return_reservation_id"], true);
}

#[test]
fn unknown_flavors_get_the_nearest_and_nothing_is_asked_for() {
    let api = booting("ACTIVE", Json::Null);
    let ran = Place::talking_to(api.url()).run("server create web --flavor m1.tniy");
    assert_eq!(ran.exit, 1);
    let expected = "\
error[api/unknown-name]: no flavor `m1.tniy`
  why:  no flavor has that id or name
  do:   did you mean `m1.tiny`?
";
    assert_eq!(ran.err, expected);
    assert!(api.requests().iter().all(|r| r.line.starts_with("GET")));
}

/// Two servers of one name, one of another.
fn three_servers() -> Api {
    let mut stopped = 0;
    Api::start(move |request| {
        let line = request.line.as_str();
        match line {
            "GET /v2.1/servers/detail" => {
                let all = [
                    server(ID, "web", "ACTIVE"),
                    server(OTHER, "web", "ERROR"),
                    server("c", "db", "ACTIVE"),
                ];
                (200, json!({ "servers": all }))
            }
            "POST /v2.1/servers/c/action" => (202, Json::Null),
            "GET /v2.1/servers/c" => {
                stopped += 1;
                let mut server = server("c", "db", "SHUTOFF");
                if stopped < 3 {
                    server["OS-EXT-STS:task_state"] = json!("powering-off");
                }
                (200, json!({ "server": server }))
            }
            "DELETE /v2.1/servers/c" => (204, Json::Null),
            _ if line == format!("DELETE /v2.1/servers/{ID}") => (
                409,
                json!({"conflictingRequest": {
                    "code": 409,
                    "message": "server `web` is locked",
                    "longshore": {
                        "code": "store/unexpected-task-state", "why": "a task runs", "do": "wait",
                    },
                }}),
            ),
            _ => catalogue(line).unwrap_or_else(not_found),
        }
    })
}

#[test]
fn ambiguous_names_list_the_ids() {
    let api = three_servers();
    let ran = Place::talking_to(api.url()).run("server show web");
    let expected = format!(
        "error[api/ambiguous-name]: 2 servers are called `web`\n  \
         why:  they are `{ID}`, `{OTHER}`\n  \
         do:   use the id of the one that is meant\n"
    );
    assert_eq!((ran.exit, ran.err), (1, expected));
}

#[test]
fn lists_are_plain_columns_without_a_terminal() {
    let api = three_servers();
    let place = Place::talking_to(api.url());
    let ran = place.run("server list");
    let lines: Vec<&str> = ran.out.lines().collect();
    assert_eq!(lines.len(), 4);
    assert_eq!(
        lines[0].split_whitespace().collect::<Vec<_>>(),
        ["ID", "NAME", "STATUS", "TASK", "HOST", "FLAVOR", "IMAGE"]
    );
    assert_eq!(
        lines[3].split_whitespace().collect::<Vec<_>>(),
        ["c", "db", "ACTIVE", "-", "quay", "m1.tiny", "none"]
    );
    assert_eq!(
        place
            .run("server list --json")
            .json()
            .as_array()
            .unwrap()
            .len(),
        3
    );
}

#[test]
fn stop_waits_for_the_task_too() {
    let api = three_servers();
    let ran = Place::talking_to(api.url()).run("server stop db --wait --json");
    assert_eq!(
        (ran.exit, &ran.json()["status"]),
        (0, &json!("SHUTOFF")),
        "{}",
        ran.err
    );
    assert_eq!(
        api.body_of("POST /v2.1/servers/c/action"),
        json!({"os-stop": null})
    );
    let looks = api
        .requests()
        .iter()
        .filter(|r| r.line == "GET /v2.1/servers/c")
        .count();
    assert_eq!(looks, 3);
    let ran = Place::talking_to(api.url()).run("server reboot db --hard");
    assert_eq!(ran.exit, 0, "{}", ran.err);
    assert!(
        api.requests()
            .iter()
            .any(|r| r.body == json!({"reboot": {"type": "HARD"}}))
    );
}

#[test]
fn refusals_of_the_api_keep_their_code() {
    let api = three_servers();
    let place = Place::talking_to(api.url());
    // This API shows servers in its list only.
    let ran = place.run(&format!("server delete {ID} --json"));
    assert_eq!((ran.exit, ran.out.as_str()), (1, ""));
    let expected = json!({
        "code": "store/unexpected-task-state",
        "message": "server `web` is locked",
        "why": "a task runs",
        "do": "wait",
    });
    assert_eq!(ran.error(), expected);
    let ran = place.run("server delete db nothing");
    assert_eq!(ran.exit, 1);
    assert!(
        api.requests()
            .iter()
            .all(|r| r.line != "DELETE /v2.1/servers/c")
    );
    let ran = place.run("server delete db --json");
    assert_eq!(
        (ran.exit, ran.json()),
        (0, json!([{"id": "c", "name": "db"}]))
    );
}

#[test]
fn statuses_become_exit_codes() {
    for (status, exit) in [(400, 1), (401, 1), (403, 1), (500, 1), (503, 5), (504, 6)] {
        let api = Api::start(move |_| (status, json!({"computeFault": {"message": "no"}})));
        let ran = Place::talking_to(api.url()).run("service list --json");
        assert_eq!(ran.exit, exit, "{status}");
        assert_eq!(ran.error()["code"], "api/refused");
        assert_eq!(ran.error()["message"], "no");
    }
    let api = Api::start(|_| (200, json!("hello")));
    let ran = Place::talking_to(api.url()).run("service list --json");
    assert_eq!(
        (ran.exit, &ran.error()["code"]),
        (5, &json!("api/bad-answer"))
    );
}

#[test]
fn nobody_listens() {
    let ran = Place::talking_to(NOBODY).run("server list --json");
    assert_eq!((ran.exit, ran.out.as_str()), (5, ""));
    assert_eq!(ran.error()["code"], "api/unreachable");
    let ran = Place::talking_to("ftp://x").run("server list");
    assert_eq!(ran.exit, 3);
    let place = Place::new();
    let address = NOBODY.strip_prefix("http://").unwrap();
    place.write(
        "longshore.toml",
        &format!("[api]\nlisten = \"{address}\"\n"),
    );
    let ran = place.run("host list");
    assert_eq!(ran.exit, 5);
    assert!(ran.err.contains(NOBODY), "{}", ran.err);
    place.write("longshore.toml", "[api]\nlisten = \"127.0.0.1:0\"\n");
    let ran = place.run("host list --json");
    assert_eq!(
        (ran.exit, &ran.error()["code"]),
        (5, &json!("api/bad-address"))
    );
}

#[test]
fn hosts_and_services_have_the_shapes_of_the_contract() {
    let api = Api::start(|request| match request.line.as_str() {
        "GET /v2.1/os-hypervisors/detail" => (
            200,
            json!({"hypervisors": [{
                "id": 1, "hypervisor_hostname": "node", "state": "up", "status": "enabled",
                "hypervisor_type": "fake", "vcpus": 8, "vcpus_used": 1, "memory_mb": 4096,
                "memory_mb_used": 512, "local_gb": 100, "local_gb_used": 3, "running_vms": 1,
                "service": {"host": "quay", "id": 2},
            }]}),
        ),
        "GET /v2.1/os-services" => (
            200,
            json!({"services": [{
                "id": 1, "binary": "nova-compute", "host": "quay", "state": "up",
                "status": "enabled", "updated_at": "2026-01-01T00:00:00.000000",
                "report_count": 4, "zone": "nova",
            }]}),
        ),
        _ => not_found(),
    });
    let place = Place::talking_to(api.url());
    let expected = json!({
        "host": "quay", "node": "node", "vcpus": 8, "vcpus_used": 1, "memory_mb": 4096,
        "memory_mb_used": 512, "disk_gb": 100, "disk_gb_used": 3, "running_vms": 1,
        "state": "up", "status": "enabled", "virt": "fake",
    });
    assert_eq!(place.run("host list --json").json(), json!([expected]));
    assert_eq!(place.run("host show quay --json").json(), expected);
    assert_eq!(place.run("host show qauy").exit, 1);
    let services = place.run("service list --json").json();
    assert_eq!(services[0]["binary"], "nova-compute");
    assert_eq!(services[0]["report_count"], 4);
}
