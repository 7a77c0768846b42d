//! Reads the record that the last process left: whether it ended well, and if not, which drivers were in a call.
//!
//! Reads any bytes without trouble: what is no record says nothing. Called by the program at its start, before it begins
//! a record of its own.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use super::layout::{self, BYTES, CLEAN, DRIVER_WORDS, DRIVERS, PID, SLOT_WORDS, SLOTS, STARTED};
use super::{DriverId, FILE, FIRST, SLOTS_MAX};

/// How the last process ended, if its record can be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Death {
    /// When it started, milliseconds since 1970.
    pub started_ms: u64,
    /// Its process id.
    pub pid: u64,
    /// It ended by its own decision; the calls that still ran mean nothing.
    pub clean: bool,
    /// The machine was started again since: then the process may have ended with it.
    pub machine_restarted: bool,
    /// What ran when it ended, the longest first.
    pub calls: Vec<DeathCall>,
}

/// A call that had begun and not ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeathCall {
    /// Whose.
    pub driver: DriverId,
    /// Which.
    pub call: String,
    /// When it began, milliseconds since 1970; 0 when that was not said.
    pub since_ms: u64,
}

impl Death {
    /// Whether it is to be explained: neither its own decision nor the machine's end.
    pub fn is_unexplained(&self) -> bool {
        !self.clean && !self.machine_restarted
    }

    /// The latest moment at which it is known to have lived, milliseconds since 1970.
    pub fn last_seen_ms(&self) -> u64 {
        let since = self.calls.iter().map(|call| call.since_ms).max();
        self.started_ms.max(since.unwrap_or(0))
    }
}

/// What the record in `dir` says of the process that wrote it. Nothing when there is none, or one of another version.
///
/// # Errors
/// The system's, when there is a file that cannot be read.
pub fn post_mortem(dir: &Path) -> io::Result<Option<Death>> {
    let file = match File::open(dir.join(FILE)) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut bytes = Vec::with_capacity(BYTES + 1);
    file.take(BYTES as u64 + 1).read_to_end(&mut bytes)?;
    Ok(layout::words(&bytes).map(|words| death(&words)))
}

/// The calls that run by these words, the longest first.
pub(super) fn calls(words: &[u64]) -> Vec<DeathCall> {
    let calls = (0..SLOTS_MAX).filter_map(|slot| call(words, slot));
    let mut calls: Vec<DeathCall> = calls.collect();
    calls.sort_by_key(|call| call.since_ms);
    calls
}

fn death(words: &[u64]) -> Death {
    Death {
        started_ms: words[STARTED],
        pid: words[PID],
        clean: words[CLEAN] != 0,
        machine_restarted: words[layout::BOOT..layout::BOOT + 2] != layout::boot_id(),
        calls: calls(words),
    }
}

fn call(words: &[u64], slot: usize) -> Option<DeathCall> {
    let slot = &words[SLOTS + slot * SLOT_WORDS..][..SLOT_WORDS];
    let number = usize::try_from(slot[0].checked_sub(FIRST)?).ok()?;
    let start = number.checked_mul(DRIVER_WORDS)?.checked_add(DRIVERS)?;
    let entry = words.get(start..start.checked_add(DRIVER_WORDS)?)?;
    Some(DeathCall {
        driver: layout::driver(entry)?,
        call: layout::call_name(&slot[2..]),
        since_ms: slot[1],
    })
}
