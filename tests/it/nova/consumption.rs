//! What Nova's host managers make of a node's record, and what a request takes of it, beside ours: amounts, devices, cells
//! and processors, host by host and instance by instance.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use longshore_loader::{Loader, PluginMap};
use longshore_plugin_api::{HostManager, HostReport, RequestSpec, ServiceState};
use longshore_tests::files::plugin;
use serde_json::{Value, json};

use super::{assert_none, facts, random, theirs};

const NAMESPACE: &str = "longshore.scheduler.host_manager";
const DRIVERS: [&str; 2] = ["host_manager", "ironic_host_manager"];
/// How many random cases each host manager is tried with.
const CASES: u64 = 250;
/// How many of the instances must have got cells, devices and processors for that to mean something.
const OF_EACH: usize = 50;

/// Counted before Nova looks at devices and cells, so the same even where it raises there.
const ALWAYS: [&str; 4] = ["free_ram_mb", "free_disk_mb", "vcpus_used", "num_instances"];

#[test]
fn requests_take_of_hosts_what_they_take_in_nova() {
    let dir = tempfile::tempdir().unwrap();
    let (mut differences, mut tried, mut taken) = (Vec::new(), 0, [0; 3]);
    for driver in DRIVERS {
        let cases: Vec<Value> = (0..CASES).map(|n| random::consumption(driver, n)).collect();
        let manager = host_manager(driver, dir.path());
        for ((case, theirs), generation) in cases.iter().zip(theirs::answers(&cases)).zip(1..) {
            for (host, theirs) in items(&case["hosts"]).zip(items(&theirs)) {
                let ours = ours(&*manager, (host, generation), case);
                count(&ours, &mut taken);
                tried += 1;
                if let Some(what) = difference(theirs, &ours) {
                    differences.push(format!(
                        "{driver}: {what}\n    {host}\n    {}",
                        case["request"]
                    ));
                }
            }
        }
    }
    assert_none(&differences, tried);
    let enough = taken.iter().all(|&n| n >= OF_EACH);
    assert!(enough, "cells, devices, processors taken: {taken:?}");
}

fn host_manager(driver: &str, state_dir: &Path) -> Arc<dyn HostManager> {
    let file = plugin("debug", "longshore-host-manager");
    let map = format!("[\"{NAMESPACE}\"]\n{driver} = \"{}\"\n", file.display());
    let map = PluginMap::parse(&map, "plugins.toml").unwrap_or_else(|e| panic!("{e}"));
    let loader = Loader::new(map, state_dir);
    let managers = loader.namespace::<dyn HostManager>(NAMESPACE);
    let managers = managers.strict(true).all().expect("it loads");
    let manager = managers.iter().next().expect("it is there");
    Arc::clone(manager.driver())
}

/// The host before, and after each time that the request was counted on it. In the end all is given back.
fn ours(manager: &dyn HostManager, (host, generation): (&Value, u64), case: &Value) -> Vec<Value> {
    let name = host["host"].as_str().expect("a host has a name");
    let state = ServiceState {
        host: name.to_owned(),
        up: true,
        ..ServiceState::default()
    };
    manager.update_service(&state).expect("a service is taken");
    manager
        .update_host(&report(host, generation))
        .expect("a report is taken");
    let request: RequestSpec = facts::request(case);
    let mut found = vec![facts_of(manager, name)];
    let times = case["times"].as_u64().unwrap_or(0);
    for _ in 0..times {
        let counted = manager.consume_from_request(name, name, &request);
        counted.expect("a request is counted");
        found.push(facts_of(manager, name));
    }
    for _ in 0..times {
        let given = manager.release_request(name, name, &request);
        given.expect("a request is given back");
    }
    assert_eq!(sorted(facts_of(manager, name)), sorted(found[0].clone()));
    found
}

/// Pools in one order, equal ones as one: the host has them as reported, Nova by the number of their properties, and what
/// comes back joins its like.
fn sorted(mut facts: Value) -> Value {
    let mut counts: BTreeMap<String, i64> = BTreeMap::new();
    for pool in facts["pools"].as_array_mut().into_iter().flatten() {
        let count = pool["count"].take().as_i64().unwrap_or(0);
        *counts.entry(pool.to_string()).or_default() += count;
    }
    facts["pools"] = json!(counts);
    facts
}

