//! From the configuration's names to drivers, through the loader's managers.
//!
//! A driver that a service is told to use by name must load, or the start fails. A filter or weigher
//! that does not load is skipped and said aloud, unless the policy is strict.

use std::sync::Arc;

use longshore_control::compute::ComputeConfig as ManagerConfig;
use longshore_control::scheduler::{FaultPolicy, SchedulerDrivers};
use longshore_control::{NamedDriver, NamedWeigher, Watched};
use longshore_loader::gates::VettingGate;
use longshore_loader::process::ProcessWatch;
use longshore_loader::stage::LoadMode;
use longshore_loader::vet;
use longshore_loader::{
    DriverManager, ExtensionInfo, LoadFailure, Loader, NamedExtensionManager, PluginMap,
};
use longshore_plugin_api::__abi::table::DriverKind;
use longshore_plugin_api::{Filter, HostManager, Scheduler, Virt, Weigher};
use serde_json::Value as Json;

use super::watch::Watches;
use crate::cli::exit::Exit;
use crate::cli::failure::{Failure, Failures};
use crate::cli::plugin::no_entry;
use crate::config::resolved::{Config, OnFault, PluginPolicy};
use crate::loading;

/// Namespace of scheduler drivers.
pub(super) const SCHEDULER: &str = "longshore.scheduler.driver";
/// Namespace of host managers.
pub(super) const HOST_MANAGER: &str = "longshore.scheduler.host_manager";
/// Namespace of filters.
pub(super) const FILTER: &str = "longshore.scheduler.filter";
/// Namespace of weighers.
pub(super) const WEIGHER: &str = "longshore.scheduler.weigher";
/// Namespace of virt drivers.
pub(super) const VIRT: &str = "longshore.virt.driver";

/// The loader of a host. Who watches the process, if somebody does, looks on.
pub(super) fn loader(
    map: PluginMap,
    config: &Config,
    process: Option<&Arc<ProcessWatch>>,
) -> Loader {
    let plugins = &config.plugins;
    if plugins.load == LoadMode::Direct {
        tracing::warn!(
            "plugins are opened directly (`plugins.load = \"direct\"`): a file that changes while it \
             is in use can end this host"
        );
    }
    let mut options = loading::options(config);
    options.process = process.map(Arc::clone);
    if plugins.vet != vet::Policy::Never {
        let dir = config.host.state_dir.join("vetting");
        let vetting = vet::Options {
            strict: plugins.policy == PluginPolicy::Strict,
            dir: dir.clone(),
            ..vet::Options::default()
        };
        let vetter = vet::Vetter::new(plugins.vet, vetting, &dir);
        options.gates.push(Arc::new(VettingGate(vetter)));
    }
    Loader::with_options(map, &config.host.state_dir, options)
}

/// Says that a filter counts hosts without a zone to another one than the API: servers that ask for that zone would be
/// accepted, and find no host.
fn warn_of_another_zone(filter: &ExtensionInfo, config: &Config) {
    const KEY: &str = "default_availability_zone";
    let ours = &config.api.default_availability_zone;
    let theirs = filter.settings.get(KEY).and_then(Json::as_str);
    if let Some(theirs) = theirs.filter(|theirs| theirs != ours) {
        let name = &filter.name;
        tracing::warn!(
            "hosts without a zone are in `{theirs}` for filter `{name}` and in `{ours}` for the API: set its `{KEY}` in \
             the map and `api.{KEY}` to the same name"
        );
    }
}

/// A refused plugin as the failure of a start: exit 4.
pub(super) fn refused(failure: &LoadFailure) -> Failure {
    if failure.diagnostics.is_empty() {
        Failure::refusal(&failure.refusal)
    } else {
        let mut whole = Failure::configuration(failure.diagnostics.clone());
        whole.exit = Exit::Plugin;
        whole
    }
}

/// The scheduler's drivers.
///
/// # Errors
/// All that are refused and cannot be done without: under the strict policy every one.
pub(super) fn scheduler(
    loader: &Loader,
    watches: &Watches,
    config: &Config,
) -> Result<SchedulerDrivers, Failure> {
    let names = &config.scheduler;
    let mut refusals = Failures::default();
    let strict = config.plugins.policy == PluginPolicy::Strict;
    let weighers: Vec<&str> = names.weighers.iter().map(|(w, _)| w.as_str()).collect();
    let scheduler = refusals.keep(one::<dyn Scheduler>(loader, SCHEDULER, &names.driver));
    let host_manager = one::<dyn HostManager>(loader, HOST_MANAGER, &names.host_manager);
    let host_manager = refusals.keep(host_manager);
    let filters = several::<dyn Filter>(loader, FILTER, &names.enabled_filters, strict);
    let filters = refusals.keep(filters);
    let weighers = refusals.keep(several::<dyn Weigher>(loader, WEIGHER, &weighers, strict));
    let (Some(scheduler), Some(host_manager), Some(filters), Some(weighers)) =
        (scheduler, host_manager, filters, weighers)
    else {
        return Err(refusals.into_one());
    };
    for filter in filters.iter() {
        warn_of_another_zone(filter.info(), config);
    }
    let filters = filters
        .iter()
        .map(|e| NamedDriver::new(e.name(), Arc::clone(e.driver())).watched(watches.of(e, "")));
    let multiplier = |name: &str| {
        let mut weighers = names.weighers.iter();
        weighers.find(|(n, _)| n == name).map_or(1.0, |(_, m)| *m)
    };
    let weighers = weighers.iter().map(|e| {
        let asked = e.info().alias.as_deref().unwrap_or(e.name());
        let weigher = NamedWeigher::new(e.name(), Arc::clone(e.driver()), multiplier(asked));
        weigher.watched(watches.of(e, ""))
    });
    let scheduler = NamedDriver::new(names.driver.clone(), scheduler.driver())
        .watched(watches.of(scheduler.extension(), ""));
    let host_manager = NamedDriver::new(names.host_manager.clone(), host_manager.driver())
        .watched(watches.of(host_manager.extension(), ""));
    let drivers = SchedulerDrivers::new(
        scheduler,
        host_manager,
        filters.collect(),
        weighers.collect(),
    );
    let drivers = drivers.map_err(|e| Failure::new(Exit::Plugin, e.code(), e.to_string()))?;
    Ok(drivers.on_faults(
        policy(names.on_filter_fault),
        policy(names.on_weigher_fault),
    ))
}

