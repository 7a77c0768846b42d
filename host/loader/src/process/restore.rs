//! Puts back what was changed, where that is possible and harms nobody.
//!
//! The environment is not among it: writing it while another thread reads it is undefined. Nor are rights, which nobody
//! gets back. Must not know who changed what.

use std::io;
use std::os::fd::{AsRawFd as _, IntoRawFd as _, OwnedFd};

use rustix::fs::{Mode, OFlags};
use rustix::process::{Rlimit, chdir, set_dumpable_behavior, setrlimit, umask};

use super::compare::Item;
use super::signals;
use super::state::{LIMITS, ProcessState, STREAMS, stream};
use crate::dynlib::float_control;
use crate::dynlib::signals as system;

/// What became of an attempt to put something back.
#[derive(Debug)]
pub(super) enum Restored {
    /// It is as it was.
    Yes,
    /// It is left as it is, as nobody may change it.
    No,
    /// It should have been put back, and could not be.
    Failed(io::Error),
}

/// Puts `item` back to how it was in `was`. What is of a thread is put back in this one.
pub(super) fn restore(item: &Item, was: &ProcessState) -> Restored {
    let done = match item {
        Item::Handler(number) => handler(*number, was),
        Item::Blocked(_) => system::set_blocked(was.blocked),
        Item::Directory => chdir(&was.directory_path).map_err(io::Error::from),
        Item::Umask => mode(was.umask.as_deref().unwrap_or_default()),
        Item::Limit(n) => limit(*n, was),
        Item::FloatControl => {
            float_control::set(was.float_control);
            Ok(())
        }
        Item::Dumpable => match was.dumpable {
            Some(dumpable) => set_dumpable_behavior(dumpable).map_err(io::Error::from),
            None => return Restored::No,
        },
        Item::Closed(number) => reopen(*number),
        // By now it may be a descriptor that somebody needs.
        Item::Redirected(_) => return Restored::No,
        Item::Variable(_) | Item::Root | Item::Right(_) | Item::Namespace(_) => {
            return Restored::No;
        }
    };
    match done {
        Ok(()) => Restored::Yes,
        Err(error) => Restored::Failed(error),
    }
}

fn handler(number: i32, was: &ProcessState) -> io::Result<()> {
    let known = signals::all()
        .zip(&was.handlers)
        .find(|(n, _)| *n == number);
    known.map_or(Ok(()), |(_, handler)| system::set_handler(number, handler))
}

fn mode(octal: &str) -> io::Result<()> {
    let bits = u32::from_str_radix(octal, 8).map_err(io::Error::other)?;
    umask(Mode::from_bits_truncate(bits));
    Ok(())
}

/// Both limits, or the soft one as far as the hard one lets it.
fn limit(n: usize, was: &ProcessState) -> io::Result<()> {
    let (resource, was) = (LIMITS[n].0, was.limits[n]);
    setrlimit(resource, was).map_err(|error| {
        let maximum = rustix::process::getrlimit(resource).maximum;
        let current = match (was.current, maximum) {
            (Some(was), Some(max)) => Some(was.min(max)),
            (was, max) => was.or(max),
        };
        // As good as it gets; what is said is that the hard one is lost.
        let _ = setrlimit(resource, Rlimit { current, maximum });
        io::Error::from(error)
    })
}

/// Opens the null device under a number that is free. A new descriptor gets the lowest number that is, so nothing that
/// another thread has opened under it meanwhile is lost.
fn reopen(number: i32) -> io::Result<()> {
    let mut others: Vec<OwnedFd> = Vec::new();
    while stream(number).is_none() {
        // Programs that this one starts get it too.
        let null = rustix::fs::open("/dev/null", OFlags::RDWR, Mode::empty())?;
        if null.as_raw_fd() == number {
            // From here on it belongs to the process, not to a value.
            let _ = null.into_raw_fd();
        } else if others.len() < STREAMS.len() {
            // Lower ones are standard streams as well, and have their own turn.
            others.push(null);
        } else {
            break;
        }
    }
    Ok(())
}
