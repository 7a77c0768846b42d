//! Cases of weighers.

use serde_json::json;

use super::{Draft, Pick, Recipe, devices, texts};

pub(super) fn recipe(driver: &str) -> Option<Recipe> {
    Some(match driver {
        "build_failure" => |pick, draft| draft.hosts_of(pick, "failed_builds", &[0, 0, 1, 3, 100]),
        "cpu" => cpu,
        "disk" => |pick, draft| {
            draft.hosts_of(
                pick,
                "free_disk_mb",
                &[-1024, 0, 5120, 10_240, 20_480, 1_000_000],
            )
        },
        "io_ops" => |pick, draft| draft.hosts_of(pick, "num_io_ops", &[0, 0, 1, 2, 8]),
        "metrics" => metrics,
        "pci" => |pick, draft| draft.each("pci_device_pools", || devices::pools(pick)),
        "ram" => {
            |pick, draft| draft.hosts_of(pick, "free_ram_mb", &[-512, 0, 1024, 2048, 3072, 4096])
        }
        "server_group_soft_affinity" | "server_group_soft_anti_affinity" => group,
        _ => return None,
    })
}

fn cpu(pick: &mut Pick, draft: &mut Draft) {
    draft.hosts_of(pick, "vcpus_total", &[0, 1, 4, 8]);
    draft.hosts_of(pick, "vcpus_used", &[0, 1, 8, 64]);
    draft.hosts_of(pick, "cpu_allocation_ratio", &[0.5, 1.0, 1.1, 16.0]);
}

fn metrics(pick: &mut Pick, draft: &mut Draft) {
    draft.set("weight_setting", texts::ratios(pick));
    if pick.once_in(2) {
        draft.set("required", false);
    }
    if pick.once_in(3) {
        draft.set("weight_of_unavailable", pick.of(&[0.0, -1.0, 50.0]));
    }
    draft.each("metrics", || texts::measured(pick));
}

fn group(pick: &mut Pick, draft: &mut Draft) {
    texts::instances(pick, draft);
    let policies = pick.some(&["soft-affinity", "soft-anti-affinity", "affinity"], 2);
    if !pick.once_in(8) {
        draft.request["group"] =
            json!({"policies": policies, "hosts": [], "members": pick.some(texts::UUIDS, 4)});
    }
}
