//! `longshore doctor`: everything that a start needs, looked at without starting.
//!
//! Writes nothing and runs no code of a plugin. The files come first, since what follows depends
//! on them; a check that cannot be made is skipped aloud. Called by `cli::run`.

mod drivers;
mod files;
mod machine;
mod places;
mod report;
mod running;
mod trust;

use serde_json::Value as Json;

use super::Context;
use super::exit::Exit;
use super::failure::Failure;
use super::plugin_state::Outlook;
use super::render::Screen;
use report::{Item, Report};
use running::Running;

pub(crate) fn run(context: &mut Context<'_>) -> Result<Exit, Failure> {
    let mut report = Report::default();
    let loaded = context.load();
    files::configuration(&loaded, &context.around, &mut report);
    let map = files::map(&loaded, &context.around, &mut report);
    match loaded.clone().into_config() {
        Ok((config, raw, _)) => {
            files::supported(&config, &mut report);
            let running = Running::ask(&config);
            match map.map(|map| Outlook::of_start(map, &config)) {
                Some(outlook) => {
                    trust::check(&config, outlook.map(), &mut report);
                    let drivers = drivers::Drivers {
                        config: &config,
                        outlook: &outlook,
                        running: running.as_ref(),
                    };
                    drivers.check(&raw, &mut report);
                }
                None => report.skipped("drivers", "the map is not valid"),
            }
            places::check(&config, running.is_some(), &mut report);
        }
        Err(_) => {
            for check in ["transport", "drivers", "state_dir", "database", "listen"] {
                report.skipped(check, "the configuration is not valid");
            }
        }
    }
    machine::check(loaded.into_config().ok().map(|c| c.0).as_ref(), &mut report);
    let json: Json = report.items.iter().map(Item::to_json).collect();
    let verbose = context.verbose > 0;
    context
        .screen
        .result(&json, |screen: &Screen<'_>| report.text(screen, verbose));
    Ok(report.exit())
}
