//! Requests through `filter_scheduler`, every driver loaded from its `.so` file, over fleets of several sizes, and what a
//! change of one host costs. Filters and weighers are Nova's defaults of the Pike release (seven and eight), and this
//! project's own, which also look at capacity. Each round consumes and gives back, as a request does.
//!
//! Beside them the floors: reading once, from the memory it is in then, what a request must read of each host. And how much
//! memory a host takes. `tests/bench/scheduler.py` has Nova's side, on the same fleet, and makes the table and the plot.

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use longshore_control::call_watch::Note;
use longshore_control::scheduler::{RequestHosts, SchedulerDrivers};
use longshore_control::{CallEnd, CallWatch, NamedDriver, NamedWeigher, Tally, Watched};
use longshore_loader::{Loader, PluginMap, log};
use longshore_plugin_api::{
    CallContext, Column, Filter, HostColumns, HostManager, HostReport, RequestFields, Scheduler,
    SelectOptions, ServiceState, SupportedInstance, Weigher,
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
        "server_group_anti_affinity",
        "server_group_affinity",
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

/// Every filter that leaves some of the fleet for a plain request, Pike's defaults first.
const EVERY_FILTER: &[&str] = &[
    "retry",
    "availability_zone",
    "compute",
    "compute_capabilities",
    "image_properties",
    "server_group_anti_affinity",
    "server_group_affinity",
    "aggregate_core",
    "aggregate_disk",
    "aggregate_image_properties_isolation",
    "aggregate_instance_extra_specs",
    "aggregate_io_ops",
    "aggregate_multi_tenancy_isolation",
    "aggregate_num_instances",
    "aggregate_ram",
    "aggregate_type_affinity",
    "all_hosts",
    "core",
    "different_host",
    "disk",
    "io_ops",
    "isolated_hosts",
    "json",
    "num_instances",
    "numa_topology",
    "pci_passthrough",
    "ram",
    "same_host",
    "simple_cidr_affinity",
    "type_affinity",
];

/// Counts and times each call, as a host does, and lets all of them pass.
#[derive(Default)]
struct Counted(Tally);

impl CallWatch for Counted {
    fn admit(&self) -> Result<(), String> {
        Ok(())
    }
    fn begin(&self, _: &str) -> Note {
        Note::default()
    }
    fn end(&self, _: Note) {}
    fn ended(&self, _: CallEnd) {}
    fn tally(&self) -> Option<&Tally> {
        Some(&self.0)
    }
}

fn counted() -> Watched {
    Watched::by(Arc::new(Counted::default()))
}

fn drivers(enabled: Enabled) -> Arc<SchedulerDrivers> {
    drivers_with(enabled, Watched::default)
}

fn drivers_with((filters, weighers): Enabled, watch: fn() -> Watched) -> Arc<SchedulerDrivers> {
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
        NamedDriver::new(name, one.expect("a filter").driver()).watched(watch())
    };
    let weigher = |&(name, factor): &(&str, f64)| {
        let one = loader
            .namespace::<dyn Weigher>("longshore.scheduler.weigher")
            .driver(name);
        NamedWeigher::new(name, one.expect("a weigher").driver(), factor).watched(watch())
    };
    let drivers = SchedulerDrivers::new(
        NamedDriver::new("filter_scheduler", scheduler).watched(watch()),
        NamedDriver::new("host_manager", manager).watched(watch()),
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
        for hosts in [100, 1_000, 10_000, 100_000] {
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

/// The same request with every call counted and timed, for what `plugin show` tells.
fn watched(c: &mut Criterion) {
    let drivers = drivers_with(PIKE, counted);
    fill(&drivers, 1_000);
    c.bench_function(
        "1 instance, Pike's defaults, each call timed, 1000 hosts",
        |b| {
            b.iter(|| select(&drivers, 1).release());
        },
    );
}

/// How the time grows with the number of filters, and with that of instances in one request.
fn growth(c: &mut Criterion) {
    let mut group = c.benchmark_group("growth");
    group.sample_size(20);
    group.measurement_time(Duration::from_secs(1));
    for filters in [0, 5, 10, 15, 20, 25, EVERY_FILTER.len()] {
        let drivers = drivers((&EVERY_FILTER[..filters], PIKE.1));
        fill(&drivers, 10_000);
        group.bench_with_input(BenchmarkId::new("filters", filters), &filters, |b, _| {
            b.iter(|| select(&drivers, 1).release());
        });
    }
    let drivers = drivers(PIKE);
    fill(&drivers, 1_000);
    for instances in [1, 2, 5, 10, 20, 50, 100] {
        let id = BenchmarkId::new("instances", instances);
        group.bench_with_input(id, &instances, |b, n| {
            b.iter(|| select(&drivers, *n).release());
        });
    }
    group.finish();
}

/// Four bytes of each host for each column that Pike's defaults read for a plain request (state, memory, disk, I/O operations,
/// failed builds), for the weights of one weigher, and for their sum.
const COLUMNS_TOUCHED: usize = 7;

/// Reading that much once, and adding it up.
fn floor(c: &mut Criterion) {
    let mut group = c.benchmark_group("floor");
    for hosts in [1_000, 5_000, 10_000, 100_000] {
        let columns = vec![vec![1_u32; hosts]; COLUMNS_TOUCHED];
        let read = |column: &Vec<u32>| column.iter().fold(0_u32, |sum, n| sum.wrapping_add(*n));
        group.bench_with_input(BenchmarkId::new("read", hosts), &columns, |b, columns| {
            b.iter(|| {
                black_box(columns)
                    .iter()
                    .map(read)
                    .fold(0, u32::wrapping_add)
            });
        });
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

/// Resident memory per host: of the columns with the one snapshot that a request holds, of the columns with two more, taken
/// after a change each, and of the host manager in all.
fn memory(_: &mut Criterion) {
    const HOSTS: u64 = 100_000;
    let before = resident();
    let mut columns = HostColumns::new();
    for i in 0..HOSTS {
        let report = report(i, 1);
        let row = columns.push(&report.host, &report.node);
        columns.set_i32(Column::FreeRamMb, row, report.free_ram_mb as i32);
        columns.set_u32(Column::VcpusUsed, row, report.vcpus_used);
    }
    let per_host = |before| resident().saturating_sub(before) / HOSTS;
    let mut held = vec![columns.snapshot()];
    let one = per_host(before);
    for changed in 0..2 {
        columns.set_u32(Column::VcpusUsed, changed, 99);
        held.push(columns.snapshot());
    }
    let three = per_host(before);
    drop((columns, held));
    let drivers = drivers(PIKE);
    let before = resident();
    fill(&drivers, HOSTS);
    let in_all = per_host(before);
    println!(
        "memory per host: {one} B in the columns with a snapshot, {three} B with three, {in_all} B in all"
    );
}

/// Bytes of this process that are in memory.
fn resident() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = statm.split(' ').nth(1).and_then(|n| n.parse::<u64>().ok());
    pages.unwrap_or(0) * 4096
}

criterion_group!(
    benches, memory, schedule, watched, growth, floor, sustained, update
);
criterion_main!(benches);
