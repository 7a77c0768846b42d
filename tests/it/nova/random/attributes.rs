//! Cases of filters that look up facts of a host by name: in extra specs, and in the user's queries.

use serde_json::{Value, json};

use super::texts::name_nodes;
use super::{Draft, Pick, Recipe};

pub(super) fn recipe(driver: &str) -> Option<Recipe> {
    Some(match driver {
        "compute_capabilities" => capabilities,
        "json" => query,
        _ => return None,
    })
}

fn capabilities(pick: &mut Pick, draft: &mut Draft) {
    name_nodes(draft);
    draft.hosts_of(pick, "hypervisor_type", &["QEMU", "xen"]);
    draft.hosts_of(pick, "hypervisor_version", &[6_002_000, 4_000_000]);
    draft.hosts_of(pick, "vcpus_total", &[0, 4, 8]);
    draft.hosts_of(pick, "free_ram_mb", &[-1, 0, 2048]);
    draft.hosts_of(pick, "cpu_allocation_ratio", &[1.1, 16.0]);
    draft.hosts_of(pick, "num_io_ops", &[0, 10]);
    let cpu = [
        r#"{"vendor": "Intel", "features": ["aes", "mmx"], "topology": {"cores": 2, "ht": true}}"#,
        r#"{"vendor": "AMD", "features": []}"#,
    ];
    draft.hosts_of(pick, "cpu_info", &cpu);
    let stats = [
        "1",
        "2",
        "10",
        "True",
        "{\"b\": \"deep\", \"n\": 1.5}",
        "abc",
        "",
    ];
    draft.each("stats", || pick.pairs(&["gpu", "ssd", "nested"], &stats, 3));
    draft.each("supported_instances", || {
        pick.of(&[json!([]), json!([["x86_64", "kvm", "hvm"]])])
    });
    let keys = [
        "gpu",
        "capabilities:gpu",
        "capabilities:ssd",
        "ssd",
        "hypervisor_type",
        "capabilities:hypervisor_version",
        "capabilities:vcpus_total",
        "free_ram_mb",
        "capabilities:cpu_allocation_ratio",
        "capabilities:cpu_info:vendor",
        "capabilities:cpu_info:features",
        "capabilities:cpu_info:topology:cores",
        "capabilities:cpu_info:topology",
        "capabilities:cpu_info:topology:ht",
        "capabilities:nested:b",
        "capabilities:nested:n",
        "capabilities:stats:gpu",
        "capabilities:supported_instances",
        "hw:cpu_policy",
        "unheard_of",
        "capabilities:unheard_of",
        "num_io_ops",
        "capabilities:host",
        "nodename",
        "capabilities:vcpus_total:x",
        "capabilities:nested",
    ];
    let wanted = [
        "1",
        ">= 2",
        "== 10",
        "<= 6002000",
        "!= 1",
        "= 1",
        "<or> QEMU <or> Intel",
        "<or> 10",
        "<in> aes",
        "<all-in> aes mmx",
        "s== deep",
        "s!= x",
        "s>= a",
        "QEMU",
        "True",
        "<in> 'kvm'",
        "['aes', 'mmx']",
        "['aes', 'mmx'] ",
        "",
        "s<",
        "h1",
        "1.5",
        "<or>",
        "16.0",
        ">= 1.1",
        "<in> 'cores': 2",
        "[]",
    ];
    draft.request["flavor"]["extra_specs"] = pick.pairs(&keys, &wanted, 2);
}

/// A query of the filter `json`: an expression up to two levels deep.
fn query(pick: &mut Pick, draft: &mut Draft) {
    draft.hosts_of(pick, "free_ram_mb", &[0, 512, 1024, 2048]);
    draft.hosts_of(pick, "vcpus_total", &[1, 4, 8]);
    draft.hosts_of(pick, "hypervisor_type", &["QEMU", "xen"]);
    draft.hosts_of(pick, "cpu_allocation_ratio", &[1.5, 16.0]);
    draft.each("stats", || pick.pairs(&["gpu", "ssd"], &["1", "true"], 2));
    let query = match pick.0.below(12) {
        0 => json!([]),
        _ => expression(pick, 2),
    };
    if !pick.once_in(12) {
        draft.request["scheduler_hints"] = json!({"query": [query.to_string()]});
    }
}

fn expression(pick: &mut Pick, depth: usize) -> Value {
    let operators = ["=", "<", ">", "in", "<=", ">=", "not", "or", "and"];
    let operator = if depth > 1 {
        pick.of(&operators[6..])
    } else {
        pick.of(&operators)
    };
    let arguments = pick.0.below(4);
    let mut list = vec![json!(operator)];
    for _ in 0..arguments {
        list.push(if depth > 1 && !pick.once_in(8) {
            expression(pick, depth - 1)
        } else {
            argument(pick)
        });
    }
    json!(list)
}

fn argument(pick: &mut Pick) -> Value {
    pick.of(&[
        json!("$free_ram_mb"),
        json!("$free_ram_mb"),
        json!("$vcpus_total"),
        json!("$hypervisor_type"),
        json!("$stats.gpu"),
        json!("$stats.none"),
        json!("$nothing"),
        json!("$host"),
        json!("$cpu_allocation_ratio"),
        json!(512),
        json!(1024),
        json!(4),
        json!(1.5),
        json!("QEMU"),
        json!("1"),
        json!("h1"),
        json!(""),
        json!(true),
        json!(false),
        json!(null),
        json!(16),
    ])
}
