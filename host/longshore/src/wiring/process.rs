//! The state of this process, which drivers share with the host: looked at while drivers are built, when the host is ready,
//! and from time to time. Once a driver has given away what the host needs, the host ends.
//!
//! Called by `up`. Must not know what is looked at.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use longshore_loader::codes::DRIVER_CHANGED_PROCESS;
use longshore_loader::process::ProcessWatch;
use tokio::runtime::{Builder, Runtime};
use tokio::time::{MissedTickBehavior, interval};

use crate::cli::exit::Exit;
use crate::cli::failure::Failure;

/// Stack of the threads that drivers are called on, in bytes.
const CALL_STACK: usize = 4 << 20;

/// The threads of the runtime, in which drivers are called. They come and go with the calls, and are nobody's leak.
#[derive(Clone, Default)]
pub(super) struct OwnThreads(Arc<Mutex<BTreeSet<i32>>>);

impl OwnThreads {
    fn lock(&self) -> MutexGuard<'_, BTreeSet<i32>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn this() -> i32 {
        rustix::thread::gettid().as_raw_pid()
    }
}

/// A runtime whose threads are known.
pub(super) fn runtime() -> std::io::Result<(Runtime, OwnThreads)> {
    let threads = OwnThreads::default();
    let (started, stopped) = (threads.clone(), threads.clone());
    let runtime = Builder::new_multi_thread()
        .enable_all()
        // Where a stack overflows, the system says the thread's name.
        .thread_name("longshore-driver-calls")
        .thread_stack_size(CALL_STACK)
        .on_thread_start(move || {
            started.lock().insert(OwnThreads::this());
        })
        .on_thread_stop(move || {
            stopped.lock().remove(&OwnThreads::this());
        })
        .build()?;
    Ok((runtime, threads))
}

/// Watches from now on.
pub(super) fn watch(own_threads: OwnThreads) -> Arc<ProcessWatch> {
    let ids = move || own_threads.lock().iter().copied().collect();
    Arc::new(ProcessWatch::new(ids))
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
        tokio::task::block_in_place(|| watch.check());
        if let Some(why) = watch.beyond_repair() {
            return why;
        }
    }
}
