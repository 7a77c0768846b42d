//! The paths of aggregates: groups of hosts with metadata, one key of which names an availability zone.
//!
//! The rules over several aggregates are the store's; what is judged here is whether a host exists. Schedulers are told
//! of each change, and read it from the records. Called by the router.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use longshore_loader::diagnostic::advise;
use longshore_messaging::{RequestContext, RpcError};
use longshore_objects::{
    Aggregate, MetadataUpdates, ObjectError, Service, VersionedObject, ZONE_KEY,
};
use longshore_store::StoreError;
use serde_json::{Map, Value, json};

use super::caller::Caller;
use super::codes;
use super::config::{PAIRS_MAX, TEXT_LEN_MAX};
use super::error::{Answer, ApiError};
use super::input::{JsonBody, Members};
use super::manager::ApiManager;
use super::server_view::with_fraction;
use crate::BINARY_COMPUTE;

/// What to do about a zone that is refused.
const ANOTHER_ZONE: &str = "name the zone that its hosts are in already, or take them out of an aggregate; one that is \
                            named is never taken away";

type Api = State<Arc<ApiManager>>;

/// `GET /v2.1/os-aggregates`
pub(crate) async fn list(State(api): Api) -> Answer {
    let aggregates = api.store.aggregates(None).await?;
    let views: Vec<Value> = aggregates.iter().map(view).collect();
    Ok(Json(json!({ "aggregates": views })).into_response())
}

/// `GET /v2.1/os-aggregates/{id}`
pub(crate) async fn show(State(api): Api, Path(id): Path<String>) -> Answer {
    let found = api.store.aggregate(number(&id)?).await;
    Ok(answer(
        &found.map_err(|error| refused(error, &id, Action::Show))?,
    ))
}

/// `POST /v2.1/os-aggregates`
pub(crate) async fn create(State(api): Api, caller: Caller, body: JsonBody) -> Answer {
    let mut given = read(body)?;
    let name = given.name("name")?;
    let mut aggregate = Aggregate::new();
    aggregate.set_name(given.required("name", name)?);
    if let Some(zone) = zone(&mut given)? {
        aggregate.set_metadata(BTreeMap::from([(ZONE_KEY.to_owned(), zone)]));
    }
    given.finish()?;
    let created = api.store.create_aggregate(aggregate).await;
    let created = created.map_err(|error| refused(error, "", Action::Update))?;
    tell(&api, &caller.ctx, &created).await;
    // OpenStack's clients know a new aggregate without these.
    let mut view = view(&created);
    if let Some(view) = view.as_object_mut() {
        view.retain(|member, _| !["hosts", "metadata"].contains(&member.as_str()));
    }
    Ok(Json(json!({ "aggregate": view })).into_response())
}

/// `PUT /v2.1/os-aggregates/{id}`: another name, another zone, or both.
pub(crate) async fn update(
    State(api): Api,
    caller: Caller,
    Path(id): Path<String>,
    body: JsonBody,
) -> Answer {
    let mut given = read(body)?;
    let (name, zone) = (given.name("name")?, zone(&mut given)?);
    if name.is_none() && zone.is_none() {
        let reason = "It, or `availability_zone`, is required.";
        return Err(given.refuse("name", &Value::Null, reason));
    }
    given.finish()?;
    let metadata = zone.map(|zone| (ZONE_KEY.to_owned(), Some(zone)));
    let metadata = metadata.into_iter().collect();
    let saved = api.store.update_aggregate(number(&id)?, name, metadata);
    let saved = saved.await.map_err(|e| refused(e, &id, Action::Update))?;
    tell(&api, &caller.ctx, &saved).await;
    Ok(answer(&saved))
}

/// `DELETE /v2.1/os-aggregates/{id}`
pub(crate) async fn delete(State(api): Api, caller: Caller, Path(id): Path<String>) -> Answer {
    let gone = api.store.destroy_aggregate(number(&id)?).await;
    let gone = gone.map_err(|error| refused(error, &id, Action::Delete))?;
    told(api.scheduler.delete_aggregate(&caller.ctx, &gone).await);
    Ok(StatusCode::OK.into_response())
}

/// `POST /v2.1/os-aggregates/{id}/action`
pub(crate) async fn act(
    State(api): Api,
    caller: Caller,
    Path(id): Path<String>,
    JsonBody(body): JsonBody,
) -> Answer {
    let (action, given) = action(body)?;
    let number = number(&id)?;
    let done = match action {
        Action::AddHost => {
            let host = host(given)?;
            check_host(&api, &host).await?;
            api.store.add_aggregate_host(number, &host).await
        }
        Action::RemoveHost => {
            let host = host(given)?;
            api.store.delete_aggregate_host(number, &host).await
        }
        _ => {
            let updates = metadata(given)?;
            api.store.update_aggregate(number, None, updates).await
        }
    };
    let saved = done.map_err(|error| refused(error, &id, action))?;
    tell(&api, &caller.ctx, &saved).await;
    Ok(answer(&saved))
}

/// What is done to an aggregate, as far as errors tell it apart.
#[derive(Clone, Copy, Debug)]
enum Action {
    Show,
    Update,
    Delete,
    AddHost,
    RemoveHost,
    SetMetadata,
}

