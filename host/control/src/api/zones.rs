//! Availability zones: which hosts are in which, by their aggregates, and the paths that list them.
//!
//! A host that no aggregate puts into a zone is in the default one. Placing by zone is a filter's business. Called by
//! the router, and by whatever shows the zone of a host.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use longshore_loader::diagnostic::advise;
use longshore_objects::{Instance, Service};
use longshore_store::StoreError;
use serde_json::{Map, Value, json};

use super::codes;
use super::error::{Answer, ApiError};
use super::manager::ApiManager;
use super::query::Parameters;
use super::server_view::with_fraction;
use super::services::is_up;
use crate::BINARY_COMPUTE;

/// The zone of services that run no servers.
const INTERNAL: &str = "internal";

type Api = State<Arc<ApiManager>>;

/// The zones of hosts.
pub(crate) struct Zones {
    named: HashMap<String, String>,
    default: String,
}

impl Zones {
    /// Those of all hosts.
    pub(crate) async fn of_all(api: &ApiManager) -> Result<Self, StoreError> {
        Self::read(api, None).await
    }

    /// Those of the hosts that these instances are on.
    pub(crate) async fn of_instances(
        api: &ApiManager,
        instances: &[Instance],
    ) -> Result<Self, StoreError> {
        let mut hosts: Vec<String> = instances
            .iter()
            .filter_map(|instance| instance.host().map(str::to_owned))
            .collect();
        hosts.sort_unstable();
        hosts.dedup();
        Self::read(api, Some(&hosts)).await
    }

    async fn read(api: &ApiManager, hosts: Option<&[String]>) -> Result<Self, StoreError> {
        let named = match hosts {
            Some([]) => HashMap::new(),
            hosts => api.store.host_zones(hosts).await?,
        };
        let default = api.config.default_availability_zone.clone();
        Ok(Self { named, default })
    }

    /// The zone of a host.
    pub(crate) fn of_host(&self, host: &str) -> &str {
        self.named.get(host).unwrap_or(&self.default)
    }

    /// The zone of an instance: its host's, or the one it asked for while no host has it.
    pub(crate) fn of_instance<'a>(&'a self, instance: &'a Instance) -> &'a str {
        let host = instance.host().map(|host| self.of_host(host));
        host.or(instance.availability_zone()).unwrap_or("")
    }

    /// The zone of a service.
    pub(crate) fn of_service(&self, service: &Service) -> &str {
        match service.binary() {
            BINARY_COMPUTE => self.of_host(service.host()),
            _ => INTERNAL,
        }
    }
}

/// Refuses a zone in which no enabled compute service is.
pub(crate) async fn check_is_there(api: &ApiManager, wanted: &str) -> Result<(), ApiError> {
    let default = &api.config.default_availability_zone;
    let is_there = api.store.zone_has_service(wanted, default, BINARY_COMPUTE);
    if is_there.await? {
        return Ok(());
    }
    let listed = Listed::read(api).await?;
    let there: Vec<&str> = listed.available().collect();
    let pointer = "list the zones with `longshore availability-zone list`";
    let (_, cure) = advise(wanted, &there, pointer);
    let message = "The requested availability zone is not available";
    let error = ApiError::bad(codes::BAD_REFERENCE, message);
    let why = match listed.services_of.contains_key(wanted) {
        true => format!("all hosts of the zone `{wanted}` are disabled"),
        false => format!("no host is in the zone `{wanted}`"),
    };
    Err(error.because(why).with_cure(cure))
}

/// The services of each zone.
struct Listed {
    services_of: BTreeMap<String, Vec<Service>>,
}

impl Listed {
    async fn read(api: &ApiManager) -> Result<Self, StoreError> {
        let zones = Zones::of_all(api).await?;
        let mut services_of: BTreeMap<String, Vec<Service>> = BTreeMap::new();
        for service in api.store.services().await? {
            let zone = zones.of_service(&service).to_owned();
            services_of.entry(zone).or_default().push(service);
        }
        Ok(Self { services_of })
    }

    /// Each zone, and whether a service of it is enabled; those that are come first, as in OpenStack's list.
    fn states(&self) -> impl Iterator<Item = (&str, bool)> {
        let states = |wanted: bool| {
            let all = self.services_of.iter().map(|(zone, services)| {
                let enabled = services.iter().any(|service| !service.disabled());
                (zone.as_str(), enabled)
            });
            all.filter(move |(_, enabled)| *enabled == wanted)
        };
        states(true).chain(states(false))
    }

    /// The zones that servers can be in now.
    fn available(&self) -> impl Iterator<Item = &str> {
        let available = self.states().filter(|(_, available)| *available);
        available
            .map(|(zone, _)| zone)
            .filter(|zone| *zone != INTERNAL)
    }
}

/// `GET /v2.1/os-availability-zone`
pub(crate) async fn brief(State(api): Api, query: Parameters) -> Answer {
    query.finish()?;
    let listed = Listed::read(&api).await?;
    let zones = listed.states().filter(|(zone, _)| *zone != INTERNAL);
    let views = zones.map(|(zone, available)| view(zone, available, Value::Null));
    Ok(answer(views.collect()))
}

/// `GET /v2.1/os-availability-zone/detail`
pub(crate) async fn full(State(api): Api, query: Parameters) -> Answer {
    query.finish()?;
    let listed = Listed::read(&api).await?;
    let views = listed.states().map(|(zone, available)| {
        let services = listed.services_of.get(zone).filter(|_| available);
        let hosts = services.map_or(Value::Null, |services| hosts_view(&api, services));
        view(zone, available, hosts)
    });
    Ok(answer(views.collect()))
}

fn answer(views: Vec<Value>) -> axum::response::Response {
    Json(json!({ "availabilityZoneInfo": views })).into_response()
}

fn view(zone: &str, available: bool, hosts: Value) -> Value {
    json!({ "zoneName": zone, "zoneState": { "available": available }, "hosts": hosts })
}

/// The enabled services of a zone, by host and binary.
fn hosts_view(api: &ApiManager, services: &[Service]) -> Value {
    let mut hosts: BTreeMap<&str, Map<String, Value>> = BTreeMap::new();
    for service in services.iter().filter(|service| !service.disabled()) {
        let state = json!({
            "available": is_up(service, api.config.service_down_time),
            "active": true,
            "updated_at": service.last_seen_up().map(with_fraction),
        });
        let host = hosts.entry(service.host()).or_default();
        host.insert(service.binary().to_owned(), state);
    }
    json!(hosts)
}
