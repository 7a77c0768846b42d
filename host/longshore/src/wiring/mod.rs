//! From a checked configuration to running services, and back to an exit code. The story of a host's life:
//! take over the standard streams → lock the state directory → see how the last process ended → bind the address → open the database → load drivers → start services →
//! recover what was in flight → ready → wait for a signal → drain.
//!
//! Everything is decided in the parts; here they are put together. Called by `cli::up`.

mod building;
mod cost;
mod drivers;
mod endings;
mod last_end;
mod limits;
mod output;
mod plugin_view;
mod process;
mod services;
mod simulated;
mod state_dir;
mod virt_in_use;
mod watch;

use std::io;
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
use crate::config::resolved::{Auth, DriverOutput};
use crate::logging;
use output::Output;
use plugin_view::{Drivers, LocalPlugins, Ready};
use process::OwnThreads;
use services::Shared;
pub(crate) use simulated::SimulatedDrivers;
use watch::Watches;

/// How long calls that still run after the drain are waited for.
const CALLS_LEFT: Duration = Duration::from_secs(1);

/// Runs every service in this process until a signal asks it to stop.
///
/// # Errors
/// What kept it from starting, with the exit code that the contract gives it.
pub fn up(start: Start) -> Result<Exit, Failure> {
    let mut output = Output::shared().map_err(|e| no_output(&e))?;
    logging::start(&start.config.log, output.err());
    let ended = serve(start, &mut output);
    output.end();
    ended
}

fn no_output(error: &io::Error) -> Failure {
    let what = "the standard streams cannot be used";
    let failure = Failure::new(Exit::Failed, crate::codes::NO_OUTPUT, what);
    failure
        .why(error.to_string())
        .help("raise the limits of open files and threads of this process")
}

fn serve(start: Start, output: &mut Output) -> Result<Exit, Failure> {
    for warning in &start.warnings {
        tracing::warn!(code = warning.code, "{warning}");
    }
    let _lock = state_dir::lock(&start.config.host.state_dir)?;
    let runtime = process::runtime();
    let (runtime, own_threads) =
        runtime.map_err(|e| Failure::new(Exit::Failed, crate::codes::STATE_DIR, e.to_string()))?;
    let state_dir = &start.config.host.state_dir;
    let (record, quarantine) = last_end::judge(state_dir)?;
    if start.config.plugins.output == DriverOutput::Logged {
        let logged = output.log_what_is_printed(state_dir);
        logged.map_err(|e| no_output(&e))?;
    }
    endings::tell_who_exits(&record);
    let watches = Arc::new(Watches::new(&start.config.plugins));
    let host = Host {
        record: Arc::clone(&record),
        watches: Arc::clone(&watches),
        own_threads,
        output,
    };
    let ended = runtime.block_on(run(start, &host, quarantine));
    // Driver calls that never return must not keep the process.
    runtime.shutdown_timeout(CALLS_LEFT);
    endings::drop_drivers(&watches);
    // From here on nobody is blamed: a driver that does not come back is left behind.
    record.end_clean();
    ended
}

/// What a host has from its first step to its last.
struct Host<'o> {
    record: Arc<InFlight>,
    watches: Arc<Watches>,
    own_threads: OwnThreads,
    output: &'o Output,
}

async fn run(start: Start, host: &Host<'_>, quarantine: Quarantine) -> Result<Exit, Failure> {
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
    // From here on only drivers change what all share: the host has its signals and its limits.
    let process = process::watch(host.own_threads.clone());
    let loader = drivers::loader(map, &config, Some(&process));
    loader.watch(Arc::clone(&host.record), quarantine);
    let watches = &host.watches;
    let shared = Shared {
        store,
        transport,
        loader,
        watches: Arc::clone(watches),
    };
    let hosts = services::host_names(&config, hosts);
    let config = Arc::new(config);
    let at_rest = process.at_rest();
    let built = building::services(&config, &shared, &hosts, &mut signals, &host.record);
    let Some(services) = built.await? else {
        return Ok(Exit::Done);
    };
    drop(at_rest);
    process::still_ours(&process)?;
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
    announce(host.output.out(), &format!("ready http://{address}"));
    let costs = tokio::spawn(cost::watch(Arc::clone(watches)));
    let every = Duration::from_secs(config.plugins.watch_interval_s);
    let foreign = process::until_beyond_repair(&process, every);
    let exit = until_stopped(&launcher, &mut signals, &host.record, foreign).await;
    costs.abort();
    shared.store.close().await;
    Ok(exit)
}

fn api_config(config: &Config, listen: std::net::SocketAddr) -> ApiConfig {
    ApiConfig {
        listen,
        max_count: i64::from(config.api.max_count),
        default_availability_zone: config.api.default_availability_zone.clone(),
        server_groups_max: config.quota.server_groups,
        server_group_members_max: config.quota.server_group_members,
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

async fn until_stopped(
    launcher: &Launcher,
    signals: &mut Signals,
    record: &InFlight,
    foreign: impl Future<Output = String>,
) -> Exit {
    let clean = tokio::select! {
        () = asked_to_stop(signals) => Exit::Done,
        why = foreign => {
            let code = longshore_loader::codes::DRIVER_CHANGED_PROCESS;
            tracing::error!(code, "this process is no longer what was started: {why}");
            Exit::Failed
        }
    };
    tracing::info!("stopping: finishing what was taken; a second signal ends at once");
    longshore_plugin_api::__abi::host::begin_shutdown();
    tokio::select! {
        end = launcher.stop() => match end {
            DrainEnd::Clean => clean,
            DrainEnd::CutShort => Exit::TimedOut,
        },
        () = second(signals, record) => Exit::TimedOut,
    }
}

async fn asked_to_stop(signals: &mut Signals) {
    while signals.next().await == Signal::Hup {
        tracing::warn!("a changed configuration takes effect at the next start");
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
