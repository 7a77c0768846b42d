//! What drivers and managers write to the log, kept for tests. One sink serves the whole process, so a test looks for
//! records of its own namespace or driver.

use std::sync::{Mutex, Once, PoisonError};

use longshore_loader::log;

static RECORDS: Mutex<Vec<Record>> = Mutex::new(Vec::new());
/// Most records kept; a test looks at its own soon after they were written.
const RECORDS_MAX: usize = 100_000;

/// One record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// 1 error … 5 trace.
    pub level: u32,
    /// Namespace of the entry point, if there is one.
    pub namespace: String,
    /// Name of the entry point.
    pub name: String,
    /// Host that the driver serves.
    pub host: String,
    /// What wrote it.
    pub target: String,
    /// The text.
    pub text: String,
}

/// Starts to keep records.
pub fn start() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        log::set_sink(Box::new(|driver, record| {
            let record = Record {
                level: record.level,
                namespace: driver.namespace.clone(),
                name: driver.name.clone(),
                host: driver.host.clone(),
                target: record.target.to_owned(),
                text: record.text.to_owned(),
            };
            let mut records = RECORDS.lock().unwrap_or_else(PoisonError::into_inner);
            if records.len() < RECORDS_MAX {
                records.push(record);
            }
        }));
    });
}

/// The records that `wanted` accepts, in order.
pub fn records(wanted: impl Fn(&Record) -> bool) -> Vec<Record> {
    let records = RECORDS.lock().unwrap_or_else(PoisonError::into_inner);
    records.iter().filter(|r| wanted(r)).cloned().collect()
}

/// The texts about a namespace, at this level or worse.
pub fn about(namespace: &str, level: u32) -> Vec<String> {
    let about = records(|r| r.namespace == namespace && r.level <= level);
    about.into_iter().map(|r| r.text).collect()
}
