//! How long a file system may take to say what a file is: what hangs (a network mount whose server is away) holds up one
//! plugin, and not the start.
//!
//! The work goes to a thread, which is used again; one that does not come back is left to the file system, and nobody
//! waits for it. Nor does anybody wait for the same file again soon: many entries may name it. `stage` has a bound of its own, as it reads much and shows progress. Must not know what the work is.

use std::collections::HashMap;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender, TryRecvError};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// Most threads that are kept for the next work.
const IDLE_MAX: usize = 8;
/// How long either side looks for the other before it sleeps.
const SOON: Duration = Duration::from_micros(100);
/// How long a file that hung is refused without another look.
const HUNG_FOR: Duration = Duration::from_secs(60);
/// Most such files that are remembered; beyond it all are forgotten.
const HUNG_MAX: usize = 1_024;

type Job = Box<dyn FnOnce() + Send>;

/// Runs work within a limit of time.
#[derive(Debug, Default)]
pub(crate) struct Patience {
    /// Threads that wait for work; they end with this.
    idle: Mutex<Vec<SyncSender<Job>>>,
    /// Files that hung, and when.
    hung: Mutex<HashMap<String, Instant>>,
}

impl Patience {
    /// What the work on a file answers; nothing when it takes longer than `limit` or did so a moment ago, panics, or no
    /// thread can be had.
    pub(crate) fn run<T: Send + 'static>(
        &self,
        file: &str,
        limit: Duration,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        let hung = || self.hung.lock().unwrap_or_else(PoisonError::into_inner);
        if hung().get(file).is_some_and(|at| at.elapsed() < HUNG_FOR) {
            return None;
        }
        let lock = || self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let waiting = lock().pop();
        let worker = waiting.or_else(worker)?;
        let (answer, answered) = mpsc::sync_channel(1);
        let job = move || drop(answer.send(work()));
        worker.send(Box::new(job)).ok()?;
        let answer = match soon(&answered).map_or_else(|| answered.recv_timeout(limit), Ok) {
            Ok(answer) => answer,
            // It panicked, which is a fault of this program and not of the file.
            Err(RecvTimeoutError::Disconnected) => return None,
            Err(RecvTimeoutError::Timeout) => {
                let mut hung = hung();
                if hung.len() >= HUNG_MAX {
                    hung.clear();
                }
                hung.insert(file.to_owned(), Instant::now());
                return None;
            }
        };
        let mut idle = lock();
        if idle.len() < IDLE_MAX {
            idle.push(worker);
        }
        Some(answer)
    }
}

/// What comes within [`SOON`]. To be woken takes longer than most of the work here, and files come one after the other.
fn soon<T>(from: &Receiver<T>) -> Option<T> {
    let start = Instant::now();
    loop {
        match from.try_recv() {
            Ok(it) => return Some(it),
            Err(TryRecvError::Empty) if start.elapsed() < SOON => thread::yield_now(),
            Err(_) => return None,
        }
    }
}

/// A thread that works until nobody has its sender any more.
fn worker() -> Option<SyncSender<Job>> {
    let (jobs, next) = mpsc::sync_channel::<Job>(1);
    let thread = thread::Builder::new().name("look at plugins".to_owned());
    let work = move || {
        while let Some(job) = soon(&next).or_else(|| next.recv().ok()) {
            job();
        }
    };
    thread.spawn(work).ok().map(|_| jobs)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn work_that_hangs_is_given_up_and_holds_up_nobody_else() {
        let patience = Patience::default();
        let (open, gate) = mpsc::channel::<()>();
        let hangs = move || gate.recv().is_ok();
        assert_eq!(patience.run("a.so", Duration::from_millis(1), hangs), None);
        assert_eq!(patience.run("b.so", LONG, || 7), Some(7));
        assert_eq!(patience.run("a.so", LONG, || 7), None, "not again so soon");
        drop(open);
    }

    #[test]
    fn threads_are_used_again_and_a_panic_is_no_answer() {
        let patience = Patience::default();
        let number = || patience.run("a.so", LONG, || thread::current().id());
        let first = number();
        assert!(first.is_some());
        assert_eq!(number(), first);
        assert_eq!(
            patience.run("b.so", LONG, || panic!("on purpose")),
            None::<()>
        );
        assert!(number().is_some_and(|next| Some(next) != first));
    }
}
