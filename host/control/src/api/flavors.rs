//! The paths of flavors.
//!
//! Must not know instances: they keep their own copy of a flavor. Called by the router.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use longshore_objects::{Flavor, ObjectError};
use longshore_store::{Store, StoreError};
use serde_json::{Value, json};

use super::caller::Caller;
use super::codes;
use super::config::{DISK_GB_MAX, RAM_MB_MAX, TEXT_LEN_MAX, VCPUS_MAX};
use super::error::{Answer, ApiError};
use super::input::{JsonBody, Members};
use super::manager::ApiManager;
use super::query::{Parameters, cut};

type Api = State<Arc<ApiManager>>;

/// `GET /v2.1/flavors`
pub(crate) async fn brief(State(api): Api, caller: Caller, query: Parameters) -> Answer {
    list(&api, &caller, query, "flavors", summary).await
}

/// `GET /v2.1/flavors/detail`
pub(crate) async fn full(State(api): Api, caller: Caller, query: Parameters) -> Answer {
    list(&api, &caller, query, "flavors/detail", detail).await
}

async fn list(
    api: &ApiManager,
    caller: &Caller,
    mut query: Parameters,
    path: &str,
    view: fn(&Flavor, &Caller) -> Value,
) -> Answer {
    let page = query.page()?;
    let public = query.take("is_public");
    let public = public.filter(|value| !value.eq_ignore_ascii_case("none"));
    let public = public.map(|value| value.eq_ignore_ascii_case("true") || value == "1");
    let ram = query.number("minRam")?.unwrap_or(0);
    let disk = query.number("minDisk")?.unwrap_or(0);
    query.finish()?;
    let at_least = |value: i64, min: u64| u64::try_from(value).is_ok_and(|value| value >= min);
    let mut flavors = api.store.flavors().await?;
    flavors.retain(|flavor| {
        public.is_none_or(|public| flavor.is_public() == public)
            && at_least(flavor.memory_mb(), ram)
            && at_least(flavor.root_gb(), disk)
    });
    let flavors = cut(flavors, &page, Flavor::flavorid)?;
    let views: Vec<Value> = flavors.iter().map(|flavor| view(flavor, caller)).collect();
    let mut body = json!({ "flavors": views });
    if let Some(last) = flavors.last().filter(|_| flavors.len() == page.limit) {
        let url = format!("{}/v2.1/{path}", caller.base);
        body["flavors_links"] = query.next_links(&url, last.flavorid());
    }
    Ok(Json(body).into_response())
}

/// `GET /v2.1/flavors/{id}`
pub(crate) async fn show(State(api): Api, caller: Caller, Path(id): Path<String>) -> Answer {
    let found = api.store.flavor(&id).await;
    let flavor = found.map_err(|error| missing(error, &id))?;
    Ok(Json(json!({ "flavor": detail(&flavor, &caller) })).into_response())
}

/// `POST /v2.1/flavors`
pub(crate) async fn create(State(api): Api, caller: Caller, body: JsonBody) -> Answer {
    let wanted = read(body)?;
    let flavor = match api.store.create_flavor(wanted.clone()).await {
        Ok(flavor) => flavor,
        Err(StoreError::Object(ObjectError::Exists(..))) => {
            return Err(taken(&api.store, &wanted).await);
        }
        Err(other) => return Err(other.into()),
    };
    Ok(Json(json!({ "flavor": detail(&flavor, &caller) })).into_response())
}

/// `DELETE /v2.1/flavors/{id}`
pub(crate) async fn delete(State(api): Api, Path(id): Path<String>) -> Answer {
    let done = api.store.destroy_flavor(&id).await;
    done.map_err(|error| missing(error, &id))?;
    Ok(StatusCode::ACCEPTED.into_response())
}

