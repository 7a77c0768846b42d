//! Requests through `filter_scheduler`, every driver loaded from its `.so` file, over fleets of several sizes, and what a
//! change of one host costs. Filters and weighers are Nova's defaults of the Pike release (seven and eight), and this
//! project's own, which also look at capacity. Each round consumes and gives back, as a request does.

use std::sync::Arc;
use std::sync::atomic::AtomicU32;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use longshore_control::scheduler::{RequestHosts, SchedulerDrivers};
use longshore_control::{NamedDriver, NamedWeigher};
use longshore_loader::{Loader, PluginMap, log};
use longshore_plugin_api::{
    CallContext, Filter, HostManager, HostReport, RequestFields, Scheduler, SelectOptions,
    ServiceState, SupportedInstance, Weigher,
};
use longshore_tests::files;

/// Filters, and weighers with their multipliers.
type Enabled = (&'static [&'static str], &'static [(&'static str, f64)]);

const OWN: Enabled = (
    &[
        "retry",
        "availability_zone",
        "compute",
        "compute_capabilities",
        "image_properties",
        "ram",
        "disk",
        "core",
    ],
    &[("ram", 1.0), ("cpu", 1.0), ("disk", 1.0), ("io_ops", -1.0)],
);
const PIKE: Enabled = (
    &[
        "retry",
        "availability_zone",
        "compute",
        "compute_capabilities",
        "image_properties",
        "server_group_anti_affinity",
        "server_group_affinity",
    ],
    &[
        ("ram", 1.0),
        ("disk", 1.0),
        ("io_ops", -1.0),
        ("metrics", 1.0),
        ("pci", 1.0),
        ("server_group_soft_affinity", 1.0),
        ("server_group_soft_anti_affinity", 1.0),
        ("build_failure", -1_000_000.0),
    ],
);

fn drivers((filters, weighers): Enabled) -> Arc<SchedulerDrivers> {
    let text =
        std::fs::read_to_string(files::workspace().join("plugins.toml")).expect("the shipped map");
    let plugins = files::target().join("release").display().to_string();
    let environment = longshore_loader::map::Environment::from_fn(|name| {
        (name == "LONGSHORE_PLUGIN_PATH").then(|| plugins.clone())
    });
    let map = PluginMap::parse_with(&text, "plugins.toml", &environment).expect("a good map");
    let loader = Loader::new(map, std::env::temp_dir());
    let scheduler = loader.namespace::<dyn Scheduler>("longshore.scheduler.driver");
    let scheduler = scheduler
        .driver("filter_scheduler")
        .expect("the scheduler")
        .driver();
    let manager = loader.namespace::<dyn HostManager>("longshore.scheduler.host_manager");
    let manager = manager
        .driver("host_manager")
        .expect("the host manager")
        .driver();
    let filter = |name: &&str| {
        let name = *name;
        let one = loader
            .namespace::<dyn Filter>("longshore.scheduler.filter")
            .driver(name);
        NamedDriver::new(name, one.expect("a filter").driver())
    };
    let weigher = |&(name, factor): &(&str, f64)| {
        let one = loader
            .namespace::<dyn Weigher>("longshore.scheduler.weigher")
            .driver(name);
        NamedWeigher::new(name, one.expect("a weigher").driver(), factor)
    };
    let drivers = SchedulerDrivers::new(
        NamedDriver::new("filter_scheduler", scheduler),
        NamedDriver::new("host_manager", manager),
        filters.iter().map(filter).collect(),
        weighers.iter().map(weigher).collect(),
    );
    Arc::new(drivers.expect("drivers that answer"))
}

/// What a host of the fleet says: a quarter of them is nearly full.
fn report(i: u64, generation: u64) -> HostReport {
    let host = format!("host-{i:06}");
    let free = if i.is_multiple_of(4) {
        256
    } else {
        16_384 + (i * 7919 % 65_536) as i64
    };
    HostReport {
        node: host.clone(),
        host,
        generation,
        vcpus: 64,
        vcpus_used: (i % 48) as u32,
        memory_mb: 131_072,
        free_ram_mb: free,
        local_gb: 2000,
        free_disk_gb: Some(500 + (i * 31 % 1500) as i64),
        num_io_ops: (i % 5) as u32,
        hypervisor_type: "fake".to_owned(),
        supported_instances: vec![SupportedInstance {
            architecture: "x86_64".to_owned(),
            hypervisor_type: "fake".to_owned(),
            vm_mode: "hvm".to_owned(),
        }],
        ram_allocation_ratio: 1.5,
        cpu_allocation_ratio: 16.0,
        disk_allocation_ratio: 1.0,
        ..HostReport::default()
    }
}

