//! The facts of a host by the names that Nova's `HostState` gives them, as operators and users write
//! them in extra specs and queries. Must not know what is asked of them. Called by
//! `compute_capabilities` and `json_query`.

use longshore_plugin_api::{decimal, Host, HostTable, Json};

/// Where a fact is found.
#[derive(Clone, Copy)]
pub(crate) enum Attribute {
    /// A column of texts, which hosts share.
    Text(for<'t> fn(&'t HostTable) -> &'t [u32]),
    /// Another column.
    Value(fn(Host<'_>) -> Json),
}

/// The attribute of a name; nothing when a host has none of that name.
pub(crate) fn named(name: &str) -> Option<Attribute> {
    use Attribute::{Text, Value};
    Some(match name {
        "host" => Text(HostTable::host_ids),
        "nodename" | "hypervisor_hostname" => Text(HostTable::node_ids),
        "uuid" => Text(HostTable::uuid_ids),
        "host_ip" => Text(HostTable::host_ip_ids),
        "hypervisor_type" => Text(HostTable::hypervisor_type_ids),
        "cpu_info" => Text(HostTable::cpu_info_ids),
        "stats" => Text(HostTable::stats_ids),
        "hypervisor_version" => Value(|h| count(h.hypervisor_version())),
        "total_usable_ram_mb" => Value(|h| count(h.total_usable_ram_mb())),
        "free_ram_mb" => Value(|h| Json::Integer(h.free_ram_mb().into())),
        "total_usable_disk_gb" => Value(|h| count(h.total_usable_disk_gb())),
        "free_disk_mb" => Value(|h| Json::Integer(h.free_disk_mb().into())),
        "disk_mb_used" => Value(|h| count(h.disk_mb_used())),
        "vcpus_total" => Value(|h| count(h.vcpus_total())),
        "vcpus_used" => Value(|h| count(h.vcpus_used())),
        "num_instances" => Value(|h| count(h.num_instances())),
        "num_io_ops" => Value(|h| count(h.num_io_ops())),
        "failed_builds" => Value(|h| count(h.failed_builds())),
        "ram_allocation_ratio" => Value(|h| ratio(h.ram_allocation_ratio())),
        "cpu_allocation_ratio" => Value(|h| ratio(h.cpu_allocation_ratio())),
        "disk_allocation_ratio" => Value(|h| ratio(h.disk_allocation_ratio())),
        "supported_instances" => Value(supported_instances),
        _ => return None,
    })
}

fn count(number: u32) -> Json {
    Json::Integer(number.into())
}

fn ratio(ratio: f32) -> Json {
    Json::Float(decimal(ratio))
}

fn supported_instances(host: Host<'_>) -> Json {
    let triples = host.table().supported_instances(host.row());
    let list = |(architecture, hypervisor, mode): (&str, &str, &str)| {
        Json::List(
            [architecture, hypervisor, mode]
                .map(|text| Json::Text(text.to_owned()))
                .into(),
        )
    };
    Json::List(triples.map(list).collect())
}
