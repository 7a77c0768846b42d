//! Keeps the host manager in step with the records: what changed since the last look, by
//! generation, and which services still answer.
//!
//! Must not choose hosts. One bad record never hides the others. Read before each selection; what was read is told while
//! no selection runs, so that no host changes or moves under one.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};

use longshore_objects::{
    ComputeNode, ComputeNodeList, ObjectApi, ObjectError, Service, ServiceList, now,
};
use longshore_plugin_api::{DriverError, ServiceState};

use super::aggregates::Aggregates;
use super::node_uuids::NodeUuids;
use crate::codes;
use crate::driver_call::CallError;
use crate::scheduler::translate;
use crate::scheduler::watch::trail::{Method, Trail, Who};

/// What the scheduler knows of the records, beside what the host manager holds.
#[derive(Default)]
pub(in crate::scheduler) struct View {
    nodes_generation: i64,
    services_generation: i64,
    services: HashMap<String, Seen>,
    aggregates: Aggregates,
    /// Second of the last look at every service's age.
    swept: i64,
    pending: Changes,
}

/// A compute service as last read, and the state that the host manager was told.
struct Seen {
    record: Service,
    told: Option<ServiceState>,
}

impl Seen {
    /// Whether the host manager was told otherwise.
    fn is_news(&self, at: i64, down_time_s: i64) -> bool {
        let (record, told) = (&self.record, self.told.as_ref());
        let is_told = told.is_some_and(|told| {
            told.up == is_up(record, at, down_time_s)
                && told.disabled == record.disabled()
                && told.disabled_reason == record.disabled_reason().unwrap_or_default()
        });
        record.deleted() || !is_told
    }
}

/// What changed and the host manager was not told yet.
#[derive(Default)]
struct Changes {
    nodes: VecDeque<ComputeNode>,
    /// Hosts whose service is in another state than the host manager was told, or is gone.
    services: VecDeque<String>,
}

impl Changes {
    fn is_empty(&self) -> bool {
        self.nodes.is_empty() && self.services.is_empty()
    }
}

impl View {
    /// Reads what changed, unless what was read before is not applied yet; answers whether there is anything to
    /// [`apply`](Self::apply). `down_time_s` is the age in seconds from which on a service counts as down.
    ///
    /// # Errors
    /// Those of reading.
    pub(in crate::scheduler) async fn read(
        &mut self,
        api: &dyn ObjectApi,
        down_time_s: i64,
    ) -> Result<bool, ObjectError> {
        self.aggregates.read(api).await?;
        if !self.pending.is_empty() {
            return Ok(true);
        }
        let nodes = ComputeNodeList::get_changed_since(api, self.nodes_generation).await?;
        let services = ServiceList::get_changed_since(api, self.services_generation).await?;
        self.pending.nodes = nodes.into_objects().into();
        let at = now().as_unix();
        for service in services.into_objects() {
            self.services_generation = self.services_generation.max(service.generation());
            if service.binary() == crate::BINARY_COMPUTE {
                let host = service.host().to_owned();
                // Most of them say no more than that they live.
                if self.note(service).is_news(at, down_time_s) {
                    self.pending.services.push_back(host);
                }
            }
        }
        if self.swept != at {
            self.swept = at;
            let all = self.services.iter();
            let news = all.filter(|(_, seen)| seen.is_news(at, down_time_s));
            self.pending.services = news.map(|(host, _)| host.clone()).collect();
        }
        Ok(!self.pending.is_empty() || self.aggregates.are_news())
    }

    /// Tells the host manager what changed, aggregates included, and who went silent. One bad record is left out.
    ///
    /// # Errors
    /// That the host manager is not to be called; the rest is told when it may be.
    pub(in crate::scheduler) fn apply(
        &mut self,
        trail: &Trail,
        node_uuids: &NodeUuids,
        down_time_s: i64,
    ) -> Result<(), CallError> {
        self.aggregates.tell(trail)?;
        let at = now().as_unix();
        while let Some(host) = self.pending.services.pop_front() {
            if let Err(error) = self.tell(&host, trail, at, down_time_s) {
                self.pending.services.push_front(host);
                return Err(error);
            }
        }
        while let Some(node) = self.pending.nodes.pop_front() {
            self.nodes_generation = self.nodes_generation.max(node.generation());
            if let Err(error) = take_node(&node, trail, node_uuids) {
                self.pending.nodes.push_front(node);
                return Err(error);
            }
        }
        Ok(())
    }

    fn note(&mut self, record: Service) -> &Seen {
        let host = record.host().to_owned();
        match self.services.entry(host) {
            Entry::Occupied(entry) => {
                let seen = entry.into_mut();
                seen.record = record;
                seen
            }
            Entry::Vacant(entry) => entry.insert(Seen { record, told: None }),
        }
    }

    fn tell(
        &mut self,
        host: &str,
        trail: &Trail,
        at: i64,
        down_time_s: i64,
    ) -> Result<(), CallError> {
        let Some(seen) = self.services.get_mut(host) else {
            return Ok(());
        };
        let state = service_state(&seen.record, at, down_time_s);
        let manager = &trail.drivers().host_manager.driver;
        let update = || manager.update_service(&state);
        if seen.told.as_ref() != Some(&state) && took(trail, host, Method::UpdateService, update)? {
            seen.told = Some(state);
        }
        if seen.record.deleted() {
            self.services.remove(host);
        }
        Ok(())
    }
}

fn take_node(node: &ComputeNode, trail: &Trail, node_uuids: &NodeUuids) -> Result<(), CallError> {
    let (host, name) = (node.host(), node.hypervisor_hostname());
    let manager = &trail.drivers().host_manager.driver;
    if node.deleted() {
        node_uuids.forget(host, name);
        let remove = || manager.remove_host(host, name);
        took(trail, host, Method::RemoveHost, remove)?;
        return Ok(());
    }
    node_uuids.note(host, name, node.uuid());
    match translate::report(node) {
        Ok(report) => {
            let update = || manager.update_host(&report);
            took(trail, host, Method::UpdateHost, update)?;
        }
        Err(text) => left_out(trail, host, codes::BAD_SPEC, &text),
    }
    Ok(())
}

/// Tells the host manager something of a host; answers whether it took it.
pub(in crate::scheduler) fn took<T>(
    trail: &Trail,
    host: &str,
    method: Method,
    call: impl FnOnce() -> Result<T, DriverError>,
) -> Result<bool, CallError> {
    match trail.call(Who::HostManager, method, call) {
        Ok(_) => Ok(true),
        Err(error @ CallError::Fenced(_)) => Err(error),
        Err(error) if trail.is_given_up() => Err(error),
        Err(error) => {
            left_out(trail, host, error.code(), &error.to_string());
            Ok(false)
        }
    }
}

fn left_out(trail: &Trail, host: &str, code: &str, text: &str) {
    let manager = &trail.drivers().host_manager.name;
    tracing::warn!(code, manager, host, "the host's report is left out: {text}");
}

/// Whether a service answers, by the age of its last heartbeat.
fn is_up(record: &Service, at: i64, down_time_s: i64) -> bool {
    let last = record.last_seen_up().or(record.created_at());
    let fresh = last.is_some_and(|last| (at - last.as_unix()).abs() <= down_time_s);
    fresh && !record.forced_down() && !record.deleted()
}

fn service_state(record: &Service, at: i64, down_time_s: i64) -> ServiceState {
    ServiceState {
        host: record.host().to_owned(),
        up: is_up(record, at, down_time_s),
        disabled: record.disabled(),
        disabled_reason: record.disabled_reason().unwrap_or_default().to_owned(),
    }
}
