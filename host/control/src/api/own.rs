//! Our own endpoints: health, readiness and plugins.
//!
//! What is ready and which plugins there are is handed in through two traits, so this must not know
//! services, drivers or the loader. Called by the router.

use std::sync::Arc;

use async_trait::async_trait;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use serde_json::{Value, json};
use tokio::time::timeout;

use super::config::READY_TIME_MAX;
use super::error::{Answer, ApiError};
use super::query::Parameters;

/// One thing that must work before the host is ready.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadyItem {
    /// What it is, such as `service compute` or `driver longshore.virt.driver fake`.
    pub name: String,
    /// Why it does not work; none if it does.
    pub problem: Option<String>,
}

/// Says whether everything that is configured works.
#[async_trait]
pub trait Readiness: Send + Sync {
    /// Every configured service and driver, in a stable order.
    async fn items(&self) -> Vec<ReadyItem>;
}

/// The plugins of this host, as documents for clients.
pub trait PluginView: Send + Sync {
    /// An array with one object per entry point; each has a member `namespace`.
    fn list(&self) -> Value;

    /// All about one entry point.
    fn show(&self, namespace: &str, name: &str) -> Option<Value>;
}

/// `GET /healthz`: the process serves.
pub(crate) async fn health() -> Json<Value> {
    Json(json!({ "status": "ok" }))
}

/// `GET /readyz`: everything that is configured works.
pub(crate) async fn ready(State(readiness): State<Arc<dyn Readiness>>) -> Answer {
    let items = timeout(READY_TIME_MAX, readiness.items()).await;
    let items = items.unwrap_or_else(|_| {
        let seconds = READY_TIME_MAX.as_secs();
        vec![ReadyItem {
            name: "readiness".to_owned(),
            problem: Some(format!("the checks did not answer within {seconds} s")),
        }]
    });
    let ready = items.iter().all(|item| item.problem.is_none());
    let views: Vec<Value> = items.iter().map(item_view).collect();
    let status = if ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    Ok((status, Json(json!({ "ready": ready, "items": views }))).into_response())
}

fn item_view(item: &ReadyItem) -> Value {
    json!({
        "name": item.name,
        "ready": item.problem.is_none(),
        "why": item.problem,
    })
}

/// `GET /longshore/v1/plugins`
pub(crate) async fn plugins(
    State(plugins): State<Arc<dyn PluginView>>,
    mut query: Parameters,
) -> Answer {
    let wanted = query.take("namespace");
    query.finish()?;
    let mut list = plugins.list();
    if let (Some(wanted), Some(entries)) = (&wanted, list.as_array_mut()) {
        entries.retain(|entry| entry["namespace"] == wanted.as_str());
    }
    Ok(Json(list).into_response())
}

/// `GET /longshore/v1/plugins/{namespace}/{name}`
pub(crate) async fn plugin(
    State(plugins): State<Arc<dyn PluginView>>,
    Path((namespace, name)): Path<(String, String)>,
) -> Answer {
    let message = format!("No entry point `{name}` in the namespace `{namespace}`");
    let found = plugins.show(&namespace, &name);
    Ok(Json(found.ok_or_else(|| ApiError::not_found(message))?).into_response())
}
