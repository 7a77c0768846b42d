//! `longshore flavor …`: list, show, create, set.
//!
//! Talks to the API only. Called by `cli::run`.

use longshore_loader::diagnostic::escape;
use serde_json::{Map, Value as Json, json};

use super::Context;
use super::args::{Flavor, FlavorCreate};
use super::client::{Client, encoded};
use super::exit::Exit;
use super::failure::Failure;
use super::names::{all, choose, pairs, properties_text, text};
use super::render::{Screen, cell};

/// Member of a flavor that has its extra specs; the API has them under a path of their own.
const SPECS: &str = "extra_specs";

pub(crate) fn run(context: &mut Context<'_>, command: Flavor) -> Result<Exit, Failure> {
    match command {
        Flavor::List => {
            let client = context.client()?;
            let flavors = all(&client, "/v2.1/flavors/detail", "flavors")?;
            let shapes: Vec<Json> = flavors.iter().map(shape).collect();
            let json = Json::from(shapes.as_slice());
            context.screen.result(&json, |screen| rows(screen, &shapes));
        }
        Flavor::Show { flavor } => {
            let client = context.client()?;
            let flavors = all(&client, "/v2.1/flavors/detail", "flavors")?;
            let mut flavor = choose("flavor", &flavor, &flavors)?.clone();
            flavor[SPECS] = specs(&client, &flavor)?;
            print(context, &flavor);
        }
        Flavor::Create(args) => {
            let client = context.client()?;
            let properties = pairs("--property", &args.properties)?;
            let mut answer = client.post("/v2.1/flavors", &request(&args))?;
            let mut flavor = answer["flavor"].take();
            if !properties.is_empty() {
                set_specs(&client, &flavor, properties)?;
                flavor[SPECS] = specs(&client, &flavor)?;
            }
            print(context, &flavor);
        }
        Flavor::Set(args) => {
            let properties = pairs("--property", &args.properties)?;
            let client = context.client()?;
            let flavors = all(&client, "/v2.1/flavors/detail", "flavors")?;
            let mut flavor = choose("flavor", &args.flavor, &flavors)?.clone();
            if !properties.is_empty() {
                set_specs(&client, &flavor, properties)?;
            }
            for key in &args.unset {
                client.delete(&format!("{}/{}", specs_of(&flavor), encoded(key)))?;
            }
            flavor[SPECS] = specs(&client, &flavor)?;
            print(context, &flavor);
        }
    }
    Ok(Exit::Done)
}

fn specs_of(flavor: &Json) -> String {
    let id = encoded(text(flavor, "id"));
    format!("/v2.1/flavors/{id}/os-extra_specs")
}

fn specs(client: &Client, flavor: &Json) -> Result<Json, Failure> {
    Ok(client.get(&specs_of(flavor))?[SPECS].take())
}

fn set_specs(client: &Client, flavor: &Json, properties: Map<String, Json>) -> Result<(), Failure> {
    let body = json!({ SPECS: properties });
    client.post(&specs_of(flavor), &body).map(drop)
}

fn request(args: &FlavorCreate) -> Json {
    let FlavorCreate {
        name,
        ram,
        vcpus,
        disk,
        id,
        properties: _,
    } = args;
    let mut flavor = json!({"name": name, "ram": ram, "vcpus": vcpus, "disk": disk});
    if let Some(id) = id {
        flavor["id"] = json!(id);
    }
    json!({ "flavor": flavor })
}

fn print(context: &mut Context<'_>, flavor: &Json) {
    let shape = shape(flavor);
    context.screen.result(&shape, |screen| {
        let mut out = rows(screen, std::slice::from_ref(&shape));
        let properties = properties_text(&shape);
        if !properties.is_empty() {
            out.push_str(&format!("\nproperties: {}", escape(&properties)));
        }
        out
    });
}

fn shape(flavor: &Json) -> Json {
    let mut shape = json!({
        "id": flavor["id"],
        "name": flavor["name"],
        "ram": flavor["ram"],
        "vcpus": flavor["vcpus"],
        "disk": flavor["disk"],
        "ephemeral": flavor["OS-FLV-EXT-DATA:ephemeral"],
        "is_public": flavor["os-flavor-access:is_public"],
    });
    if let Some(specs) = flavor.get(SPECS) {
        shape["properties"] = specs.clone();
    }
    shape
}

fn rows(screen: &Screen<'_>, shapes: &[Json]) -> String {
    const HEAD: &[&str] = &["id", "name", "ram", "vcpus", "disk"];
    let head = &["id", "name", "ram mib", "vcpus", "disk gib"];
    let row = |s: &Json| HEAD.iter().map(|key| cell(&s[*key])).collect();
    let rows: Vec<Vec<String>> = shapes.iter().map(row).collect();
    screen.table(head, &rows)
}
