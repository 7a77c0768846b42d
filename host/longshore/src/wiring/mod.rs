//! From a checked configuration to running services, and back to an exit code. The story of a host's life:
//! lock the state directory → see how the last process ended → bind the address → open the database → load drivers → start services →
//! recover what was in flight → ready → wait for a signal → drain.
//!
//! Everything is decided in the parts; here they are put together. Called by `cli::up`.

mod drivers;
mod endings;
mod last_end;
mod limits;
mod plugin_view;
mod services;
mod simulated;
mod state_dir;
mod virt_in_use;
mod watch;

use std::sync::Arc;
use std::time::Duration;

use longshore_control::api::{self, ApiConfig, ApiParts};
use longshore_loader::dynlib;
use longshore_loader::quarantine::Quarantine;
use longshore_loader::record::InFlight;
use longshore_service::drain::DrainEnd;
use longshore_service::launcher::GRACEFUL_TIMEOUT;
use longshore_service::{Launcher, ServiceError, Signal, Signals};

use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::render::announce;
use crate::cli::up::Start;
use crate::config::Config;
use crate::config::address::Listen;
use crate::config::resolved::Auth;
use crate::logging;
use plugin_view::{Drivers, LocalPlugins, Ready};
use services::Shared;
pub(crate) use simulated::SimulatedDrivers;
use watch::Watches;

/// Stack of the threads that drivers are called on, in bytes.
const CALL_STACK: usize = 4 << 20;
/// How long calls that still run after the drain are waited for.
const CALLS_LEFT: Duration = Duration::from_secs(1);

/// Runs every service in this process until a signal asks it to stop.
///
/// # Errors
/// What kept it from starting, with the exit code that the contract gives it.
pub fn up(start: Start) -> Result<Exit, Failure> {
    logging::start(&start.config.log);
    for warning in &start.warnings {
        tracing::warn!(code = warning.code, "{warning}");
    }
    let _lock = state_dir::lock(&start.config.host.state_dir)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        // Where a stack overflows, the system says the thread's name.
        .thread_name("longshore-driver-calls")
        .thread_stack_size(CALL_STACK)
        .build();
    let runtime =
        runtime.map_err(|e| Failure::new(Exit::Failed, crate::codes::STATE_DIR, e.to_string()))?;
    let (record, quarantine) = last_end::judge(&start.config.host.state_dir)?;
    endings::tell_who_exits(&record);
    let watches = Arc::new(Watches::new(&start.config.plugins));
    let ended = runtime.block_on(run(start, &record, quarantine, &watches));
    // Driver calls that never return must not keep the process.
    runtime.shutdown_timeout(CALLS_LEFT);
    endings::drop_drivers(&watches);
    // From here on nobody is blamed: a driver that does not come back is left behind.
    record.end_clean();
    ended
}

async fn run(
    start: Start,
    record: &Arc<InFlight>,
    quarantine: Quarantine,
    watches: &Arc<Watches>,
) -> Result<Exit, Failure> {
    let Start {
        config,
        map,
        hosts,
        warnings,
        ..
    } = start;
    let mut signals = Signals::new().map_err(|e| failed(&e))?;
    if config.api.auth == Auth::Token {
        // Accepting the word without checking tokens would open the API to everybody.
        return Err(services::later("`api.auth = \"token\"`"));
    }
    let listen = match &config.api.listen {
        Listen::Tcp(address) => *address,
        Listen::Unix(_) => return Err(services::later("a unix socket")),
    };
    let bound = api::bind(listen).await.map_err(|e| failed(&e))?;
    let store = services::store(&config).await?;
    virt_in_use::check(&config, &store).await?;
    let transport = services::transport(&config)?;
    limits::raise_open_files();
    let loader = drivers::loader(map, &config)?;
    loader.watch(Arc::clone(record), quarantine);
    let shared = Shared {
        store,
        transport,
        loader,
        watches: Arc::clone(watches),
    };
    let hosts = services::host_names(&config, hosts);
    let services = services::build(&config, &shared, &hosts)?;
    let drivers = Arc::new(Drivers::in_use(&config, &shared.loader));
    let address = bound.address();
    let api = bound.serve(ApiParts {
        store: shared.store.clone(),
        transport: Arc::clone(&shared.transport),
        config: api_config(&config, address),
        readiness: Arc::new(Ready {
            store: shared.store.clone(),
            drivers: Arc::clone(&drivers),
            watches: Arc::clone(watches),
            down: services.down,
        }),
        plugins: Arc::new(LocalPlugins::new(
            shared.loader.clone(),
            drivers,
            Arc::clone(watches),
        )),
    });
    let mut launcher = Launcher::new(GRACEFUL_TIMEOUT);
    for service in services.list {
        launcher = launcher.with(service);
    }
    let launcher = launcher.with(Arc::new(api));
    if let Some(exit) = starting(&launcher, &mut signals).await? {
        return Ok(exit);
    }
    // Whoever was being built when the last process ended is built now.
    services
        .conductor
        .recover(Duration::ZERO)
        .await
        .map_err(|e| failed(&e))?;
    tracing::info!(%address, hosts = hosts.len(), odd = warnings.len(), "ready");
    announce(&format!("ready http://{address}"));
    let exit = until_stopped(&launcher, &mut signals, record).await;
    shared.store.close().await;
    Ok(exit)
}

fn api_config(config: &Config, listen: std::net::SocketAddr) -> ApiConfig {
    ApiConfig {
        listen,
        max_count: i64::from(config.api.max_count),
        service_down_time: Duration::from_secs(config.compute.service_down_time_s),
        ..ApiConfig::default()
    }
}

/// Starts the services; a signal meanwhile gives the start up.
async fn starting(launcher: &Launcher, signals: &mut Signals) -> Result<Option<Exit>, Failure> {
    let start = launcher.start();
    tokio::pin!(start);
    loop {
        tokio::select! {
            started = &mut start => return started.map(|()| None).map_err(|e| failed(&e)),
            signal = signals.next() => if signal != Signal::Hup {
                break;
            },
        }
    }
    launcher.stop().await;
    Ok(Some(Exit::Done))
}

async fn until_stopped(launcher: &Launcher, signals: &mut Signals, record: &InFlight) -> Exit {
    while signals.next().await == Signal::Hup {
        tracing::warn!("a changed configuration takes effect at the next start");
    }
    tracing::info!("stopping: finishing what was taken; a second signal ends at once");
    longshore_plugin_api::__abi::host::begin_shutdown();
    tokio::select! {
        end = launcher.stop() => match end {
            DrainEnd::Clean => Exit::Done,
            DrainEnd::CutShort => Exit::TimedOut,
        },
        () = second(signals, record) => Exit::TimedOut,
    }
}

/// Ends the process at the second signal, as if it had killed it.
async fn second(signals: &mut Signals, record: &InFlight) {
    loop {
        let number: u8 = match signals.next().await {
            Signal::Term => 15,
            Signal::Int => 2,
            Signal::Hup => continue,
        };
        record.end_clean();
        dynlib::leave(128 + number);
    }
}

fn failed(error: &ServiceError) -> Failure {
    let failure = Failure::new(Exit::Failed, error.code(), error.to_string());
    match error.hint() {
        Some(hint) => failure.help(hint.to_owned()),
        None => failure,
    }
}