/// A fleet whose hosts differ.
fn fill(drivers: &SchedulerDrivers, hosts: u64) {
    let manager = drivers.host_manager();
    for i in 0..hosts {
        let report = report(i, 1);
        manager.update_host(&report).expect("a good report");
        let state = ServiceState {
            host: report.host,
            up: true,
            ..ServiceState::default()
        };
        manager.update_service(&state).expect("a good state");
    }
}

fn request(instances: u32) -> (RequestFields, SelectOptions) {
    let fields = RequestFields {
        instance_uuid: "00000000-0000-4000-8000-000000000001".to_owned(),
        num_instances: instances,
        vcpus: 1,
        memory_mb: 2048,
        root_gb: 20,
        num_attempts: 1,
        ..RequestFields::default()
    };
    let options = SelectOptions {
        instances,
        host_subset_size: 1,
        alternates: 2,
        ..Default::default()
    };
    (fields, options)
}

/// One request, as the scheduler's manager has it: chosen and counted. The hosts, to take it back.
fn select(drivers: &Arc<SchedulerDrivers>, instances: u32) -> RequestHosts {
    let cancel = AtomicU32::new(0);
    let context = CallContext::new(log::services(), "req-bench", 0, &cancel);
    let (fields, options) = request(instances);
    let hosts = RequestHosts::new(Arc::clone(drivers), fields).expect("hosts");
    let request = hosts.request();
    let driver = drivers.scheduler();
    let chosen = driver.select_destinations(&context, &request, &options, &hosts);
    assert_eq!(chosen.expect("hosts").len(), instances as usize);
    hosts
}

fn schedule(c: &mut Criterion) {
    let mut group = c.benchmark_group("filter_scheduler");
    group.sample_size(50);
    for (name, enabled) in [("Pike's defaults", PIKE), ("own defaults", OWN)] {
        for hosts in [1_000, 10_000, 100_000] {
            let drivers = drivers(enabled);
            fill(&drivers, hosts);
            let id = BenchmarkId::new(format!("1 instance, {name}"), hosts);
            group.bench_with_input(id, &hosts, |b, _| {
                b.iter(|| select(&drivers, 1).release());
            });
            if hosts == 1_000 {
                let id = BenchmarkId::new(format!("10 instances, {name}"), hosts);
                group.bench_with_input(id, &hosts, |b, _| {
                    b.iter(|| select(&drivers, 10).release());
                });
            }
        }
    }
    group.finish();
}

/// Requests one after the other, each of which stays: placements per second, claims included.
fn sustained(c: &mut Criterion) {
    let drivers = drivers(PIKE);
    fill(&drivers, 5_000);
    let mut group = c.benchmark_group("filter_scheduler");
    group.throughput(Throughput::Elements(1));
    let mut placed = 0_u64;
    group.bench_function("placements that stay, 5000 hosts", |b| {
        b.iter(|| {
            drop(select(&drivers, 1));
            placed += 1;
            // Each host reports now and then, which settles what was consumed on it.
            if placed.is_multiple_of(4) {
                let report = report(placed / 4 % 5_000, placed);
                drivers
                    .host_manager()
                    .update_host(&report)
                    .expect("a good report");
            }
        });
    });
    group.finish();
}

/// A report of one host among 100,000, and the snapshot that the next request takes.
fn update(c: &mut Criterion) {
    let drivers = drivers(PIKE);
    fill(&drivers, 100_000);
    let manager = drivers.host_manager();
    let (mut i, mut held) = (0_u64, manager.host_table().expect("a table"));
    c.bench_function(
        "one host of 100000 reports, snapshot before and after",
        |b| {
            b.iter(|| {
                i += 1;
                let mut report = report(i * 7919 % 100_000, 1 + i);
                report.free_ram_mb -= 1;
                manager.update_host(&report).expect("a good report");
                held = manager.host_table().expect("a table");
            });
        },
    );
    assert_eq!(held.len(), 100_000);
}

criterion_group!(benches, schedule, sustained, update);
criterion_main!(benches);
