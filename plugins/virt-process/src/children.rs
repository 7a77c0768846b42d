//! The processes that were started by this process, and must be asked how they ended.
//!
//! Shared by all driver objects: one that is built beside another in a live switch takes over its
//! children. Processes from before a restart of the host are not here; the system's first process
//! asks them.

use crate::proc::Process;
use crate::stop;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, ExitStatus};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// At most one entry per instance.
static CHILDREN: Mutex<Vec<Kept>> = Mutex::new(Vec::new());

/// The system's number for: there is no such child any more.
const ECHILD: i32 = 10;

/// Whether a child that was asked how it ended is gone, and somebody else in this process was told: another driver that waits
/// for every child there is, or ignores their signal.
pub(crate) fn is_lost(error: &io::Error) -> bool {
    error.raw_os_error() == Some(ECHILD)
}

struct Kept {
    directory: PathBuf,
    child: Child,
    process: Process,
}

/// Keeps the child that was started for the instance with this directory.
pub(crate) fn keep(directory: &Path, child: Child) -> Process {
    // A child has its number until it is asked how it ended, which only happens below.
    let process = Process::now(child.id()).unwrap_or(Process {
        pid: child.id(),
        start: 0,
    });
    lock().push(Kept {
        directory: directory.to_owned(),
        child,
        process,
    });
    process
}

/// The child of the instance with this directory, running or not.
pub(crate) fn of(directory: &Path) -> Option<Process> {
    lock()
        .iter()
        .find(|kept| kept.directory == directory)
        .map(|kept| kept.process)
}

/// How the child of the instance ended, once; `None` if it has not, or there is none.
///
/// An instance ends with its first process: what is left of the session is killed. That must
/// happen before the child is asked, as its number stands for the session only so long.
pub(crate) fn ended(directory: &Path) -> Option<ExitStatus> {
    let process = of(directory)?;
    if process.is_alive() {
        return None;
    }
    // Fails only if nothing is left.
    let _ = stop::signal(process, stop::KILL);
    let mut children = lock();
    let index = children
        .iter()
        .position(|kept| kept.directory == directory)?;
    match children[index].child.try_wait() {
        Ok(None) => None,
        // An error: somebody else in this host has asked it, and how it ended is lost.
        asked => {
            children.swap_remove(index);
            asked.ok().flatten()
        }
    }
}

#[cfg(test)]
pub(crate) fn forget(directory: &Path) -> Option<Child> {
    let mut children = lock();
    let index = children
        .iter()
        .position(|kept| kept.directory == directory)?;
    Some(children.swap_remove(index).child)
}

fn lock() -> MutexGuard<'static, Vec<Kept>> {
    CHILDREN.lock().unwrap_or_else(PoisonError::into_inner)
}
