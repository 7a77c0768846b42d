//! What the node has: what the settings say, else what this machine has, by `/proc` and `df`.
//! Knows nothing of instances; `driver` asks once and keeps the answer.

use crate::children;
use crate::settings::ProcessSettings;
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
    /// What the settings say, and for the rest what this machine has; the disk is the one that
    /// `directory` is on.
    pub(crate) fn read(
        settings: &ProcessSettings,
        context: &CallContext<'_>,
        directory: &Path,
    ) -> Result<Self, DriverError> {
        Ok(Self {
            vcpus: settings.vcpus.unwrap_or_else(vcpus),
            memory_mb: settings.memory_mb.map_or_else(memory_mb, Ok)?,
            local_gb: settings
                .local_gb
                .map_or_else(|| local_gb(context, directory), Ok)?,
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
            .hint("give `memory_mb` in the settings")
    })
}

fn local_gb(context: &CallContext<'_>, directory: &Path) -> Result<u64, DriverError> {
    let wrong = |why: String| {
        DriverError::unavailable(format!("`df -Pk {}` {why}", directory.display()))
            .hint("give `local_gb` in the settings")
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

fn is_gone(asked: &io::Result<Option<ExitStatus>>) -> bool {
    match asked {
        Ok(status) => status.is_some(),
        Err(error) => children::is_lost(error),
    }
}

/// The second column of the second line: all blocks, in KB.
fn blocks(text: &str) -> Option<u64> {
    text.lines().nth(1)?.split_whitespace().nth(1)?.parse().ok()
}
