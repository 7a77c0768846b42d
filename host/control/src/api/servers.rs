//! The paths of servers, except their list.
//!
//! Reads requests and writes answers; what is done is the manager's. Called by the router.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::IntoResponse;
use longshore_objects::Operation;
use serde_json::{Map, Value, json};

use super::boot_request::BootRequest;
use super::caller::Caller;
use super::codes;
use super::config::TEXT_LEN_MAX;
use super::error::{Answer, ApiError};
use super::input::{JsonBody, Members};
use super::manager::ApiManager;
use super::server_view::{detail, disk_config};
use super::zones::Zones;

/// Actions of OpenStack that no driver or service of this release carries out.
const NOT_SERVED: &[&str] = &[
    "addFixedIp",
    "addFloatingIp",
    "addSecurityGroup",
    "changePassword",
    "confirmResize",
    "createBackup",
    "createImage",
    "evacuate",
    "forceDelete",
    "injectNetworkInfo",
    "lock",
    "migrate",
    "os-getConsoleOutput",
    "os-getRDPConsole",
    "os-getSerialConsole",
    "os-getSPICEConsole",
    "os-getVNCConsole",
    "os-migrateLive",
    "os-resetState",
    "pause",
    "rebuild",
    "removeFixedIp",
    "removeFloatingIp",
    "removeSecurityGroup",
    "rescue",
    "resetNetwork",
    "resize",
    "restore",
    "resume",
    "revertResize",
    "shelve",
    "shelveOffload",
    "suspend",
    "trigger_crash_dump",
    "unlock",
    "unpause",
    "unrescue",
    "unshelve",
];

type Api = State<Arc<ApiManager>>;

/// `POST /v2.1/servers`
pub(crate) async fn create(State(api): Api, caller: Caller, body: JsonBody) -> Answer {
    let request = BootRequest::read(body, api.config.max_count)?;
    let booted = api.boot(&caller.ctx, &request).await?;
    if request.return_reservation {
        let body = json!({ "reservation_id": booted.reservation });
        return Ok((StatusCode::ACCEPTED, Json(body)).into_response());
    }
    let path = format!("servers/{}", booted.first);
    let groups: Vec<_> = request
        .security_groups
        .iter()
        .map(|name| json!({ "name": name }))
        .collect();
    let body = json!({ "server": {
        "id": booted.first,
        "links": caller.links(&path),
        "OS-DCF:diskConfig": disk_config(request.auto_disk),
        "security_groups": groups,
    }});
    let mut response = (StatusCode::ACCEPTED, Json(body)).into_response();
    if let Ok(place) = HeaderValue::from_str(&format!("{}/v2.1/{path}", caller.base)) {
        response.headers_mut().insert(header::LOCATION, place);
    }
    Ok(response)
}

/// `GET /v2.1/servers/{id}`
pub(crate) async fn show(State(api): Api, caller: Caller, Path(id): Path<String>) -> Answer {
    let instance = api.store.instance(&id).await?;
    let zones = Zones::of_instances(&api, std::slice::from_ref(&instance)).await?;
    let server = detail(&instance, instance.fault(), &zones, &caller);
    Ok(Json(json!({ "server": server })).into_response())
}

/// `PUT /v2.1/servers/{id}`: another name.
pub(crate) async fn update(
    State(api): Api,
    caller: Caller,
    Path(id): Path<String>,
    body: JsonBody,
) -> Answer {
    let mut body = Members::of_body(body);
    let mut server = body.object("server")?;
    body.finish()?;
    let name = server.name("name")?;
    let name = server.required("name", name)?;
    server.finish()?;
    let instance = api.rename(&id, &name).await?;
    let zones = Zones::of_instances(&api, std::slice::from_ref(&instance)).await?;
    let server = detail(&instance, None, &zones, &caller);
    Ok(Json(json!({ "server": server })).into_response())
}

/// `DELETE /v2.1/servers/{id}`
pub(crate) async fn delete(State(api): Api, caller: Caller, Path(id): Path<String>) -> Answer {
    api.delete(&caller.ctx, &id).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// `POST /v2.1/servers/{id}/action`
pub(crate) async fn act(
    State(api): Api,
    caller: Caller,
    Path(id): Path<String>,
    JsonBody(body): JsonBody,
) -> Answer {
    let (operation, word) = operation(body)?;
    api.power(&caller.ctx, &id, operation, word).await?;
    Ok(StatusCode::ACCEPTED.into_response())
}

/// The operation that a body names, and its word for messages.
fn operation(body: Map<String, Value>) -> Result<(Operation, &'static str), ApiError> {
    let names: Vec<&String> = body.keys().collect();
    let [name] = names.as_slice() else {
        let why = format!("the body has {} members instead of one", names.len());
        let error = ApiError::bad(codes::BAD_ACTION, "Malformed request body");
        return Err(error.because(why));
    };
    let name = name.as_str().to_owned();
    match name.as_str() {
        "os-start" => without_arguments(body, &name).map(|()| (Operation::Start, "start")),
        "os-stop" => without_arguments(body, &name).map(|()| (Operation::Stop, "stop")),
        "reboot" => reboot(body),
        known if NOT_SERVED.contains(&known) => {
            let message = format!("The action {known} is not implemented");
            Err(ApiError::not_served(message))
        }
        _ => {
            let shown: String = name.chars().take(80).collect();
            let message = format!("There is no such action: {shown}");
            Err(ApiError::bad(codes::BAD_ACTION, message)
                .because(format!("`{shown}` is not known")))
        }
    }
}

fn without_arguments(body: Map<String, Value>, name: &str) -> Result<(), ApiError> {
    match body.get(name) {
        None | Some(Value::Null) => Ok(()),
        Some(Value::Object(members)) if members.is_empty() => Ok(()),
        Some(other) => Err(ApiError::field(name, other, "`null` is expected.")),
    }
}

fn reboot(body: Map<String, Value>) -> Result<(Operation, &'static str), ApiError> {
    let mut body = Members::of_body(JsonBody(body));
    let mut reboot = body.object("reboot")?;
    let kind = reboot.text("type", 1, TEXT_LEN_MAX)?;
    let kind = reboot.required("type", kind)?;
    let operation = match kind.to_ascii_uppercase().as_str() {
        "SOFT" => Operation::SoftReboot,
        "HARD" => Operation::HardReboot,
        _ => {
            let reason = "`SOFT` or `HARD` is expected.";
            return Err(reboot.refuse("type", &Value::from(kind), reason));
        }
    };
    reboot.finish()?;
    Ok((operation, "reboot"))
}
