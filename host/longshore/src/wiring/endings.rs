//! How the process ends, whatever its drivers do: each is dropped on a thread of its own that is waited for only so long,
//! and one that ends the process itself is named.
//!
//! Called by `up`. Must not start anything; what it holds is made in `watch`.

use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use longshore_loader::dynlib;
use longshore_loader::record::{CallName, InFlight};

use super::watch::{Kept, Watches};

/// What dropping a driver is called in the in-flight record.
const DROP: CallName = CallName::new("drop");
/// How long one driver may take to be dropped.
const DROP_MAX: Duration = Duration::from_secs(5);
/// How long all of them may take; those whose turn does not come are left as they are.
const DROPS_MAX: Duration = Duration::from_secs(15);

/// Drops every driver that was loaded. One that does not come back is left behind.
pub(super) fn drop_drivers(watches: &Watches) {
    let end = Instant::now() + DROPS_MAX;
    for kept in watches.take_drivers() {
        let left = end.saturating_duration_since(Instant::now());
        let name = kept.name.clone();
        if left.is_zero() {
            tracing::warn!("driver `{name}` is not dropped: there is no time left");
            std::mem::forget(kept);
        } else if !is_dropped(kept, left.min(DROP_MAX)) {
            tracing::warn!("dropping driver `{name}` takes too long: it is left behind");
        }
    }
}

fn is_dropped(kept: Kept, wait: Duration) -> bool {
    let (done, is_done) = sync_channel::<()>(1);
    let thread = thread::Builder::new().name(format!("drop {}", kept.name));
    let spawned = thread.spawn(move || {
        let Kept {
            extension,
            recorded,
            ..
        } = kept;
        let _in_call = recorded.as_ref().map(|r| r.begin(DROP));
        drop(extension);
        drop(done);
    });
    // Without a thread the driver went with the closure; with one, the sender goes when it is done, or panicked.
    spawned.is_err() || is_done.recv_timeout(wait) != Err(RecvTimeoutError::Timeout)
}

/// The record that the handler reads.
static RECORD: OnceLock<Arc<InFlight>> = OnceLock::new();

/// From now on, whoever calls `exit` in this process is said in the log: the host itself never does.
pub(super) fn tell_who_exits(record: &Arc<InFlight>) {
    if RECORD.set(Arc::clone(record)).is_ok() && !dynlib::on_exit(say_who_exits) {
        tracing::warn!("a driver that ends the process will only be named at the next start");
    }
}

/// The thread that called `exit` has no thread-locals any more, and logging needs some.
fn say_who_exits() {
    let said = thread::Builder::new().spawn(|| {
        let running = RECORD.get().map(|record| record.running());
        for call in running.unwrap_or_default() {
            let (driver, method) = (call.driver.name, call.call);
            tracing::error!("`{driver}` ended the process in `{method}`");
        }
    });
    if let Ok(said) = said {
        // A panic there is of no interest any more.
        let _ = said.join();
    }
}
