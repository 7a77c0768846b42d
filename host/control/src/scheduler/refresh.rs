//! Keeps the host manager in step with the records: what changed since the last look, by
//! generation, and which services still answer.
//!
//! Must not choose hosts. One bad record never hides the others. Run before each selection, under
//! the scheduler's lock.

use std::collections::{HashMap, VecDeque};

use longshore_objects::{
    ComputeNode, ComputeNodeList, ObjectApi, ObjectError, Service, ServiceList, now,
};
use longshore_plugin_api::{DriverError, ServiceState};

use super::trail::{Method, Trail, Who};
use super::translate;
use crate::codes;
use crate::driver_call::CallError;

/// What the scheduler knows of the records, beside what the host manager holds.
#[derive(Default)]
pub(super) struct View {
    nodes_generation: i64,
    services_generation: i64,
    services: HashMap<String, Seen>,
    /// Identifiers of nodes, by host and node.
    node_uuids: HashMap<(String, String), String>,
    /// Second of the last look at every service's age.
    swept: i64,
    pending: Changes,
}

/// A compute service as last read, and the state that the host manager was told.
struct Seen {
    record: Service,
    told: Option<ServiceState>,
}

/// Records that changed, not yet applied.
#[derive(Default)]
struct Changes {
    nodes: VecDeque<ComputeNode>,
    services: VecDeque<Service>,
    /// Hosts whose service may be in another state than the host manager was told.
    silent: VecDeque<String>,
}

impl Changes {
    fn is_empty(&self) -> bool {
        self.nodes.is_empty() && self.services.is_empty() && self.silent.is_empty()
    }
}

impl View {
    /// Reads what changed, unless what was read before is not applied yet. The view is as before until it is.
    ///
    /// # Errors
    /// Those of reading.
    pub(super) async fn read(&mut self, api: &dyn ObjectApi) -> Result<(), ObjectError> {
        if !self.pending.is_empty() {
            return Ok(());
        }
        let nodes = ComputeNodeList::get_changed_since(api, self.nodes_generation).await?;
        let services = ServiceList::get_changed_since(api, self.services_generation).await?;
        self.pending.nodes = nodes.into_objects().into();
        self.pending.services = services.into_objects().into();
        Ok(())
    }

    /// Tells the host manager what changed and who went silent. `down_time_s` is the age in
    /// seconds from which on a service counts as down. One bad record is left out.
    ///
    /// # Errors
    /// That the host manager is not to be called; the rest is told when it may be.
    pub(super) fn apply(&mut self, trail: &Trail, down_time_s: i64) -> Result<(), CallError> {
        let at = now().as_unix();
        while let Some(service) = self.pending.services.pop_front() {
            self.services_generation = self.services_generation.max(service.generation());
            if service.binary() == crate::BINARY_COMPUTE {
                self.pending.silent.push_back(service.host().to_owned());
                self.note(service);
            }
        }
        if self.swept != at {
            self.swept = at;
            self.pending.silent = self.services.keys().cloned().collect();
        }
        while let Some(host) = self.pending.silent.pop_front() {
            if let Err(error) = self.tell(&host, trail, at, down_time_s) {
                self.pending.silent.push_front(host);
                return Err(error);
            }
        }
        while let Some(node) = self.pending.nodes.pop_front() {
            self.nodes_generation = self.nodes_generation.max(node.generation());
            if let Err(error) = self.take_node(&node, trail) {
                self.pending.nodes.push_front(node);
                return Err(error);
            }
        }
        Ok(())
    }

    /// The identifier of a node.
    pub(super) fn node_uuid(&self, host: &str, node: &str) -> Option<&str> {
        let key = (host.to_owned(), node.to_owned());
        self.node_uuids.get(&key).map(String::as_str)
    }

    fn note(&mut self, record: Service) {
        match self.services.get_mut(record.host()) {
            Some(seen) => seen.record = record,
            None => {
                let host = record.host().to_owned();
                self.services.insert(host, Seen { record, told: None });
            }
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
        if seen.told.as_ref() == Some(&state) {
            return Ok(());
        }
        let manager = &trail.drivers().host_manager.driver;
        let update = || manager.update_service(&state);
        if took(trail, host, Method::UpdateService, update)? {
            seen.told = Some(state);
        }
        if seen.record.deleted() {
            self.services.remove(host);
        }
        Ok(())
    }

    fn take_node(&mut self, node: &ComputeNode, trail: &Trail) -> Result<(), CallError> {
        let (host, name) = (node.host(), node.hypervisor_hostname());
        let manager = &trail.drivers().host_manager.driver;
        let key = (host.to_owned(), name.to_owned());
        if node.deleted() {
            self.node_uuids.remove(&key);
            let remove = || manager.remove_host(host, name);
            took(trail, host, Method::RemoveHost, remove)?;
            return Ok(());
        }
        self.node_uuids.insert(key, node.uuid().to_owned());
        match translate::report(node) {
            Ok(report) => {
                let update = || manager.update_host(&report);
                took(trail, host, Method::UpdateHost, update)?;
            }
            Err(text) => left_out(trail, host, codes::BAD_SPEC, &text),
        }
        Ok(())
    }
}

/// Tells the host manager something of a host; answers whether it took it.
pub(super) fn took<T>(
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
fn service_state(record: &Service, at: i64, down_time_s: i64) -> ServiceState {
    let last = record.last_seen_up().or(record.created_at());
    let fresh = last.is_some_and(|last| (at - last.as_unix()).abs() <= down_time_s);
    ServiceState {
        host: record.host().to_owned(),
        up: fresh && !record.forced_down() && !record.deleted(),
        disabled: record.disabled(),
        disabled_reason: record.disabled_reason().unwrap_or_default().to_owned(),
    }
}
