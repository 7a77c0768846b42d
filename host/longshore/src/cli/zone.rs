//! `longshore availability-zone list`: the zones that servers can ask for, and their hosts.
//!
//! Talks to the API only. Called by `cli::run`.

use serde_json::{Value as Json, json};

use super::Context;
use super::aggregate::args::AvailabilityZone;
use super::exit::Exit;
use super::failure::Failure;
use super::names::{all, text};
use super::render::cell;

/// The zone of services that run no servers.
const INTERNAL: &str = "internal";

pub(crate) fn run(context: &mut Context<'_>, command: AvailabilityZone) -> Result<Exit, Failure> {
    let AvailabilityZone::List = command;
    let path = "/v2.1/os-availability-zone/detail";
    let mut zones = all(&context.client()?, path, "availabilityZoneInfo")?;
    zones.retain(|zone| text(zone, "zoneName") != INTERNAL);
    let shapes: Vec<Json> = zones.iter().map(shape).collect();
    let json = Json::from(shapes.as_slice());
    context.screen.result(&json, |screen| {
        let row = |s: &Json| {
            let hosts = s["hosts"].as_array().map_or(0, Vec::len).to_string();
            vec![cell(&s["zone"]), cell(&s["state"]), hosts]
        };
        let rows: Vec<Vec<String>> = shapes.iter().map(row).collect();
        screen.table(&["zone", "state", "enabled hosts"], &rows)
    });
    Ok(Exit::Done)
}

fn shape(zone: &Json) -> Json {
    let available = zone.pointer("/zoneState/available") == Some(&Json::Bool(true));
    let hosts = zone["hosts"].as_object();
    let hosts: Vec<&String> = hosts.into_iter().flat_map(|hosts| hosts.keys()).collect();
    json!({
        "zone": zone["zoneName"],
        "state": if available { "available" } else { "unavailable" },
        "hosts": hosts,
    })
}
