//! The configuration of the program: from files, variables and flags to typed values.
//!
//! `load` never starts or writes anything, and reports everything that is wrong at once. The
//! process's environment is passed in. Called by every command that needs the configuration.

pub mod address;
mod check;
mod diagnose;
mod drivers;
pub mod environment;
mod find;
pub mod keys;
mod log_filter;
pub(crate) mod owners;
mod process;
pub mod raw;
mod read;
pub mod resolved;
pub mod show;
mod unit;

use std::path::{Path, PathBuf};

use longshore_loader::diagnostic::{Diagnostic, Place, Severity};
use longshore_loader::map::{Environment, PluginMap, environment as map_environment};

pub use check::services as check_services;
pub use drivers::{
    Wanted, check_conflicts, check_includes, check_names, check_settings, name_fault, wanted,
};
pub use find::{CONFIG_FILE, MAP_FILE};
pub use resolved::Config;

use raw::{Override, RawConfig, Setting};

/// Everything outside that the configuration depends on.
#[derive(Debug, Clone, Default)]
pub struct Surroundings {
    /// `--config`.
    pub config: Option<PathBuf>,
    /// Flags that set keys.
    pub flags: Vec<Override>,
    /// All environment variables.
    pub variables: Vec<(String, String)>,
    /// Those that concern the map.
    pub map: Environment,
    /// What relative paths of flags and variables are relative to; absolute.
    pub working_dir: PathBuf,
    /// Where the program's file is.
    pub binary_dir: Option<PathBuf>,
    /// Where the configuration of the whole machine is, `/etc/longshore`.
    pub system_dir: PathBuf,
    /// The machine's name.
    pub machine: String,
}

/// What became of the configuration.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The values with their origins.
    pub raw: RawConfig,
    /// What they mean; only to be used when there are no errors.
    config: Config,
    /// The file that was read.
    pub file: Option<PathBuf>,
    /// Errors and warnings, in the order of the layers.
    pub diagnostics: Vec<Diagnostic>,
}

impl Loaded {
    /// Something is wrong.
    pub fn has_errors(&self) -> bool {
        has_errors(&self.diagnostics)
    }

    /// The configuration and the warnings about it.
    ///
    /// # Errors
    /// All diagnostics, if one of them is an error.
    pub fn into_config(self) -> Result<(Config, RawConfig, Vec<Diagnostic>), Vec<Diagnostic>> {
        if self.has_errors() {
            Err(self.diagnostics)
        } else {
            Ok((self.config, self.raw, self.diagnostics))
        }
    }

    /// The map that the configuration names or that was found; without one, an empty map.
    ///
    /// # Errors
    /// Everything that is wrong with its files and variables.
    pub fn load_map(&self, around: &Surroundings) -> Result<PluginMap, Vec<Diagnostic>> {
        let map = match self.map_file() {
            Some(file) => PluginMap::load(file, &around.map),
            None => PluginMap::parse_with("", MAP_FILE, &around.map),
        };
        map.map_err(|e| e.diagnostics)
    }

    /// The map's base file.
    pub fn map_file(&self) -> Option<&Path> {
        match &self.raw.get("host", "plugins").setting {
            Setting::Text(path) => Some(Path::new(path)),
            _ => None,
        }
    }
}

/// Whether one of them is an error.
pub fn has_errors(diagnostics: &[Diagnostic]) -> bool {
    diagnostics.iter().any(|d| d.severity == Severity::Error)
}

/// Reads all layers. Nothing is started or written.
pub fn load(around: &Surroundings) -> Loaded {
    let mut diagnostics = Vec::new();
    let named = around.config.as_deref();
    let file = find::config_file(named, &around.working_dir, &around.system_dir);
    let file = file.unwrap_or_else(|d| {
        diagnostics.push(*d);
        None
    });
    let base = file.as_deref().and_then(Path::parent);
    let base = base.unwrap_or(&around.working_dir).to_owned();
    let mut raw = RawConfig::defaults(&base);
    if let Some(path) = &file {
        match find::read(path) {
            Ok(bytes) => {
                let name = shown_name(path, &around.working_dir);
                diagnostics.extend(raw.add_file(&bytes, &name, &base));
            }
            Err(d) => diagnostics.push(*d),
        }
    }
    diagnostics.extend(raw.add_environment(&around.variables, &around.working_dir));
    raw.add_flags(&around.flags, &around.working_dir);
    compute(&mut raw, around, file.as_deref(), &mut diagnostics);
    let config = resolved::resolve(&raw, &mut diagnostics);
    diagnostics.sort_by_key(|d| (layer(&d.place), d.place.position()));
    Loaded {
        raw,
        config,
        file,
        diagnostics,
    }
}

/// The layer that a place belongs to: within the file, the order is that of the text.
fn layer(place: &Place) -> u8 {
    match place {
        Place::File(_) | Place::Text { .. } => 0,
        Place::Environment(_) => 1,
        Place::CommandLine(_) => 2,
        Place::Program => 3,
    }
}

/// Fills in what depends on the machine and on other keys.
fn compute(
    raw: &mut RawConfig,
    around: &Surroundings,
    file: Option<&Path>,
    found: &mut Vec<Diagnostic>,
) {
    if raw.get("host", "name").setting == Setting::Absent {
        let name = Setting::Text(around.machine.clone());
        raw.set("host", "name", name, Place::Program);
    }
    if raw.get("database", "url").setting == Setting::Absent
        && let Setting::Text(state) = &raw.get("host", "state_dir").setting
    {
        let url = format!(
            "sqlite://{}",
            Path::new(state).join("longshore.db").display()
        );
        raw.set("database", "url", Setting::Text(url), Place::Program);
    }
    map_from_variable(raw, around);
    match raw.get("host", "plugins") {
        value if value.setting == Setting::Absent => {
            let binary_dir = around.binary_dir.as_deref();
            if let Some(path) = find::map_file(file, &around.working_dir, binary_dir) {
                let path = Setting::Text(path.display().to_string());
                raw.set("host", "plugins", path, Place::Program);
            }
        }
        value => {
            if let Setting::Text(path) = &value.setting {
                found.extend(find::named_map(Path::new(path), &value.place));
            }
        }
    }
}

/// `LONGSHORE_MAP` is the older spelling of `LONGSHORE__HOST__PLUGINS`; a flag beats both.
fn map_from_variable(raw: &mut RawConfig, around: &Surroundings) {
    let by_hand = matches!(
        raw.get("host", "plugins").place,
        Place::CommandLine(_) | Place::Environment(_)
    );
    if let (Some(path), false) = (around.map.map_path(), by_hand) {
        let path = around.working_dir.join(path).display().to_string();
        let place = Place::Environment(map_environment::MAP.to_owned());
        raw.set("host", "plugins", Setting::Text(path), place);
    }
}

/// Files below the working directory are shown relative to it.
fn shown_name(path: &Path, working_dir: &Path) -> String {
    let path = path.strip_prefix(working_dir).unwrap_or(path);
    path.display().to_string()
}

#[cfg(test)]
mod tests;
