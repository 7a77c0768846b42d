//! A plugin that exports a function under a name that others use too. With the feature `other` it answers another number.

#![deny(warnings)]

use longshore_plugin_api::{export_plugin, Context, Driver, DriverError, Host, NoSettings, RequestSpec, Weigher};

/// The same name in each plugin: one must not answer for another.
#[no_mangle]
#[inline(never)]
pub extern "C" fn longshore_clashing_name() -> u32 {
    if cfg!(feature = "other") {
        2002
    } else {
        1001
    }
}

/// Weighs every host with what the function answers.
struct Asks;

impl Driver for Asks {
    type Settings = NoSettings;
    fn new(_: NoSettings, _: &Context) -> Result<Self, DriverError> {
        Ok(Asks)
    }
}

impl Weigher for Asks {
    fn weigh(&self, _: Host<'_>, _: &RequestSpec) -> Result<f32, DriverError> {
        Ok(longshore_clashing_name() as f32)
    }
}

export_plugin! {
    "longshore.scheduler.weigher" {
        /// Asks a function with a name of many.
        asks: Weigher => Asks;
    }
}
