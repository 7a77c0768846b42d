//! A file as memory of this process: what is written there outlives it, however it ends.
//!
//! The kernel keeps the pages when a process is killed, so nothing has to be flushed. They do not outlive the machine.
//! Called by `record`; must not know what the words mean.

use std::fs::File;
use std::io;
use std::sync::atomic::AtomicU64;

use memmap2::{MmapOptions, MmapRaw};

/// A file of 64-bit words, mapped and shared.
#[derive(Debug)]
pub(crate) struct SharedFile {
    map: MmapRaw,
}

impl SharedFile {
    /// Maps a file that was written in full, so that no page of it can be missing later.
    ///
    /// # Errors
    /// The system's; `InvalidInput` when the length is no whole number of words.
    pub(crate) fn map(file: &File) -> io::Result<SharedFile> {
        let map = MmapOptions::new().map_raw(file)?;
        match map.len() % size_of::<AtomicU64>() {
            0 => Ok(SharedFile { map }),
            _ => Err(io::ErrorKind::InvalidInput.into()),
        }
    }

    /// Its words.
    pub(crate) fn words(&self) -> &[AtomicU64] {
        let (start, words) = (
            self.map.as_mut_ptr(),
            self.map.len() / size_of::<AtomicU64>(),
        );
        // SAFETY: the mapping starts at a page, so it is aligned, is `words` words long, readable and writable, and
        // lives as long as `self`. It is only ever reached as atomics. The file is made anew at each start, inside a
        // directory that this process holds the lock of, and `record` never cuts it: whoever may cut it from outside
        // may as well kill the process.
        unsafe { std::slice::from_raw_parts(start.cast::<AtomicU64>(), words) }
    }
}
