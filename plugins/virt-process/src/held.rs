//! One verb at a time for one instance, whichever driver object of this process it came through:
//! during a live switch two stand beside each other. Knows nothing of what is done; `driver` holds
//! an instance around each verb.

use longshore_plugin_api::{CallContext, DriverError};
use std::path::{Path, PathBuf};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long between two looks at the context.
const STEP: Duration = Duration::from_millis(20);

/// At most one entry per call that is running.
static HELD: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());
static FREED: Condvar = Condvar::new();

/// An instance is held until this is dropped.
pub(crate) struct Held(PathBuf);

/// Holds the instance with this directory, once nobody else does.
///
/// # Errors
/// `cancelled` or `timeout`.
pub(crate) fn hold(directory: &Path, context: &CallContext<'_>) -> Result<Held, DriverError> {
    let mut held = lock();
    loop {
        context.check()?;
        if let Some(ours) = take(&mut held, directory) {
            return Ok(ours);
        }
        held = FREED
            .wait_timeout(held, STEP)
            .unwrap_or_else(PoisonError::into_inner)
            .0;
    }
}

/// Like [`hold`], but only if nobody does.
pub(crate) fn try_hold(directory: &Path) -> Option<Held> {
    take(&mut lock(), directory)
}

fn take(held: &mut Vec<PathBuf>, directory: &Path) -> Option<Held> {
    if held.iter().any(|other| other == directory) {
        return None;
    }
    held.push(directory.to_owned());
    Some(Held(directory.to_owned()))
}

fn lock() -> MutexGuard<'static, Vec<PathBuf>> {
    HELD.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Drop for Held {
    fn drop(&mut self) {
        lock().retain(|other| *other != self.0);
        FREED.notify_all();
    }
}
