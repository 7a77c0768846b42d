//! The processes that were started by this process, and must be asked how they ended.
//!
//! Shared by all driver objects: one that is built beside another in a live switch takes over its children. Processes from
//! before a restart of the host are not here; the system's first process asks them.

use crate::proc::Process;
use crate::stop;
use std::path::{Path, PathBuf};
use std::process::{Child, ExitStatus};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// At most one entry per instance.
static CHILDREN: Mutex<Vec<(PathBuf, Child)>> = Mutex::new(Vec::new());

/// Keeps the child that was started for the instance with this directory.
pub(crate) fn keep(directory: &Path, child: Child) {
    lock().push((directory.to_owned(), child));
}

/// The child of the instance with this directory, running or not.
pub(crate) fn of(directory: &Path) -> Option<Process> {
    let pid = lock().iter().find(|(of, _)| of == directory).map(|(_, child)| child.id())?;
    Process::now(pid)
}

/// How the child of the instance ended, once; `None` if it has not, or there is none.
///
/// An instance ends with its first process: what is left of the session is killed. That must happen before the child
/// is asked, as its number stands for the session only so long.
pub(crate) fn ended(directory: &Path) -> Option<ExitStatus> {
    let child = of(directory)?;
    if child.is_alive() {
        return None;
    }
    // Fails only if nothing is left.
    let _ = stop::signal(child, stop::KILL);
    let mut children = lock();
    let index = children.iter().position(|(of, _)| of == directory)?;
    let status = children[index].1.try_wait();
    match status {
        Ok(None) => None,
        // Somebody else in this process has asked it: it is gone, and nobody will ever know how it ended.
        Err(_) => {
            children.swap_remove(index);
            None
        }
        Ok(Some(status)) => {
            children.swap_remove(index);
            Some(status)
        }
    }
}

#[cfg(test)]
pub(crate) fn forget(directory: &Path) -> Option<Child> {
    let mut children = lock();
    let index = children.iter().position(|(of, _)| of == directory)?;
    Some(children.swap_remove(index).1)
}

fn lock() -> MutexGuard<'static, Vec<(PathBuf, Child)>> {
    CHILDREN.lock().unwrap_or_else(PoisonError::into_inner)
}
