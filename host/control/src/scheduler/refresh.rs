//! Keeps the host manager in step with the records: what changed since the last look, by
//! generation, and which services still answer.
//!
//! Must not choose hosts. One bad record never hides the others. Run before each selection, under
//! the scheduler's lock.

use std::collections::HashMap;

use longshore_objects::{
    ComputeNode, ComputeNodeList, ObjectApi, ObjectError, Service, ServiceList, now,
};
use longshore_plugin_api::{HostManager, ServiceState};

use super::translate;
use crate::codes;
use crate::driver_call::guarded;
use crate::drivers::NamedDriver;

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
}

/// A compute service as last read, and the state that the host manager was told.
struct Seen {
    record: Service,
    told: Option<ServiceState>,
}

/// Records that changed, not yet applied.
pub(super) struct Changes {
    nodes: Vec<ComputeNode>,
    services: Vec<Service>,
}

impl View {
    /// Reads what changed. The view is as before until the changes are applied.
    ///
    /// # Errors
    /// Those of reading.
    pub(super) async fn changes(&self, api: &dyn ObjectApi) -> Result<Changes, ObjectError> {
        let nodes = ComputeNodeList::get_changed_since(api, self.nodes_generation).await?;
        let services = ServiceList::get_changed_since(api, self.services_generation).await?;
        Ok(Changes {
            nodes: nodes.into_objects(),
            services: services.into_objects(),
        })
    }

    /// Tells the host manager what changed and who went silent. `down_time_s` is the age in
    /// seconds from which on a service counts as down.
    pub(super) fn apply(
        &mut self,
        changes: Changes,
        manager: &NamedDriver<dyn HostManager>,
        down_time_s: i64,
    ) {
        let mut changed = Vec::new();
        for service in changes.services {
            self.services_generation = self.services_generation.max(service.generation());
            if service.binary() == crate::BINARY_COMPUTE {
                changed.push(service.host().to_owned());
                self.note(service);
            }
        }
        let at = now().as_unix();
        if self.swept != at {
            self.swept = at;
            changed = self.services.keys().cloned().collect();
        }
        for host in changed {
            self.tell(&host, manager, at, down_time_s);
        }
        for node in changes.nodes {
            self.nodes_generation = self.nodes_generation.max(node.generation());
            self.take_node(&node, manager);
        }
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
        manager: &NamedDriver<dyn HostManager>,
        at: i64,
        down_time_s: i64,
    ) {
        let Some(seen) = self.services.get_mut(host) else {
            return;
        };
        let state = service_state(&seen.record, at, down_time_s);
        if seen.told.as_ref() == Some(&state) {
            return;
        }
        match guarded(|| manager.driver.update_service(&state)) {
            Ok(()) => seen.told = Some(state),
            Err(error) => warn(manager, host, error.code(), &error.to_string()),
        }
        if seen.record.deleted() {
            self.services.remove(host);
        }
    }

    fn take_node(&mut self, node: &ComputeNode, manager: &NamedDriver<dyn HostManager>) {
        let (host, name) = (node.host(), node.hypervisor_hostname());
        let key = (host.to_owned(), name.to_owned());
        if node.deleted() {
            self.node_uuids.remove(&key);
            if let Err(error) = guarded(|| manager.driver.remove_host(host, name)) {
                warn(manager, host, error.code(), &error.to_string());
            }
            return;
        }
        self.node_uuids.insert(key, node.uuid().to_owned());
        match translate::report(node) {
            Ok(report) => {
                if let Err(error) = guarded(|| manager.driver.update_host(&report)) {
                    warn(manager, host, error.code(), &error.to_string());
                }
            }
            Err(text) => warn(manager, host, codes::BAD_SPEC, &text),
        }
    }
}

fn warn(manager: &NamedDriver<dyn HostManager>, host: &str, code: &str, text: &str) {
    let manager = &manager.name;
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
