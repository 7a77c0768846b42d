//! The driver `process`: an instance is a process of this machine, in a session of its own, with
//! limits from its flavor.
//!
//! Instances go on when the host ends, however it ends, and are found again: what there is stands
//! in the state directory and in `/proc`, not in this driver's memory. The host loads it as
//! `longshore.virt.driver` / `process`.
#![forbid(unsafe_code)]

mod arguments;
mod cgroup;
mod children;
mod driver;
mod errors;
mod held;
mod home;
mod image;
mod launch;
mod machine;
mod output;
mod proc;
mod settings;
mod spec;
mod stop;
#[cfg(test)]
mod tests;

use driver::Process;
use longshore_plugin_api::{export_plugin, Virt};

export_plugin! {
    "longshore.virt.driver" {
        /// Processes of this machine, with limits; they survive a restart of the host.
        process: Virt => Process;
    }
}
