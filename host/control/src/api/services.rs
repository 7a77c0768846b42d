//! The paths of services: who is up, and who takes new work.
//!
//! Must not know how a service reports: it reads records only. Called by the router.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{Path, State};
use axum::response::IntoResponse;
use longshore_objects::{ObjectError, Service, now};
use longshore_store::StoreError;
use serde_json::{Value, json};

use super::config::TEXT_LEN_MAX;
use super::error::{Answer, ApiError};
use super::input::{JsonBody, Members};
use super::manager::ApiManager;
use super::query::Parameters;
use super::server_view::with_fraction;
use super::zones::Zones;

type Api = State<Arc<ApiManager>>;

/// `GET /v2.1/os-services`
pub(crate) async fn list(State(api): Api, mut query: Parameters) -> Answer {
    let (host, binary) = (query.take("host"), query.take("binary"));
    query.finish()?;
    let mut services = api.store.services().await?;
    services.retain(|service| {
        host.as_deref().is_none_or(|host| service.host() == host)
            && binary
                .as_deref()
                .is_none_or(|binary| service.binary() == binary)
    });
    let down = api.config.service_down_time;
    let zones = Zones::of_all(&api).await?;
    let view = |service| view(service, zones.of_service(service), down);
    let views: Vec<Value> = services.iter().map(view).collect();
    Ok(Json(json!({ "services": views })).into_response())
}

/// `PUT /v2.1/os-services/{change}`: `enable`, `disable` or `disable-log-reason`.
pub(crate) async fn change(State(api): Api, Path(change): Path<String>, body: JsonBody) -> Answer {
    let (disabled, with_reason) = match change.as_str() {
        "enable" => (false, false),
        "disable" => (true, false),
        "disable-log-reason" => (true, true),
        _ => return Err(ApiError::no_path(&format!("/v2.1/os-services/{change}"))),
    };
    let mut given = Members::of_body(body);
    let host = given.text("host", 1, TEXT_LEN_MAX)?;
    let host = given.required("host", host)?;
    let binary = given.text("binary", 1, TEXT_LEN_MAX)?;
    let binary = given.required("binary", binary)?;
    let mut reason = None;
    if with_reason {
        let text = given.text("disabled_reason", 1, TEXT_LEN_MAX)?;
        reason = Some(given.required("disabled_reason", text)?);
    }
    given.finish()?;
    let found = api.store.service(&host, &binary).await;
    let mut service = found.map_err(|error| missing(error, &host, &binary))?;
    service
        .set_disabled(disabled)
        .set_disabled_reason(reason.clone());
    let service = api.store.save_service(service).await?;
    let mut view = json!({
        "host": host,
        "binary": binary,
        "status": status(&service),
    });
    if let Some(reason) = reason {
        view["disabled_reason"] = json!(reason);
    }
    Ok(Json(json!({ "service": view })).into_response())
}

fn missing(error: StoreError, host: &str, binary: &str) -> ApiError {
    match error {
        StoreError::Object(ObjectError::NotFound(..)) => {
            ApiError::not_found(format!("Could not find binary {binary} on host {host}."))
        }
        other => other.into(),
    }
}

/// Whether a service has reported lately, and nobody declared it down.
pub(crate) fn is_up(service: &Service, down_time: Duration) -> bool {
    let seen = service
        .last_seen_up()
        .or(service.updated_at())
        .or(service.created_at());
    let Some(seen) = seen.filter(|_| !service.forced_down()) else {
        return false;
    };
    // A clock that was set back must not make the dead live for long: both directions count.
    let age = now().as_unix().abs_diff(seen.as_unix());
    age <= down_time.as_secs()
}

/// The operator's word on a service.
pub(crate) fn status(service: &Service) -> &'static str {
    if service.disabled() {
        "disabled"
    } else {
        "enabled"
    }
}

/// The state of a service as a word.
pub(crate) fn state(service: &Service, down_time: Duration) -> &'static str {
    if is_up(service, down_time) {
        "up"
    } else {
        "down"
    }
}

fn view(service: &Service, zone: &str, down_time: Duration) -> Value {
    json!({
        "id": service.id(),
        "binary": service.binary(),
        "host": service.host(),
        "zone": zone,
        "status": status(service),
        "state": state(service, down_time),
        "updated_at": service.last_seen_up().map(with_fraction),
        "disabled_reason": service.disabled_reason(),
        "report_count": service.report_count(),
    })
}
