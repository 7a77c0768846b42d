//! The configuration and the map: found, valid, and within what this release can do.
//!
//! Must not know drivers. Called by `doctor`.

use std::path::Path;

use longshore_loader::diagnostic::{Diagnostic, Severity};
use longshore_loader::map::PluginMap;

use super::report::{Report, Status};
use crate::cli::exit::Exit;
use crate::cli::layout::count;
use crate::config::address::{Database, Listen, Transport};
use crate::config::resolved::Auth;
use crate::config::{Config, Loaded, MAP_FILE, Surroundings, check_conflicts, has_errors};

/// Most findings of one file that are listed; `config check` shows them with their places.
const FINDINGS_MAX: usize = 20;

/// The configuration file, the variables and the flags.
pub(super) fn configuration(loaded: &Loaded, around: &Surroundings, report: &mut Report) {
    let failed = Status::Failed(Exit::Configuration);
    findings("configuration", &loaded.diagnostics, failed, report);
    if !loaded.has_errors() {
        let message = match &loaded.file {
            Some(file) => shown(file, around),
            None => "no file was found: the built-in defaults are used".to_owned(),
        };
        report.ok("configuration", message, Vec::new());
    }
}

/// The map with its drop-ins and variables. Nothing if it is not valid.
pub(super) fn map(
    loaded: &Loaded,
    around: &Surroundings,
    report: &mut Report,
) -> Option<PluginMap> {
    let Some(file) = loaded.map_file() else {
        let help = "put it beside the configuration, or set `host.plugins`";
        let message = format!("no `{MAP_FILE}` was found: no driver exists");
        report.warning("map", message, help);
        return loaded.load_map(around).ok();
    };
    if file.symlink_metadata().is_err() {
        report.skipped("map", "its file does not exist");
        return None;
    }
    match loaded.load_map(around) {
        Ok(map) => {
            // An entry that is wrong keeps nobody from a start unless it is wanted.
            findings("map", map.diagnostics(), Status::Warning, report);
            findings(
                "map",
                &check_conflicts(&loaded.raw, &map),
                Status::Warning,
                report,
            );
            let entries = map.all_entries().count();
            let namespaces = count(map.namespaces().count(), "namespace");
            let message = format!("{}, {entries} entries in {namespaces}", shown(file, around));
            let read = map.sources().iter().map(|s| format!("read {}", s.name()));
            let dirs = map.search_dirs();
            let dirs = dirs.map(|d| format!("libraries are looked for in {}", d.display()));
            report.ok("map", message, read.chain(dirs).collect());
            if let Some(lock) = map.lock() {
                let plugins = count(lock.plugins.len(), "plugin");
                let file = shown(Path::new(lock.file()), around);
                let message = format!("{file}, {} entries of {plugins}", lock.entry_count());
                report.ok("lock", message, Vec::new());
            }
            Some(map)
        }
        Err(found) => {
            let failed = Status::Failed(Exit::Configuration);
            findings("map", &found, failed, report);
            None
        }
    }
}

/// What comes with a later release.
pub(super) fn supported(config: &Config, report: &mut Report) {
    let mut later = |check: &str, what: &str, help: &str| {
        let message = format!("{what} is not supported by this release");
        report.failed(check, Exit::Configuration, message, help);
    };
    if config.api.auth == Auth::Token {
        let help = "set `api.auth = \"none\"` and listen on loopback";
        later("authentication", "`api.auth = \"token\"`", help);
    }
    if let Database::Postgres(_) = config.database.url {
        later("database", "PostgreSQL", "use a `sqlite://` database");
    }
    if let Listen::Unix(_) = config.api.listen {
        later("listen", "a unix socket", "use a TCP address on loopback");
    }
    match config.transport.url {
        Transport::Memory => report.ok("transport", "memory://", Vec::new()),
        Transport::Rabbit(_) => later("transport", "RabbitMQ", "use `memory://`"),
    }
}

/// Errors get `status`, warnings are warnings.
fn findings(check: &str, all: &[Diagnostic], status: Status, report: &mut Report) {
    for d in all.iter().take(FINDINGS_MAX) {
        let status = match d.severity {
            Severity::Error => status,
            Severity::Warning => Status::Warning,
        };
        report.found(check, status, d);
    }
    let more = all.get(FINDINGS_MAX..).unwrap_or_default();
    if !more.is_empty() {
        let status = if has_errors(more) {
            status
        } else {
            Status::Warning
        };
        let help = Some("run `longshore config check`".to_owned());
        let message = format!("and {} more findings", more.len());
        report.add(check, status, message, help);
    }
}

/// Files below the working directory are shown relative to it.
fn shown(path: &Path, around: &Surroundings) -> String {
    let path = path.strip_prefix(&around.working_dir).unwrap_or(path);
    path.display().to_string()
}
