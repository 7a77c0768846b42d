//! The paths of flavors' extra specs: what a flavor asks of hosts, beside its size.
//!
//! Must not know what a key means: filters do. Servers that exist keep their own copy. Called by the router.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use longshore_objects::{Flavor, MetadataUpdates};
use serde_json::json;

use super::config::{PAIRS_MAX, TEXT_LEN_MAX};
use super::error::{Answer, ApiError};
use super::flavors::missing;
use super::input::{JsonBody, Members};
use super::manager::ApiManager;

type Api = State<Arc<ApiManager>>;

async fn flavor(api: &ApiManager, id: &str) -> Result<Flavor, ApiError> {
    let found = api.store.flavor(id).await;
    found.map_err(|error| missing(error, id))
}

/// `GET /v2.1/flavors/{id}/os-extra_specs`
pub(crate) async fn list(State(api): Api, Path(id): Path<String>) -> Answer {
    let flavor = flavor(&api, &id).await?;
    Ok(Json(json!({ "extra_specs": flavor.extra_specs() })).into_response())
}

/// `GET /v2.1/flavors/{id}/os-extra_specs/{key}`
pub(crate) async fn show(State(api): Api, Path((id, key)): Path<(String, String)>) -> Answer {
    let flavor = flavor(&api, &id).await?;
    let value = flavor.extra_specs().get(&key);
    let value = value.ok_or_else(|| no_key(&id, &key))?;
    Ok(Json(json!({ key: value })).into_response())
}

/// `POST /v2.1/flavors/{id}/os-extra_specs`: sets some, and answers those.
pub(crate) async fn set(State(api): Api, Path(id): Path<String>, body: JsonBody) -> Answer {
    let mut body = Members::of_body(body);
    let mut given = body.object("extra_specs")?;
    body.finish()?;
    given.check_plain_keys()?;
    let given = given.pairs(PAIRS_MAX, TEXT_LEN_MAX)?;
    let updates = given.iter();
    let updates = updates.map(|(key, value)| (key.clone(), Some(value.clone())));
    update(&api, &id, updates.collect()).await?;
    Ok(Json(json!({ "extra_specs": given })).into_response())
}

/// `DELETE /v2.1/flavors/{id}/os-extra_specs/{key}`
pub(crate) async fn remove(State(api): Api, Path((id, key)): Path<(String, String)>) -> Answer {
    let flavor = flavor(&api, &id).await?;
    if !flavor.extra_specs().contains_key(&key) {
        return Err(no_key(&id, &key));
    }
    update(&api, &id, MetadataUpdates::from([(key, None)])).await?;
    Ok(StatusCode::OK.into_response())
}

async fn update(api: &ApiManager, id: &str, updates: MetadataUpdates) -> Result<(), ApiError> {
    let updated = api.store.update_extra_specs(id, updates).await;
    updated.map(drop).map_err(|error| missing(error, id))
}

fn no_key(id: &str, key: &str) -> ApiError {
    let message = format!("Flavor {id} has no extra specs with key {key}.");
    ApiError::not_found(message).because("the flavor has no such extra spec")
}
