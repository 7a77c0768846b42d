//! `longshore server-group …`: list, show, create, delete.
//!
//! Talks to the API only. What a policy does is the scheduler's business. Called by `cli::run`.

use longshore_loader::diagnostic::escape;
use serde_json::{Value as Json, json};

use super::Context;
use super::args::{ServerGroup, ServerGroupCreate};
use super::client::{Client, encoded};
use super::exit::Exit;
use super::failure::Failure;
use super::names::{all, choose, text};
use super::render::{Screen, cell};

const PATH: &str = "/v2.1/os-server-groups";

pub(crate) fn run(context: &mut Context<'_>, command: ServerGroup) -> Result<Exit, Failure> {
    match command {
        ServerGroup::List => {
            let groups = groups(&context.client()?)?;
            let shapes: Vec<Json> = groups.iter().map(shape).collect();
            let json = Json::from(shapes.as_slice());
            context.screen.result(&json, |screen| rows(screen, &shapes));
        }
        ServerGroup::Show { group } => {
            let groups = groups(&context.client()?)?;
            print(context, choose("server-group", &group, &groups)?);
        }
        ServerGroup::Create(args) => {
            let answer = context.client()?.post(PATH, &request(&args))?;
            print(context, &answer["server_group"]);
        }
        ServerGroup::Delete { groups } => return delete(context, &groups),
    }
    Ok(Exit::Done)
}

fn groups(client: &Client) -> Result<Vec<Json>, Failure> {
    all(client, PATH, "server_groups")
}

fn request(args: &ServerGroupCreate) -> Json {
    let policies = [args.policy.word()];
    json!({ "server_group": { "name": args.name, "policies": policies } })
}

fn delete(context: &mut Context<'_>, wanted: &[String]) -> Result<Exit, Failure> {
    let client = context.client()?;
    let groups = groups(&client)?;
    let mut chosen: Vec<&Json> = Vec::with_capacity(wanted.len());
    for name in wanted {
        let group = choose("server-group", name, &groups)?;
        if !chosen.contains(&group) {
            chosen.push(group);
        }
    }
    for group in &chosen {
        client.delete(&format!("{PATH}/{}", encoded(text(group, "id"))))?;
    }
    let named = |g: &&Json| json!({"id": text(g, "id"), "name": text(g, "name")});
    let result: Vec<Json> = chosen.iter().map(named).collect();
    let line = |g: &Json| format!("deleted `{}` ({})", escape(text(g, "name")), text(g, "id"));
    let lines: Vec<String> = result.iter().map(line).collect();
    context
        .screen
        .result(&Json::from(result), |_| lines.join("\n"));
    Ok(Exit::Done)
}

fn print(context: &mut Context<'_>, group: &Json) {
    let shape = shape(group);
    context.screen.result(&shape, |screen| {
        let members = shape["members"].as_array().into_iter().flatten();
        let members: Vec<String> = members.map(cell).collect();
        screen.fields(&[
            ("id", cell(&shape["id"])),
            ("name", cell(&shape["name"])),
            ("policy", cell(&shape["policy"])),
            ("members", members.join(" ")),
        ])
    });
}

/// A group has one policy, though the API has a list of them.
fn shape(group: &Json) -> Json {
    json!({
        "id": group["id"],
        "name": group["name"],
        "policy": group["policies"][0],
        "members": group["members"],
    })
}

fn rows(screen: &Screen<'_>, shapes: &[Json]) -> String {
    let row = |s: &Json| {
        let members = s["members"].as_array().map_or(0, Vec::len);
        let mut row = [&s["id"], &s["name"], &s["policy"]].map(cell).to_vec();
        row.push(members.to_string());
        row
    };
    let rows: Vec<Vec<String>> = shapes.iter().map(row).collect();
    screen.table(&["id", "name", "policy", "members"], &rows)
}