fn read(body: JsonBody) -> Result<Flavor, ApiError> {
    let mut body = Members::of_body(body);
    let mut given = body.object("flavor")?;
    body.finish()?;
    let name = given.name("name")?;
    let ram = given.integer("ram", 1, RAM_MB_MAX)?;
    let vcpus = given.integer("vcpus", 1, VCPUS_MAX)?;
    let disk = given.integer("disk", 0, DISK_GB_MAX)?;
    let ephemeral = given.integer("OS-FLV-EXT-DATA:ephemeral", 0, DISK_GB_MAX)?;
    let public = given.boolean("os-flavor-access:is_public")?;
    let mut flavor = Flavor::new();
    flavor
        .set_name(given.required("name", name)?)
        .set_memory_mb(given.required("ram", ram)?)
        .set_vcpus(given.required("vcpus", vcpus)?)
        .set_root_gb(given.required("disk", disk)?)
        .set_ephemeral_gb(ephemeral.unwrap_or(0))
        .set_swap(given.integer("swap", 0, RAM_MB_MAX)?.unwrap_or(0))
        .set_rxtx_factor(rxtx_factor(&mut given)?)
        .set_is_public(public.unwrap_or(true));
    if let Some(id) = id(&mut given)? {
        flavor.set_flavorid(id);
    }
    given.finish()?;
    Ok(flavor)
}

/// None if an identifier is to be made up.
fn id(given: &mut Members) -> Result<Option<String>, ApiError> {
    let text = match given.take("id") {
        None => return Ok(None),
        Some(Value::Number(number)) => number.to_string(),
        Some(Value::String(text)) if text == "auto" => return Ok(None),
        Some(Value::String(text)) => text,
        Some(other) => return Err(given.refuse("id", &other, "A string is expected.")),
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || "._- ".contains(c);
    let fits = (1..=TEXT_LEN_MAX).contains(&text.chars().count());
    if fits && text.trim() == text && text.chars().all(plain) {
        return Ok(Some(text));
    }
    let reason = "1 to 255 letters, digits, periods, dashes, underscores or spaces are expected.";
    Err(given.refuse("id", &Value::from(text), reason))
}

fn rxtx_factor(given: &mut Members) -> Result<f64, ApiError> {
    let Some(value) = given.take("rxtx_factor") else {
        return Ok(1.0);
    };
    let number = match &value {
        Value::String(text) => text.parse().ok(),
        other => other.as_f64(),
    };
    let number = number.filter(|number| number.is_finite() && *number > 0.0);
    let reason = "A number above 0 is expected.";
    number.ok_or_else(|| given.refuse("rxtx_factor", &value, reason))
}

/// Which of the two is taken already.
async fn taken(store: &Store, wanted: &Flavor) -> ApiError {
    let id = wanted.flavorid();
    let message = match store.flavor(id).await {
        Ok(_) => format!("Flavor with ID {id} already exists."),
        Err(_) => format!("Flavor with name {} already exists.", wanted.name()),
    };
    ApiError::conflict(codes::EXISTS, message)
}

pub(crate) fn missing(error: StoreError, id: &str) -> ApiError {
    match error {
        StoreError::Object(ObjectError::NotFound(..)) => {
            ApiError::not_found(format!("Flavor {id} could not be found."))
        }
        other => other.into(),
    }
}

fn summary(flavor: &Flavor, caller: &Caller) -> Value {
    let links = caller.links(&format!("flavors/{}", flavor.flavorid()));
    json!({ "id": flavor.flavorid(), "name": flavor.name(), "links": links })
}

fn detail(flavor: &Flavor, caller: &Caller) -> Value {
    let swap = match flavor.swap() {
        0 => json!(""),
        swap => json!(swap),
    };
    json!({
        "id": flavor.flavorid(),
        "name": flavor.name(),
        "ram": flavor.memory_mb(),
        "vcpus": flavor.vcpus(),
        "disk": flavor.root_gb(),
        "swap": swap,
        "rxtx_factor": flavor.rxtx_factor(),
        "OS-FLV-EXT-DATA:ephemeral": flavor.ephemeral_gb(),
        "OS-FLV-DISABLED:disabled": flavor.disabled(),
        "os-flavor-access:is_public": flavor.is_public(),
        "links": caller.links(&format!("flavors/{}", flavor.flavorid())),
    })
}
