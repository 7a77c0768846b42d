//! The hosts of a simulation, from a file: the fields of a compute's report, with defaults that a new host would have.
//!
//! Amounts are checked here, against what the host manager's table holds, so that a mistake has its place in the file.
//! Called by `simulate::run`.

use longshore_control::scheduler::simulate::{Fleet, HOSTS_MAX, SimulatedHost};
use longshore_loader::diagnostic::{Diagnostic, Place};
use longshore_plugin_api::{HostReport, SupportedInstance};

use super::input::Input;
use super::rows::{Field, Kind, List, Row, field, needed};
use crate::cli::failure::Failure;
use crate::codes;
use crate::config::resolved::ComputeConfig;

/// Most processors of a host.
const VCPUS_MAX: i64 = 1_000_000;
/// Most memory of a host, in MB, and most disk, in MB: the table holds 31 bits.
const MB_MAX: i64 = i32::MAX as i64;
const GB_MAX: i64 = MB_MAX / 1024;
/// Most instances, builds and the like.
const COUNT_MAX: i64 = 1_000_000;

const RATIO: Kind = Kind::Number(0.01, 1_000.0);
const COUNT: Kind = Kind::Whole(0, COUNT_MAX);

/// The fields of a host; `docs/simulate.md` explains them.
pub(super) const HOSTS: List = List {
    name: "hosts",
    what: "host",
    fields: FIELDS,
};

const FIELDS: &[Field] = &[
    field("host", Kind::Text),
    field("node", Kind::Text),
    field("count", Kind::Whole(1, HOSTS_MAX as i64)),
    field("zone", Kind::Text),
    field("disabled", Kind::Flag),
    needed("vcpus", Kind::Whole(0, VCPUS_MAX)),
    field("vcpus_used", Kind::Whole(0, VCPUS_MAX)),
    needed("memory_mb", Kind::Whole(0, MB_MAX)),
    field("free_ram_mb", Kind::Whole(-MB_MAX, MB_MAX)),
    needed("local_gb", Kind::Whole(0, GB_MAX)),
    field("local_gb_used", Kind::Whole(0, GB_MAX)),
    field("free_disk_gb", Kind::Whole(-GB_MAX, GB_MAX)),
    field("disk_available_least", Kind::Whole(-GB_MAX, GB_MAX)),
    field("num_instances", COUNT),
    field("num_io_ops", COUNT),
    field("failed_builds", COUNT),
    field("hypervisor_type", Kind::Text),
    field("hypervisor_version", Kind::Whole(0, u32::MAX as i64)),
    field("architecture", Kind::Text),
    field("vm_mode", Kind::Text),
    field("host_ip", Kind::Text),
    field("cpu_info", Kind::Text),
    field("cpu_allocation_ratio", RATIO),
    field("ram_allocation_ratio", RATIO),
    field("disk_allocation_ratio", RATIO),
    field("stats", Kind::Pairs),
];

/// Reads a fleet. Allocation ratios that are not given are those of the configuration.
///
/// # Errors
/// What is wrong in the file, or that the fleet is empty.
pub(super) fn read(input: &Input, compute: &ComputeConfig) -> Result<Fleet, Failure> {
    let mut hosts: Vec<SimulatedHost> = Vec::new();
    input.rows(&HOSTS, &mut |row| {
        let count = row.whole::<usize>("count");
        let room = HOSTS_MAX - hosts.len();
        if count.unwrap_or(1) > room {
            let what = format!("this row makes more than {HOSTS_MAX} hosts");
            row.refuse("count", what, "simulate a smaller fleet");
            return false;
        }
        let named = row.text("host");
        let name = named
            .clone()
            .unwrap_or_else(|| format!("host-{}", row.number));
        let host = host(row, compute);
        for number in 1..=count.unwrap_or(1) {
            let name = match count {
                None => name.clone(),
                Some(_) => format!("{name}-{number}"),
            };
            hosts.push(called(host.clone(), name));
        }
        true
    })?;
    Fleet::new(hosts).map_err(|why| {
        let what = format!("cannot simulate with `{}`", input.name);
        let d = Diagnostic::error(codes::EMPTY_INPUT, Place::File(input.name.clone()), what)
            .with_why(why)
            .with_help("give every host a name of its own, or `count` to rows without one");
        Failure::configuration(vec![d])
    })
}

/// Without a node of its own, a host is its node.
fn called(mut host: SimulatedHost, name: String) -> SimulatedHost {
    if host.report.node.is_empty() {
        host.report.node.clone_from(&name);
    }
    host.report.host = name;
    host
}

fn host(row: &mut Row<'_, '_>, compute: &ComputeConfig) -> SimulatedHost {
    let memory_mb: u64 = row.whole("memory_mb").unwrap_or_default();
    let local_gb: u64 = row.whole("local_gb").unwrap_or_default();
    let local_gb_used: u64 = row.whole("local_gb_used").unwrap_or_default();
    let hypervisor_type = row
        .text("hypervisor_type")
        .unwrap_or_else(|| "fake".to_owned());
    let supported = SupportedInstance {
        architecture: row
            .text("architecture")
            .unwrap_or_else(|| "x86_64".to_owned()),
        hypervisor_type: hypervisor_type.clone(),
        vm_mode: row.text("vm_mode").unwrap_or_else(|| "hvm".to_owned()),
    };
    let stats = row.pairs("stats").into_iter();
    let stats = stats.filter_map(|(key, texts)| Some((key, texts.into_iter().next()?)));
    // Fields are at most 31 bits wide.
    let free_gb = local_gb as i64 - local_gb_used as i64;
    let report = HostReport {
        host: String::new(),
        node: row.text("node").unwrap_or_default(),
        generation: 1,
        vcpus: row.whole("vcpus").unwrap_or_default(),
        vcpus_used: row.whole("vcpus_used").unwrap_or_default(),
        memory_mb,
        free_ram_mb: row.whole("free_ram_mb").unwrap_or(memory_mb as i64),
        local_gb,
        local_gb_used,
        free_disk_gb: Some(row.whole("free_disk_gb").unwrap_or(free_gb)),
        disk_available_least: row.whole("disk_available_least"),
        num_instances: row.whole("num_instances").unwrap_or_default(),
        num_io_ops: row.whole("num_io_ops").unwrap_or_default(),
        failed_builds: row.whole("failed_builds").unwrap_or_default(),
        hypervisor_type,
        hypervisor_version: row.whole("hypervisor_version").unwrap_or_default(),
        cpu_info: row.text("cpu_info").unwrap_or_default(),
        supported_instances: vec![supported],
        host_ip: row.text("host_ip").unwrap_or_default(),
        ram_allocation_ratio: row
            .number("ram_allocation_ratio")
            .unwrap_or(compute.ram_allocation_ratio),
        cpu_allocation_ratio: row
            .number("cpu_allocation_ratio")
            .unwrap_or(compute.cpu_allocation_ratio),
        disk_allocation_ratio: row
            .number("disk_allocation_ratio")
            .unwrap_or(compute.disk_allocation_ratio),
        stats: stats.collect(),
    };
    SimulatedHost {
        report,
        zone: row.text("zone"),
        disabled: row.flag("disabled"),
    }
}
