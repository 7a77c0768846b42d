//! `longshore host …`: the machines that run servers, and how full they are.
//!
//! OpenStack calls them hypervisors. Talks to the API only. Called by `cli::run`.

use serde_json::{Value as Json, json};

use super::Context;
use super::args::Host;
use super::exit::Exit;
use super::failure::Failure;
use super::names::{all, text, unknown};
use super::render::{Screen, cell};

/// What is shown of one host, in this order.
const KEYS: &[&str] = &[
    "host",
    "node",
    "state",
    "status",
    "virt",
    "vcpus",
    "vcpus_used",
    "memory_mb",
    "memory_mb_used",
    "disk_gb",
    "disk_gb_used",
    "running_vms",
];

pub(crate) fn run(context: &mut Context<'_>, command: Host) -> Result<Exit, Failure> {
    let client = context.client()?;
    let hypervisors = all(&client, "/v2.1/os-hypervisors/detail", "hypervisors")?;
    let shapes: Vec<Json> = hypervisors.iter().map(shape).collect();
    match command {
        Host::List => {
            let json = Json::from(shapes.as_slice());
            context.screen.result(&json, |screen| rows(screen, &shapes));
        }
        Host::Show { host } => {
            let Some(shape) = shapes.iter().find(|s| text(s, "host") == host) else {
                let names: Vec<&str> = shapes.iter().map(|s| text(s, "host")).collect();
                return Err(unknown("host", &host, &names));
            };
            context
                .screen
                .result(shape, |screen| screen.members(shape, KEYS));
        }
    }
    Ok(Exit::Done)
}

fn shape(hypervisor: &Json) -> Json {
    let host = match &hypervisor["service"]["host"] {
        Json::Null => &hypervisor["hypervisor_hostname"],
        host => host,
    };
    json!({
        "host": host,
        "node": hypervisor["hypervisor_hostname"],
        "vcpus": hypervisor["vcpus"],
        "vcpus_used": hypervisor["vcpus_used"],
        "memory_mb": hypervisor["memory_mb"],
        "memory_mb_used": hypervisor["memory_mb_used"],
        "disk_gb": hypervisor["local_gb"],
        "disk_gb_used": hypervisor["local_gb_used"],
        "running_vms": hypervisor["running_vms"],
        "state": hypervisor["state"],
        "status": hypervisor["status"],
        "virt": hypervisor["hypervisor_type"],
    })
}

fn rows(screen: &Screen<'_>, shapes: &[Json]) -> String {
    let used = |s: &Json, name: &str| {
        let of = format!("{name}_used");
        format!("{}/{}", cell(&s[of.as_str()]), cell(&s[name]))
    };
    let row = |s: &Json| {
        vec![
            cell(&s["host"]),
            cell(&s["state"]),
            cell(&s["status"]),
            cell(&s["virt"]),
            used(s, "vcpus"),
            used(s, "memory_mb"),
            used(s, "disk_gb"),
            cell(&s["running_vms"]),
        ]
    };
    let rows: Vec<Vec<String>> = shapes.iter().map(row).collect();
    let head = [
        "host",
        "state",
        "status",
        "virt",
        "vcpus",
        "memory mib",
        "disk gib",
        "servers",
    ];
    screen.table(&head, &rows)
}
