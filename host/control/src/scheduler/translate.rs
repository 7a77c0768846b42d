//! Between the objects of the control plane and the values that drivers see.
//!
//! Pure functions. A value that does not fit is an error that names the record and the field; it
//! is never cut to fit. Used by `refresh.rs` and `select.rs`.

use std::collections::BTreeMap;

use longshore_objects::{
    ComputeNode, Flavor, RequestSpec, SchedulerLimits, SchedulerRetries, Selection,
};
use longshore_plugin_api as api;
use longshore_plugin_api::{HostReport, Limits, RequestFields, SupportedInstance};

/// A node's record as a report for the host manager.
///
/// # Errors
/// Which number does not fit.
pub(super) fn report(node: &ComputeNode) -> Result<HostReport, String> {
    let place = format!(
        "node `{}` of host `{}`",
        node.hypervisor_hostname(),
        node.host()
    );
    let stat = |key: &str| {
        let text = node.stats().get(key)?;
        text.parse::<u32>().ok()
    };
    Ok(HostReport {
        host: node.host().to_owned(),
        node: node.hypervisor_hostname().to_owned(),
        generation: fit(&place, "generation", node.generation())?,
        vcpus: fit(&place, "vcpus", node.vcpus())?,
        vcpus_used: fit(&place, "vcpus_used", node.vcpus_used())?,
        memory_mb: fit(&place, "memory_mb", node.memory_mb())?,
        free_ram_mb: node.free_ram_mb().unwrap_or(0),
        local_gb: fit(&place, "local_gb", node.local_gb())?,
        local_gb_used: fit(&place, "local_gb_used", node.local_gb_used())?,
        free_disk_gb: node.free_disk_gb(),
        disk_available_least: node.disk_available_least(),
        num_instances: stat("num_instances").unwrap_or(0),
        num_io_ops: stat("io_workload").unwrap_or(0),
        failed_builds: stat("failed_builds").unwrap_or(0),
        hypervisor_type: node.hypervisor_type().to_owned(),
        hypervisor_version: fit(&place, "hypervisor_version", node.hypervisor_version())?,
        cpu_info: node.cpu_info().unwrap_or_default().to_owned(),
        supported_instances: supported(node.supported_hv_specs().unwrap_or_default()),
        host_ip: node.host_ip().unwrap_or_default().to_owned(),
        ram_allocation_ratio: node.ram_allocation_ratio(),
        cpu_allocation_ratio: node.cpu_allocation_ratio(),
        disk_allocation_ratio: node.disk_allocation_ratio(),
        stats: stats(node),
    })
}

/// The node's counters, and the facts that travel beside them.
fn stats(node: &ComputeNode) -> BTreeMap<String, String> {
    let facts = [
        (api::STATS_UUID, Some(node.uuid())),
        (api::STATS_METRICS, node.metrics()),
        (api::STATS_PCI_DEVICE_POOLS, node.pci_device_pools()),
        (api::STATS_NUMA_TOPOLOGY, node.numa_topology()),
    ];
    let mut stats = node.stats().clone();
    for (key, fact) in facts {
        stats.extend(fact.map(|fact| (key.to_owned(), fact.to_owned())));
    }
    stats
}

/// Reads a JSON list of `[architecture, hypervisor type, mode]`; what is none counts as absent.
fn supported(text: &str) -> Vec<SupportedInstance> {
    let triples: Vec<[String; 3]> = serde_json::from_str(text).unwrap_or_default();
    let instance = |[architecture, hypervisor_type, vm_mode]: [String; 3]| SupportedInstance {
        architecture,
        hypervisor_type,
        vm_mode,
    };
    triples.into_iter().map(instance).collect()
}

