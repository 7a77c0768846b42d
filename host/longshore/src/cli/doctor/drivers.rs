//! Every driver that the configuration names: in the map, its file, its pins, its kind, its
//! settings.
//!
//! Reads notes, opens no library. What the start would only skip is a warning. Called by `doctor`.

use std::fs::File;
use std::io::Read as _;

use longshore_loader::diagnostic::{Place, escape};
use longshore_loader::map::Lookup;

use super::report::{Report, Status};
use crate::cli::exit::Exit;
use crate::cli::plugin_state::{Outlook, State, describe};
use crate::config::raw::RawConfig;
use crate::config::resolved::PluginPolicy;
use crate::config::{Config, Wanted, name_fault, wanted};

/// Drivers without which no service can run. Filters and weighers are skipped when they cannot be
/// loaded, unless the policy is strict.
const NEEDED: &[&str] = &["scheduler.driver", "scheduler.host_manager", "compute.virt"];
/// The name of a driver fits in here, in bytes.
const NAME_BYTES_MAX: u64 = 1024;

pub(super) fn check(raw: &RawConfig, config: &Config, outlook: &Outlook, report: &mut Report) {
    let map = outlook.map();
    let strict = config.plugins.policy == PluginPolicy::Strict;
    for want in wanted(raw) {
        let check = format!("driver {} {}", want.namespace, escape(&want.name));
        let fatal = strict || NEEDED.contains(&want.key.as_str());
        if let Some(d) = name_fault(map, &want) {
            let status = match (&want.place, fatal) {
                (Place::Program, true) => Status::Failed(Exit::Plugin),
                (Place::Program, false) => Status::Warning,
                _ => Status::Failed(Exit::Configuration),
            };
            report.found(&check, status, &d);
            continue;
        }
        if let Lookup::One(entry) = map.lookup(want.namespace, &want.name) {
            let state = describe(outlook, entry);
            let deprecated = map.deprecation(want.namespace, &want.name);
            found(&check, &state, deprecated, fatal, &want, report);
        }
    }
    switched(config, report);
}

fn found(
    check: &str,
    state: &State,
    deprecated: Option<&str>,
    fatal: bool,
    want: &Wanted,
    report: &mut Report,
) {
    if let Some(code) = state.code {
        let status = match fatal {
            true => Status::Failed(Exit::Plugin),
            false => Status::Warning,
        };
        let why = state.why.as_deref().unwrap_or("it cannot be loaded");
        let skipped = if fatal { "" } else { "; a start skips it" };
        let message = format!("{why} ({code}){skipped}");
        let pointer = format!(
            "see `longshore plugin show {} {}`",
            want.namespace, want.name
        );
        report.add(check, status, message, state.help.clone().or(Some(pointer)));
        return;
    }
    if let Some(text) = deprecated {
        let help = "name another driver; a later release may not have it";
        report.warning(check, format!("deprecated: {}", escape(text)), help);
    }
    let version = state.metadata.as_ref().map(|m| m.version.as_str());
    let message = format!("version {}", version.unwrap_or("unknown"));
    report.ok(check, message, details(state));
}

fn details(state: &State) -> Vec<String> {
    let mut details = Vec::new();
    if let Some(file) = &state.file {
        details.push(format!("file {}", file.display()));
    }
    if let Some(digest) = &state.sha256 {
        details.push(format!("sha256 {digest}"));
    }
    if let (Some(kind), Some(metadata)) = (&state.kind, &state.metadata) {
        let (plugin, api) = (&metadata.plugin, &metadata.api);
        details.push(format!("kind {kind}, plugin {plugin}, plugin API {api}"));
    }
    details
}

/// Instances belong to the virt driver that made them.
fn switched(config: &Config, report: &mut Report) {
    let file = config.host.state_dir.join("virt-driver");
    let mut before = String::new();
    let read = File::open(file).and_then(|f| f.take(NAME_BYTES_MAX).read_to_string(&mut before));
    let before = before.trim();
    if read.is_err() || before.is_empty() || before == config.compute.virt {
        return;
    }
    let (before, now) = (escape(before), escape(&config.compute.virt));
    let message = format!("it changes from `{before}` to `{now}`: refused while instances exist");
    let help = format!("delete all instances first, or set `compute.virt` back to `{before}`");
    report.warning("compute.virt", message, &help);
}
