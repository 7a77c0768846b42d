//! The paths of server groups, and which group a boot means.
//!
//! Must not know what a policy does: the scheduler's filters and weighers do. Called by the router
//! and by `boot.rs`.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use longshore_loader::diagnostic::nearest;
use longshore_objects::instance_group::POLICIES;
use longshore_objects::{InstanceGroup, ObjectError};
use longshore_store::StoreError;
use serde_json::{Value, json};

use super::boot_request::Hints;
use super::caller::Caller;
use super::codes;
use super::config::PAGE_LEN_MAX;
use super::error::{Answer, ApiError};
use super::input::{JsonBody, Members};
use super::manager::ApiManager;
use super::query::Parameters;

/// The hint that names the group of a new server.
const HINT: &str = "group";

type Api = State<Arc<ApiManager>>;

/// `GET /v2.1/os-server-groups`
pub(crate) async fn list(State(api): Api, mut query: Parameters) -> Answer {
    query.ignore(&["all_projects"]);
    let (limit, offset) = (query.number("limit")?, query.number("offset")?);
    query.finish()?;
    let fit = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
    let groups = api.store.instance_groups(None).await?;
    let page = groups
        .iter()
        .skip(offset.map_or(0, fit))
        .take(limit.map_or(PAGE_LEN_MAX, fit).min(PAGE_LEN_MAX));
    let views: Vec<Value> = page.map(view).collect();
    Ok(Json(json!({ "server_groups": views })).into_response())
}

/// `GET /v2.1/os-server-groups/{id}`
pub(crate) async fn show(State(api): Api, Path(id): Path<String>) -> Answer {
    let found = api.store.instance_group(&id).await;
    let group = found.map_err(|error| missing(error, &id))?;
    Ok(Json(json!({ "server_group": view(&group) })).into_response())
}

/// `POST /v2.1/os-server-groups`
pub(crate) async fn create(State(api): Api, caller: Caller, body: JsonBody) -> Answer {
    let mut wanted = read(body)?;
    wanted
        .set_user_id(caller.ctx.user_id.clone())
        .set_project_id(caller.ctx.project_id.clone());
    let max = api.config.server_groups_max;
    let created = api.store.create_instance_group(wanted, max).await;
    let group =
        created.map_err(|error| over_quota(error, "Quota exceeded, too many server groups."))?;
    Ok(Json(json!({ "server_group": view(&group) })).into_response())
}

/// `DELETE /v2.1/os-server-groups/{id}`
pub(crate) async fn delete(State(api): Api, Path(id): Path<String>) -> Answer {
    let done = api.store.destroy_instance_group(&id).await;
    done.map_err(|error| missing(error, &id))?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

fn read(body: JsonBody) -> Result<InstanceGroup, ApiError> {
    let mut body = Members::of_body(body);
    let mut given = body.object("server_group")?;
    body.finish()?;
    let name = given.name("name")?;
    let mut group = InstanceGroup::new();
    group
        .set_name(given.required("name", name)?)
        .set_policies(vec![policy(&mut given)?]);
    given.finish()?;
    Ok(group)
}

/// The one policy of a group: `policies` with one item, or as newer clients say it, `policy`.
fn policy(given: &mut Members) -> Result<String, ApiError> {
    let (list, word) = (given.take("policies"), given.take("policy"));
    let (member, value) = match (list, word) {
        (Some(list), None) => ("policies", list),
        (None, Some(word)) => ("policy", word),
        (None, None) => return given.required("policies", None),
        (Some(_), Some(word)) => {
            let reason = "It is said twice, by `policies` too.";
            return Err(given.refuse("policy", &word, reason));
        }
    };
    let word = match (member, &value) {
        ("policy", Value::String(word)) => Some(word),
        ("policies", Value::Array(list)) => match list.as_slice() {
            [Value::String(word)] => Some(word),
            _ => None,
        },
        _ => None,
    };
    let known = word.filter(|word| POLICIES.contains(&word.as_str()));
    known.cloned().ok_or_else(|| {
        let reason = format!("One of {} is expected.", POLICIES.join(", "));
        given.refuse(member, &value, &reason)
    })
}

impl ApiManager {
    /// The group that the hints name by identifier or name; afterwards they have its identifier.
    ///
    /// # Errors
    /// 400 when there is no such group, or several of the name; faults of the database.
    pub(super) async fn group(&self, hints: &mut Hints) -> Result<Option<InstanceGroup>, ApiError> {
        let Some(values) = hints.get_mut(HINT) else {
            return Ok(None);
        };
        let wanted = match values.as_slice() {
            [wanted] => wanted.clone(),
            several => {
                let why = format!(
                    "the hint `{HINT}` has {} values instead of one",
                    several.len()
                );
                let message = "A server can be in one server group only.";
                return Err(ApiError::bad(codes::BAD_REFERENCE, message).because(why));
            }
        };
        let group = self.find_group(&wanted).await?;
        *values = vec![group.uuid().to_owned()];
        Ok(Some(group))
    }

    async fn find_group(&self, wanted: &str) -> Result<InstanceGroup, ApiError> {
        match self.store.instance_group(wanted).await {
            Err(StoreError::Object(ObjectError::NotFound(..))) => {}
            found => return Ok(found?),
        }
        let mut named = self.store.instance_groups(Some(wanted)).await?;
        let message = format!("Instance group {wanted} could not be found.");
        let refused = ApiError::bad(codes::BAD_REFERENCE, message);
        match (named.pop(), named.len()) {
            (Some(group), 0) => Ok(group),
            (Some(_), others) => Err(refused
                .because(format!("{} server groups have this name", others + 1))
                .with_cure("use the identifier of the group")),
            (None, _) => {
                let all = self.store.instance_groups(None).await?;
                let names: Vec<&str> = all.iter().filter_map(InstanceGroup::name).collect();
                let refused = refused.because(format!(
                    "no server group has the identifier or name `{wanted}`"
                ));
                Err(match nearest(wanted, names) {
                    Some(near) => refused.with_cure(format!("did you mean `{near}`?")),
                    None => refused.with_cure("create the group first, or list what there is"),
                })
            }
        }
    }
}

/// What `create_members` refused, when it is about the group.
pub(super) fn not_entered(error: StoreError, group: &str) -> ApiError {
    match error {
        StoreError::Object(ObjectError::NotFound(..)) => {
            let message = format!("Instance group {group} could not be found.");
            ApiError::bad(codes::BAD_REFERENCE, message).because("it was deleted meanwhile")
        }
        other => over_quota(other, "Quota exceeded, too many servers in group"),
    }
}

fn over_quota(error: StoreError, message: &str) -> ApiError {
    match error {
        StoreError::Object(ObjectError::ObjectAction(_, reason)) => {
            ApiError::forbidden(codes::OVER_QUOTA, message).because(reason)
        }
        other => other.into(),
    }
}

fn missing(error: StoreError, id: &str) -> ApiError {
    match error {
        StoreError::Object(ObjectError::NotFound(..)) => {
            ApiError::not_found(format!("Instance group {id} could not be found."))
        }
        other => other.into(),
    }
}

fn view(group: &InstanceGroup) -> Value {
    json!({
        "id": group.uuid(),
        "name": group.name(),
        "policies": group.policies(),
        "members": group.members(),
        "metadata": {},
        "project_id": group.project_id(),
        "user_id": group.user_id(),
    })
}
