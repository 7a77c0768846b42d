//! Which drivers are simulated: those of the configuration, and what the command line puts in their place.
//!
//! Changes a copy of the configuration; names are checked by whoever loads them. Called by `simulate::run`.

use longshore_loader::diagnostic::escape;

use super::args::Simulate;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::codes;
use crate::config::resolved::{Config, SchedulerConfig};

/// A configuration per driver that is to be simulated.
///
/// # Errors
/// A multiplier that is no number, a name that stands there twice.
pub(super) fn configurations(config: &Config, args: &Simulate) -> Result<Vec<Config>, Failure> {
    let mut config = config.clone();
    if let Some(text) = &args.filters {
        config.scheduler.enabled_filters = names(text).map(str::to_owned).collect();
        once("--filters", &config.scheduler.enabled_filters)?;
    }
    if let Some(text) = &args.weighers {
        config.scheduler.weighers = weighers(text, &config.scheduler)?;
        let names = config.scheduler.weighers.iter();
        once(
            "--weighers",
            &names.map(|(name, _)| name.clone()).collect::<Vec<_>>(),
        )?;
    }
    once("--driver", &args.drivers)?;
    if args.drivers.is_empty() {
        return Ok(vec![config]);
    }
    let with = |driver: &String| {
        let mut config = config.clone();
        config.scheduler.driver.clone_from(driver);
        config
    };
    Ok(args.drivers.iter().map(with).collect())
}

fn names(text: &str) -> impl Iterator<Item = &str> {
    text.split(',')
        .map(str::trim)
        .filter(|name| !name.is_empty())
}

/// `a=1.5,b`: without a multiplier, the one of the configuration, or 1.
fn weighers(text: &str, configured: &SchedulerConfig) -> Result<Vec<(String, f64)>, Failure> {
    let one = |text: &str| match text.split_once('=') {
        None => {
            let known = configured.weighers.iter().find(|(name, _)| name == text);
            Ok((
                text.to_owned(),
                known.map_or(1.0, |(_, multiplier)| *multiplier),
            ))
        }
        Some((name, number)) => {
            let number = number.trim();
            let multiplier = number.parse::<f64>().ok().filter(|m| m.is_finite());
            let multiplier = multiplier.ok_or_else(|| {
                let why = format!("`{}` is not a number", escape(number));
                bad(
                    "--weighers",
                    text,
                    why,
                    "write `NAME=1.0`, or the name alone",
                )
            })?;
            Ok((name.trim().to_owned(), multiplier))
        }
    };
    names(text).map(one).collect()
}

fn once(flag: &str, names: &[String]) -> Result<(), Failure> {
    let twice = names
        .iter()
        .enumerate()
        .find(|(at, name)| names[..*at].contains(name));
    match twice {
        None => Ok(()),
        Some((_, name)) => {
            let why = "it stands there twice".to_owned();
            Err(bad(flag, name, why, "name it once"))
        }
    }
}

fn bad(flag: &str, text: &str, why: String, help: &str) -> Failure {
    let what = format!("cannot use `{flag} {}`", escape(text));
    Failure::new(Exit::Usage, codes::BAD_ARGUMENT, what)
        .why(why)
        .help(help)
}
