//! Which hosts a request allows at all: its destination, ignored hosts, forced hosts and nodes.
//! Looks at names only, on a table that the caller has. Called by `manager`.

use longshore_plugin_api::{HostTable, Mask, RequestSpec};
use std::collections::HashSet;

/// The hint with which a request says that it only checks a host: filters run, forced or not.
const CHECK_HINT: &str = "_nova_check_type";

/// Takes out of `mask` what the request does not allow; answers whether filters are to run.
pub(crate) fn retain(hosts: &HostTable, request: &RequestSpec, mask: &mut Mask<'_>) -> bool {
    if let Some((host, node)) = request.requested_destination() {
        retain_destination(hosts, host, node, mask);
    }
    let ignored = folded(request.ignore_hosts());
    if !ignored.is_empty() {
        mask.retain_rows(|row| !ignored.contains(&fold(hosts.host(row).host_name())));
    }
    let forced_hosts = folded(request.force_hosts());
    if !forced_hosts.is_empty() {
        mask.retain_rows(|row| forced_hosts.contains(&fold(hosts.host(row).host_name())));
    }
    let mut forces_nodes = false;
    let mut nodes = Vec::new();
    for node in request.force_nodes() {
        forces_nodes = true;
        nodes.extend(hosts.find_text(node));
    }
    if forces_nodes {
        nodes.sort_unstable();
        mask.retain(hosts.node_ids(), |node| nodes.binary_search(&node).is_ok());
    }
    let forced = forces_nodes || !forced_hosts.is_empty();
    let checks = request.is_rebuild() || request.scheduler_hint(CHECK_HINT).next().is_some();
    !forced || checks
}

/// Host and node must be the same, letter by letter; no node means any node of the host.
fn retain_destination(hosts: &HostTable, host: &str, node: &str, mask: &mut Mask<'_>) {
    match hosts.find_text(host) {
        Some(id) => mask.retain(hosts.host_ids(), |host| host == id),
        None => mask.clear_all(),
    }
    if !node.is_empty() {
        match hosts.find_text(node) {
            Some(id) => mask.retain(hosts.node_ids(), |node| node == id),
            None => mask.clear_all(),
        }
    }
}

/// Names of hosts are compared without case.
fn fold(name: &str) -> String {
    name.to_lowercase()
}

fn folded<'n>(names: impl Iterator<Item = &'n str>) -> HashSet<String> {
    names.map(fold).collect()
}
