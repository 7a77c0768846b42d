//! `server-group` against an API.

use serde_json::{Value as Json, json};

use crate::api::{Api, not_found};
use crate::program::Place;

fn group(id: &str, name: &str, members: &[&str]) -> Json {
    json!({
        "id": id, "name": name, "policies": ["anti-affinity"], "members": members, "metadata": {},
    })
}

#[test]
fn groups_are_made_listed_shown_and_deleted() {
    let api = Api::start(|request| match request.line.as_str() {
        "POST /v2.1/os-server-groups" => (200, json!({"server_group": group("g-1", "db", &[])})),
        "GET /v2.1/os-server-groups" => {
            let all = [group("g-1", "db", &["a", "b"]), group("g-2", "db", &[])];
            (200, json!({ "server_groups": all }))
        }
        "DELETE /v2.1/os-server-groups/g-2" => (204, Json::Null),
        _ => not_found(),
    });
    let place = Place::talking_to(api.url());
    let ran = place.run("server-group create db --policy anti-affinity --json");
    let made = json!({"id": "g-1", "name": "db", "policy": "anti-affinity", "members": []});
    assert_eq!((ran.exit, ran.json()), (0, made));
    let expected = json!({"server_group": {"name": "db", "policies": ["anti-affinity"]}});
    assert_eq!(api.body_of("POST /v2.1/os-server-groups"), expected);

    let list = place.run("server-group list").out;
    assert!(
        list.contains("g-1") && list.contains("anti-affinity"),
        "{list}"
    );
    let shown = place.run("server-group show g-1").out;
    assert!(shown.contains("a b"), "{shown}");
    let ambiguous = place.run("server-group show db --json");
    assert_eq!(
        (ambiguous.exit, &ambiguous.error()["code"]),
        (1, &json!("api/ambiguous-name"))
    );
    let unknown = place.run("server-group delete g-2 dc --json");
    assert_eq!(unknown.exit, 1);
    assert_eq!(unknown.error()["do"], "did you mean `db`?");
    assert_eq!(place.run("server-group delete g-2").exit, 0);
    assert_eq!(place.run("server-group create x --policy near").exit, 2);
    assert_eq!(place.run("server-group create x").exit, 2);
}