/// The action that a body names, and its arguments.
fn action(body: Map<String, Value>) -> Result<(Action, Members), ApiError> {
    let mut names = body.keys();
    let (Some(name), None) = (names.next().cloned(), names.next()) else {
        let why = format!("the body has {} members instead of one", body.len());
        let error = ApiError::bad(codes::BAD_ACTION, "Malformed request body");
        return Err(error.because(why));
    };
    let action = match name.as_str() {
        "add_host" => Action::AddHost,
        "remove_host" => Action::RemoveHost,
        "set_metadata" => Action::SetMetadata,
        _ => {
            let shown: String = name.chars().take(80).collect();
            let message = format!("There is no such action: {shown}");
            let error = ApiError::bad(codes::BAD_ACTION, message);
            return Err(error
                .because(format!("`{shown}` is not known"))
                .with_cure("send `add_host`, `remove_host` or `set_metadata`"));
        }
    };
    let given = Members::of_body(JsonBody(body)).object(&name)?;
    Ok((action, given))
}

fn read(body: JsonBody) -> Result<Members, ApiError> {
    let mut body = Members::of_body(body);
    let given = body.object("aggregate")?;
    body.finish()?;
    Ok(given)
}

/// A name that `zone:host` can be read with.
fn zone(given: &mut Members) -> Result<Option<String>, ApiError> {
    match given.name(ZONE_KEY)? {
        Some(zone) if zone.contains(':') => {
            let reason = "A colon is not allowed.";
            Err(given.refuse(ZONE_KEY, &Value::from(zone), reason))
        }
        zone => Ok(zone),
    }
}

fn host(mut given: Members) -> Result<String, ApiError> {
    let host = given.text("host", 1, TEXT_LEN_MAX)?;
    let host = given.required("host", host)?;
    given.finish()?;
    Ok(host)
}

fn metadata(mut given: Members) -> Result<MetadataUpdates, ApiError> {
    let mut metadata = given.object("metadata")?;
    given.finish()?;
    metadata.check_plain_keys()?;
    metadata.pairs_or_nulls(PAIRS_MAX, TEXT_LEN_MAX)
}

/// A host is one by its compute service, up or not.
async fn check_host(api: &ApiManager, host: &str) -> Result<(), ApiError> {
    match api.store.service(host, BINARY_COMPUTE).await {
        Ok(_) => Ok(()),
        Err(StoreError::Object(ObjectError::NotFound(..))) => {
            let mut services = api.store.services().await?;
            services.retain(|service| service.binary() == BINARY_COMPUTE);
            let hosts: Vec<&str> = services.iter().map(Service::host).collect();
            let (_, cure) = advise(host, &hosts, "list the hosts with `longshore host list`");
            let message = format!("Compute host {host} could not be found.");
            let error = ApiError::not_found(message).because("no compute service has that host");
            Err(error.with_cure(cure))
        }
        Err(other) => Err(other.into()),
    }
}

fn number(id: &str) -> Result<i64, ApiError> {
    id.parse().map_err(|_| missing(id))
}

fn missing(id: &str) -> ApiError {
    ApiError::not_found(format!("Aggregate {id} could not be found."))
}

fn refused(error: StoreError, id: &str, action: Action) -> ApiError {
    let StoreError::Object(condition) = &error else {
        return error.into();
    };
    match (condition, action) {
        (ObjectError::NotFound(kind, host), Action::RemoveHost) if kind != Aggregate::NAME => {
            let message = format!("Cannot remove host {host} in aggregate {id}");
            ApiError::not_found(message).because("the host is not in the aggregate")
        }
        (ObjectError::NotFound(..), _) => missing(id),
        (ObjectError::Exists(_, host), Action::AddHost) => {
            let message = format!("Aggregate {id} already has host {host}.");
            ApiError::conflict(codes::EXISTS, message)
        }
        (ObjectError::Exists(_, name), _) => {
            let message = format!("Aggregate {name} already exists.");
            ApiError::conflict(codes::EXISTS, message)
        }
        (ObjectError::ObjectAction(_, reason), _) => against_rule(id, reason, action),
        _ => error.into(),
    }
}

/// A refusal of the store's, in Nova's words and with Nova's statuses.
fn against_rule(id: &str, reason: &str, action: Action) -> ApiError {
    let (what, cure) = match action {
        Action::AddHost => (
            format!("Cannot add host to aggregate {id}"),
            "remove the host from the aggregate of the other zone first",
        ),
        Action::Delete => (
            format!("Cannot remove host from aggregate {id}"),
            "remove its hosts first",
        ),
        Action::SetMetadata => (
            format!("Cannot update metadata of aggregate {id}"),
            ANOTHER_ZONE,
        ),
        _ => (format!("Cannot update aggregate {id}"), ANOTHER_ZONE),
    };
    let message = format!("{what}. Reason: {reason}.");
    let error = match action {
        Action::AddHost => ApiError::conflict(codes::AGGREGATE, message),
        _ => ApiError::bad(codes::AGGREGATE, message),
    };
    error.because(reason).with_cure(cure)
}

/// Schedulers look at the records before each request: a message that is lost costs nothing but time.
async fn tell(api: &ApiManager, ctx: &RequestContext, aggregate: &Aggregate) {
    let one = std::slice::from_ref(aggregate);
    told(api.scheduler.update_aggregates(ctx, one).await);
}

fn told(sent: Result<(), RpcError>) {
    if let Err(error) = sent {
        let (code, why) = (error.code(), error.to_string());
        tracing::warn!(code, why, "schedulers see the change at their next request");
    }
}

fn answer(aggregate: &Aggregate) -> Response {
    Json(json!({ "aggregate": view(aggregate) })).into_response()
}

fn view(aggregate: &Aggregate) -> Value {
    json!({
        "id": aggregate.id(),
        "name": aggregate.name(),
        "availability_zone": aggregate.availability_zone(),
        "hosts": aggregate.hosts(),
        "metadata": aggregate.metadata(),
        "created_at": aggregate.created_at().map(with_fraction),
        "updated_at": aggregate.updated_at().map(with_fraction),
        "deleted_at": aggregate.deleted_at().map(with_fraction),
        "deleted": aggregate.deleted(),
    })
}
