//! A small driver to measure the bridge with: a scalar method, and one with texts.

#![forbid(unsafe_code)]

use longshore_plugin_api::{driver_kind, export_plugin, Context, Driver, DriverError, NoSettings};

driver_kind! {
    id: "longshore.bench", revision: 1;

    /// Counts.
    pub trait Counter: Send + Sync + 'static {
        /// Adds.
        fn add(&self, n: u64) -> Result<u64, DriverError>;
        /// Appends.
        fn append(&self, text: String) -> Result<String, DriverError>;
        /// Panics.
        fn panic(&self) -> Result<u64, DriverError>;
    }
}

/// Counts from `base`.
pub struct Count {
    /// Where it starts.
    pub base: u64,
}

impl Driver for Count {
    type Settings = NoSettings;
    fn new(_: NoSettings, _: &Context) -> Result<Self, DriverError> {
        Ok(Count { base: 1 })
    }
}

impl Counter for Count {
    fn add(&self, n: u64) -> Result<u64, DriverError> {
        Ok(self.base.wrapping_add(n))
    }
    fn append(&self, mut text: String) -> Result<String, DriverError> {
        text.push_str(" and more");
        Ok(text)
    }
    fn panic(&self) -> Result<u64, DriverError> {
        panic!("as asked")
    }
}

export_plugin! {
    "longshore.bench" {
        /// Counts.
        count: Counter => Count;
    }
}
