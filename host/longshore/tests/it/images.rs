//! `image` and `flavor` against an API.

use serde_json::{Value as Json, json};

use crate::api::{Api, catalogue, not_found};
use crate::program::Place;

#[test]
fn an_image_is_a_path_with_properties() {
    let api = Api::start(|request| match request.line.as_str() {
        "POST /v2/images" => {
            let mut image = request.body.clone();
            image["id"] = json!("i-1");
            image["status"] = json!("active");
            (201, image)
        }
        "DELETE /v2/images/i-none" => (204, Json::Null),
        line => catalogue(line).unwrap_or_else(not_found),
    });
    let place = Place::talking_to(api.url());
    let ran = place.run("image create sleep --file bin/sleep --property args=3600 --json");
    assert_eq!(ran.exit, 0, "{}", ran.err);
    let location = place.path().join("bin/sleep").display().to_string();
    let body = api.body_of("POST /v2/images");
    assert_eq!(
        (&body["location"], &body["args"]),
        (&json!(location), &json!("3600"))
    );
    let properties = json!({"location": location, "args": "3600"});
    assert_eq!(ran.json()["properties"], properties);
    assert_eq!(place.run("image create x --file y --property z").exit, 2);
    assert_eq!(place.run("image list --json").json()[0]["name"], "none");
    assert_eq!(place.run("image show none --json").json()["id"], "i-none");
    assert_eq!(place.run("image delete none").exit, 0);
}

#[test]
fn flavors_are_listed_and_made() {
    let api = Api::start(|request| match request.line.as_str() {
        "POST /v2.1/flavors" => (200, request.body.clone()),
        line => catalogue(line).unwrap_or_else(not_found),
    });
    let place = Place::talking_to(api.url());
    assert_eq!(place.run("flavor show m1.small --json").json()["ram"], 2048);
    let list = place.run("flavor list").out;
    assert!(
        list.contains("m1.tiny") && list.contains("m1.small"),
        "{list}"
    );
    let ran = place.run("flavor create big --ram 8 --vcpus 2 --disk 0 --id 7 --json");
    assert_eq!(ran.json()["id"], "7");
    let expected = json!({"flavor": {"name": "big", "ram": 8, "vcpus": 2, "disk": 0, "id": "7"}});
    assert_eq!(api.body_of("POST /v2.1/flavors"), expected);
}

#[test]
fn extra_specs_of_flavors_are_properties() {
    let api = Api::start(|request| match request.line.as_str() {
        "POST /v2.1/flavors/2/os-extra_specs" => (200, request.body.clone()),
        "DELETE /v2.1/flavors/2/os-extra_specs/a%3Ab" => (200, Json::Null),
        line => catalogue(line).unwrap_or_else(not_found),
    });
    let place = Place::talking_to(api.url());
    let ran = place.run("flavor set m1.small --property ssd=true --unset a:b --json");
    assert_eq!(
        (ran.exit, &ran.json()["properties"]),
        (0, &json!({"ssd": "true"}))
    );
    let expected = json!({"extra_specs": {"ssd": "true"}});
    assert_eq!(api.body_of("POST /v2.1/flavors/2/os-extra_specs"), expected);
    let shown = place.run("flavor show m1.small").out;
    assert!(shown.ends_with("\nproperties: ssd=true\n"), "{shown}");
    assert_eq!(
        place.run("flavor list --json").json()[0].get("properties"),
        None
    );
    assert_eq!(place.run("flavor set m1.small").exit, 2);
}
