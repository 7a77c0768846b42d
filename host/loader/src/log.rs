//! Records that drivers write, with the driver's own names: from the bridge to the program's sink.
//!
//! A plugin's `.so` has no access to the program's logging, so the program gives one function here.

use std::sync::{Mutex, OnceLock, PoisonError};

use longshore_plugin_api::__abi::host::{self, LogRecord};
use longshore_plugin_api::__abi::services::Services;

/// Who a driver is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DriverName {
    /// Namespace of the entry.
    pub namespace: String,
    /// Name of the entry.
    pub name: String,
    /// The host it was built for; empty for the whole process.
    pub host: String,
}

/// What a program does with a record.
pub type LogSink = Box<dyn Fn(&DriverName, &LogRecord<'_>) + Send + Sync>;

static SINK: OnceLock<LogSink> = OnceLock::new();
static DRIVERS: Mutex<Vec<DriverName>> = Mutex::new(Vec::new());

/// Gives the program's sink; the first one stays. Answers whether it was the first.
pub fn set_sink(sink: LogSink) -> bool {
    SINK.set(sink).is_ok()
}

/// Sets the most detailed level that plugins' records are kept at: 0 off, 1 error … 5 trace.
pub fn set_level(level: u32) {
    host::set_log_level(level);
}

/// The services lent to every plugin of this process.
pub fn services() -> Services {
    host::services(forward)
}

/// Gives a driver its number in log records.
pub(crate) fn register(driver: DriverName) -> u64 {
    let mut drivers = DRIVERS.lock().unwrap_or_else(PoisonError::into_inner);
    drivers.push(driver);
    drivers.len() as u64
}

fn forward(record: &LogRecord<'_>) {
    let Some(sink) = SINK.get() else { return };
    let driver = {
        let drivers = DRIVERS.lock().unwrap_or_else(PoisonError::into_inner);
        let index = usize::try_from(record.driver)
            .ok()
            .and_then(|d| d.checked_sub(1));
        index
            .and_then(|i| drivers.get(i).cloned())
            .unwrap_or_default()
    };
    sink(&driver, record);
}
