//! A scheduler's drivers without a host around them: for a simulation.
//!
//! They are loaded as a host would load them, by the same map, settings and trust. What differs: each that is named must
//! load, none is tried first, as there is no host to protect, and one that panics is called again, since a fence goes by
//! the clock and a simulation must not. Called by `cli::simulate`.

use longshore_control::scheduler::SchedulerDrivers;
use longshore_loader::{Loader, PluginMap, vet};

use super::drivers;
use super::watch::Watches;
use crate::cli::failure::Failure;
use crate::config::resolved::{Config, PluginPolicy, RecordedCalls};
use crate::logging;

/// Loads drivers, for one simulation after the other.
pub(crate) struct SimulatedDrivers {
    loader: Loader,
    watches: Watches,
}

impl SimulatedDrivers {
    /// Drivers of this map, loaded as the configuration says. What they and the loader log is shown if `is_logged`: a
    /// simulation makes many records that are news once.
    pub(crate) fn new(map: PluginMap, config: &Config, is_logged: bool) -> Self {
        let mut config = config.clone();
        if is_logged {
            logging::start_on_stderr(&config.log);
        }
        config.plugins.panic_limit = u32::MAX;
        config.plugins.record = RecordedCalls::None;
        config.plugins.vet = vet::Policy::Never;
        Self {
            loader: drivers::loader(map, &config, None),
            watches: Watches::new(&config.plugins),
        }
    }

    /// New drivers, as `config` names them: the host manager knows no hosts yet.
    ///
    /// # Errors
    /// One that cannot be loaded.
    pub(crate) fn load(&self, config: &Config) -> Result<SchedulerDrivers, Failure> {
        let mut config = config.clone();
        config.plugins.policy = PluginPolicy::Strict;
        drivers::scheduler(&self.loader, &self.watches, &config)
    }
}