fn one<K: ?Sized + DriverKind>(
    loader: &Loader,
    namespace: &str,
    name: &str,
) -> Result<DriverManager<K>, Failure> {
    let found = loader.namespace::<K>(namespace).driver(name);
    found.map_err(|f| refused(&f))
}

fn policy(on: OnFault) -> FaultPolicy {
    match on {
        OnFault::Fail => FaultPolicy::Fail,
        OnFault::Skip => FaultPolicy::Skip,
    }
}

/// Those of the names that load. The others are skipped and said aloud; under the strict policy they are the failure, all
/// of them.
fn several<K: ?Sized + DriverKind>(
    loader: &Loader,
    namespace: &str,
    names: &[impl AsRef<str>],
    strict: bool,
) -> Result<NamedExtensionManager<K>, Failure> {
    let manager = loader
        .namespace::<K>(namespace)
        .on_failure(|_| Ok(()))
        .on_missing(|_| Ok(()))
        .named(names)
        .map_err(|f| refused(&f))?;
    let missing = manager.missing().iter();
    let missing = missing.map(|name| no_entry(loader.map(), namespace, name));
    let skips = manager.failures().iter().filter(|f| f.is_skip());
    let broken = manager.failures().iter().filter(|f| !f.is_skip());
    let mut refusals = Failures::default();
    for failure in broken.map(refused).chain(missing) {
        if !strict {
            tracing::error!(code = failure.code(), "skipped: {}", failure.one_line());
        }
        refusals.keep::<()>(Err(failure));
    }
    for skip in skips {
        tracing::info!("skipped: {}", skip.one_line());
    }
    match strict && !refusals.is_empty() {
        true => Err(refusals.into_one()),
        false => Ok(manager),
    }
}

/// The virt driver of one host, and who looks on while it is called.
pub(super) fn virt(
    loader: &Loader,
    watches: &Watches,
    config: &Config,
    host: &str,
) -> Result<(Arc<dyn Virt>, Watched), Failure> {
    let one = loader
        .namespace::<dyn Virt>(VIRT)
        .for_host(host)
        .driver(&config.compute.virt);
    let manager = one.map_err(|f| refused(&f))?;
    let watched = watches.of(manager.extension(), host);
    manager.extension().ready().map_err(|e| {
        let what = format!(
            "driver `{}` for `{VIRT}` is not ready on `{host}`",
            config.compute.virt
        );
        let why = longshore_loader::diagnostic::escape(&e.to_string());
        let failure =
            Failure::new(Exit::Plugin, longshore_loader::codes::DRIVER_FAILED, what).why(why);
        match e.help() {
            Some(help) => failure.help(longshore_loader::diagnostic::escape(help)),
            None => failure,
        }
    })?;
    Ok((manager.driver(), watched))
}

/// What a compute manager is told.
pub(super) fn compute(config: &Config, host: &str) -> ManagerConfig {
    let compute = &config.compute;
    let whole = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
    ManagerConfig {
        host_ip: Some(compute.my_ip.to_string()),
        cpu_allocation_ratio: compute.cpu_allocation_ratio,
        ram_allocation_ratio: compute.ram_allocation_ratio,
        disk_allocation_ratio: compute.disk_allocation_ratio,
        reserved_host_memory_mb: whole(compute.reserved_host_memory_mb),
        reserved_host_disk_mb: whole(compute.reserved_host_disk_mb),
        reserved_host_cpus: i64::from(compute.reserved_host_cpus),
        max_concurrent_builds: compute.max_concurrent_builds as usize,
        update_resources_interval: std::time::Duration::from_secs(
            compute.update_resources_interval_s,
        ),
        use_local: config.conductor.use_local,
        track_instance_changes: config.scheduler.track_instance_changes,
        scheduler_instance_sync_interval: std::time::Duration::from_secs(
            compute.scheduler_instance_sync_interval_s,
        ),
        ..ManagerConfig::new(host)
    }
}
