//! Names of signals, for messages. Numbers are Linux's.

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
/// What the kernel sends when the processor time is used up.
pub(super) const SIGXCPU: i32 = 24;

/// `SIGSEGV` for 11.
pub(super) fn name(number: i32) -> String {
    let known = usize::try_from(number).ok().and_then(|n| n.checked_sub(1));
    let known = known.and_then(|n| NAMES.get(n));
    known.map_or_else(|| format!("signal {number}"), |name| (*name).to_owned())
}

/// What the C library uses between its own threads: they change with the first thread, and are nobody's business.
const OF_THE_C_LIBRARY: [i32; 2] = [32, 33];

/// The signals of a mask as `/proc/PID/status` has it.
pub(super) fn of_mask(mask: u64) -> impl Iterator<Item = String> {
    let set = (0..64).filter(move |bit| mask >> bit & 1 == 1);
    let numbers = set.map(|bit| bit + 1);
    numbers.filter(|n| !OF_THE_C_LIBRARY.contains(n)).map(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_start_at_signal_one() {
        let names: Vec<String> = of_mask(0x8000_0001_8001_0401).collect();
        assert_eq!(names, ["SIGHUP", "SIGSEGV", "SIGCHLD", "signal 64"]);
        assert_eq!(name(SIGXCPU), "SIGXCPU");
    }
}
