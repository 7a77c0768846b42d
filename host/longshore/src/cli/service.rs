//! `longshore service list`: the parts of the control plane and when they last reported.
//!
//! Talks to the API only. Called by `cli::run`.

use serde_json::{Value as Json, json};

use super::Context;
use super::args::Service;
use super::exit::Exit;
use super::failure::Failure;
use super::names::all;
use super::render::cell;

const KEYS: &[&str] = &[
    "binary",
    "host",
    "state",
    "status",
    "updated_at",
    "report_count",
];

pub(crate) fn run(context: &mut Context<'_>, command: Service) -> Result<Exit, Failure> {
    let Service::List = command;
    let services = all(&context.client()?, "/v2.1/os-services", "services")?;
    let shape = |service: &Json| -> Json {
        let pair = |key: &&str| ((*key).to_owned(), service[*key].clone());
        let mut object: serde_json::Map<String, Json> = KEYS.iter().map(pair).collect();
        object.insert("zone".to_owned(), json!(service["zone"]));
        object.insert("id".to_owned(), json!(service["id"]));
        Json::Object(object)
    };
    let shapes: Vec<Json> = services.iter().map(shape).collect();
    let json = Json::from(shapes.as_slice());
    context.screen.result(&json, |screen| {
        let row = |s: &Json| KEYS.iter().map(|key| cell(&s[*key])).collect();
        let rows: Vec<Vec<String>> = shapes.iter().map(row).collect();
        let head = ["binary", "host", "state", "status", "updated at", "reports"];
        screen.table(&head, &rows)
    });
    Ok(Exit::Done)
}
