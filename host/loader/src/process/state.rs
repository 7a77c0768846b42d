//! One look at what all code of a process shares, or all that runs in one thread: signals, working directory, umask,
//! environment, limits, rights, the standard streams, rounding.
//!
//! What cannot be read compares as equal. It takes some 30 µs, as it is taken around each driver that is built. Called by
//! vetting's child and by `watch`; must not know whose doing a difference is.
//!
//! The environment is read as it stands. Code that changes it meanwhile, in another thread, does what no program may do;
//! so whoever looks does it right after foreign code ran, and else rarely.

use std::collections::BTreeMap;
use std::ffi::{CString, OsString};
use std::fs::{self, File};
use std::io::Read as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;

use rustix::fs::{Mode, OFlags, Stat, readlinkat};
use rustix::process::{DumpableBehavior, Resource, Rlimit, dumpable_behavior, getrlimit};

use super::leaks::Counts;
use super::signals;
use crate::dynlib::float_control;
use crate::dynlib::signals::{self as system, Handler};

/// Lines of `/proc/…/status` that are rights, and what they are called.
pub(super) const RIGHTS: [(&str, &str); 10] = [
    ("Uid", "user"),
    ("Gid", "group"),
    ("Groups", "supplementary groups"),
    ("CapInh", "inheritable capabilities"),
    ("CapPrm", "permitted capabilities"),
    ("CapEff", "effective capabilities"),
    ("CapBnd", "capability bounding set"),
    ("CapAmb", "ambient capabilities"),
    ("NoNewPrivs", "no-new-privileges flag"),
    ("Seccomp", "system call filter"),
];
/// What `/proc/…/ns` has and a process can leave.
pub(super) const NAMESPACES: [&str; 7] = [
    "mnt",
    "net",
    "pid_for_children",
    "user",
    "uts",
    "ipc",
    "cgroup",
];
/// Limits, by the names that `/proc/…/limits` gives them.
pub(super) const LIMITS: [(Resource, &str); 16] = [
    (Resource::Cpu, "max cpu time"),
    (Resource::Fsize, "max file size"),
    (Resource::Data, "max data size"),
    (Resource::Stack, "max stack size"),
    (Resource::Core, "max core file size"),
    (Resource::Rss, "max resident set"),
    (Resource::Nproc, "max processes"),
    (Resource::Nofile, "max open files"),
    (Resource::Memlock, "max locked memory"),
    (Resource::As, "max address space"),
    (Resource::Locks, "max file locks"),
    (Resource::Sigpending, "max pending signals"),
    (Resource::Msgqueue, "max msgqueue size"),
    (Resource::Nice, "max nice priority"),
    (Resource::Rtprio, "max realtime priority"),
    (Resource::Rttime, "max realtime timeout"),
];
/// The standard streams.
pub(super) const STREAMS: [i32; 3] = [0, 1, 2];
/// Most variables that are looked at.
const VARIABLES_MAX: usize = 4_096;
/// Most bytes of `/proc/…/status`.
const STATUS_BYTES_MAX: usize = 16 << 10;

/// Device and inode: what a file is, whatever its name.
pub(super) type Identity = (u64, u64);

/// How the process is, as the thread that looks sees it.
#[derive(Debug, Clone, Default)]
pub(crate) struct ProcessState {
    /// What happens at each signal of `signals::all`, in that order.
    pub(super) handlers: Vec<Handler>,
    /// Of this thread.
    pub(super) blocked: u64,
    pub(super) directory: Option<Identity>,
    /// Where that was, to go back there.
    pub(super) directory_path: PathBuf,
    pub(super) root: Option<Identity>,
    /// Octal digits.
    pub(super) umask: Option<String>,
    /// Of this thread, in the order of `RIGHTS`.
    pub(super) rights: Vec<Option<String>>,
    /// Of this thread, in the order of `NAMESPACES`.
    pub(super) namespaces: Vec<Option<CString>>,
    /// In the order of `LIMITS`.
    pub(super) limits: Vec<Rlimit>,
    pub(super) environment: BTreeMap<OsString, OsString>,
    /// What 0, 1 and 2 lead to; none where one is closed.
    pub(super) streams: [Option<Identity>; 3],
    /// Of this thread.
    pub(super) float_control: u64,
    pub(super) dumpable: Option<DumpableBehavior>,
    /// How many there are.
    pub(super) threads: usize,
    /// How many there are.
    pub(super) descriptors: usize,
}

