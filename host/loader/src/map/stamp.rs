//! What a file looked like from outside when it was read, to see cheaply that it changed.
//!
//! Must not know what is in files. Taken before reading: a change in between makes the stamp stale,
//! never the other way round.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// Device, inode, size, and times of change in nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Stamp {
    fn of(meta: &Metadata) -> Stamp {
        Stamp {
            device: meta.dev(),
            inode: meta.ino(),
            size: meta.size(),
            modified: (meta.mtime(), meta.mtime_nsec()),
            changed: (meta.ctime(), meta.ctime_nsec()),
        }
    }

    fn take(path: &Path) -> Option<Stamp> {
        path.metadata().ok().as_ref().map(Stamp::of)
    }
}

/// The stamps of all paths that were looked at; absent ones too.
#[derive(Debug, Clone, Default)]
pub(super) struct Stamps(Vec<(PathBuf, Option<Stamp>)>);

impl Stamps {
    /// Remembers how a file or directory looks now.
    pub(super) fn add(&mut self, path: &Path) {
        self.0.push((path.to_owned(), Stamp::take(path)));
    }

    /// Whether one of them looks different now.
    pub(super) fn are_stale(&self) -> bool {
        self.0.iter().any(|(path, then)| Stamp::take(path) != *then)
    }
}
