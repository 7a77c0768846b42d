//! The state of this process, which drivers share with the host: looked at while drivers are built, when the host is ready,
//! and from time to time. Once a driver has given away what the host needs, the host ends.
//!
//! Called by `up`. Must not know what is looked at.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use longshore_loader::codes::DRIVER_CHANGED_PROCESS;
use longshore_loader::process::ProcessWatch;
use tokio::runtime::{Builder, Runtime};
use tokio::time::{MissedTickBehavior, interval};

use crate::cli::exit::Exit;
use crate::cli::failure::Failure;

/// A runtime, and how many threads it has: they come and go with the calls of drivers, and are nobody's leak.
pub(super) fn runtime() -> std::io::Result<(Runtime, Arc<AtomicUsize>)> {
    let threads = Arc::new(AtomicUsize::new(0));
    let (started, stopped) = (Arc::clone(&threads), Arc::clone(&threads));
    let runtime = Builder::new_multi_thread()
        .enable_all()
        .on_thread_start(move || {
            started.fetch_add(1, Ordering::Relaxed);
        })
        .on_thread_stop(move || {
            stopped.fetch_sub(1, Ordering::Relaxed);
        })
        .build()?;
    Ok((runtime, threads))
}

/// Watches from now on.
pub(super) fn watch(own_threads: Arc<AtomicUsize>) -> Arc<ProcessWatch> {
    let own_threads = move || own_threads.load(Ordering::Relaxed);
    Arc::new(ProcessWatch::new(own_threads))
}

/// Whether this process is still what its operator started.
///
/// # Errors
/// `driver/changed-process` when it is not.
pub(super) fn still_ours(watch: &ProcessWatch) -> Result<(), Failure> {
    let Some(why) = watch.beyond_repair() else {
        return Ok(());
    };
    let what = "a driver changed this process in a way that cannot be undone";
    let failure = Failure::new(Exit::Failed, DRIVER_CHANGED_PROCESS, what).why(why);
    Err(failure.help("take the driver out of the configuration, or ask its author"))
}

/// Looks now and then, and answers when this process is no longer what its operator started.
pub(super) async fn until_beyond_repair(watch: &ProcessWatch, every: Duration) -> String {
    let mut ticks = interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        // The first one is at once: what there is when all drivers are built.
        ticks.tick().await;
        watch.check();
        if let Some(why) = watch.beyond_repair() {
            return why;
        }
    }
}
