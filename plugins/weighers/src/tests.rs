//! The weighers through the bridge: Nova's own values, odd hosts, and one verdict for one host and
//! for all.

use crate::build_failure::BuildFailureWeigher;
use crate::metrics::MetricsWeigher;
use crate::pci::PciWeigher;
use crate::server_group::{SoftAffinityWeigher, SoftAntiAffinityWeigher};
use crate::{cpu::CpuWeigher, disk::DiskWeigher, io_ops::IoOpsWeigher, ram::RamWeigher};
use longshore_plugin_api::{
    full, testing, Column, Driver, HostColumns, List, Mask, RequestFields, RequestSpec, Weigher,
};
use std::path::Path;
use std::sync::Arc;

fn build<T: Weigher + Driver>() -> Arc<dyn Weigher> {
    testing::bridged::<dyn Weigher, T>("{}", Path::new("/nonexistent")).unwrap()
}

fn every_weigher() -> [Arc<dyn Weigher>; 9] {
    [
        build::<BuildFailureWeigher>(),
        build::<MetricsWeigher>(),
        build::<PciWeigher>(),
        build::<SoftAffinityWeigher>(),
        build::<SoftAntiAffinityWeigher>(),
        build::<RamWeigher>(),
        build::<CpuWeigher>(),
        build::<DiskWeigher>(),
        build::<IoOpsWeigher>(),
    ]
}

/// Raw weights of all hosts, after a check that each host alone gets the same.
fn raw(weigher: &dyn Weigher, hosts: &HostColumns) -> Vec<f32> {
    raw_for(weigher, hosts, RequestFields::default())
}

fn raw_for(weigher: &dyn Weigher, hosts: &HostColumns, request: RequestFields) -> Vec<f32> {
    let (table, request) = (hosts.snapshot(), RequestSpec::from(request));
    let mut words = full(table.len());
    let mask = Mask::new(&mut words, table.len());
    let mut scores = vec![f32::NAN; table.len()];
    weigher
        .weigh_all(&table, &request, &mask, &mut scores)
        .unwrap();
    for host in table.iter() {
        assert_eq!(
            weigher.weigh(host, &request).unwrap(),
            scores[host.row()],
            "{host:?}"
        );
    }
    scores
}

/// What the scheduler's host makes of raw weights.
fn normalised(weigher: &dyn Weigher, hosts: &HostColumns) -> Vec<f64> {
    let (raw, range) = (raw(weigher, hosts), weigher.range().unwrap());
    let values = || raw.iter().copied().map(f64::from);
    let min = values().chain(range.min).fold(f64::INFINITY, f64::min);
    let max = values().chain(range.max).fold(f64::NEG_INFINITY, f64::max);
    values()
        .map(|w| {
            if max > min {
                (w - min) / (max - min)
            } else {
                0.0
            }
        })
        .collect()
}

/// Free memory, free disk and I/O operations of the four hosts of Nova's example.
fn example() -> HostColumns {
    let facts = [
        (1024, 10_240, 0),
        (2048, 20_480, 2),
        (4096, 5_120, 1),
        (3072, 20_480, 0),
    ];
    testing::hosts(4, |c, row| {
        let (ram, disk, io_ops) = facts[row];
        c.set_i32(Column::FreeRamMb, row, ram);
        c.set_i32(Column::FreeDiskMb, row, disk);
        c.set_u32(Column::NumIoOps, row, io_ops);
    })
}

#[test]
fn normalised_weights_are_those_of_nova() {
    let hosts = example();
    let ram = normalised(&*build::<RamWeigher>(), &hosts);
    let disk = normalised(&*build::<DiskWeigher>(), &hosts);
    let io_ops = normalised(&*build::<IoOpsWeigher>(), &hosts);
    assert_eq!(ram, [0.25, 0.5, 1.0, 0.75]);
    assert_eq!(disk, [0.5, 1.0, 0.25, 1.0]);
    assert_eq!(io_ops, [0.0, 1.0, 0.5, 0.0]);
    // The fourth host of the example has failed builds, which no weigher here looks at.
    let total: Vec<f64> = (0..3).map(|i| ram[i] + disk[i] - io_ops[i]).collect();
    assert_eq!(total, [0.75, 0.5, 0.75]);
}

#[test]
fn free_processors_count_the_ratio() {
    let hosts = testing::hosts(3, |c, row| {
        c.set_u32(Column::VcpusTotal, row, [4, 8, 2][row]);
        c.set_u32(Column::VcpusUsed, row, [60, 8, 10][row]);
        c.set_f32(Column::CpuAllocationRatio, row, [16.0, 1.5, 1.0][row]);
    });
    assert_eq!(raw(&*build::<CpuWeigher>(), &hosts), [4.0, 4.0, -8.0]);
}

#[test]
fn equal_hosts_have_equal_weights() {
    let hosts = testing::hosts(130, |_, _| {});
    for weigher in every_weigher() {
        let raw = raw(&*weigher, &hosts);
        assert!(raw.iter().all(|w| w.to_bits() == raw[0].to_bits()));
    }
}

