//! Cases of filters that compare names and other texts: of hosts, instances, images.

use serde_json::{Value, json};

use super::{Draft, Pick, Recipe};

/// Uuids of instances, and one that no host has.
pub(super) const UUIDS: &[&str] = &[
    "00000000-0000-4000-8000-000000000001",
    "00000000-0000-4000-8000-000000000002",
    "00000000-0000-4000-8000-000000000003",
    "00000000-0000-4000-8000-00000000ffff",
];

pub(super) fn recipe(driver: &str) -> Option<Recipe> {
    Some(match driver {
        "all_hosts" => |pick, draft| draft.hosts_of(pick, "disabled", &[true, false]),
        "compute" => compute,
        "different_host" => |pick, draft| hinted_instances(pick, draft, "different_host"),
        "same_host" => |pick, draft| hinted_instances(pick, draft, "same_host"),
        "image_properties" => image,
        "isolated_hosts" => isolated,
        "metrics" => metrics,
        "retry" => retry,
        "server_group_affinity" | "server_group_anti_affinity" => group,
        "simple_cidr_affinity" => cidr,
        "trusted" => trusted,
        "type_affinity" => flavors,
        _ => return None,
    })
}

fn compute(pick: &mut Pick, draft: &mut Draft) {
    draft.hosts_of(pick, "up", &[true, true, false]);
    draft.hosts_of(pick, "disabled", &[true, false, false]);
}

/// Puts instances on hosts, each on one.
pub(super) fn instances(pick: &mut Pick, draft: &mut Draft) {
    draft.each("instances", || json!([]));
    for uuid in &UUIDS[..3] {
        if !pick.once_in(4) {
            let host = pick.0.below(draft.hosts.len());
            let flavor_id = pick.of(&["1", "2"]);
            if let Some(list) = draft.hosts[host]["instances"].as_array_mut() {
                list.push(json!({"uuid": uuid, "flavor_id": flavor_id}));
            }
        }
    }
}

fn hinted_instances(pick: &mut Pick, draft: &mut Draft, hint: &str) {
    instances(pick, draft);
    if !pick.once_in(6) {
        draft.request["scheduler_hints"] = json!({hint: pick.some(UUIDS, 3)});
    }
}

fn flavors(pick: &mut Pick, draft: &mut Draft) {
    instances(pick, draft);
    draft.flavor_of(pick, "id", &["1", "2", "3"]);
}

fn image(pick: &mut Pick, draft: &mut Draft) {
    let kinds = [
        json!([]),
        json!([["x86_64", "kvm", "hvm"]]),
        json!([["x86_64", "kvm", "hvm"], ["aarch64", "qemu", "hvm"]]),
        json!([["x86_64", "xen", "xen"], ["i686", "xen", "hvm"]]),
    ];
    draft.each("supported_instances", || pick.of(&kinds));
    draft.hosts_of(
        pick,
        "hypervisor_version",
        &[6_002_000, 4_001_000, 6_000_000, 10_000_003],
    );
    let pools: [(&str, &[&str]); 8] = [
        ("hw_architecture", &["x86_64", "aarch64", "i686", "ppc64"]),
        ("architecture", &["x86_64", "amd64", "i386"]),
        ("img_hv_type", &["kvm", "xen", "qemu", "xapi"]),
        ("hypervisor_type", &["kvm", "QEMU"]),
        ("hw_vm_mode", &["hvm", "xen", "pv", "hv"]),
        ("vm_mode", &["hvm", "xen"]),
        (
            "img_hv_requested_version",
            &[
                ">=6.0",
                "<6.0",
                ">=6.0, <7.0",
                "==6.2",
                "!=6.2",
                ">4.1",
                "<=10.0.3",
            ],
        ),
        ("os_distro", &["debian"]),
    ];
    let mut properties = serde_json::Map::new();
    for (key, pool) in pick.some(&pools, 4) {
        properties.insert(key.to_owned(), json!(pick.of(pool)));
    }
    if !pick.once_in(10) {
        draft.request["image"] = json!({"id": "an-image", "properties": properties});
    }
}

fn isolated(pick: &mut Pick, draft: &mut Draft) {
    draft.set("isolated_hosts", pick.some(&["h1", "h3", "H2", "gone"], 3));
    draft.set("isolated_images", pick.some(&["i1", "i2"], 2));
    if pick.once_in(2) {
        draft.set(
            "restrict_isolated_hosts_to_isolated_images",
            pick.once_in(2),
        );
    }
    if !pick.once_in(5) {
        draft.request["image"] = json!({"id": pick.of(&["i1", "i2", "i3"]), "properties": {}});
    }
}

