//! `longshore aggregate …`: groups of hosts, their zone and their properties.
//!
//! Talks to the API only. The zone is one of the properties there, and stands apart here. Called by `cli::run`.

pub mod args;

use serde_json::{Map, Value as Json, json};

use super::Context;
use super::client::Client;
use super::exit::Exit;
use super::failure::Failure;
use super::names::{all, choose, pairs, properties_text};
use super::render::{Screen, cell};
use args::{Aggregate, AggregateCreate, AggregateHosts, AggregateSet};

const PATH: &str = "/v2.1/os-aggregates";
/// The property that names the zone.
const ZONE: &str = "availability_zone";

pub(crate) fn run(context: &mut Context<'_>, command: Aggregate) -> Result<Exit, Failure> {
    let client = context.client()?;
    let changed = match command {
        Aggregate::List => {
            let shapes: Vec<Json> = read(&client)?.iter().map(shape).collect();
            let json = Json::from(shapes.as_slice());
            context.screen.result(&json, |screen| rows(screen, &shapes));
            return Ok(Exit::Done);
        }
        Aggregate::Show { aggregate } => find(&client, &aggregate)?,
        Aggregate::Create(args) => create(&client, &args)?,
        Aggregate::Set(args) => set(&client, &args)?,
        Aggregate::AddHost(args) => each_host(&client, &args, "add_host")?,
        Aggregate::RemoveHost(args) => each_host(&client, &args, "remove_host")?,
        Aggregate::Delete { aggregates } => return delete(context, &client, &aggregates),
    };
    let shape = shape(&changed);
    context
        .screen
        .result(&shape, |screen| details(screen, &shape));
    Ok(Exit::Done)
}

fn read(client: &Client) -> Result<Vec<Json>, Failure> {
    all(client, PATH, "aggregates")
}

fn find(client: &Client, wanted: &str) -> Result<Json, Failure> {
    choose("aggregate", wanted, &read(client)?).cloned()
}

fn path_of(aggregate: &Json) -> String {
    format!("{PATH}/{}", cell(&aggregate["id"]))
}

fn act(client: &Client, aggregate: &Json, action: &Json) -> Result<Json, Failure> {
    let mut answer = client.post(&format!("{}/action", path_of(aggregate)), action)?;
    Ok(answer["aggregate"].take())
}

fn create(client: &Client, args: &AggregateCreate) -> Result<Json, Failure> {
    let properties = pairs("--property", &args.properties)?;
    let body = json!({ "aggregate": { "name": args.name, ZONE: args.zone } });
    let mut answer = client.post(PATH, &body)?;
    let created = answer["aggregate"].take();
    match properties.is_empty() {
        true => Ok(created),
        false => set_metadata(client, &created, properties),
    }
}

fn set(client: &Client, args: &AggregateSet) -> Result<Json, Failure> {
    let mut properties = pairs("--property", &args.properties)?;
    properties.extend(args.unset.iter().map(|key| (key.clone(), Json::Null)));
    let mut aggregate = find(client, &args.aggregate)?;
    let mut fields = Map::new();
    if let Some(name) = &args.new_name {
        fields.insert("name".to_owned(), json!(name));
    }
    if let Some(zone) = &args.zone {
        fields.insert(ZONE.to_owned(), json!(zone));
    }
    if !fields.is_empty() {
        let body = json!({ "aggregate": fields });
        aggregate = client.put(&path_of(&aggregate), &body)?["aggregate"].take();
    }
    match properties.is_empty() {
        true => Ok(aggregate),
        false => set_metadata(client, &aggregate, properties),
    }
}

fn set_metadata(
    client: &Client,
    aggregate: &Json,
    metadata: Map<String, Json>,
) -> Result<Json, Failure> {
    let action = json!({ "set_metadata": { "metadata": metadata } });
    act(client, aggregate, &action)
}

fn each_host(client: &Client, args: &AggregateHosts, action: &str) -> Result<Json, Failure> {
    let mut aggregate = find(client, &args.aggregate)?;
    for host in &args.hosts {
        let body = json!({ action: { "host": host } });
        aggregate = act(client, &aggregate, &body)?;
    }
    Ok(aggregate)
}

fn delete(context: &mut Context<'_>, client: &Client, wanted: &[String]) -> Result<Exit, Failure> {
    let aggregates = read(client)?;
    // All are looked up first: a typing slip in the last name must not delete the others.
    let mut chosen: Vec<&Json> = Vec::with_capacity(wanted.len());
    for name in wanted {
        let aggregate = choose("aggregate", name, &aggregates)?;
        if !chosen.contains(&aggregate) {
            chosen.push(aggregate);
        }
    }
    for aggregate in &chosen {
        client.delete(&path_of(aggregate))?;
    }
    let named = |a: &&Json| json!({ "id": a["id"], "name": a["name"] });
    let result: Vec<Json> = chosen.iter().map(named).collect();
    let json = Json::from(result.as_slice());
    context.screen.result(&json, |screen| {
        let row = |a: &Json| vec!["deleted".to_owned(), cell(&a["name"]), cell(&a["id"])];
        let rows: Vec<Vec<String>> = result.iter().map(row).collect();
        screen.table(&[], &rows)
    });
    Ok(Exit::Done)
}

fn shape(aggregate: &Json) -> Json {
    let mut properties = match &aggregate["metadata"] {
        Json::Object(metadata) => metadata.clone(),
        _ => Map::new(),
    };
    properties.remove(ZONE);
    let hosts = match &aggregate["hosts"] {
        Json::Null => json!([]),
        hosts => hosts.clone(),
    };
    json!({
        "id": aggregate["id"],
        "name": aggregate["name"],
        ZONE: aggregate[ZONE],
        "hosts": hosts,
        "properties": properties,
        "created": aggregate["created_at"],
        "updated": aggregate["updated_at"],
    })
}

fn hosts(shape: &Json) -> &[Json] {
    shape["hosts"].as_array().map_or(&[], Vec::as_slice)
}

fn rows(screen: &Screen<'_>, shapes: &[Json]) -> String {
    let row = |s: &Json| {
        let number = hosts(s).len().to_string();
        vec![cell(&s["id"]), cell(&s["name"]), cell(&s[ZONE]), number]
    };
    let rows: Vec<Vec<String>> = shapes.iter().map(row).collect();
    screen.table(&["id", "name", "zone", "hosts"], &rows)
}

fn details(screen: &Screen<'_>, shape: &Json) -> String {
    let hosts: Vec<String> = hosts(shape).iter().map(cell).collect();
    let or_none = |text: String| cell(&Json::from(text));
    screen.fields(&[
        ("id", cell(&shape["id"])),
        ("name", cell(&shape["name"])),
        (ZONE, cell(&shape[ZONE])),
        ("hosts", or_none(hosts.join(", "))),
        ("properties", or_none(properties_text(shape))),
        ("created", cell(&shape["created"])),
        ("updated", cell(&shape["updated"])),
    ])
}