#[test]
fn weights_are_finite_whatever_the_table_says() {
    let ratios = [f32::NAN, f32::INFINITY, f32::MAX, 0.0, -1.0];
    let hosts = testing::hosts(ratios.len(), |c, row| {
        c.set_i32(Column::FreeRamMb, row, i32::MIN);
        c.set_i32(Column::FreeDiskMb, row, i32::MAX);
        c.set_u32(Column::NumIoOps, row, u32::MAX);
        c.set_u32(Column::VcpusTotal, row, [u32::MAX, 0][row % 2]);
        c.set_u32(Column::VcpusUsed, row, u32::MAX);
        c.set_f32(Column::CpuAllocationRatio, row, ratios[row]);
    });
    for weigher in every_weigher() {
        assert!(raw(&*weigher, &hosts).iter().all(|w| w.is_finite()));
    }
}

#[test]
fn no_hosts_and_a_short_answer_are_no_trouble() {
    for weigher in every_weigher() {
        assert!(raw(&*weigher, &HostColumns::new()).is_empty());
        assert_eq!(weigher.range().unwrap().max, None);
    }
}

#[test]
fn devices_weigh_against_a_host_up_to_a_bound() {
    let pools = [
        "",
        r#"[{"count": 3}, {"count": 1}]"#,
        r#"[{"count": 500}]"#,
        "damaged",
    ];
    let hosts = testing::hosts(4, |c, row| {
        c.set_text(Column::PciDevicePools, row, pools[row])
    });
    assert_eq!(
        raw(&*build::<PciWeigher>(), &hosts),
        [100.0, 96.0, 1.0, 100.0]
    );
}

#[test]
fn members_of_the_group_weigh_by_its_policy() {
    let hosts = testing::hosts(3, |c, row| {
        let on_host: &[&str] = [&["a", "b", "x"][..], &["c"], &["x"]][row];
        let ids: Vec<u32> = on_host.iter().map(|uuid| c.intern(uuid)).collect();
        c.set_list(List::Instances, row, &ids);
    });
    let request = |policy: &str| RequestFields {
        group_policies: vec![policy.to_owned()],
        group_members: ["a", "b", "c", "gone"].map(str::to_owned).into(),
        ..RequestFields::default()
    };
    let (near, far) = (
        build::<SoftAffinityWeigher>(),
        build::<SoftAntiAffinityWeigher>(),
    );
    let weights = |weigher: &dyn Weigher, policy| raw_for(weigher, &hosts, request(policy));
    assert_eq!(weights(&*near, "soft-affinity"), [2.0, 1.0, 0.0]);
    assert_eq!(weights(&*far, "soft-anti-affinity"), [-2.0, -1.0, 0.0]);
    assert_eq!(weights(&*near, "soft-anti-affinity"), [0.0; 3]);
}

#[test]
fn metrics_weigh_by_the_operators_ratios() {
    let metrics = [
        r#"[{"name": "cpu.percent", "value": 0.5}, {"name": "cpu.frequency", "value": 800}]"#,
        r#"[{"name": "cpu.percent", "value": 0.25}]"#,
    ];
    let hosts = testing::hosts(2, |c, row| c.set_text(Column::Metrics, row, metrics[row]));
    let weigher = |settings: &str| {
        testing::bridged::<dyn Weigher, MetricsWeigher>(settings, Path::new("/nonexistent"))
            .unwrap()
    };
    let load = weigher(r#"{"weight_setting": {"cpu.percent": -2}}"#);
    assert_eq!(raw(&*load, &hosts), [-100.0, -50.0]);
    let both = r#""weight_setting": {"cpu.frequency": 1, "cpu.percent": 1}"#;
    let lenient = weigher(&format!(
        r#"{{{both}, "required": false, "weight_of_unavailable": -7}}"#
    ));
    assert_eq!(raw(&*lenient, &hosts), [850.0, -7.0]);
    let table = hosts.snapshot();
    let request = RequestFields::default().into();
    let error = weigher(&format!("{{{both}}}")).weigh(table.host(1), &request);
    let text = error.unwrap_err().to_string();
    assert!(
        text.contains("`host-0002`") && text.contains("`cpu.frequency`"),
        "{text}"
    );
}

#[test]
fn failed_builds_count() {
    let hosts = testing::hosts(2, |c, row| {
        c.set_u32(Column::FailedBuilds, row, [0, 3][row])
    });
    assert_eq!(raw(&*build::<BuildFailureWeigher>(), &hosts), [0.0, 3.0]);
}

#[test]
fn an_over_committed_host_weighs_less_than_nothing() {
    let hosts = testing::hosts(2, |c, row| {
        c.set_i32(Column::FreeRamMb, row, [-512, 1024][row])
    });
    assert_eq!(raw(&*build::<RamWeigher>(), &hosts), [-512.0, 1024.0]);
    assert_eq!(normalised(&*build::<RamWeigher>(), &hosts), [0.0, 1.0]);
}
