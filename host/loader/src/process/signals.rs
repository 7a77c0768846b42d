//! Names of signals, for messages, and which of them a program may handle. Numbers are Linux's.

const NAMES: [&str; 31] = [
    "SIGHUP",
    "SIGINT",
    "SIGQUIT",
    "SIGILL",
    "SIGTRAP",
    "SIGABRT",
    "SIGBUS",
    "SIGFPE",
    "SIGKILL",
    "SIGUSR1",
    "SIGSEGV",
    "SIGUSR2",
    "SIGPIPE",
    "SIGALRM",
    "SIGTERM",
    "SIGSTKFLT",
    "SIGCHLD",
    "SIGCONT",
    "SIGSTOP",
    "SIGTSTP",
    "SIGTTIN",
    "SIGTTOU",
    "SIGURG",
    "SIGXCPU",
    "SIGXFSZ",
    "SIGVTALRM",
    "SIGPROF",
    "SIGWINCH",
    "SIGIO",
    "SIGPWR",
    "SIGSYS",
];
/// What the kernel sends when a child has ended.
pub(crate) const SIGCHLD: i32 = 17;
/// What the kernel sends when the processor time is used up.
pub(crate) const SIGXCPU: i32 = 24;

/// `SIGSEGV` for 11.
pub(crate) fn name(number: i32) -> String {
    let known = usize::try_from(number).ok().and_then(|n| n.checked_sub(1));
    let known = known.and_then(|n| NAMES.get(n));
    known.map_or_else(|| format!("signal {number}"), |name| (*name).to_owned())
}

/// Signals that a program may handle: all but those that the C library uses between its own threads.
pub(super) fn all() -> impl Iterator<Item = i32> {
    (1..=64).filter(|n| !OF_THE_C_LIBRARY.contains(n))
}

/// They change with the first thread, and are nobody's business.
const OF_THE_C_LIBRARY: [i32; 2] = [32, 33];

/// The signals of a mask, in which signal `n` is bit `n - 1`.
pub(super) fn of_mask(mask: u64) -> impl Iterator<Item = i32> {
    all().filter(move |n| mask >> (n - 1) & 1 == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_start_at_signal_one() {
        let names: Vec<String> = of_mask(0x8000_0001_8001_0401).map(name).collect();
        assert_eq!(names, ["SIGHUP", "SIGSEGV", "SIGCHLD", "signal 64"]);
        assert_eq!(name(SIGXCPU), "SIGXCPU");
    }
}
