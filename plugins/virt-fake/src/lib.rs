//! The driver `fake`: guests that are one small file each. Nothing runs, so it is quick, needs no
//! rights, and can fail, wait or panic on command: for trying longshore out, for its tests, and for
//! measuring the control plane.
//!
//! It keeps Nova's words and values where it can (`FakeDriver`). It knows nothing of the host
//! beyond the contract. The host loads it as `longshore.virt.driver` / `fake`.
#![forbid(unsafe_code)]

mod driver;
mod faults;
mod guest;
mod machine;
mod settings;
mod store;
#[cfg(test)]
mod tests;

use driver::Fake;
use longshore_plugin_api::{export_plugin, Virt};

export_plugin! {
    "longshore.virt.driver" {
        /// Guests that are one small file each; fails on command.
        fake: Virt => Fake;
    }
}
