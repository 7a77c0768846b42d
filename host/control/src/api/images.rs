//! The paths of images, in Glance's shape and as little of it as clients need.
//!
//! An image is the description of a file that the hosts can read: its path is the property
//! `location`. Must not read the file. Called by the router.

use std::collections::BTreeMap;
use std::path::Path as FilePath;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use longshore_objects::{ImageMeta, ObjectError};
use longshore_store::StoreError;
use serde_json::{Map, Value, json};

use super::codes;
use super::config::{DISK_GB_MAX, PAIRS_MAX, PROPERTY_LEN_MAX, RAM_MB_MAX};
use super::error::{Answer, ApiError};
use super::input::{JsonBody, Members};
use super::manager::ApiManager;
use super::query::{Parameters, cut, encoded};

/// Longest path of a file, in characters.
const PATH_LEN_MAX: usize = 4_095;
/// Members that say how an image came about, which nobody sets.
const READ_ONLY: &[&str] = &[
    "status",
    "size",
    "virtual_size",
    "checksum",
    "owner",
    "created_at",
    "updated_at",
    "file",
    "self",
    "schema",
];

type Api = State<Arc<ApiManager>>;

/// `GET /v2/images`
pub(crate) async fn list(State(api): Api, mut query: Parameters) -> Answer {
    let page = query.page()?;
    let name = query.take("name");
    let status = query.take("status");
    query.ignore(&[
        "visibility",
        "member_status",
        "sort",
        "sort_key",
        "sort_dir",
    ]);
    query.finish()?;
    let mut images = api.store.images(name.as_deref()).await?;
    images.retain(|image| {
        status
            .as_deref()
            .is_none_or(|status| image.status() == status)
    });
    let images = cut(images, &page, ImageMeta::id)?;
    let views: Vec<Value> = images.iter().map(view).collect();
    let mut body = json!({
        "images": views,
        "first": "/v2/images",
        "schema": "/v2/schemas/images",
    });
    if let Some(last) = images.last().filter(|_| images.len() == page.limit) {
        let links = query.next_links("/v2/images", last.id());
        body["next"] = links[0]["href"].clone();
        // The same once more, as all other lists say it.
        body["images_links"] = links;
    }
    Ok(Json(body).into_response())
}

/// `GET /v2/images/{id}`
pub(crate) async fn show(State(api): Api, Path(id): Path<String>) -> Answer {
    let found = api.store.image(&id).await;
    let image = found.map_err(|error| missing(error, &id))?;
    Ok(Json(view(&image)).into_response())
}

/// `POST /v2/images`
pub(crate) async fn create(State(api): Api, body: JsonBody) -> Answer {
    let mut image = read(body)?;
    if let Some(location) = image.location().map(str::to_owned) {
        image.set_size(size_of(&location).await?);
    }
    let id = image.id().to_owned();
    let image = api
        .store
        .create_image(image)
        .await
        .map_err(|error| match error {
            StoreError::Object(ObjectError::Exists(..)) => {
                ApiError::conflict(codes::EXISTS, format!("Image ID {id} already exists!"))
            }
            other => other.into(),
        })?;
    Ok((StatusCode::CREATED, Json(view(&image))).into_response())
}