fn report(host: &Value, generation: u64) -> HostReport {
    let number = |key: &str| host[key].as_i64().unwrap_or(0);
    let ratio = |key: &str| host[key].as_f64().unwrap_or(0.0);
    let text = |key: &str| host[key].as_str().unwrap_or_default().to_owned();
    let texts = ["pci_device_pools", "numa_topology"].map(|key| Some((key, host.get(key)?)));
    let texts = texts.into_iter().flatten();
    HostReport {
        host: text("host"),
        node: text("host"),
        generation,
        vcpus: number("vcpus") as u32,
        vcpus_used: number("vcpus_used") as u32,
        memory_mb: number("memory_mb") as u64,
        free_ram_mb: number("free_ram_mb"),
        local_gb: number("local_gb") as u64,
        local_gb_used: number("local_gb_used") as u64,
        free_disk_gb: Some(number("free_disk_gb")),
        disk_available_least: host["disk_available_least"].as_i64(),
        num_instances: number("num_instances") as u32,
        num_io_ops: number("num_io_ops") as u32,
        failed_builds: number("failed_builds") as u32,
        hypervisor_type: text("hypervisor_type"),
        host_ip: text("host_ip"),
        ram_allocation_ratio: ratio("ram_allocation_ratio"),
        cpu_allocation_ratio: ratio("cpu_allocation_ratio"),
        disk_allocation_ratio: ratio("disk_allocation_ratio"),
        stats: texts
            .map(|(key, json)| (key.to_owned(), json.to_string()))
            .collect(),
        ..HostReport::default()
    }
}

/// A host in the form of Nova's answers.
fn facts_of(manager: &dyn HostManager, name: &str) -> Value {
    let table = manager.host_table().expect("there is a table");
    let host = table.host(table.find(name, name).expect("the host is in it"));
    let json = |text: &str| serde_json::from_str::<Value>(text).unwrap_or(Value::Null);
    let cell = |cell: &Value| {
        let used: Vec<&Value> = items(&cell["mempages"])
            .map(|pages| &pages["used"])
            .collect();
        json!({
            "id": cell["id"], "cpu_usage": cell["cpu_usage"], "memory_usage": cell["memory_usage"],
            "pinned_cpus": cell["pinned_cpus"], "used_pages": used,
        })
    };
    let cells = json(host.numa_topology());
    json!({
        "free_ram_mb": host.free_ram_mb(), "free_disk_mb": host.free_disk_mb(),
        "vcpus_used": host.vcpus_used(), "num_instances": host.num_instances(),
        "num_io_ops": host.num_io_ops(), "total_usable_ram_mb": host.total_usable_ram_mb(),
        "total_usable_disk_gb": host.total_usable_disk_gb(), "disk_mb_used": host.disk_mb_used(),
        "vcpus_total": host.vcpus_total(), "failed_builds": host.failed_builds(),
        "pools": items(&json(host.pci_device_pools())).collect::<Vec<_>>(),
        "cells": items(&cells["cells"]).map(cell).collect::<Vec<_>>(),
    })
}

/// Adds how often something was taken: of cells, of devices, and processors for one's own.
fn count(steps: &[Value], taken: &mut [usize; 3]) {
    for pair in steps.windows(2) {
        let changed = |key: &str| usize::from(pair[0][key] != pair[1][key]);
        let pinned = |facts: &Value| -> usize {
            let cells = items(&facts["cells"]);
            cells.map(|cell| items(&cell["pinned_cpus"]).count()).sum()
        };
        taken[0] += changed("cells");
        taken[1] += changed("pools");
        taken[2] += usize::from(pinned(&pair[1]) > pinned(&pair[0]));
    }
}

/// What is different. Where Nova raises half way, what it had counted before that is compared, and nothing after.
fn difference(theirs: &Value, ours: &[Value]) -> Option<String> {
    for (step, (theirs, ours)) in items(theirs).zip(ours).enumerate() {
        let raised = theirs["raised"] == true;
        let (theirs, ours) = (sorted(theirs.clone()), sorted(ours.clone()));
        for (key, value) in ours.as_object().into_iter().flatten() {
            let counts = !raised || ALWAYS.contains(&key.as_str());
            if counts && theirs[key] != *value {
                let (theirs, instances) = (&theirs[key], step);
                return Some(format!(
                    "`{key}` after {instances} instances: Nova {theirs}, ours {value}"
                ));
            }
        }
        if raised {
            return None;
        }
    }
    None
}

fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}
