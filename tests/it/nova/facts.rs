//! A case's hosts and request as the host table and the request that drivers see.
//! Must not know what the facts mean. What a case leaves out is absent or zero.

use std::collections::BTreeMap;

use longshore_plugin_api::{
    Column, HostColumns, HostTable, List, RequestFields, RequestSpec, STATE_DISABLED, STATE_UP,
};
use serde_json::Value;

const NUMBERS: &[(&str, Column)] = &[
    ("total_usable_ram_mb", Column::TotalUsableRamMb),
    ("free_ram_mb", Column::FreeRamMb),
    ("total_usable_disk_gb", Column::TotalUsableDiskGb),
    ("free_disk_mb", Column::FreeDiskMb),
    ("disk_mb_used", Column::DiskMbUsed),
    ("vcpus_total", Column::VcpusTotal),
    ("vcpus_used", Column::VcpusUsed),
    ("num_instances", Column::NumInstances),
    ("num_io_ops", Column::NumIoOps),
    ("failed_builds", Column::FailedBuilds),
    ("hypervisor_version", Column::HypervisorVersion),
    ("ram_allocation_ratio", Column::RamAllocationRatio),
    ("cpu_allocation_ratio", Column::CpuAllocationRatio),
    ("disk_allocation_ratio", Column::DiskAllocationRatio),
];

const TEXTS: &[(&str, Column)] = &[
    ("uuid", Column::Uuid),
    ("host_ip", Column::HostIp),
    ("hypervisor_type", Column::HypervisorType),
    ("cpu_info", Column::CpuInfo),
];

/// Facts that are JSON in the table as well.
const JSONS: &[(&str, Column)] = &[
    ("stats", Column::Stats),
    ("metrics", Column::Metrics),
    ("pci_device_pools", Column::PciDevicePools),
    ("numa_topology", Column::NumaTopology),
];

/// The hosts of a case as a table.
pub(super) fn table(case: &Value) -> HostTable {
    let mut columns = HostColumns::new();
    for host in items(&case["hosts"]) {
        add(&mut columns, host);
    }
    columns.snapshot()
}

fn add(columns: &mut HostColumns, host: &Value) {
    let name = text(&host["host"]);
    let row = columns.push(name, host["nodename"].as_str().unwrap_or(name));
    for &(key, column) in NUMBERS {
        let value = &host[key];
        columns.set_u32(column, row, value.as_u64().unwrap_or(0) as u32);
        columns.set_i32(column, row, value.as_i64().unwrap_or(0) as i32);
        columns.set_f32(column, row, value.as_f64().unwrap_or(0.0) as f32);
    }
    for &(key, column) in TEXTS {
        columns.set_text(column, row, text(&host[key]));
    }
    for &(key, column) in JSONS {
        if let Some(json) = host.get(key) {
            columns.set_text(column, row, &json.to_string());
        }
    }
    let up = if host["up"] == false { 0 } else { STATE_UP };
    let disabled = if host["disabled"] == true {
        STATE_DISABLED
    } else {
        0
    };
    columns.set_u32(Column::State, row, up | disabled);
    add_aggregates(columns, row, &host["aggregates"]);
    let supported = items(&host["supported_instances"]).flat_map(items);
    let supported: Vec<u32> = supported.map(|t| columns.intern(text(t))).collect();
    columns.set_list(List::SupportedInstances, row, &supported);
    for (list, key) in [
        (List::Instances, "uuid"),
        (List::InstanceFlavors, "flavor_id"),
    ] {
        let texts = items(&host["instances"]).map(|one| text(&one[key]));
        let ids: Vec<u32> = texts.map(|text| columns.intern(text)).collect();
        columns.set_list(list, row, &ids);
    }
}

/// As the host manager does it: zones apart, everything else as it is.
fn add_aggregates(columns: &mut HostColumns, row: usize, aggregates: &Value) {
    let (mut ids, mut triples, mut zones) = (Vec::new(), Vec::new(), Vec::new());
    for one in items(aggregates) {
        let id = one["id"].as_u64().unwrap_or(0) as u32;
        ids.push(id);
        for (key, value) in pairs(&one["metadata"]) {
            triples.extend([id, columns.intern(&key), columns.intern(&value)]);
            if key == "availability_zone" {
                zones.push(value);
            }
        }
    }
    columns.set_list(List::Aggregates, row, &ids);
    columns.set_list(List::AggregateMetadata, row, &triples);
    columns.set_text(Column::AvailabilityZone, row, &zones.join(","));
}

/// The request of a case.
pub(super) fn request(case: &Value) -> RequestSpec {
    let request = &case["request"];
    let (flavor, image, group) = (&request["flavor"], &request["image"], &request["group"]);
    let number = |key: &str| flavor[key].as_u64().unwrap_or(0);
    let json = |key: &str| request.get(key).map(Value::to_string);
    let tried = items(&request["retry"]).map(|pair| (owned(&pair[0]), owned(&pair[1])));
    let hints = request["scheduler_hints"].as_object();
    let hints = hints.into_iter().flatten();
    let hints = hints.flat_map(|(key, list)| items(list).map(move |v| (key.clone(), owned(v))));
    RequestSpec::from(RequestFields {
        instance_uuid: owned(&request["instance_uuid"]),
        project_id: owned(&request["project_id"]),
        num_instances: 1,
        flavor_id: owned(&flavor["id"]),
        flavor_name: owned(&flavor["name"]),
        vcpus: number("vcpus") as u32,
        memory_mb: number("memory_mb"),
        root_gb: number("root_gb"),
        ephemeral_gb: number("ephemeral_gb"),
        swap_mb: number("swap"),
        extra_specs: pairs(&flavor["extra_specs"]).collect(),
        image_id: image["id"].as_str().map(str::to_owned),
        image_properties: pairs(&image["properties"]).collect::<BTreeMap<_, _>>(),
        availability_zone: request["availability_zone"].as_str().map(str::to_owned),
        retry_hosts: tried.collect(),
        group_policies: items(&group["policies"]).map(owned).collect(),
        group_hosts: items(&group["hosts"]).map(owned).collect(),
        group_members: items(&group["members"]).map(owned).collect(),
        scheduler_hints: hints.collect(),
        numa_topology: json("numa_topology"),
        pci_requests: json("pci_requests"),
        ..RequestFields::default()
    })
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn owned(value: &Value) -> String {
    text(value).to_owned()
}

fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn pairs(value: &Value) -> impl Iterator<Item = (String, String)> {
    let pairs = value.as_object().into_iter().flatten();
    pairs.map(|(key, value)| (key.clone(), owned(value)))
}
