//! Every path of the API, and the gate around them.
//!
//! Must not know what a handler does. Built once by the service; tests call the router directly.

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodRouter, delete, get, post, put};
use longshore_messaging::Transport;
use longshore_store::Store;

use super::config::{ApiConfig, BODY_LEN_MAX};
use super::error::ApiError;
use super::gate::{Gate, pass};
use super::manager::ApiManager;
use super::own::{PluginView, Readiness};
use super::{
    aggregates, extra_specs, flavors, hypervisors, images, own, server_groups, server_list,
    servers, services, versions, zones,
};

/// What the API needs of the rest of the program.
pub struct ApiParts {
    /// The database.
    pub store: Store,
    /// Carries messages to the conductor and to compute services.
    pub transport: Arc<dyn Transport>,
    /// What is ready.
    pub readiness: Arc<dyn Readiness>,
    /// Which plugins there are.
    pub plugins: Arc<dyn PluginView>,
    /// Limits.
    pub config: ApiConfig,
}

/// The whole API as one service, without a socket.
pub fn router(parts: ApiParts) -> Router {
    let gate = Gate::new(parts.config.in_flight_max);
    gated(parts, gate)
}

pub(crate) fn gated(parts: ApiParts, gate: Arc<Gate>) -> Router {
    let ApiParts {
        store,
        transport,
        readiness,
        plugins,
        config,
    } = parts;
    let manager = Arc::new(ApiManager::new(store, transport, config));
    let ready = Router::new()
        .route("/readyz", get(own::ready))
        .with_state(readiness);
    let plugins = Router::new()
        .route("/longshore/v1/plugins", get(own::plugins))
        .route("/longshore/v1/plugins/{namespace}/{name}", get(own::plugin))
        .with_state(plugins);
    let paths = Router::new()
        .merge(compute())
        .merge(groups())
        .merge(admin())
        .merge(glance())
        .with_state(manager)
        .merge(ready)
        .merge(plugins)
        .route("/", get(versions::list))
        .route("/v2.1", get(versions::show))
        .route("/v2.1/", get(versions::show))
        .route("/healthz", get(own::health))
        .fallback(no_path)
        .method_not_allowed_fallback(wrong_method)
        .layer(DefaultBodyLimit::max(BODY_LEN_MAX));
    // A router of its own, so that the gate may change the path before it is looked up.
    Router::new()
        .fallback_service(paths)
        .layer(from_fn_with_state(gate, pass))
}

type Paths = Router<Arc<ApiManager>>;

fn compute() -> Paths {
    let server: MethodRouter<Arc<ApiManager>> = get(servers::show)
        .put(servers::update)
        .delete(servers::delete);
    Router::new()
        .route(
            "/v2.1/servers",
            get(server_list::brief).post(servers::create),
        )
        .route("/v2.1/servers/detail", get(server_list::full))
        .route("/v2.1/servers/{id}", server)
        .route("/v2.1/servers/{id}/action", post(servers::act))
        .route("/v2.1/flavors", get(flavors::brief).post(flavors::create))
        .route("/v2.1/flavors/detail", get(flavors::full))
        .route(
            "/v2.1/flavors/{id}",
            delete(flavors::delete).get(flavors::show),
        )
        .route(
            "/v2.1/flavors/{id}/os-extra_specs",
            get(extra_specs::list).post(extra_specs::set),
        )
        .route(
            "/v2.1/flavors/{id}/os-extra_specs/{key}",
            delete(extra_specs::remove).get(extra_specs::show),
        )
}

fn groups() -> Paths {
    Router::new()
        .route(
            "/v2.1/os-server-groups",
            get(server_groups::list).post(server_groups::create),
        )
        .route(
            "/v2.1/os-server-groups/{id}",
            delete(server_groups::delete).get(server_groups::show),
        )
}

fn admin() -> Paths {
    let aggregate: MethodRouter<Arc<ApiManager>> = get(aggregates::show)
        .put(aggregates::update)
        .delete(aggregates::delete);
    Router::new()
        .route(
            "/v2.1/os-aggregates",
            get(aggregates::list).post(aggregates::create),
        )
        .route("/v2.1/os-aggregates/{id}", aggregate)
        .route("/v2.1/os-aggregates/{id}/action", post(aggregates::act))
        .route("/v2.1/os-availability-zone", get(zones::brief))
        .route("/v2.1/os-availability-zone/detail", get(zones::full))
        .route("/v2.1/os-hypervisors", get(hypervisors::brief))
        .route("/v2.1/os-hypervisors/detail", get(hypervisors::full))
        .route(
            "/v2.1/os-hypervisors/statistics",
            get(hypervisors::statistics),
        )
        .route("/v2.1/os-hypervisors/{id}", get(hypervisors::show))
        .route("/v2.1/os-services", get(services::list))
        .route("/v2.1/os-services/{change}", put(services::change))
}

fn glance() -> Paths {
    Router::new()
        .route("/v2/images", get(images::list).post(images::create))
        .route("/v2/images/{id}", delete(images::delete).get(images::show))
        .route("/v2/images/{id}/file", put(images::upload))
}

async fn no_path(request: Request) -> ApiError {
    ApiError::no_path(request.uri().path())
}

async fn wrong_method(request: Request) -> ApiError {
    ApiError::method(request.method().as_str(), request.uri().path())
}