/// `DELETE /v2/images/{id}`
pub(crate) async fn delete(State(api): Api, Path(id): Path<String>) -> Answer {
    let done = api.store.destroy_image(&id).await;
    done.map_err(|error| missing(error, &id))?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// The bytes of an image stay where they are.
pub(crate) async fn upload() -> ApiError {
    ApiError::not_served("Image data cannot be sent")
        .with_cure("put the file on the hosts, and name its path as property `location`")
}

fn missing(error: StoreError, id: &str) -> ApiError {
    match error {
        StoreError::Object(ObjectError::NotFound(..)) => {
            ApiError::not_found(format!("No image found with ID {id}"))
        }
        other => other.into(),
    }
}

fn read(body: JsonBody) -> Result<ImageMeta, ApiError> {
    let mut given = Members::of_body(body);
    for name in READ_ONLY {
        if let Some(value) = given.take(name) {
            return Err(given.refuse(name, &value, "It is read-only."));
        }
    }
    let name = given.name("name")?;
    let name = given.required("name", name)?;
    let min_ram = given.integer("min_ram", 0, RAM_MB_MAX)?.unwrap_or(0);
    let min_disk = given.integer("min_disk", 0, DISK_GB_MAX)?.unwrap_or(0);
    only_default(&mut given, "tags", &json!([]))?;
    only_default(&mut given, "protected", &json!(false))?;
    let location = given.text("location", 1, PATH_LEN_MAX)?;
    let id = id(&mut given)?;
    let properties: BTreeMap<String, String> = given.pairs(PAIRS_MAX, PROPERTY_LEN_MAX)?;
    given.finish()?;
    let mut image = ImageMeta::new();
    image
        .set_id(id)
        .set_name(name)
        .set_status("active")
        .set_min_ram(min_ram)
        .set_min_disk(min_disk)
        .set_location(location)
        .set_properties(properties);
    Ok(image)
}

/// Features of Glance that are not kept may be named only with their usual value.
fn only_default(given: &mut Members, name: &str, default: &Value) -> Result<(), ApiError> {
    match given.take(name) {
        Some(value) if value != *default => {
            let reason = format!("Only `{default}` is supported.");
            Err(given.refuse(name, &value, &reason))
        }
        _ => Ok(()),
    }
}

/// The identifier that a client chose, or a new one.
fn id(given: &mut Members) -> Result<String, ApiError> {
    let Some(text) = given.text("id", 1, PATH_LEN_MAX)? else {
        return Ok(uuid::Uuid::new_v4().to_string());
    };
    match uuid::Uuid::parse_str(&text) {
        Ok(id) => Ok(id.to_string()),
        Err(_) => Err(given.refuse("id", &Value::from(text), "A UUID is expected.")),
    }
}

/// Size of the file of an image, in bytes.
async fn size_of(location: &str) -> Result<i64, ApiError> {
    let refuse = |why: &str| {
        let message = format!("The file of the image cannot be used: {location}");
        ApiError::bad(codes::IMAGE_FILE, message).because(format!("`location`: {why}"))
    };
    if !FilePath::new(location).is_absolute() {
        return Err(refuse("the path is not absolute"));
    }
    match tokio::fs::metadata(location).await {
        Ok(file) if file.is_file() => Ok(i64::try_from(file.len()).unwrap_or(i64::MAX)),
        Ok(_) => Err(refuse("it is not a regular file")),
        Err(error) => Err(refuse(&error.to_string())),
    }
}

fn view(image: &ImageMeta) -> Value {
    let path = format!("/v2/images/{}", encoded(image.id()));
    let mut view = Map::new();
    let defaults = [
        ("visibility", json!("public")),
        ("container_format", json!("bare")),
        ("disk_format", json!("raw")),
    ];
    view.extend(defaults.map(|(name, value)| (name.to_owned(), value)));
    let properties = image.properties().iter();
    view.extend(properties.map(|(key, value)| (key.clone(), json!(value))));
    if let Some(location) = image.location() {
        view.insert("location".to_owned(), json!(location));
    }
    let created = image.created_at();
    let fixed = [
        ("id", json!(image.id())),
        ("name", json!(image.name())),
        ("status", json!(image.status())),
        ("size", json!(image.size())),
        ("checksum", Value::Null),
        ("min_ram", json!(image.min_ram())),
        ("min_disk", json!(image.min_disk())),
        ("owner", Value::Null),
        ("protected", json!(false)),
        ("tags", json!([])),
        ("created_at", json!(created.map(|at| at.to_string()))),
        (
            "updated_at",
            json!(image.updated_at().or(created).map(|at| at.to_string())),
        ),
        ("file", json!(format!("{path}/file"))),
        ("self", json!(path)),
        ("schema", json!("/v2/schemas/image")),
    ];
    view.extend(fixed.map(|(name, value)| (name.to_owned(), value)));
    Value::Object(view)
}
