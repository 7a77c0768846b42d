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

/// The signals that mean something to a whole program. Those from 32 up belong to the C library, or to whoever asked for one.
pub(super) fn all() -> std::ops::RangeInclusive<i32> {
    1..=31
}

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
        assert_eq!(names, ["SIGHUP", "SIGSEGV", "SIGCHLD"]);
        assert_eq!(name(64), "signal 64");
        assert_eq!(name(SIGXCPU), "SIGXCPU");
    }
}
