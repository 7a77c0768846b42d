//! Loads the drivers away from the thread that listens for signals: a constructor that hangs is named after a while, and
//! does not keep the host from being stopped.
//!
//! Called by `up` once. What is loaded, and what it becomes, is in `services`.

use std::sync::Arc;
use std::time::Duration;

use longshore_loader::record::InFlight;
use longshore_service::{Signal, Signals};

use super::services::{self, Services, Shared};
use crate::cli::failure::Failure;
use crate::config::Config;

/// How long drivers are waited for before the one that is being built is named, each time.
const PATIENCE: Duration = Duration::from_secs(10);

/// Builds the services; none when a signal asked the host to stop meanwhile.
///
/// # Errors
/// As `services::build`.
pub(super) async fn services(
    config: &Arc<Config>,
    shared: &Shared,
    hosts: &[String],
    signals: &mut Signals,
    record: &InFlight,
) -> Result<Option<Services>, Failure> {
    let (config, shared, hosts) = (Arc::clone(config), shared.clone(), hosts.to_vec());
    let build = move || services::build(&config, &shared, &hosts);
    let mut building = tokio::task::spawn_blocking(build);
    loop {
        tokio::select! {
            built = &mut building => match built {
                Ok(built) => return built.map(Some),
                Err(error) => std::panic::resume_unwind(error.into_panic()),
            },
            signal = signals.next() => if signal != Signal::Hup {
                return Ok(None);
            },
            () = tokio::time::sleep(PATIENCE) => say_who_is_slow(record),
        }
    }
}

fn say_who_is_slow(record: &InFlight) {
    for call in record.running() {
        let (driver, method) = (call.driver.name, call.call);
        tracing::warn!("still waiting for `{driver}`, which is in `{method}`");
    }
}
