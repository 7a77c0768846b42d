//! Cases of filters that place devices and NUMA cells.

use serde_json::{Value, json};

use super::{Draft, Pick, Recipe};

pub(super) fn recipe(driver: &str) -> Option<Recipe> {
    Some(match driver {
        "pci_passthrough" => |pick, draft| {
            draft.each("pci_device_pools", || pools(pick));
            request_devices(pick, draft);
        },
        "numa_topology" => numa,
        _ => return None,
    })
}

/// Hosts with devices and cells, and a request for some of both.
pub(super) fn consumption(pick: &mut Pick, draft: &mut Draft) {
    numa(pick, draft);
    if pick.once_in(2) {
        request_devices(pick, draft);
    }
    draft.each("pci_device_pools", || pools(pick));
}

/// Free devices of a host.
pub(super) fn pools(pick: &mut Pick) -> Value {
    let mut pool = |_: usize| {
        let mut pool = json!({
            "vendor_id": "8086", "product_id": pick.of(&["1520", "1521"]), "count": pick.of(&[1, 2, 3, 98, 120]),
            "numa_node": pick.of(&[json!(0), json!(1), Value::Null]),
            "dev_type": pick.of(&["type-PCI", "type-PF", "type-VF"]),
        });
        if pick.once_in(3) {
            pool["physical_network"] = json!(pick.of(&["a", "b"]));
        }
        pool
    };
    let n = [0, 1, 2, 3];
    let pools: Vec<Value> = (0..3).map(&mut pool).collect();
    json!(pools[..pick.of(&n)])
}

fn request_devices(pick: &mut Pick, draft: &mut Draft) {
    let one = |pick: &mut Pick| {
        let specs = [
            json!({"product_id": "1520"}),
            json!({"vendor_id": "8086", "product_id": "1521"}),
            json!({"dev_type": "type-PF"}),
            json!({"dev_type": "type-VF", "physical_network": "a"}),
            json!({"vendor_id": "10de"}),
            json!({}),
        ];
        let mut spec = pick.some(&specs, 2);
        if spec.is_empty() && !pick.once_in(6) {
            spec.push(specs[0].clone());
        }
        json!({"count": pick.of(&[1, 1, 2, 4]), "spec": spec})
    };
    let requests: Vec<Value> = (0..pick.0.below(3)).map(|_| one(pick)).collect();
    if !pick.once_in(8) {
        draft.request["pci_requests"] = json!(requests);
    }
}

fn numa(pick: &mut Pick, draft: &mut Draft) {
    for host in &mut draft.hosts {
        host["ram_allocation_ratio"] = json!(pick.of(&[1.0, 1.5]));
        host["cpu_allocation_ratio"] = json!(pick.of(&[1.0, 2.0, 16.0]));
        if !pick.once_in(8) {
            let cells = pick.of(&[1, 2, 2, 3]);
            let cells: Vec<Value> = (0..cells).map(|id| host_cell(pick, id)).collect();
            host["numa_topology"] = json!({ "cells": cells });
        }
        if pick.once_in(3) {
            host["pci_device_pools"] = pools(pick);
        }
    }
    if pick.once_in(4) {
        request_devices(pick, draft);
    }
    let policy = pick.of(&[None, Some("dedicated"), Some("shared")]);
    let threads = pick.of(&[None, None, Some("prefer"), Some("require"), Some("isolate")]);
    let mut specs = serde_json::Map::new();
    if let Some(policy) = policy {
        specs.insert("hw:cpu_policy".into(), json!(policy));
    }
    let mut properties = serde_json::Map::new();
    if let Some(threads) = threads {
        if pick.once_in(2) {
            specs.insert("hw:cpu_thread_policy".into(), json!(threads));
        } else {
            properties.insert("hw_cpu_thread_policy".into(), json!(threads));
        }
    }
    draft.request["flavor"]["extra_specs"] = Value::Object(specs);
    draft.request["image"] = json!({"id": "an-image", "properties": properties});
    if !pick.once_in(8) {
        let cells: Vec<Value> = (0..pick.of(&[1, 1, 2]))
            .map(|id| guest_cell(pick, id, policy, threads))
            .collect();
        let mut topology = json!({ "cells": cells });
        if pick.once_in(4) {
            topology["emulator_threads_policy"] = json!(pick.of(&["isolate", "share"]));
        }
        draft.request["numa_topology"] = topology;
    }
}

fn host_cell(pick: &mut Pick, id: usize) -> Value {
    let cpus: Vec<usize> = (8 * id..8 * id + pick.of(&[2, 4, 8])).collect();
    let threads = pick.of(&[0, 1, 2, 2, 4]);
    let siblings: Vec<&[usize]> = match threads {
        0 => Vec::new(),
        threads => cpus.chunks(threads).collect(),
    };
    let pinned = pick.some(&cpus, 5);
    let memory = pick.of(&[1024, 2048, 4096]);
    let page = |pick: &mut Pick, size: i64| {
        let used = pick.of(&[0, 0, memory * 256 / size]);
        let reserved = pick.of(&[0, 0, 1]);
        json!({"size_kb": size, "total": memory * 1024 / size, "used": used, "reserved": reserved})
    };
    let sizes = pick.some(&[4, 2048, 1_048_576], 3);
    let mempages: Vec<Value> = sizes.into_iter().map(|size| page(pick, size)).collect();
    json!({
        "id": id, "cpuset": cpus, "siblings": siblings, "pinned_cpus": pinned, "memory": memory,
        "cpu_usage": pick.of(&[0, 1, 4]), "memory_usage": pick.of(&[0, 512, 1024]), "mempages": mempages,
    })
}

fn guest_cell(pick: &mut Pick, id: usize, policy: Option<&str>, threads: Option<&str>) -> Value {
    let cpus: Vec<usize> = (4 * id..4 * id + pick.of(&[1, 2, 2, 3, 4])).collect();
    let mut cell = json!({"id": id, "cpuset": cpus, "memory": pick.of(&[512, 1024, 1025, 2048])});
    if let Some(policy) = policy {
        cell["cpu_policy"] = json!(policy);
    }
    if let Some(threads) = threads {
        cell["cpu_thread_policy"] = json!(threads);
    }
    if pick.once_in(3) {
        cell["pagesize"] = json!(pick.of(&[-1, -2, -3, 4, 2048, 1_048_576, 16]));
    }
    cell
}
