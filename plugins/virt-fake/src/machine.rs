//! What this machine has: processors and memory from `/proc`, disk from `df`. Used with `real =
//! true` only. Knows nothing of guests; `driver` asks once and keeps the answer.

use longshore_plugin_api::{CallContext, DriverError};
use std::fs;
use std::io::{self, Read};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// How long `df` may take; a dead network disk would hold it for ever.
const DF_WAIT_MAX: Duration = Duration::from_secs(2);

/// How long between two looks at a process or the context.
const STEP: Duration = Duration::from_millis(5);

/// The system's number for: there is no such child (any more).
const ECHILD: i32 = 10;

/// What a node has.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Machine {
    /// Processors.
    pub(crate) vcpus: u32,
    /// Memory, MB.
    pub(crate) memory_mb: u64,
    /// Disk, GB.
    pub(crate) local_gb: u64,
}

impl Machine {
    /// Reads what this machine has; the disk is the one that `directory` is on.
    pub(crate) fn read(context: &CallContext<'_>, directory: &Path) -> Result<Self, DriverError> {
        Ok(Self {
            vcpus: vcpus(),
            memory_mb: memory_mb()?,
            local_gb: local_gb(context, directory)?,
        })
    }
}

fn vcpus() -> u32 {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let listed = text
        .lines()
        .filter(|line| line.starts_with("processor"))
        .count();
    // Some machines list processors in words of their own.
    let count = match listed {
        0 => thread::available_parallelism().map_or(1, |n| n.get()),
        n => n,
    };
    u32::try_from(count).unwrap_or(u32::MAX)
}

fn memory_mb() -> Result<u64, DriverError> {
    let text = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"));
    let kb = line
        .and_then(|l| l.split_whitespace().next())
        .and_then(|kb| kb.parse::<u64>().ok());
    kb.map(|kb| kb / 1024).ok_or_else(|| {
        DriverError::unavailable("`/proc/meminfo` does not say how much memory there is")
            .hint("set `real = false` and give `memory_mb`")
    })
}

fn local_gb(context: &CallContext<'_>, directory: &Path) -> Result<u64, DriverError> {
    let wrong = |why: String| {
        DriverError::unavailable(format!("`df -Pk {}` {why}", directory.display()))
            .hint("set `real = false` and give `local_gb`")
    };
    let mut df = Command::new("df")
        .arg("-Pk")
        .arg(directory)
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| wrong(format!("cannot be run: {error}")))?;
    let start = Instant::now();
    let ended = loop {
        match df.try_wait() {
            Ok(None) if start.elapsed() < DF_WAIT_MAX && context.check().is_ok() => {
                thread::sleep(STEP)
            }
            ended => break ended,
        }
    };
    if !is_gone(&ended) {
        // It may have ended just now; either way it is not waited for longer than that.
        let _ = df.kill();
        let _ = df.try_wait();
        context.check()?;
        return Err(wrong(String::from("did not answer in time")));
    }
    let mut text = String::new();
    if let Some(mut out) = df.stdout.take() {
        out.read_to_string(&mut text)
            .map_err(|error| wrong(format!("cannot be read: {error}")))?;
    }
    blocks(&text)
        .map(|kb| kb >> 20)
        .ok_or_else(|| wrong(String::from("gave no number of blocks")))
}

/// Whether a child has ended. Another driver of this process may have waited for every child there is: then how it ended is
/// lost, and nothing else.
fn is_gone(asked: &io::Result<Option<ExitStatus>>) -> bool {
    match asked {
        Ok(status) => status.is_some(),
        Err(error) => error.raw_os_error() == Some(ECHILD),
    }
}

/// The second column of the second line: all blocks, in KB.
fn blocks(text: &str) -> Option<u64> {
    text.lines().nth(1)?.split_whitespace().nth(1)?.parse().ok()
}
