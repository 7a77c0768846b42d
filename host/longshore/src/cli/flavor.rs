//! `longshore flavor …`: list, show, create.
//!
//! Talks to the API only. Called by `cli::run`.

use serde_json::{Value as Json, json};

use super::Context;
use super::args::{Flavor, FlavorCreate};
use super::exit::Exit;
use super::failure::Failure;
use super::names::{all, choose};
use super::render::{Screen, cell};

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
            print(context, choose("flavor", &flavor, &flavors)?);
        }
        Flavor::Create(args) => {
            let client = context.client()?;
            let answer = client.post("/v2.1/flavors", &request(&args))?;
            print(context, &answer["flavor"]);
        }
    }
    Ok(Exit::Done)
}

fn request(args: &FlavorCreate) -> Json {
    let FlavorCreate {
        name,
        ram,
        vcpus,
        disk,
        id,
    } = args;
    let mut flavor = json!({"name": name, "ram": ram, "vcpus": vcpus, "disk": disk});
    if let Some(id) = id {
        flavor["id"] = json!(id);
    }
    json!({ "flavor": flavor })
}

fn print(context: &mut Context<'_>, flavor: &Json) {
    let shape = shape(flavor);
    context
        .screen
        .result(&shape, |screen| rows(screen, std::slice::from_ref(&shape)));
}

fn shape(flavor: &Json) -> Json {
    json!({
        "id": flavor["id"],
        "name": flavor["name"],
        "ram": flavor["ram"],
        "vcpus": flavor["vcpus"],
        "disk": flavor["disk"],
        "ephemeral": flavor["OS-FLV-EXT-DATA:ephemeral"],
        "is_public": flavor["os-flavor-access:is_public"],
    })
}

fn rows(screen: &Screen<'_>, shapes: &[Json]) -> String {
    const HEAD: &[&str] = &["id", "name", "ram", "vcpus", "disk"];
    let head = &["id", "name", "ram mib", "vcpus", "disk gib"];
    let row = |s: &Json| HEAD.iter().map(|key| cell(&s[*key])).collect();
    let rows: Vec<Vec<String>> = shapes.iter().map(row).collect();
    screen.table(head, &rows)
}
