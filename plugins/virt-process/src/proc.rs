//! What `/proc` says of processes. Reads only; everything may be gone at any moment, which is an
//! answer, not an error. Knows nothing of instances but the variables in their environment.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// The variable with an instance's id in the environment of its processes.
pub(crate) const ID_VARIABLE: &str = "LONGSHORE_INSTANCE";

/// The variable with an instance's directory. It is the mark that processes are found by: ids may
/// be the same under two state directories.
pub(crate) const DIRECTORY_VARIABLE: &str = "LONGSHORE_DIRECTORY";

/// Ticks per second in `/proc`; Linux has shown programs 100 on every machine since long.
const TICKS_PER_S: u64 = 100;

/// A process, and not another one that got the same number later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Process {
    /// Its number.
    pub(crate) pid: u32,
    /// When it was started, in ticks since boot.
    pub(crate) start: u64,
}

/// The part of `/proc/<pid>/stat` that matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stat {
    /// It has ended, and nobody has asked how.
    pub(crate) zombie: bool,
    /// Its session.
    pub(crate) session: u32,
    /// When it was started, in ticks since boot.
    pub(crate) start: u64,
    /// Processor time of it and of its children that have ended, ns.
    pub(crate) cpu_time_ns: u64,
}

impl Process {
    /// The process that has this number now.
    pub(crate) fn now(pid: u32) -> Option<Self> {
        stat(pid).map(|stat| Self {
            pid,
            start: stat.start,
        })
    }

    /// What `/proc` says of it; `None` if it is gone.
    pub(crate) fn stat(self) -> Option<Stat> {
        stat(self.pid).filter(|stat| stat.start == self.start)
    }

    /// Whether it runs.
    pub(crate) fn is_alive(self) -> bool {
        self.stat().map_or(false, |stat| !stat.zombie)
    }
}

fn stat(pid: u32) -> Option<Stat> {
    parse(&fs::read(format!("/proc/{pid}/stat")).ok()?)
}

fn parse(bytes: &[u8]) -> Option<Stat> {
    // The second field is the program's name in brackets, which may hold blanks, brackets and line
    // ends.
    let bracket = bytes.iter().rposition(|&byte| byte == b')')?;
    let text = std::str::from_utf8(bytes.get(bracket + 1..)?).ok()?;
    let fields: Vec<&str> = text.split_ascii_whitespace().collect();
    let number = |field: usize| fields.get(field - 3)?.parse::<u64>().ok();
    let ticks = (14..=17).filter_map(number).fold(0, u64::saturating_add);
    Some(Stat {
        zombie: matches!(*fields.first()?, "Z" | "X" | "x"),
        session: u32::try_from(number(6)?).ok()?,
        start: number(22)?,
        cpu_time_ns: ticks.saturating_mul(1_000_000_000 / TICKS_PER_S),
    })
}

/// The running processes with the mark of the instance with this directory in their environment.
pub(crate) fn marked(directory: &Path) -> Vec<Process> {
    let mark = [
        DIRECTORY_VARIABLE.as_bytes(),
        b"=",
        directory.as_os_str().as_bytes(),
    ]
    .concat();
    all(|pid| {
        let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        let mut variables = environment.split(|&byte| byte == 0);
        variables.any(|variable| variable == mark)
    })
}

/// The running processes of a session.
pub(crate) fn in_session(session: u32) -> Vec<Process> {
    all(|pid| stat(pid).map_or(false, |stat| stat.session == session))
}

fn all(wanted: impl Fn(u32) -> bool) -> Vec<Process> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries
        .filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok())
        .filter_map(|pid| {
            let process = Process::now(pid)?;
            // Looked at again afterwards: what was read in between is this process's.
            (wanted(pid) && process.is_alive()).then_some(process)
        })
        .collect()
}

/// Whether `argument` is one of the process's arguments; `None` if it has none, as while it ends.
pub(crate) fn has_argument(pid: u32, argument: &str) -> Option<bool> {
    let line = fs::read(format!("/proc/{pid}/cmdline"))
        .ok()
        .filter(|line| !line.is_empty())?;
    Some(
        line.split(|&byte| byte == 0)
            .any(|one| one == argument.as_bytes()),
    )
}

/// What tells this boot from the others; start times begin anew with each.
pub(crate) fn boot() -> String {
    let text = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    match text.trim() {
        "" => String::from("-"),
        boot => boot.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_brackets_blanks_and_line_ends_does_not_shift_the_fields() {
        let rest = "S 1 7 7 0 -1 0 0 0 0 0 3 4 5 6 20 0 1 0 4711 0";
        for name in ["sleep", "a) S 1 2 3", "x\n)\n(", ""] {
            let stat = parse(format!("9 ({name}) {rest}\n").as_bytes()).expect(name);
            let expected = (false, 7, 4711, 180_000_000);
            assert_eq!(
                (stat.zombie, stat.session, stat.start, stat.cpu_time_ns),
                expected
            );
        }
        for cut in ["", "9 (sleep", "9 (sleep)", "9 (sleep) S 1 7 7 0"] {
            assert_eq!(parse(cut.as_bytes()), None, "{cut}");
        }
    }

    #[test]
    fn this_process_is_alive_and_no_other_has_its_number() {
        let this = Process::now(std::process::id()).expect("this process");
        assert!(this.is_alive());
        assert!(!Process {
            start: this.start + 1,
            ..this
        }
        .is_alive());
    }
}
