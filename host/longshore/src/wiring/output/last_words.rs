//! A file in place of a pipe for what is printed to stderr: what a process prints in the moment of its death is lost in a
//! pipe, and is what its operator wants to know most. The next start reads it.
//!
//! One process at a time has the file: the lock of the state directory sees to that. Must not know drivers.

use std::fs::File;
use std::io::{self, Read, Seek as _, SeekFrom};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use longshore_loader::diagnostic::escape;
use rustix::fs::{FallocateFlags, fallocate};

/// The file's name in the state directory.
const FILE: &str = "stderr";
/// Time between two looks for more.
const PAUSE: Duration = Duration::from_millis(100);
/// So much of what was read takes up room.
const READ_BYTES_MAX: u64 = 1 << 20;
/// So much may wait to be read. From there on the file is emptied: somebody prints faster than anybody reads.
const UNREAD_BYTES_MAX: u64 = 64 << 20;
/// How much of the end of a file, and how many lines of that, are last words.
const LAST_BYTES_MAX: u64 = 4 << 10;
const LAST_LINES_MAX: usize = 8;

/// The last lines that the last process in this directory printed to stderr, fit to be shown.
pub(in crate::wiring) fn last_words(dir: &Path) -> Vec<String> {
    let end = || -> io::Result<Vec<u8>> {
        let mut file = File::open(dir.join(FILE))?;
        let from = file.metadata()?.len().saturating_sub(LAST_BYTES_MAX);
        file.seek(SeekFrom::Start(from))?;
        let mut bytes = Vec::new();
        file.take(LAST_BYTES_MAX).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    // Nothing was printed, or nobody kept it.
    let bytes = end().unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    let lines: Vec<&str> = lines.collect();
    let first = lines.len().saturating_sub(LAST_LINES_MAX);
    lines[first..].iter().map(|line| escape(line)).collect()
}

/// Reads the file as it grows, until it is told to end, and then to its end.
pub(super) struct Tail {
    file: File,
    /// How far it was read, and how far of that takes up no room any more.
    seen: u64,
    freed: u64,
    end: Receiver<()>,
    is_ending: bool,
}

impl Tail {
    /// The file, emptied, to be written to; who reads it; and what ends the reading when it is dropped.
    ///
    /// # Errors
    /// The system's.
    pub(super) fn begin(dir: &Path) -> io::Result<(File, Tail, Sender<()>)> {
        let path = dir.join(FILE);
        let mut options = File::options();
        options.append(true).create(true).mode(0o600);
        let written = options.open(&path)?;
        written.set_len(0)?;
        let (ends, end) = channel();
        let tail = Tail {
            file: File::options().read(true).write(true).open(path)?,
            seen: 0,
            freed: 0,
            end,
            is_ending: false,
        };
        Ok((written, tail, ends))
    }

    /// Gives back the room of what was read, but for the last words: the file keeps its length, so that nothing is lost that
    /// is printed meanwhile. Where a file system has no holes the file is emptied once all of it was read, and anywhere once
    /// too much waits to be read.
    fn free(&mut self) -> io::Result<()> {
        let until = self.seen.saturating_sub(LAST_BYTES_MAX);
        if until - self.freed < READ_BYTES_MAX {
            return Ok(());
        }
        let unread = self.file.metadata()?.len().saturating_sub(self.seen);
        let flags = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
        if unread < UNREAD_BYTES_MAX {
            let freed = fallocate(&self.file, flags, self.freed, until - self.freed);
            if freed.is_ok() {
                self.freed = until;
            }
            if freed.is_ok() || unread > 0 {
                return Ok(());
            }
        }
        self.file.set_len(0)?;
        self.file.rewind()?;
        (self.seen, self.freed) = (0, 0);
        Ok(())
    }
}

impl Read for Tail {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.file.read(buffer)?;
            self.seen += read as u64;
            self.free()?;
            if read > 0 || self.is_ending {
                return Ok(read);
            }
            let waited = self.end.recv_timeout(PAUSE);
            self.is_ending = !matches!(waited, Err(RecvTimeoutError::Timeout));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;
    use std::os::unix::fs::MetadataExt as _;

    #[test]
    fn what_was_printed_last_is_there_for_the_next_process() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(last_words(dir.path()), Vec::<String>::new());
        let (mut written, tail, ends) = Tail::begin(dir.path()).unwrap();
        for n in 0..1_000 {
            writeln!(written, "line {n}\n").unwrap();
        }
        writeln!(written, "an end\u{1b}[31m").unwrap();
        drop((tail, ends));
        let words = last_words(dir.path());
        assert_eq!((words.len(), words[7].as_str()), (8, "an end\\u{1b}[31m"));
        assert_eq!(words[0], "line 993");
        let _next = Tail::begin(dir.path()).unwrap();
        assert_eq!(last_words(dir.path()), Vec::<String>::new());
    }

    #[test]
    fn all_of_it_is_read_and_takes_little_room() {
        let dir = tempfile::tempdir().unwrap();
        let (mut written, mut tail, ends) = Tail::begin(dir.path()).unwrap();
        let reader = std::thread::spawn(move || {
            let mut all = Vec::new();
            tail.read_to_end(&mut all).unwrap();
            all.len()
        });
        let line = [b'x'; 1 << 10];
        for _ in 0..3 << 10 {
            written.write_all(&line).unwrap();
        }
        drop(ends);
        assert_eq!(reader.join().unwrap(), 3 << 20);
        let blocks = written.metadata().unwrap().blocks();
        assert!(blocks * 512 < 2 << 20, "{blocks} blocks of 512 B");
        let words = last_words(dir.path());
        let is_whole = |word: &String| word.starts_with("xxx") && !word.contains('\0');
        assert!(!words.is_empty() && words.iter().all(is_whole));
    }
}
