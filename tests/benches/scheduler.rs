//! One request through `filter_scheduler` with the default filters and weighers, all of them loaded from
//! `.so` files, over fleets of several sizes. Each round consumes and gives back, as a request does.

use std::sync::Arc;
use std::sync::atomic::AtomicU32;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use longshore_control::scheduler::{RequestHosts, SchedulerDrivers};
use longshore_control::{NamedDriver, NamedWeigher};
use longshore_loader::{Loader, PluginMap, log};
use longshore_plugin_api::{
    CallContext, Filter, HostManager, HostReport, RequestFields, Scheduler, SelectOptions,
    ServiceState, SupportedInstance, Weigher,
};
use longshore_tests::files;

const FILTERS: [&str; 8] = [
    "retry",
    "availability_zone",
    "compute",
    "compute_capabilities",
    "image_properties",
    "ram",
    "disk",
    "core",
];
const WEIGHERS: [(&str, f64); 4] = [("ram", 1.0), ("cpu", 1.0), ("disk", 1.0), ("io_ops", -1.0)];

fn drivers() -> Arc<SchedulerDrivers> {
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
    let filter = |name| {
        let one = loader
            .namespace::<dyn Filter>("longshore.scheduler.filter")
            .driver(name);
        NamedDriver::new(name, one.expect("a filter").driver())
    };
    let weigher = |(name, factor)| {
        let one = loader
            .namespace::<dyn Weigher>("longshore.scheduler.weigher")
            .driver(name);
        NamedWeigher::new(name, one.expect("a weigher").driver(), factor)
    };
    let drivers = SchedulerDrivers::new(
        NamedDriver::new("filter_scheduler", scheduler),
        NamedDriver::new("host_manager", manager),
        FILTERS.into_iter().map(filter).collect(),
        WEIGHERS.into_iter().map(weigher).collect(),
    );
    Arc::new(drivers.expect("drivers that answer"))
}

/// A fleet whose hosts differ: a quarter of them is nearly full.
fn fill(drivers: &SchedulerDrivers, hosts: u64) {
    let manager = drivers.host_manager();
    for i in 0..hosts {
        let host = format!("host-{i:06}");
        let free = if i % 4 == 0 {
            256
        } else {
            16_384 + (i * 7919 % 65_536) as i64
        };
        let report = HostReport {
            host: host.clone(),
            node: host.clone(),
            generation: 1,
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
        };
        manager.update_host(&report).expect("a good report");
        let state = ServiceState {
            host,
            up: true,
            ..ServiceState::default()
        };
        manager.update_service(&state).expect("a good state");
    }
}

fn schedule(c: &mut Criterion) {
    let mut group = c.benchmark_group("filter_scheduler");
    group.sample_size(50);
    for hosts in [1_000, 10_000] {
        let drivers = drivers();
        fill(&drivers, hosts);
        let cancel = AtomicU32::new(0);
        let context = CallContext::new(log::services(), "req-bench", 0, &cancel);
        let fields = RequestFields {
            instance_uuid: "00000000-0000-4000-8000-000000000001".to_owned(),
            num_instances: 1,
            vcpus: 1,
            memory_mb: 2048,
            root_gb: 20,
            num_attempts: 1,
            ..RequestFields::default()
        };
        let options = SelectOptions {
            instances: 1,
            host_subset_size: 1,
            alternates: 2,
            ..Default::default()
        };
        group.bench_with_input(BenchmarkId::new("1 instance", hosts), &hosts, |b, _| {
            b.iter(|| {
                let hosts = RequestHosts::new(Arc::clone(&drivers), fields.clone()).expect("hosts");
                let request = hosts.request();
                let driver = drivers.scheduler();
                let chosen = driver.select_destinations(&context, &request, &options, &hosts);
                assert_eq!(chosen.expect("a host").len(), 1);
                hosts.release();
            });
        });
    }
    group.finish();
}

criterion_group!(benches, schedule);
criterion_main!(benches);
