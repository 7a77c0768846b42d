//! The version documents, with which clients find out what is served.
//!
//! Must not know any resource.

use axum::Json;
use serde_json::{Map, Value, json};

use super::caller::Caller;
use super::gate::VERSION;

const UPDATED: &str = "2013-07-23T11:33:21Z";

fn version(caller: &Caller) -> Map<String, Value> {
    let members = [
        ("id", json!("v2.1")),
        ("status", json!("CURRENT")),
        ("version", json!(VERSION)),
        ("min_version", json!(VERSION)),
        ("updated", json!(UPDATED)),
        (
            "links",
            json!([{ "rel": "self", "href": format!("{}/v2.1/", caller.base) }]),
        ),
    ];
    members
        .map(|(name, value)| (name.to_owned(), value))
        .into_iter()
        .collect()
}

/// `GET /`
pub(crate) async fn list(caller: Caller) -> Json<Value> {
    Json(json!({ "versions": [version(&caller)] }))
}

/// `GET /v2.1/`
pub(crate) async fn show(caller: Caller) -> Json<Value> {
    let mut version = version(&caller);
    let media = json!([{
        "base": "application/json",
        "type": "application/vnd.openstack.compute+json;version=2.1",
    }]);
    version.insert("media-types".to_owned(), media);
    let described = json!({
        "rel": "describedby",
        "type": "text/html",
        "href": "https://docs.openstack.org/api-ref/compute/",
    });
    if let Some(links) = version.get_mut("links").and_then(Value::as_array_mut) {
        links.push(described);
    }
    Json(json!({ "version": version }))
}
