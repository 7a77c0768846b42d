//! The services of one process, built from the configuration and the drivers, in the order in which they
//! start: conductor, scheduler, one compute per host. The web API comes last and is added by `up`.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use longshore_control::compute::{ComputeManager, ComputeParts};
use longshore_control::conductor::{ConductorConfig, ConductorManager, RpcObjects};
use longshore_control::scheduler::{AbsentScheduler, SchedulerConfig, SchedulerManager};
use longshore_control::{
    BINARY_COMPUTE, BINARY_CONDUCTOR, BINARY_SCHEDULER, DriverCalls, ObjectRecords, compute,
    conductor, scheduler,
};
use longshore_loader::{Loader, log as driver_log};
use longshore_messaging::{RequestContext, Transport};
use longshore_objects::ObjectApi;
use longshore_service::{Manager, RecordsGroup, Service, ServiceConfig};
use longshore_store::{LocalObjects, Options, Store, StoreError};

use super::drivers;
use super::watch::Watches;
use crate::cli::exit::Exit;
use crate::cli::failure::{Failure, Failures};
use crate::codes;
use crate::config::Config;
use crate::config::address::{Database, Transport as TransportUrl};
use crate::config::resolved::PluginPolicy;

/// What services share.
#[derive(Clone)]
pub(super) struct Shared {
    pub(super) store: Store,
    pub(super) transport: Arc<dyn Transport>,
    pub(super) loader: Loader,
    pub(super) watches: Arc<Watches>,
}

/// The services, and the conductor's manager for the recovery at the start.
pub(super) struct Services {
    pub(super) list: Vec<Arc<Service>>,
    pub(super) conductor: Arc<ConductorManager>,
    /// Services that do not do their work, as a driver is locked out: binary, host and why.
    pub(super) down: Vec<Down>,
}

/// A service that does not do its work, and why.
pub(super) struct Down {
    pub(super) binary: &'static str,
    pub(super) host: String,
    pub(super) why: String,
}

/// Opens the database.
pub(super) async fn store(config: &Config) -> Result<Store, Failure> {
    let path = match &config.database.url {
        Database::Sqlite(path) => path,
        Database::Postgres(_) => return Err(later("PostgreSQL")),
    };
    let url = format!("sqlite://{}", path.display());
    Store::open(&url, Options::default())
        .await
        .map_err(|e| unusable(path, &e))
}

fn unusable(path: &Path, error: &StoreError) -> Failure {
    let what = format!("cannot use the database `{}`", path.display());
    let failure = Failure::new(Exit::Unreachable, error.code(), what).why(error.why());
    failure.help(error.cure().to_owned())
}

/// The transport.
pub(super) fn transport(config: &Config) -> Result<Arc<dyn Transport>, Failure> {
    match &config.transport.url {
        TransportUrl::Memory => Ok(Arc::new(longshore_messaging::MemoryTransport::new())),
        TransportUrl::Rabbit(_) => Err(later("RabbitMQ")),
    }
}

pub(super) fn later(what: &str) -> Failure {
    let text = format!("{what} is not supported by this release");
    Failure::new(Exit::Configuration, codes::NOT_SUPPORTED_HERE, text).help(
        "use `memory://`, a `sqlite://` database, a TCP address on loopback and `auth = \"none\"`",
    )
}

/// The names of the compute hosts.
pub(super) fn host_names(config: &Config, hosts: Option<u16>) -> Vec<String> {
    match hosts {
        None => vec![config.host.name.clone()],
        Some(n) => (1..=n).map(|i| format!("host-{i:04}")).collect(),
    }
}

