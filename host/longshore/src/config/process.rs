//! What the configuration depends on, as this process finds it. Nothing else looks at the process.
//!
//! Called once, by `main`; tests make their own `Surroundings`.

use std::ffi::OsString;
use std::path::PathBuf;

use longshore_loader::map::Environment;

use super::Surroundings;

/// Where the configuration of the whole machine is.
const SYSTEM_DIR: &str = "/etc/longshore";
/// Where Linux says the machine's name.
const HOST_NAME: &str = "/proc/sys/kernel/hostname";

impl Surroundings {
    /// Variables, directories and the machine's name; the flags are still to come. Variables whose
    /// names are not UTF-8 are none of ours.
    pub fn of_process() -> Surroundings {
        let text = |(name, value): (OsString, OsString)| {
            Some((
                name.into_string().ok()?,
                value.to_string_lossy().into_owned(),
            ))
        };
        let machine = std::fs::read_to_string(HOST_NAME).unwrap_or_default();
        let machine = Some(machine.trim()).filter(|n| !n.is_empty());
        let binary = std::env::current_exe().ok();
        Surroundings {
            variables: std::env::vars_os().filter_map(text).collect(),
            map: Environment::from_process(),
            working_dir: std::env::current_dir().unwrap_or_else(|_| PathBuf::from("/")),
            binary_dir: binary.and_then(|b| b.parent().map(PathBuf::from)),
            system_dir: PathBuf::from(SYSTEM_DIR),
            machine: machine.unwrap_or("localhost").to_owned(),
            ..Surroundings::default()
        }
    }
}
