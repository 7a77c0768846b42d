//! `longshore up`: everything that must be right before services start, then the start.
//!
//! Who starts the services is passed in; this file must not know how. Called by `cli::run`.

use longshore_loader::diagnostic::Diagnostic;
use longshore_loader::map::PluginMap;

use super::args::Up;
use super::exit::Exit;
use super::failure::Failure;
use super::{Context, configuration};
use crate::config::raw::RawConfig;
use crate::config::{Config, Surroundings};

/// What a start needs to know.
#[derive(Debug, Clone)]
pub struct Start {
    /// The configuration.
    pub config: Config,
    /// The same with origins, for messages about it.
    pub raw: RawConfig,
    /// The map of entry points.
    pub map: PluginMap,
    /// How many compute services to run; one named as the host when absent.
    pub hosts: Option<u16>,
    /// What to read again when the configuration is to be reloaded.
    pub around: Surroundings,
    /// What is odd and accepted, for the log.
    pub warnings: Vec<Diagnostic>,
}

/// Starts the services, and returns when they have stopped.
pub type Starter<'a> = &'a dyn Fn(Start) -> Result<Exit, Failure>;

/// Checks both files, then starts.
pub(crate) fn run(context: &mut Context<'_>, args: &Up) -> Result<Exit, Failure> {
    let loaded = context.load();
    if loaded.has_errors() {
        return Err(Failure::configuration(loaded.diagnostics));
    }
    let map = loaded
        .load_map(&context.around)
        .map_err(Failure::configuration)?;
    let (config, raw, mut warnings) = loaded.into_config().map_err(Failure::configuration)?;
    let named = configuration::check_names(&raw, &map);
    if configuration::has_errors(&named) {
        return Err(Failure::configuration(named));
    }
    warnings.extend(named);
    warnings.extend_from_slice(map.diagnostics());
    (context.starter)(Start {
        config,
        raw,
        map,
        hosts: args.hosts,
        around: context.around.clone(),
        warnings,
    })
}
