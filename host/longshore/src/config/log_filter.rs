//! `log.filter`: a level, or levels by target.
//!
//! Checks only; the log itself is made in `logging`. A lone word that is no level would be taken
//! for a target, and silence everything else. Called by `resolved`.

use longshore_loader::diagnostic::{escape, nearest};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

use super::address::Unusable;

const LEVELS: &[&str] = &["off", "error", "warn", "info", "debug", "trace"];
const HELP: &str = "write a level (`off`, `error`, `warn`, `info`, `debug`, `trace`), \
                    `TARGET=LEVEL`, or several of them with commas between";

/// The filter as it was typed.
pub(super) fn parse(text: &str) -> Result<String, Unusable> {
    let directives = || text.split(',').map(str::trim).filter(|d| !d.is_empty());
    if let Some(word) = directives().find(|d| is_word(d) && d.parse::<LevelFilter>().is_err()) {
        return Err(Unusable {
            why: format!("`{}` is no level", escape(word)),
            help: match nearest(word, LEVELS.iter().copied()) {
                Some(level) => format!("did you mean `{level}`?"),
                None => HELP.to_owned(),
            },
        });
    }
    match EnvFilter::try_new(text) {
        Ok(_) => Ok(text.to_owned()),
        Err(error) => Err(Unusable {
            why: escape(&error.to_string()),
            help: HELP.to_owned(),
        }),
    }
}

/// Not `TARGET=LEVEL`, and not the name of a module.
fn is_word(directive: &str) -> bool {
    !directive.contains(['=', ':', '[', '_'])
}
