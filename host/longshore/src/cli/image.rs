//! `longshore image …`: list, show, create, delete.
//!
//! An image is a file that the hosts can see; only its description goes to the API, in Glance's
//! shape. Called by `cli::run`.

use serde_json::{Map, Value as Json, json};

use super::Context;
use super::args::{Image, ImageCreate};
use super::client::encoded;
use super::exit::Exit;
use super::failure::Failure;
use super::names::{all, choose, pairs, text};
use super::render::{Screen, cell};

/// Keys of Glance's image object that are no properties of the user.
const FIXED: &[&str] = &[
    "id",
    "name",
    "status",
    "visibility",
    "container_format",
    "disk_format",
    "size",
    "virtual_size",
    "checksum",
    "os_hash_algo",
    "os_hash_value",
    "os_hidden",
    "min_ram",
    "min_disk",
    "owner",
    "protected",
    "tags",
    "created_at",
    "updated_at",
    "file",
    "self",
    "schema",
];

pub(crate) fn run(context: &mut Context<'_>, command: Image) -> Result<Exit, Failure> {
    match command {
        Image::List => {
            let client = context.client()?;
            let images = all(&client, "/v2/images", "images")?;
            let shapes: Vec<Json> = images.iter().map(shape).collect();
            let json = Json::from(shapes.as_slice());
            context.screen.result(&json, |screen| rows(screen, &shapes));
        }
        Image::Show { image } => {
            let client = context.client()?;
            let images = all(&client, "/v2/images", "images")?;
            print(context, choose("image", &image, &images)?);
        }
        Image::Create(args) => {
            let body = request(context, &args)?;
            let image = context.client()?.post("/v2/images", &body)?;
            print(context, &image);
        }
        Image::Delete { images } => return delete(context, &images),
    }
    Ok(Exit::Done)
}

/// A property cannot take the place of what an image has anyway.
fn request(context: &Context<'_>, args: &ImageCreate) -> Result<Json, Failure> {
    let mut body = pairs("--property", &args.properties)?;
    let location = context.around.working_dir.join(&args.file);
    body.insert("location".to_owned(), json!(location.display().to_string()));
    body.insert("name".to_owned(), json!(args.name));
    Ok(Json::Object(body))
}

fn delete(context: &mut Context<'_>, wanted: &[String]) -> Result<Exit, Failure> {
    let client = context.client()?;
    let images = all(&client, "/v2/images", "images")?;
    let mut chosen: Vec<&Json> = Vec::with_capacity(wanted.len());
    for name in wanted {
        let image = choose("image", name, &images)?;
        if !chosen.contains(&image) {
            chosen.push(image);
        }
    }
    for image in &chosen {
        client.delete(&format!("/v2/images/{}", encoded(text(image, "id"))))?;
    }
    let named = |i: &&Json| json!({"id": text(i, "id"), "name": text(i, "name")});
    let result: Vec<Json> = chosen.iter().map(named).collect();
    context
        .screen
        .result(&Json::from(result.as_slice()), |screen| {
            let row = |i: &Json| vec!["deleted".to_owned(), cell(&i["name"]), cell(&i["id"])];
            let rows: Vec<Vec<String>> = result.iter().map(row).collect();
            screen.table(&[], &rows)
        });
    Ok(Exit::Done)
}

fn print(context: &mut Context<'_>, image: &Json) {
    let shape = shape(image);
    context.screen.result(&shape, |screen| {
        let mut fields: Vec<(&str, String)> = Vec::new();
        for (key, value) in shape.as_object().into_iter().flatten() {
            match value.as_object() {
                Some(inner) => fields.extend(inner.iter().map(|(k, v)| (k.as_str(), cell(v)))),
                None => fields.push((key.as_str(), cell(value))),
            }
        }
        screen.fields(&fields)
    });
}

fn shape(image: &Json) -> Json {
    let is_property = |(key, _): &(&String, &Json)| !FIXED.contains(&key.as_str());
    let all = image.as_object().into_iter().flatten();
    let properties: Map<String, Json> = all
        .filter(is_property)
        .map(|(k, v)| (k.clone(), v.clone()))
        .collect();
    json!({
        "id": image["id"],
        "name": image["name"],
        "status": image["status"],
        "size": image["size"],
        "created": image["created_at"],
        "updated": image["updated_at"],
        "properties": properties,
    })
}

fn rows(screen: &Screen<'_>, shapes: &[Json]) -> String {
    let row = |s: &Json| {
        let location = &s["properties"]["location"];
        [&s["id"], &s["name"], &s["status"], location]
            .map(cell)
            .to_vec()
    };
    let rows: Vec<Vec<String>> = shapes.iter().map(row).collect();
    screen.table(&["id", "name", "status", "location"], &rows)
}