/// Loads the drivers and builds the services.
///
/// # Errors
/// Every driver that the start cannot do without and that is refused, so that one try names all.
pub(super) fn build(
    config: &Config,
    shared: &Shared,
    hosts: &[String],
) -> Result<Services, Failure> {
    let local: Arc<dyn ObjectApi> = Arc::new(LocalObjects::new(shared.store.clone()));
    let conductor_config = ConductorConfig {
        max_attempts: config.scheduler.max_attempts,
        ..ConductorConfig::default()
    };
    let transport = Arc::clone(&shared.transport);
    let conductor = Arc::new(ConductorManager::new(
        conductor_config,
        shared.store.clone(),
        transport,
    ));
    let mut refused = Failures::default();
    let here = &config.host.name;
    let mut down = Vec::new();
    let scheduler: Option<Arc<dyn Manager>> = match scheduler_manager(config, shared, &local) {
        Ok(manager) => Some(manager),
        Err(failure) if may_do_without(config, &failure) => {
            let absent = AbsentScheduler::new(failure.code(), &failure.one_line());
            down.push(without(BINARY_SCHEDULER, here, &failure));
            Some(Arc::new(absent))
        }
        Err(failure) => refused.keep(Err(failure)),
    };
    let serve = |host: &str, binary: &str, topic: &str, manager, objects| {
        service(config, shared, (host, binary, topic), manager, objects)
    };
    let mut list = vec![serve(
        here,
        BINARY_CONDUCTOR,
        conductor::TOPIC,
        conductor.clone(),
        local.clone(),
    )];
    list.extend(scheduler.map(|scheduler| {
        let (binary, topic) = (BINARY_SCHEDULER, scheduler::TOPIC);
        serve(here, binary, topic, scheduler, local.clone())
    }));
    for host in hosts {
        let objects = match config.conductor.use_local {
            true => local.clone(),
            false => Arc::new(RpcObjects::new(
                shared.transport.clone(),
                RequestContext::admin(),
            )),
        };
        let manager = match compute_manager(config, shared, host, &objects) {
            Ok(manager) => manager,
            Err(failure) if may_do_without(config, &failure) => {
                down.push(without(BINARY_COMPUTE, host, &failure));
                continue;
            }
            // The other hosts would say the same of the same driver.
            Err(failure) => {
                refused.keep::<()>(Err(failure));
                break;
            }
        };
        list.push(serve(
            host,
            BINARY_COMPUTE,
            compute::TOPIC,
            manager,
            objects,
        ));
    }
    if !refused.is_empty() {
        return Err(refused.into_one());
    }
    Ok(Services {
        list,
        conductor,
        down,
    })
}

fn without(binary: &'static str, host: &str, failure: &Failure) -> Down {
    let why = failure.one_line();
    tracing::error!(host, code = failure.code(), "no {binary}: {why}");
    let host = host.to_owned();
    Down { binary, host, why }
}

/// Whether the rest of the control plane serves without this service: its driver ended the process twice, and would do
/// it again to all of them.
fn may_do_without(config: &Config, failure: &Failure) -> bool {
    config.plugins.policy == PluginPolicy::Permissive
        && failure.code() == longshore_loader::codes::PLUGIN_QUARANTINED
}

fn scheduler_manager(
    config: &Config,
    shared: &Shared,
    objects: &Arc<dyn ObjectApi>,
) -> Result<Arc<SchedulerManager>, Failure> {
    let drivers = drivers::scheduler(&shared.loader, &shared.watches, config)?;
    let usual = SchedulerConfig::default();
    let options = SchedulerConfig {
        host_subset_size: config.scheduler.host_subset_size,
        shuffle_best_same_weighed_hosts: config.scheduler.shuffle_best_same_weighed_hosts,
        max_attempts: config.scheduler.max_attempts,
        track_instance_changes: config.scheduler.track_instance_changes,
        service_down_time: Duration::from_secs(config.compute.service_down_time_s),
        select_timeout: Duration::from_secs(config.scheduler.driver_deadline_s),
        workers: config.scheduler.workers.unwrap_or(usual.workers),
        seed: config.scheduler.seed,
    };
    let calls = driver_calls(config);
    Ok(Arc::new(SchedulerManager::new(
        options,
        drivers,
        Arc::clone(objects),
        &calls,
    )))
}

fn compute_manager(
    config: &Config,
    shared: &Shared,
    host: &str,
    objects: &Arc<dyn ObjectApi>,
) -> Result<Arc<ComputeManager>, Failure> {
    let (virt, watched) = drivers::virt(&shared.loader, &shared.watches, config, host)?;
    Ok(ComputeManager::new(ComputeParts {
        config: drivers::compute(config, host),
        objects: Arc::clone(objects),
        transport: Arc::clone(&shared.transport),
        virt,
        calls: driver_calls(config).watched(watched),
    }))
}

fn driver_calls(config: &Config) -> DriverCalls {
    DriverCalls::new(
        driver_log::services(),
        Duration::from_secs(config.compute.driver_deadline_s),
    )
}

fn service(
    config: &Config,
    shared: &Shared,
    (host, binary, topic): (&str, &str, &str),
    manager: Arc<dyn Manager>,
    objects: Arc<dyn ObjectApi>,
) -> Arc<Service> {
    let mut options = ServiceConfig::new(host, binary, topic);
    options.report_interval = Duration::from_secs(config.compute.report_interval_s);
    let group = Arc::new(RecordsGroup::new(Arc::new(ObjectRecords::new(objects))));
    Arc::new(Service::new(
        options,
        manager,
        Arc::clone(&shared.transport),
        group,
    ))
}
