//! Cases of filters that compare amounts: memory, disk, processors, counts.

use serde_json::json;

use super::aggregates::with_values_of;
use super::{Draft, Pick, Recipe};

const RATIOS: &[f64] = &[0.5, 0.9, 1.0, 1.1, 1.5, 16.0];
/// What an operator may write into an aggregate's metadata where a number is expected.
const RATIO_TEXTS: &[&str] = &[
    "1.0", "2", "0.9", "1e1", " 1.5 ", "abc", "", "-1", "0", "+1.5",
];
const COUNT_TEXTS: &[&str] = &["0", "1", "8", " 9 ", "50", "abc", "8.0", "", "-1", "+2"];

pub(super) fn recipe(driver: &str) -> Option<Recipe> {
    Some(match driver {
        "ram" | "exact_ram" => ram,
        "aggregate_ram" => |pick, draft| {
            ram(pick, draft);
            with_values_of(pick, draft, &["ram_allocation_ratio", "other"], RATIO_TEXTS);
        },
        "disk" | "exact_disk" => disk,
        "aggregate_disk" => |pick, draft| {
            disk(pick, draft);
            with_values_of(
                pick,
                draft,
                &["disk_allocation_ratio", "other"],
                RATIO_TEXTS,
            );
        },
        "core" | "exact_core" => core,
        "aggregate_core" => |pick, draft| {
            core(pick, draft);
            with_values_of(pick, draft, &["cpu_allocation_ratio", "other"], RATIO_TEXTS);
        },
        "io_ops" => io_ops,
        "aggregate_io_ops" => |pick, draft| {
            io_ops(pick, draft);
            with_values_of(pick, draft, &["max_io_ops_per_host"], COUNT_TEXTS);
        },
        "num_instances" => num_instances,
        "aggregate_num_instances" => |pick, draft| {
            num_instances(pick, draft);
            with_values_of(pick, draft, &["max_instances_per_host"], COUNT_TEXTS);
        },
        _ => return None,
    })
}

fn ram(pick: &mut Pick, draft: &mut Draft) {
    draft.hosts_of(pick, "total_usable_ram_mb", &[0, 512, 1000, 1024, 2048]);
    draft.hosts_of(
        pick,
        "free_ram_mb",
        &[-512, -1, 0, 100, 511, 512, 1000, 1024],
    );
    draft.hosts_of(pick, "ram_allocation_ratio", RATIOS);
    draft.flavor_of(pick, "memory_mb", &[0, 100, 511, 512, 600, 1000, 1024]);
}

fn disk(pick: &mut Pick, draft: &mut Draft) {
    draft.hosts_of(pick, "total_usable_disk_gb", &[0, 1, 10, 20]);
    draft.hosts_of(
        pick,
        "free_disk_mb",
        &[-1024, -1, 0, 1023, 1024, 5120, 5632, 10_240],
    );
    draft.hosts_of(pick, "disk_allocation_ratio", RATIOS);
    draft.flavor_of(pick, "root_gb", &[0, 1, 5, 10]);
    draft.flavor_of(pick, "ephemeral_gb", &[0, 0, 4]);
    draft.flavor_of(pick, "swap", &[0, 0, 1, 512, 1024]);
}

fn core(pick: &mut Pick, draft: &mut Draft) {
    draft.hosts_of(pick, "vcpus_total", &[0, 1, 4, 8]);
    draft.hosts_of(pick, "vcpus_used", &[0, 1, 4, 60, 64, 128]);
    draft.hosts_of(pick, "cpu_allocation_ratio", RATIOS);
    draft.flavor_of(pick, "vcpus", &[0, 1, 3, 4, 5, 8]);
}

/// What nodes record, and a request for some of it; devices and NUMA cells have their own.
pub(super) fn consumption(pick: &mut Pick, draft: &mut Draft) {
    for (key, pool) in [
        ("memory_mb", [0, 1024, 4096]),
        ("free_ram_mb", [-512, 0, 2048]),
        ("local_gb", [0, 10, 100]),
        ("local_gb_used", [0, 3, 50]),
        ("free_disk_gb", [-1, 0, 20]),
        ("vcpus", [0, 4, 16]),
        ("vcpus_used", [0, 2, 20]),
        ("num_instances", [0, 1, 7]),
        ("num_io_ops", [0, 1, 8]),
        ("failed_builds", [0, 0, 2]),
    ] {
        draft.hosts_of(pick, key, &pool);
    }
    let least = [json!(null), json!(-3), json!(5), json!(30)];
    draft.hosts_of(pick, "disk_available_least", &least);
    draft.hosts_of(pick, "hypervisor_type", &["ironic", "qemu"]);
    draft.hosts_of(pick, "host_ip", &["192.0.2.7"]);
    draft.hosts_of(pick, "disk_allocation_ratio", &[1.0]);
    for (key, pool) in [
        ("memory_mb", [0, 512, 3000]),
        ("vcpus", [0, 1, 5]),
        ("root_gb", [0, 1, 30]),
        ("ephemeral_gb", [0, 0, 4]),
        ("swap", [0, 0, 1000]),
    ] {
        draft.flavor_of(pick, key, &pool);
    }
}

fn io_ops(pick: &mut Pick, draft: &mut Draft) {
    draft.hosts_of(pick, "num_io_ops", &[0, 1, 2, 7, 8, 9, 50]);
    if pick.once_in(2) {
        draft.set("max_io_ops_per_host", json!(pick.of(&[0, 1, 8, 9])));
    }
}

fn num_instances(pick: &mut Pick, draft: &mut Draft) {
    draft.hosts_of(pick, "num_instances", &[0, 1, 2, 8, 49, 50, 51]);
    if pick.once_in(2) {
        draft.set("max_instances_per_host", json!(pick.of(&[1, 2, 9, 50])));
    }
}
