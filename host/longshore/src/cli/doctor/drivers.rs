//! Every driver that the configuration names: the state it is in, in the map, by its file, and in the host that runs, and
//! what that means for a start.
//!
//! Opens no library. What a start would only skip is a warning. Called by `doctor`.

use std::fs::File;
use std::io::Read as _;

use longshore_loader::codes;
use longshore_loader::diagnostic::{Place, escape};
use longshore_loader::map::Lookup;
use serde_json::Value as Json;

use super::report::{Report, Status};
use super::running::Running;
use crate::cli::exit::Exit;
use crate::cli::names::text;
use crate::cli::plugin_state::{Outlook, State, describe};
use crate::config::raw::RawConfig;
use crate::config::resolved::PluginPolicy;
use crate::config::{Config, Wanted, name_fault, wanted};

/// Drivers without which a service cannot run; where one is locked out, the other services do. Filters and weighers are skipped when they cannot be
/// loaded, unless the policy is strict.
const NEEDED: &[&str] = &["scheduler.driver", "scheduler.host_manager", "compute.virt"];
/// The name of a driver fits in here, in bytes.
const NAME_BYTES_MAX: u64 = 1024;

/// What is known beside the configuration's names.
pub(super) struct Drivers<'d> {
    pub(super) config: &'d Config,
    pub(super) outlook: &'d Outlook,
    /// The host that runs at the configured address.
    pub(super) running: Option<&'d Running>,
}

impl Drivers<'_> {
    /// Looks at every driver that the configuration names.
    pub(super) fn check(&self, raw: &RawConfig, report: &mut Report) {
        let map = self.outlook.map();
        for want in wanted(raw) {
            let check = format!("driver {} {}", want.namespace, escape(&want.name));
            if let Some(d) = name_fault(map, &want) {
                let status = match want.place {
                    Place::Program => self.meaning(&want, d.code).0,
                    _ => Status::Failed(Exit::Configuration),
                };
                report.found(&check, status, &d);
                continue;
            }
            if let Lookup::One(entry) = map.lookup(want.namespace, &want.name) {
                let running = self.running;
                let driver = Driver {
                    check,
                    state: describe(self.outlook, entry),
                    running: running.and_then(|r| r.of(want.namespace, &entry.name)),
                };
                driver.fenced(report);
                match driver.state.code {
                    Some(code) => driver.refused(&want, self.meaning(&want, code), report),
                    None => {
                        let deprecated = map.deprecation(want.namespace, &want.name);
                        driver.usable(deprecated, report);
                    }
                }
            }
        }
        switched(self.config, report);
    }

    /// What the policy makes of a driver that is refused.
    fn meaning(&self, want: &Wanted, code: &str) -> (Status, &'static str) {
        let stops = (Status::Failed(Exit::Plugin), "it stops a start");
        let is_needed = NEEDED.contains(&want.key.as_str());
        let locked_out = code == codes::PLUGIN_QUARANTINED;
        match self.config.plugins.policy {
            PluginPolicy::Permissive if is_needed && locked_out => {
                (Status::Warning, "a start does without its service")
            }
            PluginPolicy::Permissive if !is_needed => (Status::Warning, "a start skips it"),
            PluginPolicy::Permissive | PluginPolicy::Strict => stops,
        }
    }
}

/// One driver that the configuration names.
struct Driver<'d> {
    check: String,
    state: State,
    /// What the host that runs says of it.
    running: Option<&'d Json>,
}

impl Driver<'_> {
    fn is_in_use(&self) -> bool {
        let state = self.running.map(|item| text(item, "state"));
        matches!(state, Some("in_use" | "loaded"))
    }

    fn refused(&self, want: &Wanted, (status, meaning): (Status, &str), report: &mut Report) {
        let state = &self.state;
        let code = state.code.unwrap_or_default();
        let why = state.why.as_deref().unwrap_or("it cannot be loaded");
        let now = if self.is_in_use() {
            ", and in use now"
        } else {
            ""
        };
        let message = format!("{}{now}: {why} ({code}); {meaning}", state.word);
        let (namespace, name) = (want.namespace, &want.name);
        let pointer = || format!("see `longshore plugin show {namespace} {name}`");
        let help = state.help.clone().unwrap_or_else(pointer);
        report.add(&self.check, status, message, Some(help));
    }

    fn usable(&self, deprecated: Option<&str>, report: &mut Report) {
        let state = &self.state;
        for warning in &state.warnings {
            report.found(&self.check, Status::Warning, warning);
        }
        if let Some(text) = deprecated {
            let help = "name another driver; a later release may not have it";
            report.warning(&self.check, format!("deprecated: {}", escape(text)), help);
        }
        let word = if self.is_in_use() {
            "in use"
        } else {
            state.word
        };
        let version = state.metadata.as_ref().map(|m| m.version.as_str());
        let mut message = format!("{word}, version {}", version.unwrap_or("unknown"));
        let on_disk = self.running.map(|item| text(item, "on_disk"));
        if let Some(changed) = on_disk.filter(|d| d.ends_with("on disk")) {
            message.push_str(&format!("; {changed} since it was loaded"));
        }
        report.ok(&self.check, message, details(state));
    }

    /// Whether the host that runs keeps calls away from it.
    fn fenced(&self, report: &mut Report) {
        let fences = self.running.and_then(|item| item["fences"].as_array());
        for fence in fences.into_iter().flatten() {
            let (host, reason) = (text(fence, "host"), escape(text(fence, "reason")));
            let place = match host {
                "" => String::new(),
                host => format!(" on `{}`", escape(host)),
            };
            let tried = match fence["tried_in_s"].as_u64() {
                Some(left) => format!("; it is tried again in {left} s"),
                None => String::new(),
            };
            let help = "see the host's log for what it did; another build takes a restart";
            report.warning(&self.check, format!("fenced{place}: {reason}{tried}"), help);
        }
    }
}

fn details(state: &State) -> Vec<String> {
    let mut details = Vec::new();
    if let Some(file) = &state.file {
        details.push(format!("file {}", file.display()));
    }
    if let Some(digest) = &state.sha256 {
        details.push(format!("sha256 {digest}"));
    }
    if state.metadata.as_ref().is_some_and(|m| m.panic == "abort") {
        details.push("a panic in it ends the host".to_owned());
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
