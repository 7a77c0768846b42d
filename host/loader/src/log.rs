//! Records that drivers write, with the driver's own names, and what the managers have to say of a driver: from the
//! bridge to the program's sink.
//!
//! A plugin's `.so` has no access to the program's logging, so the program gives one function here.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use longshore_plugin_api::__abi::host::{self, LogRecord};
use longshore_plugin_api::__abi::services::Services;
pub use longshore_plugin_api::Level;

/// Who a driver is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
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
/// The level of what the loader itself says; plugins ask the bridge.
static LEVEL: AtomicU32 = AtomicU32::new(Level::Info as u32);
static DRIVERS: Mutex<Option<Drivers>> = Mutex::new(None);

/// Who has a number in log records: one per entry point and host, however often it is built.
#[derive(Default)]
struct Drivers {
    names: Vec<DriverName>,
    numbers: HashMap<DriverName, u64>,
}

/// Gives the program's sink; the first one stays. Answers whether it was the first.
pub fn set_sink(sink: LogSink) -> bool {
    SINK.set(sink).is_ok()
}

/// Sets the most detailed level that records are kept at: 0 off, 1 error … 5 trace.
pub fn set_level(level: u32) {
    LEVEL.store(level, Ordering::Relaxed);
    host::set_log_level(level);
}

/// The services lent to every plugin of this process.
pub fn services() -> Services {
    host::services(forward)
}

/// The number of a driver in log records; the same for the same names.
pub(crate) fn register(namespace: &str, name: &str, host: &str) -> u64 {
    let driver = DriverName {
        namespace: namespace.to_owned(),
        name: name.to_owned(),
        host: host.to_owned(),
    };
    let mut drivers = DRIVERS.lock().unwrap_or_else(PoisonError::into_inner);
    let Drivers { names, numbers } = drivers.get_or_insert_default();
    *numbers.entry(driver).or_insert_with_key(|driver| {
        names.push(driver.clone());
        names.len() as u64
    })
}

/// Writes what the loader or a manager has to say of an entry point.
pub(crate) fn say(level: Level, namespace: &str, name: &str, text: fmt::Arguments<'_>) {
    if level as u32 > LEVEL.load(Ordering::Relaxed) {
        return;
    }
    let Some(sink) = SINK.get() else { return };
    let driver = DriverName {
        namespace: namespace.to_owned(),
        name: name.to_owned(),
        host: String::new(),
    };
    let text = text.to_string();
    let record = LogRecord {
        driver: 0,
        level: level as u32,
        target: "longshore_loader",
        text: &text,
        file: "",
        line: 0,
    };
    sink(&driver, &record);
}

fn forward(record: &LogRecord<'_>) {
    let Some(sink) = SINK.get() else { return };
    let driver = {
        let drivers = DRIVERS.lock().unwrap_or_else(PoisonError::into_inner);
        let index = usize::try_from(record.driver)
            .ok()
            .and_then(|d| d.checked_sub(1));
        index
            .and_then(|i| drivers.as_ref()?.names.get(i).cloned())
            .unwrap_or_default()
    };
    sink(&driver, record);
}