/// A request as drivers see it, for `instances` instances of which `uuid` is the first.
///
/// # Errors
/// Which number does not fit.
pub(super) fn request(
    spec: &RequestSpec,
    uuid: &str,
    instances: u32,
) -> Result<RequestFields, String> {
    let place = format!("the request of instance `{uuid}`");
    let flavor: &Flavor = spec.flavor();
    let texts = |list: Option<&[String]>| list.map(<[String]>::to_vec).unwrap_or_default();
    let image = spec.image();
    let group = spec.instance_group();
    let retry = spec.retry();
    let attempts = retry.map_or(0, SchedulerRetries::num_attempts);
    Ok(RequestFields {
        instance_uuid: uuid.to_owned(),
        project_id: spec.project_id().unwrap_or_default().to_owned(),
        num_instances: instances,
        flavor_id: flavor.flavorid().to_owned(),
        flavor_name: flavor.name().to_owned(),
        vcpus: fit(&place, "vcpus", flavor.vcpus())?,
        memory_mb: fit(&place, "memory_mb", flavor.memory_mb())?,
        root_gb: fit(&place, "root_gb", flavor.root_gb())?,
        ephemeral_gb: fit(&place, "ephemeral_gb", flavor.ephemeral_gb())?,
        swap_mb: fit(&place, "swap", flavor.swap())?,
        extra_specs: flavor.extra_specs().clone(),
        image_id: image.map(|image| image.id().to_owned()),
        image_properties: image.map(|i| i.properties().clone()).unwrap_or_default(),
        availability_zone: spec.availability_zone().map(str::to_owned),
        ignore_hosts: texts(spec.ignore_hosts()),
        force_hosts: texts(spec.force_hosts()),
        force_nodes: texts(spec.force_nodes()),
        requested_destination: destination(spec),
        num_attempts: fit(&place, "num_attempts", attempts)?,
        retry_hosts: retry.map(tried).unwrap_or_default(),
        group_policies: group.map(|g| g.policies().to_vec()).unwrap_or_default(),
        group_hosts: group.map(|g| g.hosts().to_vec()).unwrap_or_default(),
        group_members: group.map(|g| g.members().to_vec()).unwrap_or_default(),
        scheduler_hints: hints(spec),
        is_rebuild: is_rebuild(spec),
        extra: None,
        numa_topology: spec.numa_topology().map(str::to_owned),
        pci_requests: spec.pci_requests().map(str::to_owned),
    })
}

fn destination(spec: &RequestSpec) -> Option<(String, String)> {
    let to = spec.requested_destination()?;
    let node = to.node().unwrap_or_else(|| to.host());
    Some((to.host().to_owned(), node.to_owned()))
}

fn tried(retry: &SchedulerRetries) -> Vec<(String, String)> {
    let pair = |pair: &Vec<String>| match pair.as_slice() {
        [host, node] => Some((host.clone(), node.clone())),
        _ => None,
    };
    retry.hosts().iter().filter_map(pair).collect()
}

fn hints(spec: &RequestSpec) -> Vec<(String, String)> {
    let each = spec.scheduler_hints().into_iter().flatten();
    each.flat_map(|(key, values)| values.iter().map(move |v| (key.clone(), v.clone())))
        .collect()
}

/// Nova's mark of a check that an instance may be rebuilt where it is.
fn is_rebuild(spec: &RequestSpec) -> bool {
    let hints = spec.scheduler_hints();
    let check = hints.and_then(|hints| hints.get("_nova_check_type"));
    check.is_some_and(|values| values.iter().any(|value| value == "rebuild"))
}

/// A destination as the object that travels to conductor and compute.
///
/// # Errors
/// Which limit is no number.
pub(super) fn selection(
    to: &api::Destination,
    node_uuid: Option<String>,
) -> Result<Selection, String> {
    let mut selection = Selection::new();
    selection
        .set_host(to.host.as_str())
        .set_nodename(to.node.as_str())
        .set_limits(limits(&to.limits)?);
    if let Some(uuid) = node_uuid {
        selection.set_compute_node_uuid(uuid);
    }
    Ok(selection)
}

fn limits(found: &Limits) -> Result<Option<SchedulerLimits>, String> {
    let whole = |what: &str, limit: Option<f64>| match limit {
        Some(limit) if !limit.is_finite() => Err(format!("the limit {limit} for {what}")),
        // Conversions of floats saturate, and no host holds that much.
        limit => Ok(limit.map(|limit| limit.floor() as i64)),
    };
    if *found == Limits::default() {
        return Ok(None);
    }
    let mut limits = SchedulerLimits::new();
    limits
        .set_memory_mb(whole("memory", found.memory_mb)?)
        .set_disk_gb(whole("disk", found.disk_gb)?)
        .set_vcpu(whole("processors", found.vcpu)?);
    Ok(Some(limits))
}

fn fit<T: TryFrom<i64>>(place: &str, field: &str, value: i64) -> Result<T, String> {
    T::try_from(value).map_err(|_| format!("{place}: `{field}` cannot be {value}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_without_a_field_travel_among_the_stats() {
        let mut node = ComputeNode::new();
        node.set_host("h")
            .set_hypervisor_hostname("n")
            .set_uuid("u-1")
            .set_numa_topology(r#"{"cells": []}"#.to_owned())
            .set_stats(BTreeMap::from([("gpu".to_owned(), "1".to_owned())]));
        let stats = report(&node).unwrap().stats;
        let facts =
            [api::STATS_UUID, api::STATS_NUMA_TOPOLOGY, "gpu"].map(|key| stats[key].as_str());
        assert_eq!(facts, ["u-1", r#"{"cells": []}"#, "1"]);
        assert!(
            !stats.contains_key(api::STATS_METRICS),
            "the node reports none"
        );
    }
}