impl ProcessState {
    /// How it is now, for this thread.
    pub(crate) fn now() -> ProcessState {
        ProcessState::seen_by("/proc/thread-self")
    }

    /// How it is now, with the rights of the process's first thread.
    pub(super) fn of_first_thread() -> ProcessState {
        ProcessState::seen_by("/proc/self")
    }

    /// The same, with the rights that another thread has; none if it has ended.
    pub(super) fn with_rights_of(&self, thread: i32) -> Option<ProcessState> {
        let thread = format!("/proc/self/task/{thread}");
        let mut state = self.clone();
        state.read_status(&status(&thread).ok()?);
        // Without these it ended just now.
        state.namespaces = namespaces(&thread);
        state
            .namespaces
            .iter()
            .all(Option::is_some)
            .then_some(state)
    }

    /// How many threads and descriptors there are, without so many threads.
    pub(super) fn counts(&self, own_threads: usize) -> Counts {
        Counts {
            threads: self.threads.saturating_sub(own_threads),
            descriptors: self.descriptors,
        }
    }

    fn seen_by(thread: &str) -> ProcessState {
        let identity = |path: &str| fs::metadata(path).ok().map(|m| (m.dev(), m.ino()));
        let mut state = ProcessState {
            handlers: signals::all().map(system::handler).collect(),
            blocked: system::blocked(),
            directory: identity("."),
            directory_path: fs::read_link("/proc/self/cwd").unwrap_or_default(),
            root: identity("/"),
            namespaces: namespaces(thread),
            limits: LIMITS.iter().map(|(r, _)| getrlimit(*r)).collect(),
            environment: std::env::vars_os().take(VARIABLES_MAX).collect(),
            streams: STREAMS.map(stream),
            float_control: float_control::get(),
            dumpable: dumpable_behavior().ok(),
            descriptors: descriptors(),
            ..ProcessState::default()
        };
        state.read_status(&status(thread).unwrap_or_default());
        state
    }

    fn read_status(&mut self, text: &str) {
        self.rights = vec![None; RIGHTS.len()];
        for (key, value) in text.lines().filter_map(|line| line.split_once(':')) {
            let value = value.trim();
            match key {
                "Umask" => self.umask = Some(value.to_owned()),
                "Threads" => self.threads = value.parse().unwrap_or_default(),
                _ => {
                    if let Some(right) = RIGHTS.iter().position(|(line, _)| *line == key) {
                        self.rights[right] = Some(value.to_owned());
                    }
                }
            }
        }
    }
}

fn status(thread: &str) -> std::io::Result<String> {
    let mut text = String::with_capacity(STATUS_BYTES_MAX / 4);
    let file = File::open(format!("{thread}/status"))?;
    file.take(STATUS_BYTES_MAX as u64)
        .read_to_string(&mut text)?;
    Ok(text)
}

/// Through their directory, which is found once for all of them.
fn namespaces(thread: &str) -> Vec<Option<CString>> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let dir = rustix::fs::open(format!("{thread}/ns"), flags, Mode::empty());
    let link = |name: &&str| readlinkat(dir.as_ref().ok()?, *name, Vec::new()).ok();
    NAMESPACES.iter().map(link).collect()
}

/// How many descriptors are open. Kernels before 6.2 do not say, so there they are counted.
fn descriptors() -> usize {
    const DIR: &str = "/proc/self/fd";
    let told = fs::metadata(DIR).map_or(0, |m| m.size());
    match usize::try_from(told).unwrap_or_default() {
        0 => fs::read_dir(DIR).map_or(0, Iterator::count),
        told => told,
    }
}

/// What a standard stream leads to.
pub(super) fn stream(number: i32) -> Option<Identity> {
    let file = match number {
        0 => rustix::fs::fstat(rustix::stdio::stdin()),
        1 => rustix::fs::fstat(rustix::stdio::stdout()),
        _ => rustix::fs::fstat(rustix::stdio::stderr()),
    };
    let Stat { st_dev, st_ino, .. } = file.ok()?;
    Some((st_dev, st_ino))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_has_a_state() {
        let now = ProcessState::now();
        assert!(
            now.threads > 0
                && now.descriptors >= 3
                && now.umask.is_some()
                && !now.environment.is_empty()
        );
        assert!(now.directory.is_some() && now.streams.iter().all(Option::is_some));
        assert!(now.rights.iter().any(Option::is_some));
        assert!(now.namespaces.iter().any(Option::is_some));
    }
}
