//! Random hosts and requests from a seed, odd ones included. Knows which facts the filters look at,
//! not what they say.

use longshore_plugin_api::{testing, Column, HostColumns, List, RequestFields, STATE_UP};

/// SplitMix64.
pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(super) fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    fn one_of<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.below(items.len())]
    }

    /// Up to `n` of the items, some perhaps twice.
    fn some_of(&mut self, items: &[&str], n: usize) -> Vec<String> {
        (0..self.below(n + 1))
            .map(|_| self.one_of(items).to_owned())
            .collect()
    }
}

const ZONES: &[&str] = &["", "nova", "a", "b", "a,b", " b , c", ","];
/// Keys and values of aggregates' metadata: what some filter looks at, as it should be and not.
const METADATA: &[(&str, &[&str])] = &[
    ("ram_allocation_ratio", &["1.5", "x", "0"]),
    ("max_io_ops_per_host", &["0", "9", "x"]),
    ("filter_tenant_id", &["p1", "p2, p1"]),
    ("instance_type", &["small", "large"]),
    ("os", &["debian", "fedora,debian", ""]),
    ("gpu", &["1", "2"]),
];
const METRICS: &[&str] = &["", "[]", r#"[{"name": "cpu", "value": 1}]"#, "[{]"];
const POOLS: &[&str] = &[
    "",
    r#"[{"vendor_id": "8086", "count": 1, "numa_node": 0}]"#,
    "{}",
];
const CELLS: &[&str] = &[
    "",
    r#"{"cells": [{"id": 0, "cpuset": [0, 1], "memory": 512, "siblings": [[0, 1]]}]}"#,
    r#"{"cells": [{"id": 0, "cpuset": [0], "memory": 512}, {"id": 1, "cpuset": [1], "memory": 9}]}"#,
    r#"{"cells": 1}"#,
];
const QUERIES: &[&str] = &[
    "",
    "[]",
    r#"[">", "$free_ram_mb", 0]"#,
    "[7]",
    r#"["not", true]"#,
];
const STATS: &[&str] = &[
    r#"{"trust_lvl":"trusted"}"#,
    "",
    "{}",
    r#"{"gpu":"1"}"#,
    r#"{"gpu":2,"ssd":true}"#,
    "{\"gpu\":",
];
const RATIOS: &[f32] = &[0.0, 0.9, 1.0, 1.5, 16.0, f32::NAN, f32::INFINITY];
const TRIPLES: &[&[&str]] = &[
    &[],
    &["x86_64", "kvm", "hvm"],
    &["aarch64", "qemu", "hvm"],
    &["x86_64"],
];
const NAMES: &[&str] = &[
    "host-0001",
    "host-0002",
    "host-0063",
    "host-0065",
    "gone",
    "",
];

/// Up to 150 hosts: more than two words, and rarely a whole number of them.
pub(super) fn hosts(random: &mut Random) -> HostColumns {
    use Column::*;
    let n = random.below(150);
    let ratios = if random.below(2) == 0 {
        &RATIOS[2..3]
    } else {
        RATIOS
    };
    testing::hosts(n, |c, row| {
        c.set_text(AvailabilityZone, row, random.one_of(ZONES));
        c.set_text(Stats, row, random.one_of(STATS));
        c.set_text(HypervisorType, row, random.one_of(&["", "QEMU", "xen"]));
        c.set_u32(
            HypervisorVersion,
            row,
            random.one_of(&[0, 5_000_000, 6_001_000]),
        );
        c.set_u32(State, row, random.one_of(&[0, STATE_UP, STATE_UP, 2, 3]));
        c.set_u32(
            TotalUsableRamMb,
            row,
            random.one_of(&[0, 512, 1024, u32::MAX]),
        );
        c.set_i32(
            FreeRamMb,
            row,
            random.one_of(&[0, 512, -1, 1024, i32::MIN, i32::MAX]),
        );
        c.set_u32(TotalUsableDiskGb, row, random.one_of(&[0, 1, 10, u32::MAX]));
        c.set_i32(
            FreeDiskMb,
            row,
            random.one_of(&[0, 1024, -1, i32::MIN, i32::MAX]),
        );
        c.set_u32(VcpusTotal, row, random.one_of(&[0, 4, 8, u32::MAX]));
        c.set_u32(VcpusUsed, row, random.one_of(&[0, 4, 100, u32::MAX]));
        for column in [RamAllocationRatio, CpuAllocationRatio, DiskAllocationRatio] {
            c.set_f32(column, row, random.one_of(ratios));
        }
        let triple: Vec<u32> = random
            .one_of(TRIPLES)
            .iter()
            .map(|text| c.intern(text))
            .collect();
        c.set_list(List::SupportedInstances, row, &triple);
        if random.below(4) == 0 {
            let uuid = c.intern(random.one_of(&["uuid-a", "uuid-b"]));
            c.set_list(List::Instances, row, &[uuid]);
            let flavor = c.intern(random.one_of(&["1", "2", ""]));
            c.set_list(List::InstanceFlavors, row, &[flavor]);
        }
        c.set_u32(NumInstances, row, random.one_of(&[0, 49, 50, u32::MAX]));
        c.set_u32(NumIoOps, row, random.one_of(&[0, 7, 8, u32::MAX]));
        c.set_text(
            HostIp,
            row,
            random.one_of(&["", "10.0.0.1", "10.0.1.1", "x"]),
        );
        c.set_text(Metrics, row, random.one_of(METRICS));
        c.set_text(PciDevicePools, row, random.one_of(POOLS));
        c.set_text(NumaTopology, row, random.one_of(CELLS));
        let mut metadata = Vec::new();
        for aggregate in 0..random.below(3) as u32 {
            let (key, values) = random.one_of(METADATA);
            let value = random.one_of(values);
            metadata.extend([aggregate, c.intern(key), c.intern(value)]);
        }
        c.set_list(List::AggregateMetadata, row, &metadata);
    })
}

/// A request that most filters have something to say about.
pub(super) fn request(random: &mut Random) -> RequestFields {
    let pair = |random: &mut Random| {
        (
            random.one_of(NAMES).to_owned(),
            random.one_of(NAMES).to_owned(),
        )
    };
    let specs = [
        "gpu",
        "capabilities:gpu",
        "hypervisor_type",
        "capabilities:ssd",
        "hw:x",
        "trust:trusted_host",
    ];
    let values = [
        ">= 1",
        "QEMU",
        "True",
        "<or> 1 <or> 2",
        "",
        "s!= xen",
        "trusted",
    ];
    let properties = [
        "hw_architecture",
        "img_hv_type",
        "hw_vm_mode",
        "img_hv_requested_version",
        "os",
    ];
    let wanted = ["x86_64", "kvm", "hvm", ">=6.0", "", "debian"];
    RequestFields {
        instance_uuid: random.one_of(&["uuid-a", "uuid-new", ""]).to_owned(),
        memory_mb: random.one_of(&[0, 512, 1024, u64::MAX]),
        vcpus: random.one_of(&[0, 1, 4, u32::MAX]),
        root_gb: random.one_of(&[0, 1, u64::MAX]),
        ephemeral_gb: random.one_of(&[0, 1, u64::MAX]),
        swap_mb: random.one_of(&[0, 512, u64::MAX]),
        availability_zone: random
            .one_of(&[None, Some("a"), Some("nova"), Some("c")])
            .map(str::to_owned),
        extra_specs: (0..random.below(3))
            .map(|_| {
                (
                    random.one_of(&specs).to_owned(),
                    random.one_of(&values).to_owned(),
                )
            })
            .collect(),
        image_properties: (0..random.below(3))
            .map(|_| {
                (
                    random.one_of(&properties).to_owned(),
                    random.one_of(&wanted).to_owned(),
                )
            })
            .collect(),
        retry_hosts: (0..random.below(4)).map(|_| pair(random)).collect(),
        group_policies: random.some_of(&["affinity", "anti-affinity", "soft-affinity"], 2),
        group_hosts: random.some_of(NAMES, 4),
        project_id: random.one_of(&["p1", "p2", ""]).to_owned(),
        flavor_id: random.one_of(&["1", "2"]).to_owned(),
        flavor_name: random.one_of(&["small", "large"]).to_owned(),
        image_id: random
            .one_of(&[None, Some("i"), Some("j")])
            .map(str::to_owned),
        scheduler_hints: hints(random),
        pci_requests: random
            .one_of(&[
                None,
                Some(r#"[{"count": 1, "spec": [{"vendor_id": "8086"}]}]"#),
                Some("[]"),
            ])
            .map(str::to_owned),
        numa_topology: random
            .one_of(&[
                None,
                Some(r#"{"cells": [{"cpuset": [0], "memory": 512}]}"#),
                Some(""),
            ])
            .map(str::to_owned),
        ..RequestFields::default()
    }
}

fn hints(random: &mut Random) -> Vec<(String, String)> {
    let values: [(&str, &[&str]); 5] = [
        ("different_host", &["uuid-a", ""]),
        ("same_host", &["uuid-a", "uuid-b"]),
        ("build_near_host_ip", &["10.0.0.9", "x"]),
        ("cidr", &["/16", "/99"]),
        ("query", QUERIES),
    ];
    let mut hints = Vec::new();
    for (key, values) in values {
        if random.below(2) == 0 {
            hints.push((key.to_owned(), random.one_of(values).to_owned()));
        }
    }
    hints
}