fn metrics(pick: &mut Pick, draft: &mut Draft) {
    draft.set("weight_setting", ratios(pick));
    draft.each("metrics", || measured(pick));
}

/// Names of metrics and their ratios.
pub(super) fn ratios(pick: &mut Pick) -> Value {
    let ratios = [
        ("cpu.frequency", 1.0),
        ("cpu.percent", -2.0),
        ("cpu.idle.percent", 0.5),
        ("cpu.user.time", 0.0),
    ];
    let ratios = pick.some(&ratios, 3).into_iter();
    Value::Object(
        ratios
            .map(|(name, ratio)| (name.to_owned(), json!(ratio)))
            .collect(),
    )
}

/// What a host's monitors say. Nova knows metrics of fixed names; shares are between 0 and 1.
pub(super) fn measured(pick: &mut Pick) -> Value {
    let names = [
        "cpu.frequency",
        "cpu.percent",
        "cpu.idle.percent",
        "cpu.kernel.time",
    ];
    let chosen = pick.some(&names, names.len());
    let one = |name: &str| {
        let value = match name.ends_with("percent") {
            true => json!(pick.of(&[0.0, 0.29, 0.5, 0.57, 1.0])),
            false => json!(pick.of(&[0, 1, 800, 2400, 100_000])),
        };
        json!({"name": name, "value": value})
    };
    json!(chosen.into_iter().map(one).collect::<Vec<_>>())
}

/// Nodes are called as their hosts unless something hangs on it.
pub(super) fn name_nodes(draft: &mut Draft) {
    for (number, host) in (1..).zip(&mut draft.hosts) {
        host["nodename"] = json!(format!("n{number}"));
    }
}

fn retry(pick: &mut Pick, draft: &mut Draft) {
    let tried = [
        ["h1", "n1"],
        ["h2", "n2"],
        ["h1", "n2"],
        ["h3", "n3"],
        ["gone", "n4"],
        ["H4", "n4"],
    ];
    name_nodes(draft);
    draft.request["retry"] = json!(pick.some(&tried, 4));
}

fn group(pick: &mut Pick, draft: &mut Draft) {
    instances(pick, draft);
    let policies = pick.some(&["affinity", "anti-affinity", "soft-affinity"], 2);
    let hosts = pick.some(&["h1", "h2", "h3", "gone", "H1"], 3);
    if !pick.once_in(8) {
        draft.request["group"] = json!({"policies": policies, "hosts": hosts, "members": []});
    }
    draft.request["instance_uuid"] = json!(pick.of(UUIDS));
}

fn cidr(pick: &mut Pick, draft: &mut Draft) {
    let near = [
        "10.0.0.1",
        "10.0.0.77",
        "10.0.1.1",
        "10.1.0.1",
        "192.168.1.1",
    ];
    let far = ["fd00::1", "fd00::1:2", "10.0.0.77", "10.0.1.1"];
    let addresses = if pick.once_in(4) { &far[..] } else { &near };
    draft.hosts_of(pick, "host_ip", addresses);
    if pick.once_in(12) {
        draft.hosts_of(pick, "host_ip", &["", "10.0.0.1"]);
    }
    let mut hints = serde_json::Map::new();
    if !pick.once_in(6) {
        let wanted = ["10.0.0.9", "10.0.0.9", "10.0.1.200", "10.0.0.300"];
        let odd = pick.once_in(4);
        let wanted = pick.of(if odd { &["fd00::9", "x"][..] } else { &wanted });
        hints.insert("build_near_host_ip".into(), json!([wanted]));
    }
    if pick.once_in(2) {
        let sizes = [
            "/24",
            "/16",
            "/32",
            "/0",
            "/25",
            "/255.255.0.0",
            "/0.0.0.255",
        ];
        let odd = ["/112", "/33", "24", "/x", "/255.0.255.0", "/ffff:ffff::"];
        let is_odd = pick.once_in(5);
        let size = pick.of(if is_odd { &odd[..] } else { &sizes });
        hints.insert("cidr".into(), json!([size]));
    }
    draft.request["scheduler_hints"] = Value::Object(hints);
}

fn trusted(pick: &mut Pick, draft: &mut Draft) {
    draft.each("stats", || {
        pick.pairs(&["trust_lvl"], &["trusted", "untrusted", "unknown"], 1)
    });
    let levels = ["trusted", "untrusted", "unknown", "Trusted", ""];
    draft.request["flavor"]["extra_specs"] =
        pick.pairs(&["trust:trusted_host", "other"], &levels, 2);
}
